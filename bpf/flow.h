/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet from its network header on -> struct df_flow: where it goes and what hides that.
 * The walker reads through df_load(), which the includer defines before this file, with
 * df_load_ctx and df_global: on a struct __sk_buff in the kernel, on a plain buffer in the unit
 * tests and the fuzzer. It knows
 * no policy; verdict.h judges what it found.
 *
 * The IP version is taken from the packet, never from the socket's family: a v4-mapped socket
 * is AF_INET6 and sends IPv4.
 */
#ifndef DNSFENCE_FLOW_H
#define DNSFENCE_FLOW_H

#include "abi.h"

#define IP4_HEADER 20
#define IP6_HEADER 40

#define PROTO_HOPOPTS 0
#define PROTO_IPIP 4
#define PROTO_TCP 6
#define PROTO_UDP 17
#define PROTO_DCCP 33
#define PROTO_IPV6 41
#define PROTO_ROUTING 43
#define PROTO_FRAGMENT 44
#define PROTO_ESP 50
#define PROTO_AH 51
#define PROTO_DSTOPTS 60
#define PROTO_IPCOMP 108
#define PROTO_SCTP 132
#define PROTO_MOBILITY 135
#define PROTO_UDPLITE 136
#define PROTO_HIP 139
#define PROTO_SHIM6 140
#define PROTO_MPTCP 262 /* socket() only, never on the wire */

#define IP4_OPTION_END 0
#define IP4_OPTION_NOP 1
#define IP4_OPTION_LSRR 131 /* RFC 791 3.1 */
#define IP4_OPTION_SSRR 137

/* Receivers take atomic fragments and long chains; a chain past this bound is denied. */
#define FLOW_HEADERS_MAX 12
#define FLOW_OPTIONS_MAX 40
#define FLOW_PORTS_LENGTH 4 /* both of them */

/* df_flow.flags */
#define FLOW_PORTS (1u << 0) /* sport and dport are set */
#define FLOW_ROUTING (1u << 1) /* IPv6 routing header: daddr need not be the target */
#define FLOW_SOURCE_ROUTE (1u << 2) /* the same by an IPv4 option */
#define FLOW_TUNNEL (1u << 3) /* addresses and ports are of an inner packet */
#define FLOW_LATER_FRAGMENT (1u << 4) /* its ports, if it has any, are elsewhere */
#define FLOW_TRUNCATED (1u << 5) /* ends before the ports */
#define FLOW_CHAIN (1u << 6) /* FLOW_HEADERS_MAX was not enough */
/* By IPsec: address and port are those of the socket's peer; without FLOW_PORTS nobody knows them.
 */
#define FLOW_SEALED (1u << 7)

struct df_flow {
	/* Network order; IPv4 in the first four bytes; a call's is never v4-mapped. Read by words.
	 */
	__u8 daddr[16] __attribute__((aligned(8)));
	__u8 saddr[16];
	__u16 dport; /* host order */
	__u16 sport;
	__u8 family; /* 4, 6; 0: neither */
	__u8 protocol; /* IPPROTO_ of the innermost header reached */
	__u16 l3_offset; /* of the innermost IP header, from the start of the packet */
	__u32 flags;
	__u32 l4_offset; /* of the header with the ports */
};

/*
 * What a walk found, but for what can be read again at its offsets, in one word: the verifier
 * knows nothing of a global function's result, so what follows is explored once, not once for
 * every way through the headers.
 */
static __always_inline __u64 flow_pack(const struct df_flow *flow)
{
	return (__u64)(__u16)flow->l4_offset << 48 | (__u64)flow->l3_offset << 32 |
	       (__u64)flow->flags << 16 | (__u64)flow->family << 8 | flow->protocol;
}

static __always_inline void flow_unpack(struct df_flow *flow, __u64 packed)
{
	__builtin_memset(flow, 0, sizeof(*flow));
	flow->l4_offset = packed >> 48;
	flow->l3_offset = (__u16)(packed >> 32);
	flow->flags = (__u16)(packed >> 16);
	flow->family = (__u8)(packed >> 8);
	flow->protocol = (__u8)packed;
}

static __always_inline int flow_has_ports(__u32 protocol)
{
	return protocol == PROTO_UDP || protocol == PROTO_TCP || protocol == PROTO_UDPLITE ||
	       protocol == PROTO_SCTP || protocol == PROTO_DCCP;
}

/* Headers that say in their first byte what follows (RFC 8200 4, RFC 4302, RFC 5533, RFC 7401). */
static __always_inline int flow_is_extension(__u32 protocol)
{
	return protocol == PROTO_HOPOPTS || protocol == PROTO_ROUTING ||
	       protocol == PROTO_DSTOPTS || protocol == PROTO_FRAGMENT || protocol == PROTO_AH ||
	       protocol == PROTO_MOBILITY || protocol == PROTO_HIP || protocol == PROTO_SHIM6;
}

static __always_inline int flow_is_tunnel(__u32 protocol)
{
	return protocol == PROTO_IPIP || protocol == PROTO_IPV6;
}

/* ::ffff:0:0/96 -> IPv4 (RFC 4291 2.5.5.2). words: the address, network order. */
static __always_inline void flow_set_daddr6(struct df_flow *flow, const __u32 words[4])
{
	__u32 addr[4] = {words[0], words[1], words[2], words[3]};

	flow->family = 6;
	if (!addr[0] && !addr[1] && addr[2] == __builtin_bswap32(0x0000ffff)) {
		flow->family = 4;
		addr[0] = addr[3];
		addr[2] = addr[3] = 0;
	}
	__builtin_memcpy(flow->daddr, addr, sizeof(addr));
}

#ifdef df_load

#ifndef df_global
#define df_global static inline
#endif

static __always_inline __u16 flow_be16(const __u8 *bytes)
{
	return (__u16)(bytes[0] << 8 | bytes[1]);
}

/*
 * What one header says, in one word: what follows it, how long it is, FLOW_ flags it brings,
 * whether it makes the rest a later fragment. 0: it is cut short, or no such header.
 *
 * The two readers below are global functions in the kernel (df_global): the verifier explores
 * each once, with any offset, instead of once for every way the walk can come to it.
 */
#define STEP_VALID (1ull << 63)
#define STEP_LATER (1ull << 62)

static __always_inline __u64 step_pack(__u32 next, __u32 length, __u32 flags, __u32 later)
{
	return STEP_VALID | (later ? STEP_LATER : 0) | (__u64)flags << 32 | length << 8 | next;
}

/* FLOW_SOURCE_ROUTE when the options from offset to end hold one, else 0. */
df_global __u32 flow_find_source_route(df_load_ctx *ctx, __u32 offset, __u32 end)
{
	__u8 option[2];

	for (int i = 0; i < FLOW_OPTIONS_MAX; i++) {
		if (offset >= end || df_load(ctx, offset, option, 1) < 0 ||
		    option[0] == IP4_OPTION_END)
			return 0;
		if (option[0] == IP4_OPTION_LSRR || option[0] == IP4_OPTION_SSRR)
			return FLOW_SOURCE_ROUTE;
		if (option[0] == IP4_OPTION_NOP) {
			offset++;
			continue;
		}
		if (df_load(ctx, offset, option, 2) < 0 || option[1] < 2)
			return 0;
		offset += option[1];
	}
	return 0;
}

df_global __u64 flow_read_ip4(df_load_ctx *ctx, __u32 offset)
{
	__u8 header[IP4_HEADER];
	__u32 length, flags = 0;

	if (df_load(ctx, offset, header, IP4_HEADER) < 0 || header[0] >> 4 != 4)
		return 0;
	length = (header[0] & 15) * 4u;
	if (length < IP4_HEADER)
		return 0;
	if (length > IP4_HEADER)
		flags = flow_find_source_route(ctx, offset + IP4_HEADER, offset + length);
	return step_pack(header[9], length, flags, flow_be16(header + 6) & 0x1fff);
}

df_global __u64 flow_read_ip6(df_load_ctx *ctx, __u32 offset)
{
	__u8 header[8];
	__u8 last; /* the addresses must be there, too */

	if (df_load(ctx, offset, header, sizeof(header)) < 0 || header[0] >> 4 != 6 ||
	    df_load(ctx, offset + IP6_HEADER - 1, &last, 1) < 0)
		return 0;
	return step_pack(header[6], IP6_HEADER, 0, 0);
}

/*
 * An extension header. Every one begins with the next header; the second byte is the length, in
 * units that differ by header.
 */
df_global __u64 flow_read_extension(df_load_ctx *ctx, __u32 offset, __u32 kind)
{
	__u8 header[8];
	__u32 length, later = 0;

	if (df_load(ctx, offset, header, sizeof(header)) < 0)
		return 0;
	length = (header[1] + 1u) * 8;
	if (kind == PROTO_AH) /* RFC 4302 2.2 */
		length = (header[1] + 2u) * 4;
	if (kind == PROTO_FRAGMENT) {
		length = 8;
		later = flow_be16(header + 2) & 0xfff8;
	}
	return step_pack(header[0], length, kind == PROTO_ROUTING ? FLOW_ROUTING : 0, later);
}

/* Where the walk stands. next is the protocol of the header at offset. */
struct flow_walk {
	__u32 offset;
	__u32 next;
	__u32 later; /* the rest is a later fragment */
	__u32 tunnels;
};

static __always_inline __u64 flow_read_header(df_load_ctx *ctx, struct df_flow *flow,
					      struct flow_walk *walk)
{
	__u64 step;

	if (!flow_is_tunnel(walk->next))
		return flow_read_extension(ctx, walk->offset, walk->next);
	step = walk->next == PROTO_IPIP ? flow_read_ip4(ctx, walk->offset)
					: flow_read_ip6(ctx, walk->offset);
	if (walk->tunnels++)
		flow->flags |= FLOW_TUNNEL;
	if (step & STEP_VALID) { /* else the outer addresses are all there is to tell */
		flow->l3_offset = (__u16)walk->offset;
		flow->family = walk->next == PROTO_IPIP ? 4 : 6;
	}
	return step;
}

/* The end of the walk: a header that has ports, or one that nothing is known about. */
static __always_inline void flow_end(df_load_ctx *ctx, struct df_flow *flow,
				     const struct flow_walk *walk)
{
	__u8 ports[FLOW_PORTS_LENGTH];

	flow->protocol = (__u8)walk->next;
	flow->l4_offset = walk->offset;
	if (walk->later) {
		/*
		 * It goes on in the middle of something: nothing can be read. Of what, an IPv6
		 * fragment does not tell: only the first one's word counts (RFC 8200 4.5).
		 */
		if (flow->family == 6 || flow_has_ports(walk->next) ||
		    flow_is_extension(walk->next) || flow_is_tunnel(walk->next))
			flow->flags |= FLOW_LATER_FRAGMENT;
	} else if (flow_has_ports(walk->next)) {
		flow->flags |= df_load(ctx, walk->offset, ports, sizeof(ports)) < 0 ? FLOW_TRUNCATED
										    : FLOW_PORTS;
	}
}

/*
 * All of *flow but addresses and ports. start: where the first IP header is; version: 4 or 6, as
 * its first nibble says.
 */
static __always_inline void flow_walk(df_load_ctx *ctx, struct df_flow *flow, __u32 start,
				      __u32 version)
{
	struct flow_walk walk = {.offset = start, .next = version == 4 ? PROTO_IPIP : PROTO_IPV6};
	__u64 step;

	__builtin_memset(flow, 0, sizeof(*flow));
	for (int i = 0; i < FLOW_HEADERS_MAX; i++) {
		if (walk.later || (!flow_is_tunnel(walk.next) && !flow_is_extension(walk.next))) {
			flow_end(ctx, flow, &walk);
			return;
		}
		if (flow_is_tunnel(walk.next) && walk.tunnels == 2)
			break;
		step = flow_read_header(ctx, flow, &walk);
		if (!(step & STEP_VALID)) {
			flow->flags |= FLOW_TRUNCATED;
			return;
		}
		flow->flags |= (__u16)(step >> 32);
		walk.next = (__u8)step;
		walk.offset += (__u16)(step >> 8);
		walk.later = !!(step & STEP_LATER);
	}
	flow->flags |= FLOW_CHAIN;
}

/* Where it goes: what the verdict needs, read again where flow->l*_offset say. */
static __always_inline void flow_reload_target(df_load_ctx *ctx, struct df_flow *flow)
{
	__u8 port[2] = {};

	if (flow->family == 4)
		(void)df_load(ctx, flow->l3_offset + 16, flow->daddr, 4);
	else if (flow->family == 6)
		(void)df_load(ctx, flow->l3_offset + 24, flow->daddr, 16);
	if (flow->flags & FLOW_PORTS)
		(void)df_load(ctx, flow->l4_offset + 2, port, sizeof(port));
	flow->dport = flow_be16(port);
}

/* Where it comes from, and where it goes. */
static __always_inline void flow_reload(df_load_ctx *ctx, struct df_flow *flow)
{
	__u8 port[2] = {};

	flow_reload_target(ctx, flow);
	if (flow->family == 4)
		(void)df_load(ctx, flow->l3_offset + 12, flow->saddr, 4);
	else if (flow->family == 6)
		(void)df_load(ctx, flow->l3_offset + 8, flow->saddr, 16);
	if (flow->flags & FLOW_PORTS)
		(void)df_load(ctx, flow->l4_offset, port, sizeof(port));
	flow->sport = flow_be16(port);
}

/* Fill *flow from any packet that begins with its IP header. */
static __always_inline void flow_parse(df_load_ctx *ctx, struct df_flow *flow, __u32 version)
{
	flow_walk(ctx, flow, 0, version);
	flow_reload(ctx, flow);
}

#endif /* df_load */
#endif
