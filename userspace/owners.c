// SPDX-License-Identifier: GPL-2.0-or-later
#include "owners.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "escape.h"

#define LINK_BYTES 64 /* "socket:[4294967295]" and "net:[4026531840]" */

void owners_done(struct owners *owners)
{
	for (size_t i = 0; i < owners->namespaces_length; i++)
		util_closep(&owners->namespaces[i].fd);
	free(owners->namespaces);
	free(owners->sockets);
	*owners = (struct owners){0};
}

/* "prefix:[123]" -> 123; 0 for anything else, which no inode is. */
static uint64_t link_inode(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);
	uint64_t inode;
	char *end;

	if (strncmp(text, prefix, length) != 0)
		return 0;
	errno = 0;
	inode = strtoull(text + length, &end, 10);
	return errno || !util_streq(end, "]") ? 0 : inode;
}

static const char *link_read(int dir, const char *name, char text[LINK_BYTES])
{
	ssize_t length = readlinkat(dir, name, text, LINK_BYTES - 1);

	text[length > 0 ? length : 0] = 0;
	return text;
}

static struct netns *netns_find(struct owners *owners, uint64_t inode)
{
	for (size_t i = 0; i < owners->namespaces_length; i++)
		if (owners->namespaces[i].inode == inode)
			return &owners->namespaces[i];
	return NULL;
}

/*
 * A descriptor that setns() takes, or -errno. Whoever owns the link may put another file there
 * meanwhile, and opening a pipe or a device would wait or worse: look first, then open that.
 */
static int netns_open(uint64_t inode, int dir, const char *path)
{
	_cleanup_close_ int fd = openat(dir, path, O_PATH | O_CLOEXEC);
	struct statfs fs;
	struct stat st;
	char link[32];
	int opened;

	if (fd < 0 || fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (fs.f_type != NSFS_MAGIC || st.st_ino != inode)
		return -ENOENT;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	opened = open(link, O_RDONLY | O_CLOEXEC);
	return opened < 0 ? -errno : opened;
}

/* Opened when it is first seen: whoever showed it may have gone later. */
static int netns_add(struct owners *owners, uint64_t inode, int dir, const char *path)
{
	struct netns *netns = netns_find(owners, inode);

	if (!inode || (netns && netns->fd >= 0))
		return 0;
	if (!netns) {
		netns = ARRAY_APPEND(owners->namespaces, owners->namespaces_length);
		if (!netns)
			return -ENOMEM;
		netns->inode = inode;
	}
	netns->fd = netns_open(inode, dir, path);
	netns->error = netns->fd < 0 ? -netns->fd : 0;
	return 0;
}

static int socket_add(struct owners *owners, uint64_t inode, uint32_t pid)
{
	struct socket_owner *owner;

	if (!inode || owners->sockets_length >= OWNERS_MAX)
		return 0;
	owner = ARRAY_APPEND(owners->sockets, owners->sockets_length);
	if (!owner)
		return -ENOMEM;
	*owner = (struct socket_owner){inode, pid};
	return 0;
}

typedef int (*entry_handler)(struct owners *owners, uint32_t pid, int dir, const char *name);

/* Each entry of a directory of /proc whose name is a number. What has gone is no error. */
static int directory_walk(struct owners *owners, uint32_t pid, int at, const char *path,
			  entry_handler handler)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		util_closep(&fd);
		return 0;
	}
	while (r == 0 && (entry = readdir(dir)))
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			r = handler(owners, pid, dirfd(dir), entry->d_name);
	closedir(dir);
	return r;
}

static int read_thread(struct owners *owners, uint32_t pid, int dir, const char *name)
{
	char path[LINK_BYTES], text[LINK_BYTES];

	(void)pid;
	snprintf(path, sizeof(path), "%s/ns/net", name);
	return netns_add(owners, link_inode(link_read(dir, path, text), "net:["), dir, path);
}

static int read_descriptor(struct owners *owners, uint32_t pid, int dir, const char *name)
{
	char text[LINK_BYTES];
	int r = socket_add(owners, link_inode(link_read(dir, name, text), "socket:["), pid);

	return r < 0 ? r : netns_add(owners, link_inode(text, "net:["), dir, name);
}

static int read_process(struct owners *owners, uint32_t pid, int dir, const char *name)
{
	char path[LINK_BYTES];
	int r;

	pid = (uint32_t)strtoul(name, NULL, 10);
	snprintf(path, sizeof(path), "%s/task", name);
	r = directory_walk(owners, pid, dir, path, read_thread);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/fd", name);
	return directory_walk(owners, pid, dir, path, read_descriptor);
}

/* Lines of mountinfo(5): id parent dev root mount options [optional...] - type source super. */
static int read_mounts(struct owners *owners)
{
	_cleanup_file_ FILE *file = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	char root[LINK_BYTES], mount[4096];
	size_t size = 0;
	int r = 0;

	while (file && r == 0 && getline(&line, &size, file) > 0) {
		if (!strstr(line, " - nsfs ") ||
		    sscanf(line, "%*d %*d %*s %63s %4095s", root, mount) != 2)
			continue;
		escape_undo_octal(mount);
		r = netns_add(owners, link_inode(root, "net:["), AT_FDCWD, mount);
	}
	return r;
}

static int owner_compare(const void *left, const void *right)
{
	const struct socket_owner *a = left, *b = right;

	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

int owners_read(struct owners *ret)
{
	struct owners owners = {0};
	int r = directory_walk(&owners, 0, AT_FDCWD, "/proc", read_process);

	if (r == 0)
		r = read_mounts(&owners);
	if (r < 0) {
		owners_done(&owners);
		return r;
	}
	if (owners.sockets_length)
		qsort(owners.sockets, owners.sockets_length, sizeof(*owners.sockets),
		      owner_compare);
	*ret = owners;
	return 0;
}

/* The first of those with this inode: the lowest process id. */
uint32_t owners_find(const struct owners *owners, uint64_t inode)
{
	size_t low = 0, high = owners->sockets_length;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (owners->sockets[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low < owners->sockets_length && owners->sockets[low].inode == inode
		       ? owners->sockets[low].pid
		       : 0;
}

static FILE *process_open(uint32_t pid, const char *name)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	return pid ? fopen(path, "re") : NULL;
}

void owners_process_cgroup(uint32_t pid, char *path, size_t size)
{
	_cleanup_file_ FILE *file = process_open(pid, "cgroup");
	_cleanup_free_ char *line = NULL;
	size_t length = 0;

	path[0] = 0;
	while (file && getline(&line, &length, file) > 0)
		if (strncmp(line, "0::", 3) == 0) { /* cgroups(7): the hierarchy of cgroup2 */
			line[strcspn(line, "\n")] = 0;
			snprintf(path, size, "%s", line + 3);
		}
}

void owners_process_name(uint32_t pid, char *name, size_t size)
{
	_cleanup_file_ FILE *file = process_open(pid, "comm");

	name[0] = 0;
	if (file && fgets(name, (int)size, file))
		name[strcspn(name, "\n")] = 0;
}

/* The real user id, the first of four in proc_pid_status(5). */
int owners_process_user(uint32_t pid, uint32_t *ret)
{
	_cleanup_file_ FILE *file = process_open(pid, "status");
	_cleanup_free_ char *line = NULL;
	size_t length = 0;

	while (file && getline(&line, &length, file) > 0)
		if (sscanf(line, "Uid: %u", ret) == 1)
			return 0;
	return -ESRCH;
}
