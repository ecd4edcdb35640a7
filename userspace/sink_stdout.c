// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * To the standard output. Its descriptor is shared with whoever started us, so it is not made
 * non-blocking: a pipe and a terminal are opened anew, a socket is written to with MSG_DONTWAIT,
 * and a file takes what it is given. Where that cannot be, a descriptor that polls writable takes
 * PIPE_BUF (4096) bytes at least, and lines are written in such pieces.
 */
#include "sink.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "color.h"

#define STDOUT_PIECE ((size_t)4096)
#define STDOUT_END_MS 100 /* a line that has begun is given so long to end */

struct sink_stdout {
	struct sink sink;
	bool socket;
	bool pieces;
};

static ssize_t stdout_write_piece(int fd, const struct iovec *part, int timeout_ms)
{
	struct pollfd poll_out = {.fd = fd, .events = POLLOUT};

	if (poll(&poll_out, 1, timeout_ms) != 1 || !(poll_out.revents & POLLOUT)) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, part->iov_base, MIN(part->iov_len, STDOUT_PIECE));
}

static ssize_t stdout_write(const struct sink_stdout *out, struct iovec *parts, int length)
{
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)length};

	if (out->pieces)
		return stdout_write_piece(out->sink.fd, parts, 0);
	if (out->socket)
		return sendmsg(out->sink.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	return writev(out->sink.fd, parts, length);
}

static void stdout_flush(struct sink *sink)
{
	struct iovec parts[2];
	int length;

	while ((length = queue_parts(&sink->queue, parts))) {
		ssize_t written = stdout_write((struct sink_stdout *)sink, parts, length);

		if (written >= 0) {
			queue_wrote(&sink->queue, (size_t)written);
			sink_say(sink, 0);
		} else if (errno == EAGAIN) {
			sink_await(sink);
			return;
		} else if (errno != EINTR) {
			sink_say(sink, errno);
			sink->blocked = true;
			return;
		}
	}
}

static void stdout_tick(struct sink *sink)
{
	if (!sink->watch)
		sink->blocked = false;
}

/* The last line is whole, if its reader takes it in time. */
static void stdout_close(struct sink *sink)
{
	struct iovec parts[2];
	ssize_t written = 1;

	while (sink->queue.torn.line.length && written > 0 &&
	       queue_parts(&sink->queue, parts) > 0) {
		written = stdout_write_piece(sink->fd, parts, STDOUT_END_MS);
		if (written > 0)
			queue_wrote(&sink->queue, (size_t)written);
	}
}

static const struct sink_kind stdout_kind = {
	.name = "stdout",
	.flush = stdout_flush,
	.tick = stdout_tick,
	.close = stdout_close,
};

/* An open file description of our own, which may be non-blocking. */
static int stdout_open_anew(void)
{
	return open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

struct sink *sink_stdout_new(struct loop *loop)
{
	bool terminal = isatty(STDOUT_FILENO) == 1;
	enum sink_format format = !terminal                     ? SINK_JSON
				  : color_wanted(STDOUT_FILENO) ? SINK_COLOR
								: SINK_TEXT;
	struct sink *sink = sink_new(sizeof(struct sink_stdout), &stdout_kind, format, loop, "");
	struct sink_stdout *out = (struct sink_stdout *)sink;
	struct stat st;

	if (!sink)
		return NULL;
	if (fstat(STDOUT_FILENO, &st) < 0)
		st.st_mode = S_IFREG;
	out->socket = S_ISSOCK(st.st_mode);
	if (terminal || S_ISFIFO(st.st_mode)) {
		sink->fd = stdout_open_anew();
		out->pieces = sink->fd < 0;
	}
	if (sink->fd < 0)
		sink->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return sink;
}
