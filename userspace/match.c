// SPDX-License-Identifier: GPL-2.0-or-later
#include "match.h"

#include <fnmatch.h>

#include "cgroup.h"

bool match_names_cgroups(const struct match *match)
{
	return match->cgroups.length || match->units.length || match->user_units.length ||
	       match->container.where.line || match->pod.where.line;
}

static bool container_needs_facts(const struct container_match *container)
{
	return container->names.length || container->images.length || container->labels.length;
}

static bool pod_needs_facts(const struct pod_match *pod)
{
	return pod->where.line != 0;
}

bool match_needs_facts(const struct match *match)
{
	return container_needs_facts(&match->container) || match->container.runtimes ||
	       pod_needs_facts(&match->pod);
}

/* One of several keys: all hold where the deepest of them does. */
static int levels_join(int a, int b)
{
	return a == MATCH_NEVER || b == MATCH_NEVER ? MATCH_NEVER : MAX(a, b);
}

/* How long the first `level` components of a path are; the whole path where it has no more. */
static size_t path_prefix(const char *path, unsigned int level)
{
	const char *at = path;

	for (; *at && level; level--) {
		at += strspn(at, "/");
		at += strcspn(at, "/");
	}
	return (size_t)(at - path);
}

static bool path_matches(const char *path, const char *pattern, unsigned int level)
{
	_cleanup_free_ char *prefix = strndup(path, path_prefix(path, level));
	size_t length = path_prefix(pattern, level); /* not a slash at the end */
	_cleanup_free_ char *plain = strndup(pattern, length);

	if (!prefix || !plain)
		return false;
	if (!word_is_glob(pattern))
		return util_streq(prefix, plain);
	return fnmatch(plain, prefix, FNM_PATHNAME | FNM_NOESCAPE) == 0;
}

/* The uppermost cgroup of the path that a word names. */
static int level_of_cgroup(const struct words *words, const struct match_cgroup *cgroup)
{
	int found = MATCH_NEVER;

	for (size_t i = 0; i < words->length; i++) {
		unsigned int level = cgroup_level(words->list[i].text);

		if (level <= cgroup->identity->level && (found < 0 || (int)level < found) &&
		    path_matches(cgroup->path, words->list[i].text, level))
			found = (int)level;
	}
	return found;
}

/* All between `above` and the innermost slice is slices; a "_" before a name is systemd's. */
static int level_of_slice(const struct words *words, const char *path, unsigned int above,
			  const struct identity_unit *innermost)
{
	for (unsigned int level = above + 1; innermost->name[0] && level <= innermost->level;
	     level++) {
		const char *begin = path + path_prefix(path, level - 1);
		_cleanup_free_ char *name = NULL;

		begin += strspn(begin, "/");
		begin += *begin == '_';
		name = strndup(begin, strcspn(begin, "/"));
		if (name && words_match(words, name))
			return (int)level;
	}
	return MATCH_NEVER;
}

static int level_of_unit(const struct words *words, const char *path, unsigned int manager,
			 const struct identity_unit *slice, const struct identity_unit *unit)
{
	int level = level_of_slice(words, path, manager, slice);

	if (level >= 0)
		return level;
	return unit->name[0] && words_match(words, unit->name) ? (int)unit->level : MATCH_NEVER;
}

/* Without uids[] nobody was found yet, and nobody is one of them. */
static bool users_have(const struct users *users, uint32_t uid)
{
	if (uid == IDENTITY_NO_USER)
		return false;
	for (size_t i = 0; users->uids && i < users->words.length; i++)
		if (users->uids[i] == uid)
			return true;
	return false;
}

static int level_of_user_unit(const struct match *match, const struct match_cgroup *cgroup)
{
	const struct identity *identity = cgroup->identity;

	if (identity->user == IDENTITY_NO_USER ||
	    (match->users.words.length && !users_have(&match->users, identity->user)))
		return MATCH_NEVER;
	return level_of_unit(&match->user_units, cgroup->path, identity->unit.level,
			     &identity->user_slice, &identity->user_unit);
}

static bool labels_match(const struct label_matches *wanted, const struct fact_labels *labels)
{
	for (size_t i = 0; i < wanted->length; i++) {
		const char *value = fact_labels_find(labels, wanted->list[i].key);

		if (!value || !words_match(&wanted->list[i].values, value))
			return false;
	}
	return true;
}

/* No words say nothing; a name that is not known is none of them. */
static bool text_matches(const struct words *words, const char *text)
{
	return !words->length || (*text && words_match(words, text));
}

static bool container_is_owned(const struct container_match *wanted,
			       const struct match_cgroup *cgroup)
{
	return wanted->owners.words.length ? users_have(&wanted->owners, cgroup->owner)
					   : cgroup->owner == 0;
}

static bool runtime_is_wanted(const struct container_match *wanted,
			      const struct match_cgroup *cgroup, bool *ret_unknown)
{
	enum runtime runtime = cgroup->identity->container.runtime;

	if (!wanted->runtimes)
		return true;
	if (runtime == RUNTIME_UNKNOWN && cgroup->facts)
		runtime = cgroup->facts->container.runtime;
	else if (runtime == RUNTIME_UNKNOWN)
		return *ret_unknown = true;
	return wanted->runtimes >> runtime & 1;
}

static int level_of_container(const struct container_match *wanted,
			      const struct match_cgroup *cgroup, bool *ret_unknown)
{
	const struct identity_container *container = &cgroup->identity->container;
	const struct facts *facts = cgroup->facts;

	if (!container->runtime || !container_is_owned(wanted, cgroup) ||
	    !text_matches(&wanted->ids, container->id) ||
	    !runtime_is_wanted(wanted, cgroup, ret_unknown))
		return MATCH_NEVER;
	if (!container_needs_facts(wanted))
		return (int)container->level;
	if (!facts)
		*ret_unknown = true;
	else if (!text_matches(&wanted->names, facts->container.name) ||
		 !text_matches(&wanted->images, facts->container.image) ||
		 !labels_match(&wanted->labels, &facts->container.labels))
		return MATCH_NEVER;
	return (int)container->level;
}

static int level_of_pod(const struct pod_match *wanted, const struct match_cgroup *cgroup,
			bool *ret_unknown)
{
	const struct identity_pod *pod = &cgroup->identity->pod;
	const struct facts *facts = cgroup->facts;

	if (!pod->uid[0] || cgroup->owner != 0)
		return MATCH_NEVER;
	if (!facts)
		*ret_unknown = true;
	else if (!text_matches(&wanted->namespaces, facts->pod.namespace) ||
		 !text_matches(&wanted->names, facts->pod.name) ||
		 !labels_match(&wanted->labels, &facts->pod.labels))
		return MATCH_NEVER;
	return (int)pod->level;
}

int match_level(const struct match *match, const struct match_cgroup *cgroup, bool *ret_unknown)
{
	const struct identity *identity = cgroup->identity;
	int level = 0;

	*ret_unknown = false;
	if (!match_names_cgroups(match))
		return MATCH_NEVER;
	if (match->cgroups.length)
		level = levels_join(level, level_of_cgroup(&match->cgroups, cgroup));
	if (match->units.length)
		level = levels_join(level, level_of_unit(&match->units, cgroup->path, 0,
							 &identity->slice, &identity->unit));
	if (match->user_units.length)
		level = levels_join(level, level_of_user_unit(match, cgroup));
	if (match->container.where.line)
		level = levels_join(level,
				    level_of_container(&match->container, cgroup, ret_unknown));
	if (match->pod.where.line)
		level = levels_join(level, level_of_pod(&match->pod, cgroup, ret_unknown));
	return level;
}
