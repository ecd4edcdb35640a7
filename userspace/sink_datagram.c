// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A message a datagram: to a syslog daemon over UDP (RFC 5426) or a unix socket, and to the
 * journal. For that libsystemd has sd_journal_sendv(), which waits while journald does not read:
 * its sendmsg() is a blocking one.
 */
#include "sink.h"

#include <sys/socket.h>
#include <sys/un.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

struct sink_datagram {
	struct sink sink;
	struct sockaddr_storage address;
	socklen_t address_length;
	bool refused; /* since the last tick */
};

static bool datagram_is_udp(const struct sink_datagram *datagram)
{
	return datagram->address.ss_family != AF_UNIX;
}

static int datagram_connect(struct sink_datagram *datagram)
{
	_cleanup_close_ int fd =
		socket(datagram->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 ||
	    connect(fd, (struct sockaddr *)&datagram->address, datagram->address_length) < 0)
		return -errno;
	datagram->sink.fd = TAKE_FD(fd);
	return 0;
}

/* Until the next tick. */
static void datagram_fail(struct sink *sink, int error)
{
	sink_say(sink, error);
	util_closep(&sink->fd);
	sink->fd = -1;
	sink->blocked = true;
}

/* One message. 0, or -errno when the others have to wait. */
static int datagram_send(struct sink *sink, const char *text, size_t length)
{
	struct sink_datagram *datagram = (struct sink_datagram *)sink;
	int error;

	if (send(sink->fd, text, length, MSG_NOSIGNAL) >= 0) {
		queue_wrote(&sink->queue, length);
		return 0;
	}
	error = errno;
	if (error == EINTR)
		return 0;
	if (error == EMSGSIZE) {
		queue_drop_first(&sink->queue);
		return 0;
	}
	/* An ICMP message about one that was sent before; this one has not been. */
	if (error == ECONNREFUSED && datagram_is_udp(datagram)) {
		datagram->refused = true;
		return 0;
	}
	return -error;
}

static void datagram_flush(struct sink *sink)
{
	struct sink_datagram *datagram = (struct sink_datagram *)sink;
	const char *text;
	size_t length;
	int r = 0;

	if (queue_lines(&sink->queue) && sink->fd < 0)
		r = datagram_connect(datagram);
	while (r == 0 && (length = queue_first(&sink->queue, &text)))
		r = datagram_send(sink, text, length);
	if (r == -EAGAIN)
		sink_await(sink);
	else if (r == -ENOBUFS)
		sink->blocked = true;
	else if (r < 0)
		datagram_fail(sink, -r);
	else if (datagram->refused)
		sink_say(sink, ECONNREFUSED);
	else if (sink->fd >= 0 && !datagram_is_udp(datagram))
		sink_say(sink, 0);
}

static void datagram_tick(struct sink *sink)
{
	struct sink_datagram *datagram = (struct sink_datagram *)sink;

	if (!sink->watch)
		sink->blocked = false;
	if (datagram_is_udp(datagram) && sink->fd >= 0 && !datagram->refused)
		sink_say(sink, 0);
	datagram->refused = false;
}

static const struct sink_kind syslog_kind = {
	.name = "syslog",
	.flush = datagram_flush,
	.tick = datagram_tick,
};

static const struct sink_kind journal_kind = {
	.name = "journal",
	.flush = datagram_flush,
	.tick = datagram_tick,
};

static void datagram_set_path(struct sink_datagram *datagram, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&datagram->address;

	un->sun_family = AF_UNIX;
	snprintf(un->sun_path, sizeof(un->sun_path), "%s", path);
	datagram->address_length = sizeof(*un);
}

struct sink *sink_syslog_datagram_new(struct loop *loop, const struct endpoint_config *target)
{
	enum sink_format format = target->kind == ENDPOINT_LOCAL ? SINK_SYSLOG_LOCAL : SINK_SYSLOG;
	struct sink *sink =
		sink_new(sizeof(struct sink_datagram), &syslog_kind, format, loop, target->text);
	struct sink_datagram *datagram = (struct sink_datagram *)sink;

	if (!sink)
		return NULL;
	if (target->path)
		datagram_set_path(datagram, target->path);
	else
		datagram->address_length = endpoint_address(target, &datagram->address);
	return sink;
}

struct sink *sink_journal_new(struct loop *loop)
{
	struct sink *sink =
		sink_new(sizeof(struct sink_datagram), &journal_kind, SINK_JOURNAL, loop, "");

	if (sink)
		datagram_set_path((struct sink_datagram *)sink, JOURNAL_SOCKET);
	return sink;
}
