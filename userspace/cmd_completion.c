// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * completion: the scripts for shells, and what those ask while somebody types. Whoever may make a
 * cgroup chooses its name: what a shell or terminal could mistake is not offered.
 */
#include <ctype.h>
#include <dirent.h>
#include <fts.h>
#include <pwd.h>

#include "cgroup.h"
#include "completion.h"
#include "entry.h"
#include "identity.h"
#include "outcome.h"
#include "top_model.h"

#define VALUES_MAX 5000 /* more are of no use to anybody */

static bool value_is_plain(const char *value)
{
	for (; *value; value++)
		if (!isalnum((unsigned char)*value) && !strchr("/._-@:+,\\=", *value))
			return false;
	return true;
}

/* A name that a cgroup has to offer; NULL: none. */
typedef const char *(*value_of)(const struct identity *identity, const char *path);

static const char *value_cgroup(const struct identity *identity, const char *path)
{
	(void)identity;
	return path;
}

static const char *unit_at(const struct identity *identity, const struct identity_unit *unit,
			   const struct identity_unit *slice)
{
	if (identity_is_at(identity, unit))
		return unit->name;
	return identity_is_at(identity, slice) ? slice->name : NULL;
}

static const char *value_unit(const struct identity *identity, const char *path)
{
	(void)path;
	return unit_at(identity, &identity->unit, &identity->slice);
}

static const char *value_user_unit(const struct identity *identity, const char *path)
{
	(void)path;
	return unit_at(identity, &identity->user_unit, &identity->user_slice);
}

static const char *value_container(const struct identity *identity, const char *path)
{
	(void)path;
	return identity->container.runtime != RUNTIME_NONE &&
			       identity->container.level == identity->level
		       ? identity->container.id
		       : NULL;
}

static void list_of_cgroups(value_of value)
{
	_cleanup_free_ char *mount = NULL;
	char *roots[] = {NULL, NULL};
	size_t prefix, left = VALUES_MAX;
	struct identity identity;
	FTS *walk;

	if (cgroup_find_mount(&mount) < 0)
		return;
	prefix = strlen(mount);
	roots[0] = mount;
	walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	for (FTSENT *at; walk && left && (at = fts_read(walk));) {
		const char *path = at->fts_path + prefix, *text;

		if (at->fts_info != FTS_D || !*path)
			continue;
		identity_of_path(path, &identity);
		text = value(&identity, path);
		if (text && value_is_plain(text) && left--)
			printf("%s\n", text);
	}
	if (walk)
		fts_close(walk);
}

static void list_cgroups(void)
{
	list_of_cgroups(value_cgroup);
}

static void list_units(void)
{
	list_of_cgroups(value_unit);
}

static void list_user_units(void)
{
	list_of_cgroups(value_user_unit);
}

static void list_containers(void)
{
	list_of_cgroups(value_container);
}

static void list_pids(void)
{
	DIR *directory = opendir("/proc");
	struct dirent *entry;
	size_t left = VALUES_MAX;

	while (directory && left && (entry = readdir(directory)))
		if (isdigit((unsigned char)entry->d_name[0]) && left--)
			printf("%s\n", entry->d_name);
	if (directory)
		closedir(directory);
}

static void list_users(void)
{
	const struct passwd *user;
	size_t left = VALUES_MAX;

	setpwent();
	while (left-- && (user = getpwent()))
		if (value_is_plain(user->pw_name))
			printf("%s\n", user->pw_name);
	endpwent();
}

static void list_shells(void)
{
	printf("bash\nzsh\nfish\n");
}

static void list_fields(void)
{
	for (const char *const *field = entry_fields; *field; field++)
		printf("%s=\n", *field);
}

static void list_groupings(void)
{
	for (size_t i = 0; i < TOP_GROUPING_MAX; i++)
		printf("%s\n", top_grouping_names[i]);
}

static void list_orders(void)
{
	for (size_t i = 0; i < TOP_ORDER_MAX; i++)
		printf("%s\n", top_order_names[i]);
}

int cmd_completion(const struct options *options)
{
	static void (*const lists[])(void) = {
		[VALUE_CGROUP] = list_cgroups,       [VALUE_PID] = list_pids,
		[VALUE_USER] = list_users,           [VALUE_UNIT] = list_units,
		[VALUE_USER_UNIT] = list_user_units, [VALUE_CONTAINER] = list_containers,
		[VALUE_SHELL] = list_shells,         [VALUE_FIELD] = list_fields,
		[VALUE_GROUPING] = list_groupings,   [VALUE_ORDER] = list_orders,
	};
	const char *word = options->words.length ? options->words.list[0] : "";
	int r = completion_write(word, command_table, common_options, stdout);

	for (size_t i = 0; r == -ENOENT && i < ARRAY_LEN(lists); i++) {
		const char *name = completion_list_name(i);

		if (!name || !util_streq(name, word))
			continue;
		lists[i]();
		r = 0;
	}
	if (r == -ENOENT) {
		if (options->words.length)
			log_error("there is nothing to complete for '%s'; name a shell: bash, zsh "
				  "or fish",
				  word);
		else
			log_error("name a shell: bash, zsh or fish; see \"dnsfence completion "
				  "--help\"");
		return EXIT_USAGE;
	}
	return EXIT_FINE; /* what could not be written main tells */
}
