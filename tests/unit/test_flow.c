// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bpf/flow.h, case by case: what each kind of packet, whole or cut short, is said to be. The
 * comparison with an independent parser over many packets is in test_reference.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "host_flow.h"
#include "packet.h"

struct flow_case {
	const char *name;
	struct layer layers[PACKET_LAYERS_MAX];
	uint32_t flags;
	uint8_t family;
	uint8_t protocol;
	uint8_t inner;
	uint8_t last;
};

#define PORTS FLOW_PORTS
#define ROUTE FLOW_ROUTING
#define SOURCE FLOW_SOURCE_ROUTE
#define TUNNEL FLOW_TUNNEL
#define LATER FLOW_LATER_FRAGMENT
#define CUT FLOW_TRUNCATED
#define CHAIN FLOW_CHAIN

#define L_DST3 L_DST(), L_DST(), L_DST()
#define L_DST9 L_DST3, L_DST3, L_DST3
#define OPTIONS(size, ...) .length = (size), .options = {__VA_ARGS__}
#define NOP7 1, 1, 1, 1, 1, 1, 1

/* inner: which IP header's addresses, from 0; after: what the last header says comes next. */
#define CASE_IN(text, flags_, family_, protocol_, inner_, after_, ...)                           \
	{                                                                                        \
		.name = (text), .layers = {__VA_ARGS__}, .flags = (flags_), .family = (family_), \
		.protocol = (protocol_), .inner = (inner_), .last = (after_)                     \
	}
#define CASE(text, flags_, family_, protocol_, ...) \
	CASE_IN(text, flags_, family_, protocol_, 0, 0, __VA_ARGS__)

static const struct flow_case cases[] = {
	/* The transports, plainly. */
	CASE("4 udp", PORTS, 4, 17, L_IP4(), L_UDP),
	CASE("4 tcp", PORTS, 4, 6, L_IP4(), L_TCP),
	CASE("4 udplite", PORTS, 4, 136, L_IP4(), L_UDPLITE),
	CASE("4 sctp", PORTS, 4, 132, L_IP4(), L_SCTP),
	CASE("4 dccp", PORTS, 4, 33, L_IP4(), L_DCCP),
	CASE("4 icmp", 0, 4, 1, L_IP4(), L_ICMP),
	CASE("4 esp", 0, 4, 50, L_IP4(), L_ESP),
	CASE_IN("4 unknown protocol", 0, 4, 253, 0, 253, L_IP4()),
	CASE("6 udp", PORTS, 6, 17, L_IP6(), L_UDP),
	CASE("6 tcp", PORTS, 6, 6, L_IP6(), L_TCP),
	CASE("6 udplite", PORTS, 6, 136, L_IP6(), L_UDPLITE),
	CASE("6 sctp", PORTS, 6, 132, L_IP6(), L_SCTP),
	CASE("6 dccp", PORTS, 6, 33, L_IP6(), L_DCCP),
	CASE("6 icmp", 0, 6, 58, L_IP6(), L_ICMP6),
	CASE("6 no next header", 0, 6, 59, L_IP6(), L_NONE),
	CASE_IN("6 unknown protocol", 0, 6, 253, 0, 253, L_IP6()),

	/* No room for ports. */
	CASE_IN("4 udp, header only", CUT, 4, 17, 0, 17, L_IP4()),
	CASE_IN("6 tcp, header only", CUT, 6, 6, 0, 6, L_IP6()),
	CASE_IN("6 dstopts, then nothing", CUT, 6, 17, 0, 17, L_IP6(), L_DST()),
	CASE_IN("6 says dstopts, has none", CUT, 6, 0, 0, 60, L_IP6()),

	/* IPv4 options, RFC 791 3.1. */
	CASE("4 option router alert", PORTS, 4, 17, L_IP4(OPTIONS(4, 148, 4, 0, 0)), L_UDP),
	CASE("4 forty NOPs", PORTS, 4, 17,
	     L_IP4(.length = 40, .options = {NOP7, NOP7, NOP7, NOP7, NOP7, 1, 1, 1, 1, 1}), L_UDP),
	CASE("4 LSRR", PORTS | SOURCE, 4, 17, L_IP4(OPTIONS(7, 131, 7, 4, 8, 8, 8, 8)), L_UDP),
	CASE("4 SSRR", PORTS | SOURCE, 4, 6, L_IP4(OPTIONS(7, 137, 7, 4, 8, 8, 8, 8)), L_TCP),
	CASE("4 LSRR used up", PORTS | SOURCE, 4, 17, L_IP4(OPTIONS(7, 131, 7, 8, 8, 8, 8, 8)),
	     L_UDP),
	CASE("4 empty LSRR", PORTS | SOURCE, 4, 17, L_IP4(OPTIONS(3, 131, 3, 4)), L_UDP),
	CASE("4 NOP, LSRR", PORTS | SOURCE, 4, 17, L_IP4(OPTIONS(8, 1, 131, 7, 4, 8, 8, 8, 8)),
	     L_UDP),
	CASE("4 NOPs, SSRR", PORTS | SOURCE, 4, 17,
	     L_IP4(OPTIONS(10, 1, 1, 1, 137, 7, 4, 8, 8, 8, 8)), L_UDP),
	CASE("4 LSRR in the last byte", PORTS | SOURCE, 4, 17,
	     L_IP4(.length = 40, .options = {NOP7, NOP7, NOP7, NOP7, NOP7, 1, 1, 1, 1, 131}),
	     L_UDP),
	CASE("4 record route, LSRR", PORTS | SOURCE, 4, 17,
	     L_IP4(OPTIONS(14, 7, 7, 4, 0, 0, 0, 0, 131, 7, 4, 8, 8, 8, 8)), L_UDP),
	CASE("4 timestamp, NOP, SSRR", PORTS | SOURCE, 4, 17,
	     L_IP4(OPTIONS(12, 68, 4, 5, 0, 1, 137, 7, 4, 8, 8, 8, 8)), L_UDP),
	CASE("4 end of options, LSRR behind", PORTS, 4, 17,
	     L_IP4(OPTIONS(9, 0, 2, 131, 7, 4, 8, 8, 8, 8)), L_UDP),
	CASE("4 LSRR inside another option", PORTS, 4, 17,
	     L_IP4(OPTIONS(8, 7, 8, 4, 131, 7, 4, 8, 8)), L_UDP),
	CASE("4 LSRR, ICMP", SOURCE, 4, 1, L_IP4(OPTIONS(7, 131, 7, 4, 8, 8, 8, 8)), L_ICMP),
	CASE_IN("4 LSRR in the outer header", PORTS | SOURCE | TUNNEL, 4, 17, 1, 0,
		L_IP4(OPTIONS(7, 131, 7, 4, 8, 8, 8, 8)), L_IP4(), L_UDP),
	CASE_IN("4 LSRR in the inner header", PORTS | SOURCE | TUNNEL, 4, 17, 1, 0, L_IP4(),
		L_IP4(OPTIONS(7, 131, 7, 4, 8, 8, 8, 8)), L_UDP),
	/* Receivers refuse a packet with a malformed option; its ports are still told. */
	CASE("4 option of length 0", PORTS, 4, 17, L_IP4(OPTIONS(8, 7, 0, 131, 7, 4, 8, 8, 8)),
	     L_UDP),
	CASE("4 option of length 1", PORTS, 4, 17, L_IP4(OPTIONS(8, 7, 1, 131, 7, 4, 8, 8, 8)),
	     L_UDP),
	CASE("4 option past the header", PORTS, 4, 17, L_IP4(OPTIONS(4, 7, 200, 4, 0)), L_UDP),
	CASE("4 option whose length is past the header", PORTS, 4, 17,
	     L_IP4(OPTIONS(4, 1, 1, 1, 7)), L_UDP),

	/* Every extension header alone. */
	CASE("6 hopopts", PORTS, 6, 17, L_IP6(), L_HOP(), L_UDP),
	CASE("6 hopopts of 2048 bytes", PORTS, 6, 17, L_IP6(), L_HOP(.length = 255), L_UDP),
	CASE("6 routing", PORTS | ROUTE, 6, 17, L_IP6(), L_ROUTE(.length = 2), L_UDP),
	CASE("6 routing, TCP", PORTS | ROUTE, 6, 6, L_IP6(), L_ROUTE(.length = 2), L_TCP),
	CASE("6 routing, no ports", ROUTE, 6, 58, L_IP6(), L_ROUTE(.length = 2), L_ICMP6),
	CASE("6 dstopts", PORTS, 6, 17, L_IP6(), L_DST(), L_UDP),
	CASE("6 dstopts of 24 bytes", PORTS, 6, 6, L_IP6(), L_DST(.length = 2), L_TCP),
	CASE("6 ah of 12 bytes", PORTS, 6, 17, L_IP6(), L_AH(.length = 1), L_UDP),
	CASE("6 ah of 24 bytes", PORTS, 6, 17, L_IP6(), L_AH(.length = 4), L_UDP),
	CASE("6 ah of length 0", PORTS, 6, 17, L_IP6(), L_AH(), L_UDP),
	CASE("4 ah", PORTS, 4, 17, L_IP4(), L_AH(.length = 4), L_UDP),
	CASE("6 mobility", PORTS, 6, 17, L_IP6(), L_MOBILITY(), L_UDP),
	CASE("6 hip", PORTS, 6, 17, L_IP6(), L_HIP(.length = 4), L_UDP),
	CASE("6 shim6", PORTS, 6, 17, L_IP6(), L_SHIM6(), L_UDP),
	CASE("6 esp ends the walk", 0, 6, 50, L_IP6(), L_DST(), L_ESP),

	/* Chains. IP, ten extension headers and the ports are FLOW_HEADERS_MAX headers. */
	CASE("6 all of them", PORTS | ROUTE, 6, 17, L_IP6(), L_HOP(), L_DST(), L_ROUTE(), L_FRAG(),
	     L_AH(), L_MOBILITY(), L_HIP(), L_SHIM6(), L_DST(), L_UDP),
	CASE("6 seven dstopts", PORTS, 6, 17, L_IP6(), L_DST3, L_DST3, L_DST(), L_UDP),
	CASE("6 ten dstopts", PORTS, 6, 17, L_IP6(), L_DST9, L_DST(), L_UDP),
	CASE("6 ten dstopts, no ports", 0, 6, 58, L_IP6(), L_DST9, L_DST(), L_ICMP6),
	CASE("6 eleven dstopts", CHAIN, 6, 0, L_IP6(), L_DST9, L_DST(), L_DST(), L_UDP),
	CASE("6 thirteen dstopts", CHAIN, 6, 0, L_IP6(), L_DST9, L_DST3, L_DST(), L_UDP),
	CASE_IN("6 ten dstopts, tunnel", CHAIN | TUNNEL, 6, 0, 1, 0, L_IP6(), L_DST9, L_DST(),
		L_IP6(), L_UDP),
	CASE("6 chain that ends in a later fragment", CHAIN, 6, 0, L_IP6(), L_DST9, L_DST(),
	     L_FRAG(.fragment = 1), L_UDP),
	CASE("6 routing, then too many", CHAIN | ROUTE, 6, 0, L_IP6(), L_ROUTE(), L_DST9, L_DST(),
	     L_UDP),

	/* Fragments. */
	CASE("4 don't fragment is none", PORTS, 4, 17, L_IP4(.fragment = 0x4000), L_UDP),
	CASE("4 reserved bit is none", PORTS, 4, 17, L_IP4(.fragment = 0x8000), L_UDP),
	CASE("4 first fragment", PORTS, 4, 17, L_IP4(.more = 1), L_UDP),
	CASE_IN("4 first fragment without ports", CUT, 4, 17, 0, 17, L_IP4(.more = 1)),
	CASE("4 later udp", LATER, 4, 17, L_IP4(.fragment = 1), L_UDP),
	CASE("4 later udp, more to come", LATER, 4, 17, L_IP4(.fragment = 8, .more = 1), L_UDP),
	CASE("4 later udp at the last offset", LATER, 4, 17, L_IP4(.fragment = 0x1fff), L_UDP),
	CASE("4 later udp at the highest bit", LATER, 4, 17, L_IP4(.fragment = 0x1000), L_UDP),
	CASE("4 later tcp", LATER, 4, 6, L_IP4(.fragment = 1), L_TCP),
	CASE("4 later udplite", LATER, 4, 136, L_IP4(.fragment = 1), L_UDPLITE),
	CASE("4 later sctp", LATER, 4, 132, L_IP4(.fragment = 1), L_SCTP),
	CASE("4 later icmp", 0, 4, 1, L_IP4(.fragment = 1), L_ICMP),
	CASE("4 later esp", 0, 4, 50, L_IP4(.fragment = 1), L_ESP),
	CASE("4 later 4in4", LATER, 4, 4, L_IP4(.fragment = 1), L_IP4(), L_UDP),
	CASE("4 later 6in4", LATER, 4, 41, L_IP4(.fragment = 1), L_IP6(), L_UDP),
	CASE("4 later ah", LATER, 4, 51, L_IP4(.fragment = 1), L_AH(), L_UDP),
	CASE_IN("4 later, empty", LATER, 4, 17, 0, 17, L_IP4(.fragment = 1)),
	CASE("4 later, source route", LATER | SOURCE, 4, 17,
	     L_IP4(.fragment = 1, OPTIONS(7, 131, 7, 4, 8, 8, 8, 8)), L_UDP),
	CASE("6 atomic fragment", PORTS, 6, 17, L_IP6(), L_FRAG(), L_UDP),
	CASE("6 atomic fragment, reserved byte set", PORTS, 6, 6, L_IP6(), L_FRAG(.length = 255),
	     L_TCP),
	CASE("6 atomic fragment twice", PORTS, 6, 17, L_IP6(), L_FRAG(), L_FRAG(), L_UDP),
	CASE("6 first fragment", PORTS, 6, 17, L_IP6(), L_FRAG(.more = 1), L_UDP),
	CASE_IN("6 first fragment without ports", CUT, 6, 17, 0, 17, L_IP6(), L_FRAG(.more = 1)),
	CASE_IN("6 first fragment that ends in dstopts", CUT, 6, 17, 0, 17, L_IP6(),
		L_FRAG(.more = 1), L_DST()),
	CASE("6 later udp", LATER, 6, 17, L_IP6(), L_FRAG(.fragment = 1), L_UDP),
	CASE("6 later tcp, more to come", LATER, 6, 6, L_IP6(), L_FRAG(.fragment = 1, .more = 1),
	     L_TCP),
	CASE("6 later udp at the last offset", LATER, 6, 17, L_IP6(), L_FRAG(.fragment = 0x1fff),
	     L_UDP),
	CASE("6 later udp at the highest bit", LATER, 6, 17, L_IP6(), L_FRAG(.fragment = 0x1000),
	     L_UDP),
	CASE("6 later dstopts", LATER, 6, 60, L_IP6(), L_FRAG(.fragment = 1), L_DST(), L_UDP),
	CASE("6 later hopopts", LATER, 6, 0, L_IP6(), L_FRAG(.fragment = 1), L_HOP(), L_UDP),
	CASE("6 later routing", LATER, 6, 43, L_IP6(), L_FRAG(.fragment = 1), L_ROUTE(), L_UDP),
	CASE("6 later fragment of a fragment", LATER, 6, 44, L_IP6(), L_FRAG(.fragment = 1),
	     L_FRAG(), L_UDP),
	CASE("6 later 6in6", LATER, 6, 41, L_IP6(), L_FRAG(.fragment = 1), L_IP6(), L_UDP),
	CASE("6 later 4in6", LATER, 6, 4, L_IP6(), L_FRAG(.fragment = 1), L_IP4(), L_UDP),
	CASE("6 later icmp", LATER, 6, 58, L_IP6(), L_FRAG(.fragment = 1), L_ICMP6),
	CASE("6 later esp", LATER, 6, 50, L_IP6(), L_FRAG(.fragment = 1), L_ESP),
	CASE("6 first icmp", 0, 6, 58, L_IP6(), L_FRAG(.more = 1), L_ICMP6),
	CASE("6 routing, later udp", LATER | ROUTE, 6, 17, L_IP6(), L_ROUTE(),
	     L_FRAG(.fragment = 1), L_UDP),

	/* Tunnels. */
	CASE_IN("4in4", PORTS | TUNNEL, 4, 17, 1, 0, L_IP4(), L_IP4(), L_UDP),
	CASE_IN("6in4", PORTS | TUNNEL, 6, 17, 1, 0, L_IP4(), L_IP6(), L_UDP),
	CASE_IN("4in6", PORTS | TUNNEL, 4, 6, 1, 0, L_IP6(), L_IP4(), L_TCP),
	CASE_IN("6in6", PORTS | TUNNEL, 6, 136, 1, 0, L_IP6(), L_IP6(), L_UDPLITE),
	CASE_IN("6in6, no ports", TUNNEL, 6, 58, 1, 0, L_IP6(), L_IP6(), L_ICMP6),
	CASE_IN("4 options, 4", PORTS | TUNNEL, 4, 17, 1, 0, L_IP4(OPTIONS(4, 148, 4, 0, 0)),
		L_IP4(), L_UDP),
	CASE_IN("6 dstopts, 6 dstopts", PORTS | TUNNEL, 6, 17, 1, 0, L_IP6(), L_DST(), L_IP6(),
		L_DST(), L_UDP),
	CASE_IN("6 routing, 6", PORTS | ROUTE | TUNNEL, 6, 17, 1, 0, L_IP6(), L_ROUTE(.length = 2),
		L_IP6(), L_UDP),
	CASE_IN("6 routing, 4", PORTS | ROUTE | TUNNEL, 4, 17, 1, 0, L_IP6(), L_ROUTE(.length = 2),
		L_IP4(), L_UDP),
	CASE_IN("6, 6 routing", PORTS | ROUTE | TUNNEL, 6, 17, 1, 0, L_IP6(), L_IP6(), L_ROUTE(),
		L_UDP),
	CASE_IN("4in4, inner later fragment", LATER | TUNNEL, 4, 17, 1, 0, L_IP4(),
		L_IP4(.fragment = 1), L_UDP),
	CASE_IN("6in4, inner later fragment", LATER | TUNNEL, 6, 17, 1, 0, L_IP4(), L_IP6(),
		L_FRAG(.fragment = 1), L_UDP),
	CASE_IN("4in4, inner first fragment", PORTS | TUNNEL, 4, 17, 1, 0, L_IP4(),
		L_IP4(.more = 1), L_UDP),
	CASE_IN("4in4, nothing inside", CUT | TUNNEL, 4, 0, 0, 4, L_IP4()),
	CASE_IN("4in4, inner header only", CUT | TUNNEL, 4, 17, 1, 17, L_IP4(), L_IP4()),
	CASE_IN("two levels 4", CHAIN | TUNNEL, 4, 0, 1, 0, L_IP4(), L_IP4(), L_IP4(), L_UDP),
	CASE_IN("two levels 6", CHAIN | TUNNEL, 6, 0, 1, 0, L_IP6(), L_IP6(), L_IP6(), L_UDP),
	CASE_IN("two levels mixed", CHAIN | TUNNEL, 6, 0, 1, 0, L_IP4(), L_IP6(), L_IP4(), L_UDP),
	CASE_IN("two levels, nothing inside", CHAIN | TUNNEL, 4, 0, 1, 41, L_IP4(), L_IP4()),
};

/* An allocation of exactly this size, so that the sanitizer sees every byte read too far. */
static uint8_t *exact_copy(const uint8_t *bytes, uint32_t length)
{
	uint8_t *copy = malloc(length ? length : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	return copy;
}

static void parse_exactly(const uint8_t *bytes, uint32_t length, struct df_flow *flow)
{
	uint8_t *copy = exact_copy(bytes, length);

	host_flow_parse(copy, length, flow);
	free(copy);
}

static void expect_address(const struct df_flow *flow, unsigned int inner)
{
	uint8_t saddr[16] = {0}, daddr[16] = {0};

	if (flow->family == 4) {
		packet_address4(saddr, inner, 1);
		packet_address4(daddr, inner, 53);
	} else {
		packet_address6(saddr, inner, 1);
		packet_address6(daddr, inner, 53);
	}
	assert_memory_equal(flow->saddr, saddr, sizeof(saddr));
	assert_memory_equal(flow->daddr, daddr, sizeof(daddr));
}

/* Cut short before the last header: addresses and family are of no use then. */
static int case_ends_early(const struct flow_case *expected)
{
	return (expected->flags & CUT) && !expected->protocol;
}

static void expect_case(const struct flow_case *expected, const struct df_flow *flow)
{
	if (flow->flags != expected->flags || flow->protocol != expected->protocol)
		fail_msg("%s: flags 0x%x protocol %u, expected 0x%x %u", expected->name,
			 flow->flags, flow->protocol, expected->flags, expected->protocol);
	assert_int_equal(flow->sport, expected->flags & FLOW_PORTS ? PACKET_SPORT : 0);
	assert_int_equal(flow->dport, expected->flags & FLOW_PORTS ? PACKET_DPORT : 0);
	if (case_ends_early(expected))
		return;
	if (flow->family != expected->family)
		fail_msg("%s: family %u, expected %u", expected->name, flow->family,
			 expected->family);
	expect_address(flow, expected->inner);
}

static void test_cases(void **state)
{
	struct packet packet;
	struct df_flow flow;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		packet_build(&packet, cases[i].layers, cases[i].last);
		parse_exactly(packet.bytes, packet.length, &flow);
		expect_case(&cases[i], &flow);
	}
}

/* What the packet hook reads again at the offsets is what the walk had found. */
static void test_pack_and_reload(void **state)
{
	struct df_flow flow, again;
	struct packet packet;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		packet_build(&packet, cases[i].layers, cases[i].last);
		host_flow_parse(packet.bytes, packet.length, &flow);
		memset(&again, 0xff, sizeof(again));
		host_flow_reparse(packet.bytes, packet.length, &flow, &again);
		if (memcmp(&flow, &again, sizeof(flow)) != 0)
			fail_msg("%s: reload differs", cases[i].name);
	}
}

static void test_pack_keeps_every_field(void **state)
{
	struct df_flow flow = {.protocol = 0xff,
			       .family = 6,
			       .flags = 0x7f,
			       .l3_offset = 0xabcd,
			       .l4_offset = 0xfedc};
	struct df_flow again;

	(void)state;
	flow_unpack(&again, flow_pack(&flow));
	assert_memory_equal(&again, &flow, sizeof(flow));
}

static int flow_is_refused(const struct df_flow *flow)
{
	return !!(flow->flags & (CUT | CHAIN | LATER));
}

/* Cut to length: refused unless the ports are still there, and then told as if it were whole. */
static void expect_cut(const char *name, const struct packet *packet, const struct df_flow *whole,
		       uint32_t length)
{
	int ports_fit = length >= whole->l4_offset + 4;
	struct df_flow flow;

	parse_exactly(packet->bytes, length, &flow);
	if (length < (packet->bytes[0] >> 4 == 6 ? 40 : 20) && flow.flags != CUT)
		fail_msg("%s cut to %u: an IP header that is not all there", name, length);
	if ((flow.flags & PORTS) && length < flow.l4_offset + 4)
		fail_msg("%s cut to %u: ports from beyond the end", name, length);
	if (whole->flags & PORTS) {
		if (ports_fit && memcmp(&flow, whole, sizeof(flow)) != 0)
			fail_msg("%s cut to %u: not as the whole", name, length);
		if (!ports_fit && !(flow.flags & CUT))
			fail_msg("%s cut to %u: not refused", name, length);
		return;
	}
	if (flow.flags & PORTS)
		fail_msg("%s cut to %u: ports that the whole does not have", name, length);
	if (flow_is_refused(whole) && !flow_is_refused(&flow))
		fail_msg("%s cut to %u: not refused as the whole is", name, length);
}

static void test_cut_at_every_byte(void **state)
{
	struct packet packet;
	struct df_flow whole;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		packet_build(&packet, cases[i].layers, cases[i].last);
		host_flow_parse(packet.bytes, packet.length, &whole);
		for (uint32_t length = 0; length < packet.length; length++)
			expect_cut(cases[i].name, &packet, &whole, length);
	}
}

/* Version and header length are the packet's own first byte, whatever the socket's family. */
static void test_first_byte(void **state)
{
	static const struct layer layers[PACKET_LAYERS_MAX] = {L_IP4(), L_UDP};
	struct packet packet;
	struct df_flow flow;

	(void)state;
	packet_build(&packet, layers, 0);
	(void)packet_extend(&packet, 64); /* enough for an IPv6 header, too */
	for (unsigned int first = 0; first < 256; first++) {
		packet.bytes[0] = (uint8_t)first;
		host_flow_parse(packet.bytes, packet.length, &flow);
		if (first >> 4 == 6)
			assert_int_equal(flow.family, 6);
		else if (first >> 4 == 4 && (first & 15) >= 5)
			assert_int_equal(flow.family, 4);
		else
			assert_int_equal(flow.flags, CUT);
	}
}

/* An inner header of another version than the protocol number says is no packet at all. */
static void test_inner_version(void **state)
{
	static const struct layer four[PACKET_LAYERS_MAX] = {L_IP4(), L_IP4(), L_UDP};
	static const struct layer six[PACKET_LAYERS_MAX] = {L_IP6(), L_IP6(), L_UDP};
	struct packet packet;
	struct df_flow flow;

	(void)state;
	for (unsigned int nibble = 0; nibble < 16; nibble++) {
		packet_build(&packet, four, 0);
		packet.bytes[20] = (uint8_t)(nibble << 4 | 5);
		host_flow_parse(packet.bytes, packet.length, &flow);
		assert_int_equal(flow.flags, nibble == 4 ? PORTS | TUNNEL : CUT | TUNNEL);
		packet_build(&packet, six, 0);
		packet.bytes[40] = (uint8_t)(nibble << 4);
		host_flow_parse(packet.bytes, packet.length, &flow);
		assert_int_equal(flow.flags, nibble == 6 ? PORTS | TUNNEL : CUT | TUNNEL);
	}
}

/* Asked for the other version than the packet has: refused, never read as something else. */
static void test_asked_version(void **state)
{
	static const struct layer four[PACKET_LAYERS_MAX] = {L_IP4(), L_UDP};
	static const struct layer six[PACKET_LAYERS_MAX] = {L_IP6(), L_UDP};
	struct packet packet;
	df_load_ctx ctx = {.data = packet.bytes};
	struct df_flow flow;

	(void)state;
	packet_build(&packet, four, 0);
	(void)packet_extend(&packet, 64);
	ctx.len = packet.length;
	flow_parse(&ctx, &flow, 6);
	assert_int_equal(flow.flags, CUT);
	packet_build(&packet, six, 0);
	ctx.len = packet.length;
	flow_parse(&ctx, &flow, 4);
	assert_int_equal(flow.flags, CUT);
}

/* An extension header longer than the packet leads nowhere. */
static void test_extension_past_the_end(void **state)
{
	static const uint8_t extensions[] = {0, 43, 60, 51, 135, 139, 140};
	struct packet packet;
	struct df_flow flow;

	(void)state;
	for (size_t i = 0; i < sizeof(extensions); i++) {
		const struct layer layers[PACKET_LAYERS_MAX] = {
			L_IP6(), LAYER(extensions[i], .length = 255), L_UDP};

		packet_build(&packet, layers, 0);
		parse_exactly(packet.bytes, 40 + 64, &flow);
		assert_int_equal(flow.flags & ~ROUTE, CUT);
		assert_int_equal(flow.protocol, 17);
	}
}

struct mapped_case {
	const char *address;
	uint8_t family;
	const char *result;
};

/* RFC 4291 2.5.5.2; the other ways to write an IPv4 address in an IPv6 one are no aliases here. */
static const struct mapped_case mapped_cases[] = {
	{"::ffff:10.0.0.53", 4, "10.0.0.53"},
	{"::ffff:0.0.0.0", 4, "0.0.0.0"},
	{"::ffff:255.255.255.255", 4, "255.255.255.255"},
	{"::ffff:127.0.0.53", 4, "127.0.0.53"},
	{"::10.0.0.53", 6, "::10.0.0.53"},
	{"::", 6, "::"},
	{"::1", 6, "::1"},
	{"::fffe:10.0.0.53", 6, "::fffe:10.0.0.53"},
	{"::1:ffff:10.0.0.53", 6, "::1:ffff:10.0.0.53"},
	{"::ffff:0:10.0.0.53", 6, "::ffff:0:10.0.0.53"},
	{"1::ffff:10.0.0.53", 6, "1::ffff:10.0.0.53"},
	{"0:0:1::ffff:10.0.0.53", 6, "0:0:1::ffff:10.0.0.53"},
	{"64:ff9b::10.0.0.53", 6, "64:ff9b::10.0.0.53"},
	{"2002:a00:35::", 6, "2002:a00:35::"},
	{"2001:db8::53", 6, "2001:db8::53"},
};

static void test_mapped_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mapped_cases) / sizeof(mapped_cases[0]); i++) {
		const struct mapped_case *expected = &mapped_cases[i];
		struct df_flow flow;
		uint8_t bytes[16] = {0};
		uint32_t words[4];

		assert_int_equal(inet_pton(AF_INET6, expected->address, words), 1);
		memset(&flow, 0, sizeof(flow));
		memset(flow.daddr, 0xff, sizeof(flow.daddr));
		flow_set_daddr6(&flow, words);
		assert_int_equal(inet_pton(expected->family == 4 ? AF_INET : AF_INET6,
					   expected->result, bytes),
				 1);
		if (flow.family != expected->family || memcmp(flow.daddr, bytes, 16) != 0)
			fail_msg("%s: family %u", expected->address, flow.family);
	}
}

static void test_protocol_classes(void **state)
{
	(void)state;
	for (unsigned int protocol = 0; protocol < 256; protocol++) {
		int classes = flow_has_ports(protocol) + flow_is_extension(protocol) +
			      flow_is_tunnel(protocol);

		assert_true(classes <= 1);
		assert_int_equal(flow_has_ports(protocol),
				 packet_protocol_has_ports((uint8_t)protocol));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_pack_and_reload),
		cmocka_unit_test(test_pack_keeps_every_field),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_first_byte),
		cmocka_unit_test(test_inner_version),
		cmocka_unit_test(test_asked_version),
		cmocka_unit_test(test_extension_past_the_end),
		cmocka_unit_test(test_mapped_addresses),
		cmocka_unit_test(test_protocol_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
