// SPDX-License-Identifier: GPL-2.0-or-later
/* Append lines to a file, one write() for a batch of them, and rotate it. */
#include "sink.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sys/stat.h>

#include "log.h"

struct sink_file {
	struct sink sink;
	char *path;
	uint64_t size; /* of the file, if nobody else writes to it */
	uint64_t rotate; /* not to be larger than this; 0: as large as it gets */
	int keep;
};

static int file_open(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		    0640);
}

/* /var/log/dnsfence comes with the service only; a first try without it should work, too. */
static int file_open_first(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	int fd = file_open(path);

	if (fd >= 0 || errno != ENOENT || !copy)
		return fd;
	if (mkdir(dirname(copy), 0750) < 0) {
		errno = errno == EEXIST ? ENOENT : errno; /* it is there, and takes no file */
		return -1;
	}
	return file_open(path);
}

static uint64_t file_size(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

/* The descriptor is the sink's then. */
static void file_use(struct sink_file *file, int fd)
{
	util_closep(&file->sink.fd);
	file->sink.fd = fd;
	file->size = file_size(fd);
	file->sink.blocked = false;
}

/* events.jsonl.1 becomes .2 and so on; what was the last one is gone. */
static void file_shift(const struct sink_file *file)
{
	char from[PATH_MAX], to[PATH_MAX];

	for (int n = file->keep - 1; n > 0; n--) {
		snprintf(from, sizeof(from), "%s.%d", file->path, n);
		snprintf(to, sizeof(to), "%s.%d", file->path, n + 1);
		(void)rename(from, to);
	}
}

static void file_rotate(struct sink_file *file)
{
	char to[PATH_MAX];
	int fd;

	file_shift(file);
	snprintf(to, sizeof(to), "%s.1", file->path);
	/* Without it somebody else has rotated the file. */
	if (rename(file->path, to) < 0 && errno != ENOENT) {
		log_warning("cannot rotate %s: %s; it grows on", file->path, strerror(errno));
		file->size = 0; /* to try again later, not at every line */
		return;
	}
	fd = file_open(file->path);
	if (fd >= 0) {
		file_use(file, fd);
		return;
	}
	log_warning("cannot open %s after its rotation: %s; writing on into %s", file->path,
		    strerror(errno), to);
	file->size = 0;
}

/* A torn line is cut off again: the file always ends with a whole one. */
static size_t file_keep_whole_lines(struct sink_file *file, const char *text, size_t written)
{
	const char *end = memrchr(text, '\n', written);
	size_t whole = end ? (size_t)(end + 1 - text) : 0;
	off_t size = lseek(file->sink.fd, 0, SEEK_END);

	if (whole < written && size >= (off_t)(written - whole))
		(void)!ftruncate(file->sink.fd, size - (off_t)(written - whole));
	return whole;
}

/* What fits in without a rotation; a line at least. */
static size_t file_room(const struct sink_file *file)
{
	if (!file->rotate)
		return SIZE_MAX;
	return file->rotate > file->size ? file->rotate - file->size : 0;
}

/* False: the rest has to wait. */
static bool file_write(struct sink_file *file, const char *text, size_t length)
{
	struct sink *sink = &file->sink;
	ssize_t written = write(sink->fd, text, length);
	size_t whole = length;

	if (written < 0 && errno == EINTR)
		return true;
	if (written < 0) {
		sink_say(sink, errno);
		sink->blocked = true;
		return false;
	}
	if ((size_t)written < length)
		whole = file_keep_whole_lines(file, text, (size_t)written);
	file->size += whole;
	queue_wrote(&sink->queue, whole);
	sink->blocked = whole < length;
	sink_say(sink, whole < length ? ENOSPC : 0);
	return whole == length;
}

static void file_flush(struct sink *sink)
{
	struct sink_file *file = (struct sink_file *)sink;
	const char *text;
	size_t length;

	while ((length = queue_whole(&sink->queue, file_room(file), &text))) {
		if (file->rotate && file->size + length > file->rotate)
			file->size = file_size(sink->fd); /* somebody may have cut it */
		if (file->rotate && file->size && file->size + length > file->rotate)
			file_rotate(file);
		if (!file_write(file, text, length))
			return;
	}
}

static void file_tick(struct sink *sink)
{
	sink->blocked = false;
}

static void file_reopen(struct sink *sink)
{
	struct sink_file *file = (struct sink_file *)sink;
	int fd;

	sink->blocked = false;
	file_flush(sink);
	fd = file_open(file->path);
	if (fd < 0)
		log_warning("cannot open %s again: %s; writing on into the old file", file->path,
			    strerror(errno));
	else
		file_use(file, fd);
}

static void file_close(struct sink *sink)
{
	struct sink_file *file = (struct sink_file *)sink;

	free(file->path);
}

static const struct sink_kind file_kind = {
	.name = "file",
	.flush = file_flush,
	.tick = file_tick,
	.reopen = file_reopen,
	.close = file_close,
};

struct sink *sink_file_new(const char *path, uint64_t rotate, int keep)
{
	struct sink *sink = sink_new(sizeof(struct sink_file), &file_kind, SINK_JSON, NULL, path);
	struct sink_file *file = (struct sink_file *)sink;
	int fd = sink ? file_open_first(path) : -1, error = errno;

	if (!sink)
		return NULL;
	file->path = strdup(path);
	file->rotate = rotate;
	file->keep = keep;
	if (fd < 0 || !file->path) {
		util_closep(&fd);
		sink_free(sink);
		errno = error;
		return NULL;
	}
	file_use(file, fd);
	return sink;
}
