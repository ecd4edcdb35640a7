// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * UDP and UDP-Lite by every system call and option that sends a datagram.
 */
#include "probe.h"

#include <errno.h>
#include <netinet/ip.h>
#include <string.h>

#ifndef IPPROTO_UDPLITE
#define IPPROTO_UDPLITE 136
#endif

#define DATAGRAM_MAX 65507 /* the largest UDP payload over IPv4 */

static int udp_connect(struct probe *p)
{
	return open_udp(p) ?: connect_to(p, &p->to) ?: send_query(p, NULL);
}

static int udp_sendto(struct probe *p)
{
	return open_udp(p) ?: send_query(p, &p->to);
}

static int udp_sendmsg(struct probe *p)
{
	struct iovec iov = {.iov_base = p->query + 2, .iov_len = p->query_len};
	struct msghdr message = {.msg_name = &p->to,
				 .msg_namelen = address_len(&p->to),
				 .msg_iov = &iov,
				 .msg_iovlen = 1};
	int result = open_udp(p);

	if (result)
		return result;
	p->step = "send";
	return sendmsg(p->fd, &message, 0) < 0 ? -errno : 0;
}

static int udp_sendmmsg(struct probe *p)
{
	struct iovec iov = {.iov_base = p->query + 2, .iov_len = p->query_len};
	struct mmsghdr messages[2] = {};
	int result = open_udp(p);

	if (result)
		return result;
	for (int i = 0; i < 2; i++)
		messages[i].msg_hdr = (struct msghdr){.msg_name = &p->to,
						      .msg_namelen = address_len(&p->to),
						      .msg_iov = &iov,
						      .msg_iovlen = 1};
	p->step = "send";
	return sendmmsg(p->fd, messages, 2, 0) < 0 ? -errno : 0;
}

static int udp_connect_sendto_elsewhere(struct probe *p)
{
	union endpoint elsewhere = with_port(&p->other, DISCARD_PORT);

	return open_udp(p) ?: connect_to(p, &elsewhere) ?: send_query(p, &p->to);
}

static int udp_cmsg_tos(struct probe *p)
{
	int level = is_ip4(&p->to) ? IPPROTO_IP : IPPROTO_IPV6;
	int type = is_ip4(&p->to) ? IP_TOS : IPV6_TCLASS;
	int value = IPTOS_LOWDELAY;

	return open_udp(p) ?: connect_to(p, &p->to)
		?: send_control(p, NULL, level, type, &value, sizeof(value));
}

static int udp_cmsg_pktinfo(struct probe *p)
{
	struct in6_pktinfo info6 = {};
	struct in_pktinfo info4 = {};
	int result = open_udp(p);

	if (result)
		return result;
	if (is_ip4(&p->to))
		return send_control(p, &p->to, IPPROTO_IP, IP_PKTINFO, &info4, sizeof(info4));
	return send_control(p, &p->to, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof(info6));
}

static int udp_any(struct probe *p)
{
	union endpoint any = {.any.sa_family = p->to.any.sa_family};

	set_port(&any, port_of(&p->to));
	return open_udp(p) ?: send_query(p, &any);
}

static int udp_big(struct probe *p)
{
	static unsigned char datagram[DATAGRAM_MAX];

	memcpy(datagram, p->query + 2, p->query_len);
	return open_udp(p)
		?: set_option_int(p, SOL_SOCKET, SO_SNDBUF, 4 * DATAGRAM_MAX)
		?: send_bytes(p, datagram, sizeof(datagram), 0, &p->to);
}

static int udp_cork(struct probe *p)
{
	size_t half = p->query_len / 2;

	return open_udp(p) ?: connect_to(p, &p->to)
		?: send_bytes(p, p->query + 2, half, MSG_MORE, NULL)
		?: send_bytes(p, p->query + 2 + half, p->query_len - half, 0, NULL);
}

/* A datagram begun towards ADDR; the socket is then connected to -f, and the datagram ended. */
static int udp_cork_connect(struct probe *p)
{
	union endpoint other = with_port(&p->other, port_of(&p->to));
	size_t half = p->query_len / 2;

	return open_udp(p) ?: send_bytes(p, p->query + 2, half, MSG_MORE, &p->to)
		?: connect_to(p, &other)
		?: send_bytes(p, p->query + 2 + half, p->query_len - half, 0, NULL);
}

/* From the port that it asks, as a server answers: connected to -f, but sent to ADDR. */
static int udp_same_port_elsewhere(struct probe *p)
{
	union endpoint other = with_port(&p->other, port_of(&p->to));

	p->source_port = port_of(&p->to);
	return open_udp(p) ?: connect_to(p, &other) ?: send_query(p, &p->to);
}

static int udplite_connect(struct probe *p)
{
	return open_socket(p, p->to.any.sa_family, SOCK_DGRAM, IPPROTO_UDPLITE)
		?: connect_to(p, &p->to) ?: send_query(p, NULL);
}

static int udplite_sendto(struct probe *p)
{
	return open_socket(p, p->to.any.sa_family, SOCK_DGRAM, IPPROTO_UDPLITE)
		       ?: send_query(p, &p->to);
}

static int source_port_53(struct probe *p)
{
	p->source_port = 53;
	return open_udp(p) ?: send_query(p, &p->to);
}

const struct technique udp_techniques[] = {
	{"udp-connect", FOR_BOTH, NEEDS_NOTHING, udp_connect, "connect(), send()"},
	{"udp-sendto", FOR_BOTH, NEEDS_NOTHING, udp_sendto, "sendto()"},
	{"udp-sendmsg", FOR_BOTH, NEEDS_NOTHING, udp_sendmsg, "sendmsg() with an address"},
	{"udp-sendmmsg", FOR_BOTH, NEEDS_NOTHING, udp_sendmmsg, "two messages in one sendmmsg()"},
	{"udp-connect-sendto-elsewhere", FOR_BOTH, NEEDS_NOTHING, udp_connect_sendto_elsewhere,
	 "connected to port 9 of -f, sendto() ADDR"},
	{"udp-cmsg-tos", FOR_BOTH, NEEDS_NOTHING, udp_cmsg_tos,
	 "connected, sendmsg() with IP_TOS or IPV6_TCLASS"},
	{"udp-cmsg-pktinfo", FOR_BOTH, NEEDS_NOTHING, udp_cmsg_pktinfo,
	 "sendmsg() with an address and PKTINFO"},
	{"udp-any", FOR_BOTH, NEEDS_NOTHING, udp_any,
	 "sendto() 0.0.0.0 or ::, which mean this host"},
	{"udp-big", FOR_BOTH, NEEDS_NOTHING, udp_big, "a datagram of 65507 bytes"},
	{"udp-cork", FOR_BOTH, NEEDS_NOTHING, udp_cork, "one query by two sends, MSG_MORE"},
	{"udp-cork-connect", FOR_BOTH, NEEDS_NOTHING, udp_cork_connect,
	 "sendto() ADDR with MSG_MORE, connect() to -f, send() the rest"},
	{"udp-same-port-elsewhere", FOR_BOTH, NEEDS_BIND, udp_same_port_elsewhere,
	 "from source port PORT, connected to -f: sendto() ADDR"},
	{"udplite-connect", FOR_BOTH, NEEDS_NOTHING, udplite_connect,
	 "UDP-Lite: connect(), send()"},
	{"udplite-sendto", FOR_BOTH, NEEDS_NOTHING, udplite_sendto, "UDP-Lite: sendto()"},
	{"source-port-53", FOR_BOTH, NEEDS_BIND, source_port_53, "bind() to port 53, sendto()"},
	{},
};
