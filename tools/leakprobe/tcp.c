// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP by every way to open a connection.
 */
#include "probe.h"

#include <netinet/tcp.h>

#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30 /* linux/tcp.h, 4.11 */
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262 /* linux/in.h, 5.6 */
#endif

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

const struct technique tcp_techniques[] = {
	{"tcp-connect", FOR_BOTH, NEEDS_NOTHING, tcp_connect, "TCP: connect(), send()"},
	{"tcp-tfo", FOR_BOTH, NEEDS_NOTHING, tcp_tfo, "TCP Fast Open: sendto() with MSG_FASTOPEN"},
	{"tcp-tfo-connect", FOR_BOTH, NEEDS_NOTHING, tcp_tfo_connect,
	 "TCP_FASTOPEN_CONNECT, connect(), send()"},
	{"mptcp-connect", FOR_BOTH, NEEDS_NOTHING, mptcp_connect,
	 "Multipath TCP: connect(), send()"},
	{},
};
