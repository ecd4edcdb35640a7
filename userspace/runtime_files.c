// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime_files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <time.h>

#define SETTLED_NS 100000000ll /* 100 ms: coarser than any time stamp */

void runtime_file_done(struct runtime_file *file)
{
	util_closep(&file->fd);
}

/* openat2(2), 5.6; the C library has no wrapper. EAGAIN: something was renamed on the way. */
static int open_resolved(int dir, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = resolve | RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;

	for (int tries = 0; tries < 8; tries++) {
		fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd < 0 ? -errno : (int)fd;
}

int runtime_host_open(const char *host, const char *path, int flags)
{
	_cleanup_close_ int root = open(host ? host : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return root < 0 ? -errno : open_resolved(root, path, flags, RESOLVE_IN_ROOT);
}

static int open_place(const char *host, const struct runtime_place *place)
{
	_cleanup_close_ int base = runtime_host_open(host, place->base, O_PATH | O_DIRECTORY);
	struct stat st;

	if (base < 0)
		return base;
	if (place->owner && (fstat(base, &st) < 0 || st.st_uid != place->owner))
		return -ENOENT;
	if (!place->under[0])
		return TAKE_FD(base);
	return open_resolved(base, place->under, O_PATH | O_DIRECTORY,
			     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

static int64_t time_ns(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

uint64_t runtime_file_state(const struct stat *st)
{
	uint64_t state = 14695981039346656037u; /* FNV-1a over whole numbers */
	const uint64_t parts[] = {st->st_ino, st->st_dev, (uint64_t)st->st_size,
				  (uint64_t)time_ns(&st->st_mtim), (uint64_t)time_ns(&st->st_ctim)};
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (time_ns(&now) - time_ns(&st->st_ctim) < SETTLED_NS)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		state = (state ^ parts[i]) * 1099511628211u;
	return state ? state : 1;
}

int runtime_file_trouble(struct runtimes_problem *problem, const struct runtime_file *file,
			 const char *what)
{
	snprintf(problem->text, sizeof(problem->text), "%s: %s", file->path, what);
	problem->state = file->state;
	return -EPROTO;
}

/* A missing directory and a missing file are the same: nothing is told there. */
static int open_error(struct runtimes_problem *problem, const struct runtime_file *file, int error)
{
	if (error == -ENOENT || error == -ENOTDIR)
		return -ENOENT;
	(void)runtime_file_trouble(problem, file,
				   error == -ELOOP || error == -EXDEV
					   ? "it is a symbolic link, or behind one"
					   : strerror(-error));
	return error;
}

static void file_name(struct runtime_file *file, const struct runtime_place *place,
		      const char *relative)
{
	snprintf(file->path, sizeof(file->path), "%s%s%s/%s", place->base,
		 place->under[0] ? "/" : "", place->under, relative);
}

/* A regular file, its owner's. Nonblocking, so that a FIFO does not wait for a writer. */
int runtime_file_open(const char *host, const struct runtime_place *place, const char *relative,
		      struct runtime_file *ret, struct runtimes_problem *problem)
{
	_cleanup_close_ int dir = open_place(host, place);
	_cleanup_(runtime_file_done) struct runtime_file file = {.fd = -1};

	file_name(&file, place, relative);
	if (dir < 0)
		return open_error(problem, &file, dir);
	file.fd = open_resolved(dir, relative, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY,
				RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (file.fd < 0)
		return open_error(problem, &file, file.fd);
	if (fstat(file.fd, &file.st) < 0)
		return -errno;
	file.state = runtime_file_state(&file.st);
	if (!S_ISREG(file.st.st_mode))
		return runtime_file_trouble(problem, &file, "it is no regular file");
	if (place->owner && file.st.st_uid != place->owner)
		return runtime_file_trouble(problem, &file, "it is not its user's own");
	if (file.st.st_size > (off_t)RUNTIMES_FILE_MAX) {
		(void)runtime_file_trouble(problem, &file, "it is larger than 16 MiB");
		return -EFBIG;
	}
	*ret = file;
	file.fd = -1;
	return 0;
}

int runtime_file_text(const struct runtime_file *file, char **ret, size_t *ret_length)
{
	size_t size = (size_t)file->st.st_size, length = 0;
	_cleanup_free_ char *text = malloc(size + 1);

	if (!text)
		return -ENOMEM;
	while (length < size) {
		ssize_t n = read(file->fd, text + length, size - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	text[length] = 0;
	*ret = TAKE_PTR(text);
	*ret_length = length;
	return 0;
}

DIR *runtime_directory_open(const char *host, const struct runtime_place *place,
			    const char *relative)
{
	_cleanup_close_ int dir = open_place(host, place);
	_cleanup_close_ int fd = -1;
	DIR *opened;

	if (dir >= 0)
		fd = open_resolved(dir, relative, O_RDONLY | O_DIRECTORY | O_NONBLOCK,
				   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	opened = fd < 0 ? NULL : fdopendir(fd);
	if (opened)
		fd = -1;
	return opened;
}

void runtime_directory_close(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}
