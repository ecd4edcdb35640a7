// SPDX-License-Identifier: GPL-2.0-or-later
#include "subjects.h"

#include <ctype.h>
#include <fcntl.h>
#include <glob.h>
#include <net/if.h>
#include <pwd.h>
#include <sys/stat.h>

#include "cgroup.h"

struct resolution {
	const char *mount;
	int mount_fd;
	bool strict;
	struct subject_list list;
	struct diagnostics *diagnostics;
};

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

static int subject_add(struct resolution *resolution, size_t policy, uint64_t cgroup_id,
		       uint32_t uid, unsigned int level)
{
	struct subject *subject = ARRAY_APPEND(resolution->list.list, resolution->list.length);

	if (!subject)
		return -ENOMEM;
	*subject = (struct subject){
		.policy = policy, .cgroup_id = cgroup_id, .uid = uid, .level = level};
	return 0;
}

static int subject_add_origin(struct resolution *resolution, size_t policy, uint32_t ifindex,
			      const struct address *source)
{
	struct subject *subject = ARRAY_APPEND(resolution->list.list, resolution->list.length);

	if (!subject)
		return -ENOMEM;
	*subject = (struct subject){
		.policy = policy, .of_frames = true, .ifindex = ifindex, .source = *source};
	return 0;
}

/* One interface, or any (0), with each source that the policy names. */
static int subject_add_sources(struct resolution *resolution, const struct policy_config *policy,
			       size_t index, uint32_t ifindex)
{
	const struct prefixes *sources = &policy->match_sources;
	int r = 0;

	if (!sources->length)
		return subject_add_origin(resolution, index, ifindex, &(struct address){0});
	for (size_t i = 0; i < sources->length && r == 0; i++)
		r = subject_add_origin(resolution, index, ifindex, &sources->list[i]);
	return r;
}

/* Names that nothing has yet match nothing yet: interfaces come and go. */
static int subject_add_interfaces(struct resolution *resolution, const struct policy_config *policy,
				  size_t index)
{
	struct if_nameindex *interfaces = if_nameindex();
	int r = interfaces ? 0 : -ENOMEM;

	resolution->list.follows = true;
	for (struct if_nameindex *at = interfaces; r == 0 && at->if_index; at++)
		if (words_match(&policy->match_interfaces, at->if_name))
			r = subject_add_sources(resolution, policy, index, at->if_index);
	if (interfaces)
		if_freenameindex(interfaces);
	return r;
}

static int subject_add_path(struct resolution *resolution, size_t policy, const char *path,
			    uint32_t uid, struct mark where)
{
	unsigned int level = cgroup_level(path);
	uint64_t id;

	if (cgroup_id_of(resolution->mount_fd, path, &id) < 0)
		return -ENOENT;
	if (level >= DF_LEVEL_MAX) {
		config_error(resolution->diagnostics, where,
			     "cgroup: '%s' is deeper than %d levels, more than is followed", path,
			     DF_LEVEL_MAX - 1);
		return -EINVAL;
	}
	return subject_add(resolution, policy, id, uid, level);
}

static bool path_ends_in_dots(const char *path)
{
	const char *last = strrchr(path, '/');

	return last && (util_streq(last, "/.") || util_streq(last, "/.."));
}

static int subject_add_glob(struct resolution *resolution, size_t policy, const char *pattern,
			    uint32_t uid, struct mark where)
{
	_cleanup_free_ char *full = NULL;
	size_t prefix = strlen(resolution->mount);
	glob_t found = {0};
	int r = 0;

	if (asprintf(&full, "%s%s", resolution->mount, pattern) < 0)
		return -ENOMEM;
	/* GLOB_PERIOD: whoever may make cgroups below must not hide one by its name. */
	if (glob(full, GLOB_ONLYDIR | GLOB_PERIOD, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc && r != -ENOMEM; i++)
			if (!path_ends_in_dots(found.gl_pathv[i]))
				r = subject_add_path(resolution, policy, found.gl_pathv[i] + prefix,
						     uid, where);
	globfree(&found);
	return r == -ENOENT ? 0 : r; /* gone since, or a file */
}

static int subject_add_cgroup(struct resolution *resolution, const struct policy_config *policy,
			      size_t index, uint32_t uid)
{
	const char *path = policy->match_cgroup;
	int r;

	resolution->list.follows = true;
	if (strpbrk(path, "*?["))
		return subject_add_glob(resolution, index, path, uid, policy->match_where);
	r = subject_add_path(resolution, index, path, uid, policy->match_where);
	if (r != -ENOENT)
		return r;
	diagnostics_add(resolution->diagnostics,
			resolution->strict ? DIAGNOSTIC_ERROR : DIAGNOSTIC_WARNING,
			policy->match_where,
			"there is no cgroup '%s' below %s; create it first, or write a glob for "
			"one that comes and goes",
			path, resolution->mount);
	return 0;
}

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

/* The name service is asked once; later rounds run in the daemon's loop and must not wait for it.
 */
static int policy_resolve_user(struct policy_config *policy, uint32_t *ret)
{
	if (policy->match_user && !policy->uid_known) {
		if (subjects_find_user(policy->match_user, &policy->uid) < 0)
			return -ENOENT;
		policy->uid_known = true;
	}
	*ret = policy->match_user ? policy->uid : DF_UID_ANY;
	return 0;
}

static int subject_add_policy(struct resolution *resolution, struct policy_config *policy,
			      size_t index)
{
	uint32_t uid;

	if (policy_resolve_user(policy, &uid) < 0) {
		config_error(resolution->diagnostics, policy->match_where,
			     "user: this host knows no user '%s'; write the uid, or create the "
			     "user first",
			     policy->match_user);
		return 0;
	}
	if (policy->match_interfaces.length)
		return subject_add_interfaces(resolution, policy, index);
	if (policy->match_sources.length)
		return subject_add_sources(resolution, policy, index, 0);
	if (policy->match_cgroup)
		return subject_add_cgroup(resolution, policy, index, uid);
	if (policy->match_user)
		return subject_add(resolution, index, 0, uid, 0);
	return 0;
}

int subjects_resolve(struct config *config, const char *mount, bool strict,
		     struct subject_list *ret, struct diagnostics *diagnostics)
{
	_cleanup_close_ int fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct resolution resolution = {
		.mount = mount, .mount_fd = fd, .strict = strict, .diagnostics = diagnostics};
	size_t before = diagnostics->errors;

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < config->policies_length; i++)
		if (subject_add_policy(&resolution, &config->policies[i], i) == -ENOMEM) {
			subjects_done(&resolution.list);
			return -ENOMEM;
		}
	if (diagnostics->errors > before) {
		subjects_done(&resolution.list);
		return -EINVAL;
	}
	*ret = resolution.list;
	return 0;
}
