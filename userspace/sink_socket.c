// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * To everyone who connects to a unix stream socket, from then on. Each reader has a queue of his
 * own, of the size of the sink's: one who does not read costs nobody else a line.
 */
#include "sink.h"

#include <sys/epoll.h>
#include <sys/socket.h>

struct reader {
	struct sink_socket *socket;
	struct loop_watch *watch;
	int fd;
	bool blocked;
	struct queue queue;
	struct reader *next;
};

struct sink_socket {
	struct sink sink;
	struct reader *readers;
	int readers_length;
};

/* The sink's own queue keeps the accounts of those who have gone. */
static void reader_free(struct reader *reader)
{
	struct sink_socket *socket = reader->socket;

	for (struct reader **at = &socket->readers; *at; at = &(*at)->next)
		if (*at == reader) {
			*at = reader->next;
			break;
		}
	socket->readers_length--;
	queue_drop_all(&reader->queue);
	socket->sink.queue.written += reader->queue.written;
	socket->sink.queue.dropped += reader->queue.dropped;
	queue_done(&reader->queue);
	loop_remove(socket->sink.loop, reader->watch);
	close(reader->fd);
	free(reader);
}

/* False: the reader has gone, and is freed. */
static bool reader_flush(struct reader *reader)
{
	struct iovec parts[2];
	struct msghdr message = {.msg_iov = parts};
	bool was_blocked = reader->blocked;

	reader->blocked = false;
	while (!reader->blocked &&
	       (message.msg_iovlen = (size_t)queue_parts(&reader->queue, parts))) {
		ssize_t sent = sendmsg(reader->fd, &message, MSG_NOSIGNAL);

		if (sent >= 0) {
			queue_wrote(&reader->queue, (size_t)sent);
		} else if (errno == EAGAIN) {
			reader->blocked = true;
		} else if (errno != EINTR) {
			reader_free(reader);
			return false;
		}
	}
	if (reader->blocked != was_blocked)
		(void)loop_change(reader->socket->sink.loop, reader->watch,
				  EPOLLIN | (reader->blocked ? EPOLLOUT : 0));
	return true;
}

/* What readers say is nobody's business; that they hang up is. */
static void reader_ready(void *context, uint32_t events)
{
	struct reader *reader = context;
	char ignored[256];
	ssize_t length;

	if ((events & EPOLLOUT) && !reader_flush(reader))
		return;
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	length = recv(reader->fd, ignored, sizeof(ignored), 0);
	if (!length || (length < 0 && errno != EAGAIN && errno != EINTR))
		reader_free(reader);
}

static void socket_accept(void *context, uint32_t events)
{
	struct sink_socket *socket = context;
	struct sink *sink = &socket->sink;
	_cleanup_close_ int fd = accept4(sink->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct reader *reader;

	(void)events;
	if (fd < 0 || socket->readers_length >= SINK_READERS_MAX)
		return;
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return;
	reader->socket = socket;
	reader->watch = loop_add(sink->loop, fd, EPOLLIN, reader_ready, reader);
	if (!reader->watch) {
		free(reader);
		return;
	}
	reader->fd = TAKE_FD(fd);
	queue_init(&reader->queue, sink->queue.limit, sink->queue.drop, sink->queue.tell,
		   sink->queue.context);
	reader->next = socket->readers;
	socket->readers = reader;
	socket->readers_length++;
}

static void socket_push(struct sink *sink, const char *line, size_t length,
			struct queue_worth worth)
{
	struct reader *next;

	for (struct reader *reader = ((struct sink_socket *)sink)->readers; reader; reader = next) {
		next = reader->next;
		queue_push(&reader->queue, NULL, 0, line, length, worth);
		if (!reader->blocked && queue_is_long(&reader->queue))
			(void)reader_flush(reader);
	}
}

static void socket_flush(struct sink *sink)
{
	struct reader *next;

	for (struct reader *reader = ((struct sink_socket *)sink)->readers; reader; reader = next) {
		next = reader->next;
		if (!reader->blocked)
			(void)reader_flush(reader);
	}
}

/* A reload may have changed what fits into a queue. */
static void socket_tick(struct sink *sink)
{
	for (struct reader *reader = ((struct sink_socket *)sink)->readers; reader;
	     reader = reader->next) {
		reader->queue.limit = sink->queue.limit;
		reader->queue.drop = sink->queue.drop;
		queue_tell_missed(&reader->queue);
	}
}

static void socket_describe(const struct sink *sink, struct sink_state *state)
{
	const struct sink_socket *socket = (const struct sink_socket *)sink;

	state->readers = socket->readers_length;
	for (const struct reader *reader = socket->readers; reader; reader = reader->next) {
		state->written += reader->queue.written;
		state->dropped += reader->queue.dropped;
		state->queued += queue_lines(&reader->queue);
		state->queued_bytes += queue_bytes(&reader->queue);
	}
}

static void socket_close(struct sink *sink)
{
	struct sink_socket *socket = (struct sink_socket *)sink;

	while (socket->readers)
		reader_free(socket->readers);
	if (sink->watch)
		(void)unlink(sink->target);
}

static const struct sink_kind socket_kind = {
	.name = "socket",
	.push = socket_push,
	.flush = socket_flush,
	.tick = socket_tick,
	.describe = socket_describe,
	.close = socket_close,
};

struct sink *sink_socket_new(struct loop *loop, const char *path)
{
	struct sink *sink =
		sink_new(sizeof(struct sink_socket), &socket_kind, SINK_JSON, loop, path);
	int fd;

	if (!sink)
		return NULL;
	fd = endpoint_listen_unix(path);
	if (fd >= 0) {
		sink->fd = fd;
		sink->watch = loop_add(loop, fd, EPOLLIN, socket_accept, sink);
	}
	if (sink->watch)
		return sink;
	sink_free(sink);
	errno = fd < 0 ? -fd : ENOMEM;
	return NULL;
}
