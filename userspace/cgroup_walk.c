// SPDX-License-Identifier: GPL-2.0-or-later
#include "cgroup_walk.h"

#include <fcntl.h>
#include <sys/stat.h>

void cgroup_walk_begin(struct cgroup_walk *walk, int mount_fd, const char *top)
{
	walk->mount_fd = mount_fd;
	walk->depth = walk->level = 0;
	walk->path[0] = 0;
	snprintf(walk->top, sizeof(walk->top), "%s", top + strspn(top, "/"));
	walk->rest = walk->top;
	walk->begun = false;
}

void cgroup_walk_end(struct cgroup_walk *walk)
{
	while (walk->depth)
		(void)closedir(walk->frames[--walk->depth].dir);
	walk->rest = NULL;
}

/* kernfs counts them: 2 and the subdirectories (fs/kernfs/inode.c, kernfs_refresh_inode()). */
static bool has_children(const struct stat *st)
{
	return st->st_nlink != 2;
}

static void frame_open(struct cgroup_walk *walk, int at, const char *name, size_t length)
{
	struct cgroup_walk_frame *frame = &walk->frames[walk->depth];
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return; /* gone since */
	*frame = (struct cgroup_walk_frame){fdopendir(fd), length};
	if (frame->dir)
		walk->depth++;
	else
		close(fd);
}

/* "/a/b" and the length of "/a", and the name "c": "/a/c". 0 where that is too long. */
static size_t path_append(struct cgroup_walk *walk, size_t length, const char *name, size_t add)
{
	if (length + 1 + add >= sizeof(walk->path))
		return 0;
	walk->path[length] = '/';
	memcpy(walk->path + length + 1, name, add);
	walk->path[length + 1 + add] = 0;
	return length + 1 + add;
}

/* Top and what is above it. */
static int walk_down(struct cgroup_walk *walk, struct cgroup_found *ret)
{
	size_t length = strlen(walk->path), add = strcspn(walk->rest, "/");
	struct stat st;

	if (walk->begun) {
		length = path_append(walk, length, walk->rest, add);
		walk->rest += add + strspn(walk->rest + add, "/");
		walk->level++;
	}
	walk->begun = true;
	if (fstatat(walk->mount_fd, length ? walk->path + 1 : ".", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	*ret = (struct cgroup_found){st.st_ino, length ? walk->path : "/", walk->level};
	if (*walk->rest)
		return 1;
	walk->rest = NULL;
	if (has_children(&st) && ++walk->level < DF_LEVEL_MAX)
		frame_open(walk, walk->mount_fd, length ? walk->path + 1 : ".", length);
	return 1;
}

/* A directory entry of the innermost frame; false: it is no cgroup, or has gone. */
static bool walk_visit(struct cgroup_walk *walk, const char *name, struct cgroup_found *ret)
{
	const struct cgroup_walk_frame *frame = &walk->frames[walk->depth - 1];
	size_t length = path_append(walk, frame->length, name, strlen(name));
	struct stat st;

	if (!length || fstatat(dirfd(frame->dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	*ret = (struct cgroup_found){st.st_ino, walk->path, walk->level + walk->depth - 1};
	if (has_children(&st) && ret->level + 1 < DF_LEVEL_MAX)
		frame_open(walk, dirfd(frame->dir), name, length);
	return true;
}

static bool is_child(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && !util_streq(entry->d_name, ".") &&
	       !util_streq(entry->d_name, "..");
}

int cgroup_walk_next(struct cgroup_walk *walk, struct cgroup_found *ret)
{
	if (walk->rest)
		return walk_down(walk, ret);
	while (walk->depth) {
		const struct dirent *entry = readdir(walk->frames[walk->depth - 1].dir);

		if (!entry)
			(void)closedir(walk->frames[--walk->depth].dir);
		else if (is_child(entry) && walk_visit(walk, entry->d_name, ret))
			return 1;
	}
	return 0;
}
