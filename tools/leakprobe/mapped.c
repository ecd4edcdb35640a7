// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IPv4 by way of IPv6 sockets.
 */
#include "probe.h"

static int v4mapped_udp_connect(struct probe *p)
{
	union address mapped = map_ip4(&p->to);

	return open_socket(p, AF_INET6, SOCK_DGRAM, 0) ?: connect_to(p, &mapped)
		?: send_query(p, NULL);
}

static int v4mapped_udp_sendto(struct probe *p)
{
	union address mapped = map_ip4(&p->to);

	return open_socket(p, AF_INET6, SOCK_DGRAM, 0) ?: send_query(p, &mapped);
}

static int v4mapped_tcp(struct probe *p)
{
	union address mapped = map_ip4(&p->to);

	return open_socket(p, AF_INET6, SOCK_STREAM, 0) ?: connect_to(p, &mapped) ?: send_stream(p);
}

static int sin_on_in6(struct probe *p)
{
	return open_socket(p, AF_INET6, SOCK_DGRAM, 0) ?: send_query(p, &p->to);
}

const struct technique mapped_techniques[] = {
	{"v4mapped-udp-connect", FOR_4, NEEDS_NOTHING, v4mapped_udp_connect,
	 "connect() to ::ffff:ADDR, send()"},
	{"v4mapped-udp-sendto", FOR_4, NEEDS_NOTHING, v4mapped_udp_sendto, "sendto() ::ffff:ADDR"},
	{"v4mapped-tcp", FOR_4, NEEDS_NOTHING, v4mapped_tcp,
	 "TCP: connect() to ::ffff:ADDR, send()"},
	{"sin-on-in6", FOR_4, NEEDS_NOTHING, sin_on_in6,
	 "sendto() of a sockaddr_in on an AF_INET6 socket"},
	{},
};
