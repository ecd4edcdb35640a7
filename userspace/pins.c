// SPDX-License-Identifier: GPL-2.0-or-later
#include "pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "lock.h"

#define BPFFS_MOUNT "/sys/fs/bpf"

const char *pins_path(char path[PATH_MAX], const char *dir, const char *name)
{
	if (snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		path[0] = 0; /* opens nothing; pins_init() has left room for our own names */
	return path;
}

int pins_init(struct pins *pins, const char *dir, struct problem *problem)
{
	if (strlen(dir) > PATH_MAX - 64)
		return problem_set(problem, ENAMETOOLONG,
				   "the name of the pin directory is too long");
	pins_path(pins->maps, dir, "maps");
	pins_path(pins->links, dir, "links");
	(void)snprintf(pins->dir, sizeof(pins->dir), "%s", dir);
	return 0;
}

static bool path_is_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (unsigned long)fs.f_type == BPF_FS_MAGIC;
}

/* The nearest directory that exists decides what file system a pin would land on. */
static int pins_require_bpffs(const struct pins *pins, struct problem *problem)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s", pins->dir);
	while (access(path, F_OK) < 0 && strlen(path) > 1)
		(void)dirname(path);
	if (path_is_bpffs(path))
		return 0;
	if (strncmp(pins->dir, BPFFS_MOUNT "/", strlen(BPFFS_MOUNT) + 1) == 0 &&
	    mount("bpf", BPFFS_MOUNT, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") == 0)
		return 0;
	return problem_set(
		problem, ENOTSUP,
		"%s is not on a BPF file system; mount one (mount -t bpf bpf %s) or give "
		"another --pin-dir",
		pins->dir, BPFFS_MOUNT);
}

static int pins_refuse_mkdir(const char *path, int error, struct problem *problem)
{
	const char *name = strrchr(path, '/');

	/* bpf_lookup() in kernel/bpf/inode.c keeps such names for itself. */
	if (error == EPERM && name && strchr(name, '.'))
		return problem_set(problem, EINVAL,
				   "cannot make the pin directory %s: a BPF file system takes no "
				   "name with a dot in it; give another --pin-dir",
				   path);
	return problem_set(problem, error, "cannot make the pin directory %s: %s; %s", path,
			   strerror(error),
			   error == ENOENT ? "make the directory above it, mode 0700, first"
					   : "give another --pin-dir");
}

static int pins_require_private(const char *path, struct problem *problem)
{
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return pins_refuse_mkdir(path, errno, problem);
	if (lstat(path, &st) < 0)
		return problem_set(problem, errno, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
		return problem_set(
			problem, EPERM,
			"%s must be a directory of this user with mode 0700: others could "
			"replace what is pinned there; give one of its own by --pin-dir",
			path);
	return 0;
}

static int pins_refuse_foreign(const struct pins *pins, struct problem *problem)
{
	DIR *directory = opendir(pins->dir);
	struct dirent *entry;
	int r = 0;

	while (directory && r == 0 && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.' || util_streq(entry->d_name, "maps") ||
		    util_streq(entry->d_name, "links"))
			continue;
		r = problem_set(problem, EEXIST,
				"the pin directory %s holds '%s', which is not dnsfence's; give "
				"another --pin-dir",
				pins->dir, entry->d_name);
	}
	if (directory)
		closedir(directory);
	return r;
}

int pins_prepare(const struct pins *pins, struct problem *problem)
{
	int r = pins_require_bpffs(pins, problem);

	if (r >= 0)
		r = pins_require_private(pins->dir, problem);
	if (r >= 0)
		r = pins_refuse_foreign(pins, problem);
	if (r >= 0)
		r = pins_require_private(pins->maps, problem);
	if (r >= 0)
		r = pins_require_private(pins->links, problem);
	return r;
}

static bool directory_has_entries(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	bool found = false;

	while (directory && !found && (entry = readdir(directory)))
		found = entry->d_name[0] != '.';
	if (directory)
		closedir(directory);
	return found;
}

bool pins_exist(const struct pins *pins)
{
	return directory_has_entries(pins->links) || directory_has_entries(pins->maps);
}

static int directory_empty(const char *path, struct problem *problem)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	char file[PATH_MAX];
	int r = 0;

	if (!directory)
		return errno == ENOENT
			       ? 0
			       : problem_set(problem, errno, "%s: %s%s", path, strerror(errno),
					     errno == EACCES ? "; run as root" : "");
	while (r == 0 && (entry = readdir(directory))) {
		if (util_streq(entry->d_name, ".") || util_streq(entry->d_name, ".."))
			continue;
		if (unlink(pins_path(file, path, entry->d_name)) < 0)
			r = problem_set(problem, errno, "cannot remove %s: %s", file,
					strerror(errno));
	}
	closedir(directory);
	if (r == 0 && rmdir(path) < 0)
		r = problem_set(problem, errno, "cannot remove %s: %s", path, strerror(errno));
	return r;
}

/*
 * The kernel lets go of a link that has lost its last pin when it finds the time; somebody who was
 * told that the fence is open must not meet it any more. BPF_LINK_DETACH, 5.9, does it at once.
 */
static void links_detach(const struct pins *pins)
{
	DIR *directory = opendir(pins->links);
	struct dirent *entry;
	char path[PATH_MAX];

	while (directory && (entry = readdir(directory))) {
		_cleanup_close_ int link = -1;

		if (entry->d_name[0] == '.')
			continue;
		link = bpf_obj_get(pins_path(path, pins->links, entry->d_name));
		if (link >= 0)
			(void)bpf_link_detach(link);
	}
	if (directory)
		closedir(directory);
}

int pins_remove(const struct pins *pins, struct problem *problem)
{
	int r;

	/* Only on a BPF file system: this runs as root on a path from outside. */
	if (access(pins->dir, F_OK) < 0)
		return errno == ENOENT ? 0
				       : problem_set(problem, errno, "%s: %s; run as root",
						     pins->dir, strerror(errno));
	if (!path_is_bpffs(pins->dir))
		return problem_set(
			problem, EEXIST,
			"%s is not on a BPF file system, so nothing of dnsfence is in it",
			pins->dir);
	r = pins_refuse_foreign(pins, problem);
	if (r >= 0)
		links_detach(pins);
	if (r >= 0)
		r = directory_empty(pins->links, problem);
	if (r >= 0)
		r = directory_empty(pins->maps, problem);
	if (r >= 0 && rmdir(pins->dir) < 0 && errno != ENOENT)
		r = problem_set(problem, errno, "cannot remove %s: %s", pins->dir, strerror(errno));
	return r;
}

int pins_lock(const struct pins *pins, struct problem *problem)
{
	_cleanup_close_ int fd = open(pins->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return problem_set(problem, errno, "cannot open the pin directory %s: %s",
				   pins->dir, strerror(errno));
	if (lock_take(fd) < 0)
		return problem_set(
			problem, EBUSY,
			"another dnsfence holds the pin directory %s; give --pin-dir and "
			"--runtime-dir for a second instance",
			pins->dir);
	return TAKE_FD(fd);
}

bool pins_lock_holds(const struct pins *pins, int lock)
{
	struct stat named, locked;

	return stat(pins->dir, &named) == 0 && fstat(lock, &locked) == 0 &&
	       named.st_dev == locked.st_dev && named.st_ino == locked.st_ino;
}
