// SPDX-License-Identifier: GPL-2.0-or-later
#include "config_match.h"

#include "bpf/abi.h"
#include "cgroup.h"
#include "match.h"

#define UNIT_NAME_CHARACTERS         \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@"
#define GLOB_CHARACTERS "*?[]!^"

/* The types of units that have cgroups, systemd.unit(5). */
static const char *const unit_types[] = {".service", ".scope", ".slice",
					 ".socket",  ".mount", ".swap"};
static const char *const other_types[] = {".timer", ".target", ".path", ".device", ".automount"};

typedef void (*word_check)(const char *key, const struct word *word,
			   struct diagnostics *diagnostics);

/* No component that is empty, "." or "..". */
static bool cgroup_path_is_plain(const char *path)
{
	for (const char *at = path; *at; at += strcspn(at, "/")) {
		at += *at == '/';
		if ((*at == '/') || (at[0] == '.' && (!at[1] || at[1] == '/')) ||
		    (at[0] == '.' && at[1] == '.' && (!at[2] || at[2] == '/')))
			return false;
	}
	return true;
}

static void check_cgroup(const char *key, const struct word *word, struct diagnostics *diagnostics)
{
	const char *path = word->text;

	if (path[0] != '/')
		config_error(diagnostics, word->where,
			     "%s: '%s' must begin with / (the root of the cgroup2 hierarchy)", key,
			     path);
	else if (!cgroup_path_is_plain(path))
		config_error(diagnostics, word->where, "%s: '%s' is not a plain path", key, path);
	else if (cgroup_level(path) >= DF_LEVEL_MAX)
		config_error(diagnostics, word->where,
			     "%s: '%s' is deeper than %d levels, more than is followed", key, path,
			     DF_LEVEL_MAX - 1);
}

static bool unit_has_type(const char *name, const char *const *types, size_t length)
{
	const char *type = strrchr(name, '.');

	for (size_t i = 0; type && type > name && i < length; i++)
		if (util_streq(type, types[i]))
			return true;
	return false;
}

static void check_unit(const char *key, const struct word *word, struct diagnostics *diagnostics)
{
	const char *name = word->text;

	if (strchr(name, '/'))
		config_error(diagnostics, word->where,
			     "%s: '%s' is a path; write the unit's name alone, or use cgroup", key,
			     name);
	else if (!*name || name[strspn(name, UNIT_NAME_CHARACTERS GLOB_CHARACTERS)])
		config_error(diagnostics, word->where, "%s: '%s' cannot be a unit's name", key,
			     name);
	else if (word_is_glob(name) || unit_has_type(name, unit_types, ARRAY_LEN(unit_types)))
		return;
	else if (unit_has_type(name, other_types, ARRAY_LEN(other_types)))
		config_error(diagnostics, word->where,
			     "%s: '%s' is of a type that has no cgroup; name the service that it "
			     "starts",
			     key, name);
	else
		config_error(diagnostics, word->where,
			     "%s: '%s' lacks the unit's type; did you mean '%s.service'?", key,
			     name, name);
}

static void check_word(const char *key, const struct word *word, struct diagnostics *diagnostics)
{
	if (!word->text[0])
		config_error(diagnostics, word->where,
			     "%s: an empty word matches nothing; leave the key out, or write * for "
			     "any",
			     key);
}

static void check_words(const char *key, const struct words *words, word_check check,
			struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < words->length; i++)
		if (words->list[i].text)
			check(key, &words->list[i], diagnostics);
}

/* A label may be set to nothing, and a policy may ask for that. */
static void check_labels(const struct label_matches *labels, struct mark where,
			 struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < labels->length; i++)
		if (!labels->list[i].key[0])
			config_error(diagnostics, where, "label: a label has a name");
}

static void check_container(const struct container_match *container,
			    struct diagnostics *diagnostics)
{
	check_words("name", &container->names, check_word, diagnostics);
	check_words("image", &container->images, check_word, diagnostics);
	check_words("id", &container->ids, check_word, diagnostics);
	check_words("user", &container->owners.words, check_word, diagnostics);
	check_labels(&container->labels, container->where, diagnostics);
}

static void check_pod(const struct pod_match *pod, struct diagnostics *diagnostics)
{
	check_words("namespace", &pod->namespaces, check_word, diagnostics);
	check_words("name", &pod->names, check_word, diagnostics);
	check_labels(&pod->labels, pod->where, diagnostics);
}

static bool speaks_of_frames(const struct match *match)
{
	return match->interfaces.length || match->sources.length;
}

void config_check_match(const struct match *match, struct diagnostics *diagnostics)
{
	bool of_sockets = match_names_cgroups(match) || match->users.words.length;

	if (of_sockets && speaks_of_frames(match))
		config_error(diagnostics, match->where,
			     "match: interface and source speak of frames without a socket, the "
			     "other keys of sockets; write two policies");
	check_words("cgroup", &match->cgroups, check_cgroup, diagnostics);
	check_words("unit", &match->units, check_unit, diagnostics);
	check_words("user_unit", &match->user_units, check_unit, diagnostics);
	check_words("user", &match->users.words, check_word, diagnostics);
	check_container(&match->container, diagnostics);
	check_pod(&match->pod, diagnostics);
}
