// SPDX-License-Identifier: GPL-2.0-or-later
#include "subjects.h"

#include <ctype.h>
#include <net/if.h>
#include <pwd.h>

#include "cgroup.h"

void subjects_done(struct subject_list *list)
{
	free(list->list);
	*list = (struct subject_list){0};
}

bool subjects_equal(const struct subject_list *a, const struct subject_list *b)
{
	if (a->length != b->length)
		return false;
	for (size_t i = 0; i < a->length; i++)
		if (a->list[i].policy != b->list[i].policy ||
		    a->list[i].cgroup_id != b->list[i].cgroup_id ||
		    a->list[i].uid != b->list[i].uid || a->list[i].ifindex != b->list[i].ifindex)
			return false;
	return true;
}

static bool any_policy(const struct config *config, bool (*has)(const struct match *match))
{
	for (size_t i = 0; i < config->policies_length; i++)
		if (has(&config->policies[i].match))
			return true;
	return false;
}

static bool names_interfaces(const struct match *match)
{
	return match->interfaces.length > 0;
}

bool subjects_have_cgroups(const struct config *config)
{
	return any_policy(config, match_names_cgroups);
}

bool subjects_have_interfaces(const struct config *config)
{
	return any_policy(config, names_interfaces);
}

bool subjects_need_facts(const struct config *config)
{
	return any_policy(config, match_needs_facts);
}

static int subject_add(struct subject_list *list, struct subject subject)
{
	struct subject *place = ARRAY_APPEND(list->list, list->length);

	if (!place)
		return -ENOMEM;
	*place = subject;
	return 0;
}

int subjects_append(struct subject_list *to, const struct subject_list *from)
{
	int r = 0;

	for (size_t i = 0; i < from->length && r == 0; i++)
		r = subject_add(to, from->list[i]);
	return r;
}

/* Users ------------------------------------------------------------------------------------ */

int subjects_find_user(const char *text, uint32_t *ret)
{
	const struct passwd *user;
	unsigned long uid;
	char *end;

	errno = 0;
	uid = strtoul(text, &end, 10);
	if (isdigit((unsigned char)text[0]) && !*end && !errno && uid < DF_UID_ANY) {
		*ret = (uint32_t)uid;
		return 0;
	}
	user = getpwnam(text);
	if (!user)
		return -ENOENT;
	*ret = user->pw_uid;
	return 0;
}

static void users_find(struct users *users, struct diagnostics *diagnostics)
{
	if (!users->words.length || users->uids)
		return;
	users->uids = calloc(users->words.length, sizeof(*users->uids));
	for (size_t i = 0; users->uids && i < users->words.length; i++) {
		const struct word *word = &users->words.list[i];

		if (subjects_find_user(word->text, &users->uids[i]) == 0)
			continue;
		users->uids[i] = DF_UID_ANY; /* (uid_t)-1, which is nobody's */
		config_error(diagnostics, word->where,
			     "user: this host knows no user '%s'; write the uid, or create the "
			     "user first",
			     word->text);
	}
}

void subjects_find_users(struct config *config, struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < config->policies_length; i++) {
		struct match *match = &config->policies[i].match;

		users_find(&match->users, diagnostics);
		users_find(&match->container.owners, diagnostics);
	}
}

/* In any cgroup (id 0), or in the one at hand: one for each user, or one for everybody. */
static int subject_add_users(const struct match *match, struct subject subject,
			     struct subject_list *list)
{
	const struct users *users = &match->users;
	int r = 0;

	subject.uid = DF_UID_ANY;
	if (!users->words.length)
		return subject_add(list, subject);
	for (size_t i = 0; users->uids && i < users->words.length && r == 0; i++) {
		subject.uid = users->uids[i];
		r = subject_add(list, subject);
	}
	return users->uids ? r : -ENOMEM;
}

int subjects_add_users(const struct config *config, struct subject_list *list)
{
	int r = 0;

	for (size_t i = 0; i < config->policies_length && r == 0; i++) {
		const struct match *match = &config->policies[i].match;

		if (match->users.words.length && !match_names_cgroups(match))
			r = subject_add_users(match, (struct subject){.policy = i}, list);
	}
	return r;
}

/* Frames ----------------------------------------------------------------------------------- */

/* One interface, or any (0), with each source that the policy names. */
static int subject_add_sources(const struct match *match, size_t policy, uint32_t ifindex,
			       struct subject_list *list)
{
	struct subject subject = {.policy = policy, .of_frames = true, .ifindex = ifindex};
	int r = 0;

	if (!match->sources.length)
		return subject_add(list, subject);
	for (size_t i = 0; i < match->sources.length && r == 0; i++) {
		subject.source = match->sources.list[i];
		r = subject_add(list, subject);
	}
	return r;
}

static int subject_add_interfaces(const struct match *match, size_t policy,
				  struct subject_list *list)
{
	struct if_nameindex *interfaces = if_nameindex();
	int r = interfaces ? 0 : -ENOMEM;

	for (struct if_nameindex *at = interfaces; r == 0 && at->if_index; at++)
		if (words_match(&match->interfaces, at->if_name))
			r = subject_add_sources(match, policy, at->if_index, list);
	if (interfaces)
		if_freenameindex(interfaces);
	return r;
}

int subjects_add_frames(const struct config *config, struct subject_list *list)
{
	int r = 0;

	for (size_t i = 0; i < config->policies_length && r == 0; i++) {
		const struct match *match = &config->policies[i].match;

		if (match->interfaces.length)
			r = subject_add_interfaces(match, i, list);
		else if (match->sources.length)
			r = subject_add_sources(match, i, 0, list);
	}
	return r;
}

/* Cgroups ---------------------------------------------------------------------------------- */

static void path_find(const struct word *word, int mount_fd, const char *mount, bool strict,
		      struct diagnostics *diagnostics)
{
	uint64_t id;

	if (word_is_glob(word->text) || cgroup_id_of(mount_fd, word->text, &id) == 0)
		return;
	diagnostics_add(diagnostics, strict ? DIAGNOSTIC_ERROR : DIAGNOSTIC_WARNING, word->where,
			"there is no cgroup '%s' below %s; create it first, or write a glob for "
			"one that comes and goes",
			word->text, mount);
}

void subjects_find_paths(const struct config *config, int mount_fd, const char *mount, bool strict,
			 struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < config->policies_length; i++) {
		const struct words *paths = &config->policies[i].match.cgroups;

		for (size_t j = 0; j < paths->length; j++)
			path_find(&paths->list[j], mount_fd, mount, strict, diagnostics);
	}
}

int subjects_add_cgroup(const struct config *config, uint64_t id, const struct match_cgroup *cgroup,
			struct subject_list *list, struct rank_set *ret_unknown)
{
	unsigned int level = cgroup->identity->level;
	int r = 0;

	memset(ret_unknown, 0, sizeof(*ret_unknown));
	for (size_t i = 0; i < config->policies_length && r == 0; i++) {
		const struct match *match = &config->policies[i].match;
		bool unknown;

		if (match_level(match, cgroup, &unknown) != (int)level)
			continue;
		if (unknown)
			rank_set_add(ret_unknown, i);
		else
			r = subject_add_users(
				match,
				(struct subject){.policy = i, .cgroup_id = id, .level = level},
				list);
	}
	return r;
}
