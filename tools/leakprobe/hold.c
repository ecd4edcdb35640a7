// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hold-*: a socket that is connected first and used later.
 */
#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* A listener on the connection's own port: its segments then look like a server's. */
static int listen_beside(struct probe *p)
{
	union endpoint local;
	socklen_t len = sizeof(local);
	int fd, one = 1;

	p->step = "socket";
	fd = socket(p->to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || getsockname(p->fd, &local.any, &len) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, &local.any, len) < 0 || listen(fd, 1) < 0)
		return -errno;
	return 0; /* open until the program ends */
}

static int hold_send_udp(struct probe *p)
{
	return send_query(p, NULL);
}

static int hold_send_beside(struct probe *p)
{
	return listen_beside(p) ?: send_stream(p);
}

static int open_udplite(struct probe *p)
{
	return open_socket(p, p->to.any.sa_family, SOCK_DGRAM, IPPROTO_UDPLITE);
}

static int open_mptcp(struct probe *p)
{
	return open_socket(p, p->to.any.sa_family, SOCK_STREAM, IPPROTO_MPTCP);
}

static int open_v4mapped(struct probe *p, int type)
{
	p->to = map_ip4(&p->to);
	return open_socket(p, AF_INET6, type, 0);
}

static int open_v4mapped_udp(struct probe *p)
{
	return open_v4mapped(p, SOCK_DGRAM);
}

static int open_v4mapped_tcp(struct probe *p)
{
	return open_v4mapped(p, SOCK_STREAM);
}

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51 /* linux/in.h, 6.3 */
#endif
#define PORT_ESP 4500 /* RFC 3948: from there may come what IPsec has made unreadable */

/*
 * A datagram begun towards ADDR from that port, which the socket then gives up: over IPv6 the
 * datagram keeps it, while the socket is connected from another one, to a port that nobody fences.
 */
static int open_udp_cork(struct probe *p)
{
	const struct sockaddr unspecified = {.sa_family = AF_UNSPEC};
	int result = open_udp(p);

	if (result)
		return result;
	/* Older kernels choose another port. */
	(void)set_option_int(p, IPPROTO_IP, IP_LOCAL_PORT_RANGE, PORT_ESP | PORT_ESP << 16);
	result = send_bytes(p, p->query + 2, p->query_len / 2, MSG_MORE, &p->to);
	if (result)
		return result;
	p->step = "connect";
	if (connect(p->fd, &unspecified, sizeof(unspecified)) < 0)
		return -errno;
	(void)set_option_int(p, IPPROTO_IP, IP_LOCAL_PORT_RANGE, 0);
	set_port(&p->to, DISCARD_PORT);
	return 0;
}

static int hold_send_cork(struct probe *p)
{
	size_t half = p->query_len / 2;

	return send_bytes(p, p->query + 2 + half, p->query_len - half, 0, NULL);
}

static const struct hold {
	const char *name;
	int (*open)(struct probe *p);
	int (*send)(struct probe *p);
} holds[] = {
	{"hold-udp", open_udp, hold_send_udp},
	{"hold-udp-cork", open_udp_cork, hold_send_cork},
	{"hold-tcp", open_tcp, send_stream},
	{"hold-tcp-listen", open_tcp, hold_send_beside},
	{"hold-udplite", open_udplite, hold_send_udp},
	{"hold-mptcp", open_mptcp, send_stream},
	{"hold-v4mapped-udp", open_v4mapped_udp, hold_send_udp},
	{"hold-v4mapped-tcp", open_v4mapped_tcp, send_stream},
};

const struct hold *find_hold(const char *name)
{
	for (size_t i = 0; i < sizeof(holds) / sizeof(holds[0]); i++)
		if (!strcmp(holds[i].name, name))
			return &holds[i];
	return NULL;
}

int run_hold(struct probe *p, const struct hold *hold, unsigned long repeat, uint64_t *ret_started)
{
	char line[256];
	int result;

	*ret_started = now_us();
	result = hold->open(p) ?: set_option_int(p, SOL_SOCKET, SO_REUSEADDR, 1)
		?: connect_to(p, &p->to);
	for (unsigned long i = 0; !result && i < repeat; i++) {
		puts("ready");
		fflush(stdout);
		if (!fgets(line, sizeof(line), stdin))
			return 1;
		*ret_started = now_us();
		result = hold->send(p);
	}
	return result;
}
