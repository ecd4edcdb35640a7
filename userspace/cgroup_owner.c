// SPDX-License-Identifier: GPL-2.0-or-later
#include "cgroup_owner.h"

#include <fcntl.h>
#include <sys/stat.h>

/* The owner of the directory above the component at that level; others must not write there. */
static uint32_t owner_above(int mount_fd, const char *path, unsigned int level)
{
	char above[4096] = ".";
	struct stat st;
	const char *end = path;

	for (unsigned int i = 1; i < level; i++) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
	}
	if ((size_t)(end - path) >= sizeof(above))
		return IDENTITY_NO_USER;
	path += strspn(path, "/");
	if (end > path)
		snprintf(above, sizeof(above), "%.*s", (int)(end - path), path);
	if (fstatat(mount_fd, above, &st, AT_SYMLINK_NOFOLLOW) < 0 || (st.st_mode & 022))
		return IDENTITY_NO_USER;
	return st.st_uid;
}

static uint32_t owner_both(uint32_t a, uint32_t b)
{
	return a == b || !b ? a : !a ? b : IDENTITY_NO_USER;
}

uint32_t cgroup_owner(int mount_fd, const char *path, const struct identity *identity)
{
	uint32_t owner = identity->user == IDENTITY_NO_USER ? 0 : identity->user;

	if (identity->container.runtime)
		owner = owner_both(owner, owner_above(mount_fd, path, identity->container.level));
	if (identity->pod.uid[0])
		owner = owner_both(owner, owner_above(mount_fd, path, identity->pod.level));
	return owner;
}
