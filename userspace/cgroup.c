// SPDX-License-Identifier: GPL-2.0-or-later
#include "cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "escape.h"

#define FILEID_KERNFS 0xfe /* linux/exportfs.h, 5.5; the handle is the 64-bit id */

/* Lines of mountinfo(5): id parent dev root mount options [optional...] - type source super. */
static bool mountinfo_is_cgroup2(char *line, char **ret_mount)
{
	char *separator = strstr(line, " - cgroup2 ");
	char root[8], mount[4096];

	if (!separator || sscanf(line, "%*d %*d %*s %7s %4095s", root, mount) != 2)
		return false;
	if (!util_streq(root, "/"))
		return false;
	escape_undo_octal(mount);
	*ret_mount = strdup(mount);
	return *ret_mount != NULL;
}

int cgroup_find_mount(char **ret)
{
	_cleanup_file_ FILE *file = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	if (!file)
		return -errno;
	while (getline(&line, &size, file) > 0)
		if (mountinfo_is_cgroup2(line, ret))
			return 0;
	return -ENOENT;
}

int cgroup_refuse_mount(int error, struct problem *problem)
{
	if (error != -ENOENT || access("/proc/self/mountinfo", F_OK) < 0)
		return problem_set(
			problem, ENOTSUP,
			"cannot read /proc/self/mountinfo, which tells where cgroup2 is: "
			"%s; mount /proc first (mount -t proc proc /proc)",
			strerror(-error));
	return problem_set(
		problem, ENOTSUP,
		"no cgroup2 hierarchy is mounted in this mount namespace (\"ip netns exec\" hides "
		"it, \"nsenter --net\" does not); mount one (mount -t cgroup2 none "
		"/sys/fs/cgroup), or boot with systemd.unified_cgroup_hierarchy=1");
}

/* On cgroup2 the inode number is the id (fs/kernfs/dir.c, kernfs_ino(): 64-bit hosts, Linux 5.5).
 */
int cgroup_id_of(int mount_fd, const char *path, uint64_t *ret)
{
	const char *relative = path + strspn(path, "/");
	struct stat st;

	if (fstatat(mount_fd, *relative ? relative : ".", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	*ret = st.st_ino;
	return 0;
}

int cgroup_path_of(int mount_fd, const char *mount, uint64_t id, char **ret)
{
	union {
		struct file_handle handle;
		unsigned char space[sizeof(struct file_handle) + sizeof(uint64_t)];
	} at = {.handle = {.handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS}};
	char link[32], path[4096];
	_cleanup_close_ int fd = -1;
	size_t prefix = strlen(mount);
	ssize_t length;

	memcpy(at.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(mount_fd, &at.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return -errno;
	path[length] = 0;
	if (strncmp(path, mount, prefix) != 0)
		return -ESTALE;
	*ret = strdup(path[prefix] ? path + prefix : "/");
	return *ret ? 0 : -ENOMEM;
}

unsigned int cgroup_level(const char *path)
{
	unsigned int level = 0;

	for (; *path; path++)
		level += *path == '/' && path[1] && path[1] != '/';
	return level;
}

int cgroup_path_clean(const char *path, char *to, size_t size)
{
	size_t length = 0;

	if (path[0] != '/')
		return -EINVAL;
	for (path += strspn(path, "/"); *path; path += strspn(path, "/")) {
		size_t part = strcspn(path, "/");

		if (strspn(path, ".") == part && part <= 2)
			return -EINVAL;
		if (length + 1 + part >= size)
			return -EINVAL;
		to[length++] = '/';
		memcpy(to + length, path, part);
		length += part;
		path += part;
	}
	memcpy(to + length, length ? "" : "/", length ? 1 : 2);
	return 0;
}

bool cgroup_is_below(const char *path, const char *top)
{
	size_t length = strlen(top);

	if (util_streq(top, "/"))
		return true;
	return strncmp(path, top, length) == 0 && (!path[length] || path[length] == '/');
}

int cgroup_ancestors(int mount_fd, const char *path, uint64_t *ids, size_t max)
{
	_cleanup_free_ char *prefix = strdup(path);
	size_t length = 0;
	int r;

	if (!prefix)
		return -ENOMEM;
	r = cgroup_id_of(mount_fd, "/", &ids[length++]);
	for (char *end = prefix; r == 0 && *end && end[1] && length < max; length++) {
		char after;

		end++;
		end += strcspn(end, "/");
		after = *end;
		*end = 0;
		r = cgroup_id_of(mount_fd, prefix, &ids[length]);
		*end = after;
	}
	return r < 0 ? r : (int)length;
}
