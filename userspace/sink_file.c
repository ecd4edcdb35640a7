// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink.h"

#include <fcntl.h>
#include <libgen.h>
#include <sys/stat.h>

#include "log.h"

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
	return mkdir(dirname(copy), 0750) < 0 ? -1 : file_open(path);
}

struct sink_file *sink_file_new(const char *path)
{
	struct sink_file *sink = calloc(1, sizeof(*sink));

	if (!sink)
		return NULL;
	sink->fd = file_open_first(path);
	sink->path = strdup(path);
	if (sink->fd < 0 || !sink->path) {
		int error = errno;

		sink_file_free(sink);
		errno = error;
		return NULL;
	}
	return sink;
}

void sink_file_free(struct sink_file *sink)
{
	if (!sink)
		return;
	sink_file_flush(sink);
	util_closep(&sink->fd);
	free(sink->path);
	free(sink);
}

/* Each kind of trouble is said once, and its end. */
static void file_say(struct sink_file *sink, int error)
{
	if (error && error != sink->error)
		log_warning("%s: %s; events are dropped there and counted until that is mended",
			    sink->path, strerror(error));
	if (!error && sink->error)
		log_info("%s: writing again, %llu events were dropped", sink->path,
			 (unsigned long long)sink->counters.dropped);
	sink->error = error;
}

static size_t count_lines(const char *text, size_t length)
{
	size_t lines = 0;

	for (const char *at = text; (at = memchr(at, '\n', (size_t)(text + length - at))); at++)
		lines++;
	return lines;
}

/* A torn line is cut off again: the file always ends with a whole one. */
static size_t file_keep_whole_lines(struct sink_file *sink, size_t written)
{
	const char *end = memrchr(sink->buffer, '\n', written);
	size_t whole = end ? (size_t)(end + 1 - sink->buffer) : 0;
	off_t size = lseek(sink->fd, 0, SEEK_END);

	if (whole < written && size >= (off_t)(written - whole))
		(void)!ftruncate(sink->fd, size - (off_t)(written - whole));
	return count_lines(sink->buffer, whole);
}

void sink_file_flush(struct sink_file *sink)
{
	size_t kept = sink->lines;
	ssize_t written;

	if (!sink->length)
		return;
	written = sink->fd < 0 ? -1 : write(sink->fd, sink->buffer, sink->length);
	if (written < 0) {
		file_say(sink, sink->fd < 0 ? EBADF : errno);
		kept = 0;
	} else if ((size_t)written < sink->length) {
		kept = file_keep_whole_lines(sink, (size_t)written);
		file_say(sink, ENOSPC);
	} else {
		file_say(sink, 0);
	}
	sink->counters.written += kept;
	sink->counters.dropped += sink->lines - kept;
	for (size_t line = kept; line < sink->lines; line++)
		sink->counters.missed += sink->counts[line];
	sink->length = sink->lines = 0;
}

void sink_file_write(struct sink_file *sink, const char *line, size_t length, uint64_t count)
{
	if (sink->length + length > sizeof(sink->buffer) || sink->lines == SINK_LINES)
		sink_file_flush(sink);
	if (length > sizeof(sink->buffer)) {
		sink->counters.dropped++;
		sink->counters.missed += count;
		return;
	}
	memcpy(sink->buffer + sink->length, line, length);
	sink->length += length;
	sink->counts[sink->lines++] = count;
}

void sink_file_reopen(struct sink_file *sink)
{
	int fd;

	sink_file_flush(sink);
	fd = file_open(sink->path);
	if (fd < 0) {
		log_warning("cannot open %s again: %s; writing on into the old file", sink->path,
			    strerror(errno));
		return;
	}
	util_closep(&sink->fd);
	sink->fd = fd;
}
