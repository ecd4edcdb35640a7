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

static const struct hold {
	const char *name;
	int (*open)(struct probe *p);
	int (*send)(struct probe *p);
} holds[] = {
	{"hold-udp", open_udp, hold_send_udp},
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
