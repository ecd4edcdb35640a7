// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IPv4 options and IPv6 extension headers on ordinary sockets.
 */
#include "probe.h"

#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <string.h>

static int ip4_options(struct probe *p)
{
	const unsigned char options[4] = {IPOPT_NOOP, IPOPT_NOOP, IPOPT_NOOP, IPOPT_EOL};

	return open_udp(p) ?: set_option(p, IPPROTO_IP, IP_OPTIONS, options, sizeof(options))
		?: send_query(p, &p->to);
}

/* ADDR is the first hop, which the packet is addressed to; the call names the final address. */
static int ip4_lsrr(struct probe *p)
{
	unsigned char options[8] = {IPOPT_LSRR, 7, IPOPT_MINOFF};
	union address final = with_port(&p->other, port_of(&p->to));

	memcpy(options + 3, &p->to.in.sin_addr, 4);
	return open_udp(p) ?: set_option(p, IPPROTO_IP, IP_OPTIONS, options, sizeof(options))
		?: send_query(p, &final);
}

static int send_padded(struct probe *p, int option)
{
	const unsigned char header[8] = {0, 0, IP6OPT_PADN, 4};

	return open_udp(p) ?: set_option(p, IPPROTO_IPV6, option, header, sizeof(header))
		?: send_query(p, &p->to);
}

static int ip6_hopopts(struct probe *p)
{
	return send_padded(p, IPV6_HOPOPTS);
}

static int ip6_dstopts(struct probe *p)
{
	return send_padded(p, IPV6_DSTOPTS);
}

/* Two segments (RFC 8754 2): ADDR first; the kernel fills in the final one from the call. */
static int set_segments(struct probe *p)
{
	struct {
		struct ip6_rthdr rthdr;
		uint8_t last_entry;
		uint8_t flags;
		uint16_t tag;
		struct in6_addr segments[2];
	} header = {
		.rthdr = {.ip6r_len = 4, .ip6r_type = 4, .ip6r_segleft = 1},
		.last_entry = 1,
	};

	header.segments[1] = p->to.in6.sin6_addr;
	return set_option(p, IPPROTO_IPV6, IPV6_RTHDR, &header, sizeof(header));
}

static int ip6_routing(struct probe *p)
{
	union address final = with_port(&p->other, port_of(&p->to));

	return open_udp(p) ?: set_segments(p) ?: send_query(p, &final);
}

static int ip6_routing_tcp(struct probe *p)
{
	union address final = with_port(&p->other, port_of(&p->to));

	return open_tcp(p) ?: set_segments(p) ?: connect_to(p, &final) ?: send_stream(p);
}

const struct technique options_techniques[] = {
	{"ip4-options", FOR_4, NEEDS_NOTHING, ip4_options, "IP_OPTIONS of NOPs"},
	{"ip4-lsrr", FOR_4, NEEDS_RAW, ip4_lsrr,
	 "loose source route: ADDR is the hop, -f the target"},
	{"ip6-hopopts", FOR_6, NEEDS_RAW, ip6_hopopts, "IPV6_HOPOPTS"},
	{"ip6-dstopts", FOR_6, NEEDS_RAW, ip6_dstopts, "IPV6_DSTOPTS"},
	{"ip6-routing", FOR_6, NEEDS_NOTHING, ip6_routing,
	 "segment routing header: ADDR is the hop, -f the target"},
	{"ip6-routing-tcp", FOR_6, NEEDS_NOTHING, ip6_routing_tcp, "the same over TCP"},
	{},
};
