// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IPv4 options and IPv6 extension headers on ordinary sockets.
 */
#include "probe.h"

#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <string.h>

#ifndef IPV6_2292RTHDR
#define IPV6_2292RTHDR 5 /* linux/in6.h */
#endif

static int ip4_options(struct probe *p)
{
	const unsigned char options[4] = {IPOPT_NOOP, IPOPT_NOOP, IPOPT_NOOP, IPOPT_EOL};

	return open_udp(p) ?: set_option(p, IPPROTO_IP, IP_OPTIONS, options, sizeof(options))
		?: send_query(p, &p->to);
}

/* ADDR is the first hop, which the packet is addressed to; the call names the final address. */
static void source_route(const struct probe *p, unsigned char kind, unsigned char options[8])
{
	const unsigned char begin[8] = {kind, 7, IPOPT_MINOFF};

	memcpy(options, begin, sizeof(begin));
	memcpy(options + 3, &p->to.in.sin_addr, 4);
}

static int send_source_routed(struct probe *p, unsigned char kind)
{
	union endpoint final = with_port(&p->other, port_of(&p->to));
	unsigned char options[8];

	source_route(p, kind, options);
	return open_udp(p) ?: set_option(p, IPPROTO_IP, IP_OPTIONS, options, sizeof(options))
		?: send_query(p, &final);
}

static int ip4_lsrr(struct probe *p)
{
	return send_source_routed(p, IPOPT_LSRR);
}

static int ip4_ssrr(struct probe *p)
{
	return send_source_routed(p, IPOPT_SSRR);
}

static int ip4_cmsg_lsrr(struct probe *p)
{
	union endpoint final = with_port(&p->other, port_of(&p->to));
	unsigned char options[8];

	source_route(p, IPOPT_LSRR, options);
	return open_udp(p) ?: send_control(p, &final, IPPROTO_IP, IP_RETOPTS, options, 8);
}

static int ip4_lsrr_tcp(struct probe *p)
{
	union endpoint final = with_port(&p->other, port_of(&p->to));
	unsigned char options[8];

	source_route(p, IPOPT_LSRR, options);
	return open_tcp(p) ?: set_option(p, IPPROTO_IP, IP_OPTIONS, options, sizeof(options))
		?: connect_to(p, &final) ?: send_stream(p);
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

static int send_padded_control(struct probe *p, int type)
{
	const unsigned char header[8] = {0, 0, IP6OPT_PADN, 4};

	return open_udp(p) ?: send_control(p, &p->to, IPPROTO_IPV6, type, header, sizeof(header));
}

static int ip6_cmsg_hopopts(struct probe *p)
{
	return send_padded_control(p, IPV6_HOPOPTS);
}

static int ip6_cmsg_dstopts(struct probe *p)
{
	return send_padded_control(p, IPV6_DSTOPTS);
}

/* RFC 6275 6.4: the packet goes to ADDR, which hands it on to -f. */
static int send_mobile(struct probe *p, int type)
{
	union endpoint final = with_port(&p->other, port_of(&p->to));
	struct {
		struct ip6_rthdr rthdr;
		uint32_t reserved;
		struct in6_addr home;
	} header = {
		.rthdr = {.ip6r_len = 2, .ip6r_type = 2, .ip6r_segleft = 1},
		.home = p->to.in6.sin6_addr,
	};

	return open_udp(p) ?: send_control(p, &final, IPPROTO_IPV6, type, &header, sizeof(header));
}

static int ip6_cmsg_routing(struct probe *p)
{
	return send_mobile(p, IPV6_RTHDR);
}

static int ip6_cmsg_2292routing(struct probe *p)
{
	return send_mobile(p, IPV6_2292RTHDR);
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
	union endpoint final = with_port(&p->other, port_of(&p->to));

	return open_udp(p) ?: set_segments(p) ?: send_query(p, &final);
}

static int ip6_routing_tcp(struct probe *p)
{
	union endpoint final = with_port(&p->other, port_of(&p->to));

	return open_tcp(p) ?: set_segments(p) ?: connect_to(p, &final) ?: send_stream(p);
}

const struct technique options_techniques[] = {
	{"ip4-options", FOR_4, NEEDS_NOTHING, ip4_options, "IP_OPTIONS of NOPs"},
	{"ip4-lsrr", FOR_4, NEEDS_RAW, ip4_lsrr,
	 "loose source route: ADDR is the hop, -f the target"},
	{"ip4-ssrr", FOR_4, NEEDS_RAW, ip4_ssrr, "strict source route, likewise"},
	{"ip4-cmsg-lsrr", FOR_4, NEEDS_RAW, ip4_cmsg_lsrr,
	 "loose source route as a control message, IP_RETOPTS"},
	{"ip4-lsrr-tcp", FOR_4, NEEDS_RAW, ip4_lsrr_tcp, "loose source route over TCP"},
	{"ip6-hopopts", FOR_6, NEEDS_RAW, ip6_hopopts, "IPV6_HOPOPTS"},
	{"ip6-dstopts", FOR_6, NEEDS_RAW, ip6_dstopts, "IPV6_DSTOPTS"},
	{"ip6-cmsg-hopopts", FOR_6, NEEDS_RAW, ip6_cmsg_hopopts,
	 "IPV6_HOPOPTS as a control message"},
	{"ip6-cmsg-dstopts", FOR_6, NEEDS_RAW, ip6_cmsg_dstopts,
	 "IPV6_DSTOPTS as a control message"},
	{"ip6-cmsg-routing", FOR_6, NEEDS_NOTHING, ip6_cmsg_routing,
	 "IPV6_RTHDR of type 2 as a control message (Mobile IPv6)"},
	{"ip6-cmsg-2292routing", FOR_6, NEEDS_NOTHING, ip6_cmsg_2292routing,
	 "the same by IPV6_2292RTHDR"},
	{"ip6-routing", FOR_6, NEEDS_NOTHING, ip6_routing,
	 "segment routing header: ADDR is the hop, -f the target"},
	{"ip6-routing-tcp", FOR_6, NEEDS_NOTHING, ip6_routing_tcp, "the same over TCP"},
	{},
};
