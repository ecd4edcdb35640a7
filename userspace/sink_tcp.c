// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * To a syslog daemon over TCP, each message with its length in front (RFC 6587 3.4.1). A
 * connection that breaks is made again, after a second at first, then after twice as long each
 * time. What the kernel has taken counts as written: the protocol has no receipts, so messages
 * that were on their way when a connection broke are lost without anybody's knowing.
 */
#include "sink.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define TCP_PAUSE_MAX_S 64
#define TCP_CONNECT_S 10
#define TCP_SILENCE_MS 30000 /* without an acknowledgement the connection is given up */

struct sink_tcp {
	struct sink sink;
	struct sockaddr_storage address;
	socklen_t address_length;
	bool connecting;
	unsigned int pause; /* seconds before the next try, if this one fails */
	unsigned int ticks; /* before the next try, or before this one is given up */
};

static void tcp_on_ready(void *context, uint32_t events);

static void tcp_disconnect(struct sink_tcp *tcp, int error)
{
	struct sink *sink = &tcp->sink;

	sink_say(sink, error);
	if (sink->watch)
		loop_remove(sink->loop, sink->watch);
	sink->watch = NULL;
	util_closep(&sink->fd);
	sink->fd = -1;
	sink->blocked = true;
	tcp->connecting = false;
	tcp->ticks = tcp->pause;
	tcp->pause = MIN(tcp->pause * 2, TCP_PAUSE_MAX_S);
	queue_rewind(&sink->queue);
}

static int tcp_socket(int family)
{
	const unsigned int silence = TCP_SILENCE_MS;
	const int on = 1;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence, sizeof(silence));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	return fd;
}

static void tcp_connect(struct sink_tcp *tcp)
{
	struct sink *sink = &tcp->sink;

	sink->fd = tcp_socket(tcp->address.ss_family);
	if (sink->fd < 0 ||
	    (connect(sink->fd, (struct sockaddr *)&tcp->address, tcp->address_length) < 0 &&
	     errno != EINPROGRESS)) {
		tcp_disconnect(tcp, errno);
		return;
	}
	tcp->connecting = true;
	tcp->ticks = TCP_CONNECT_S;
	sink->watch = loop_add(sink->loop, sink->fd, EPOLLIN | EPOLLOUT, tcp_on_ready, tcp);
	if (!sink->watch)
		tcp_disconnect(tcp, errno);
}

static void tcp_watch(struct sink_tcp *tcp, bool blocked)
{
	tcp->sink.blocked = blocked;
	(void)loop_change(tcp->sink.loop, tcp->sink.watch,
			  EPOLLIN | EPOLLRDHUP | (blocked ? EPOLLOUT : 0));
}

static void tcp_flush(struct sink *sink)
{
	struct iovec parts[2];
	struct msghdr message = {.msg_iov = parts};

	while ((message.msg_iovlen = (size_t)queue_parts(&sink->queue, parts))) {
		ssize_t sent = sendmsg(sink->fd, &message, MSG_NOSIGNAL);

		if (sent >= 0) {
			queue_wrote(&sink->queue, (size_t)sent);
		} else if (errno == EAGAIN) {
			tcp_watch((struct sink_tcp *)sink, true);
			return;
		} else if (errno != EINTR) {
			tcp_disconnect((struct sink_tcp *)sink, errno);
			return;
		}
	}
}

static int tcp_error(int fd)
{
	int error = 0;
	socklen_t length = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

/* Nothing is expected from there; its end shows that the daemon has gone. */
static bool tcp_has_ended(struct sink_tcp *tcp)
{
	char ignored[512];
	ssize_t length = recv(tcp->sink.fd, ignored, sizeof(ignored), 0);

	if (length > 0 || (length < 0 && (errno == EAGAIN || errno == EINTR)))
		return false;
	tcp_disconnect(tcp, length < 0 ? errno : ECONNRESET);
	return true;
}

static void tcp_on_ready(void *context, uint32_t events)
{
	struct sink_tcp *tcp = context;
	int error = tcp->connecting ? tcp_error(tcp->sink.fd) : 0;

	if (error) {
		tcp_disconnect(tcp, error);
		return;
	}
	if (tcp->connecting) {
		tcp->connecting = false;
		tcp->pause = 1;
		sink_say(&tcp->sink, 0);
	}
	if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) && tcp_has_ended(tcp))
		return;
	tcp_watch(tcp, false);
	tcp_flush(&tcp->sink);
}

static void tcp_tick(struct sink *sink)
{
	struct sink_tcp *tcp = (struct sink_tcp *)sink;

	if ((sink->fd >= 0 && !tcp->connecting) || (tcp->ticks && --tcp->ticks))
		return;
	if (tcp->connecting)
		tcp_disconnect(tcp, ETIMEDOUT);
	else
		tcp_connect(tcp);
}

static const struct sink_kind tcp_kind = {
	.name = "syslog",
	.flush = tcp_flush,
	.tick = tcp_tick,
};

struct sink *sink_syslog_tcp_new(struct loop *loop, const struct endpoint_config *target)
{
	struct sink *sink =
		sink_new(sizeof(struct sink_tcp), &tcp_kind, SINK_SYSLOG, loop, target->text);
	struct sink_tcp *tcp = (struct sink_tcp *)sink;

	if (!sink)
		return NULL;
	sink->counted = true;
	sink->blocked = true;
	tcp->address_length = endpoint_address(target, &tcp->address);
	tcp->pause = 1;
	tcp_connect(tcp);
	return sink;
}
