// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP by every way to open a connection.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>

#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30 /* linux/tcp.h, 4.11 */
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262 /* linux/in.h, 5.6 */
#endif

#define BIG_LEN 32768

static int tcp_connect(struct probe *p)
{
	return open_tcp(p) ?: connect_to(p, &p->to) ?: send_stream(p);
}

static int tcp_tfo(struct probe *p)
{
	return open_tcp(p) ?: send_bytes(p, p->query, p->query_len + 2, MSG_FASTOPEN, &p->to);
}

static int tcp_tfo_connect(struct probe *p)
{
	return open_tcp(p) ?: set_option_int(p, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
		?: connect_to(p, &p->to) ?: send_stream(p);
}

static int mptcp_connect(struct probe *p)
{
	return open_socket(p, p->to.any.sa_family, SOCK_STREAM, IPPROTO_MPTCP)
		?: connect_to(p, &p->to) ?: send_stream(p);
}

/* connect() that does not wait, then poll(). */
static int tcp_nonblocking(struct probe *p)
{
	struct pollfd poll_fd;
	int result = open_tcp(p);

	if (result)
		return result;
	if (fcntl(p->fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	result = connect_to(p, &p->to);
	if (result != -EINPROGRESS)
		return result;
	poll_fd = (struct pollfd){.fd = p->fd, .events = POLLOUT};
	if (poll(&poll_fd, 1, (int)p->timeout_ms) < 1)
		return -EINPROGRESS;
	return send_stream(p);
}

/* The peer's window, which no handshake has told. */
static int set_window(struct probe *p)
{
	struct tcp_repair_window window;
	socklen_t len = sizeof(window);

	if (getsockopt(p->fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, &len) < 0)
		return -errno;
	window.snd_wnd = window.max_window = UINT16_MAX;
	return set_option(p, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, sizeof(window));
}

/* No handshake: the kernel is told that the connection is there (checkpoint and restore). */
static int tcp_repair(struct probe *p)
{
	return open_tcp(p) ?: set_option_int(p, IPPROTO_TCP, TCP_REPAIR, 1)
		?: connect_to(p, &p->to) ?: set_window(p)
		?: set_option_int(p, IPPROTO_TCP, TCP_REPAIR, 0) ?: send_stream(p);
}

/* More than one segment in one packet of the kernel's (TSO). */
static int tcp_big(struct probe *p)
{
	static unsigned char stream[BIG_LEN];

	memcpy(stream, p->query, p->query_len + 2);
	return open_tcp(p) ?: connect_to(p, &p->to)
		?: send_bytes(p, stream, sizeof(stream), 0, NULL);
}

const struct technique tcp_techniques[] = {
	{"tcp-connect", FOR_BOTH, NEEDS_NOTHING, tcp_connect, "TCP: connect(), send()"},
	{"tcp-tfo", FOR_BOTH, NEEDS_NOTHING, tcp_tfo, "TCP Fast Open: sendto() with MSG_FASTOPEN"},
	{"tcp-tfo-connect", FOR_BOTH, NEEDS_NOTHING, tcp_tfo_connect,
	 "TCP_FASTOPEN_CONNECT, connect(), send()"},
	{"mptcp-connect", FOR_BOTH, NEEDS_NOTHING, mptcp_connect,
	 "Multipath TCP: connect(), send()"},
	{"tcp-nonblocking", FOR_BOTH, NEEDS_NOTHING, tcp_nonblocking,
	 "TCP: connect() on a nonblocking socket, poll(), send()"},
	{"tcp-big", FOR_BOTH, NEEDS_NOTHING, tcp_big, "TCP: connect(), 32 KiB in one send()"},
	{"tcp-repair", FOR_BOTH, NEEDS_ADMIN, tcp_repair,
	 "TCP_REPAIR: connect() without a handshake, send()"},
	{},
};
