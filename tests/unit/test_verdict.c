// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bpf/verdict.h and bpf/service.h: every reason, the order of the checks, and what a scope
 * grants. The tables behind resolver_exact() and resolver_prefix() are small arrays searched
 * from end to end, bit by bit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "bpf/abi.h"

static __u32 *resolver_exact(__u32 gen, const struct df_resolver_key *key);
static __u32 *resolver_prefix(__u32 gen, const struct df_resolver_prefix_key *key);

#include "bpf/verdict.h"

#define GEN 1 /* only this one has entries */
#define UDP PROTO_UDP
#define TCP PROTO_TCP
#define U DF_PROTO_UDP
#define T DF_PROTO_TCP
#define BIT(service) (1u << DF_SERVICE_##service)
#define MASK(service, protocols) DF_SERVICE_MASK(DF_SERVICE_##service, protocols)
#define USUAL (BIT(DNS) | BIT(DOT) | BIT(DOQ))
#define EVERY (MASK(DNS, U | T) | MASK(DOT, T) | MASK(DOQ, U))
#define NO_SERVICE DF_SERVICE_MAX

/* Scopes of the test's policies; 0 is DF_SCOPE_ENDPOINTS. */
enum { CORP = 1, OTHER, ALL6, ALL4, NAT, SPLIT, EMPTY };

struct entry {
	__u32 scope;
	__u16 port;
	const char *address;
	__u32 prefix; /* 32 or 128: in the exact table */
	__u32 mask;
};

static struct entry entries[] = {
	{CORP, 0, "10.0.0.53", 32, EVERY},
	{CORP, 0, "10.1.0.0", 24, MASK(DNS, U | T)},
	{CORP, 0, "10.1.0.128", 25, MASK(DNS, U | T) | MASK(DOT, T)},
	{CORP, 0, "10.1.0.7", 32, MASK(DOT, T)},
	{CORP, 0, "2001:db8::53", 128, MASK(DOT, T)},
	{CORP, 0, "2001:db8:1::", 48, MASK(DNS, U)},
	{CORP, 0, "224.0.0.251", 32, MASK(MDNS, U)},
	{CORP, 5300, "192.0.2.7", 32, U},
	{CORP, 5400, "198.51.100.0", 24, T},
	{DF_SCOPE_ENDPOINTS, 5300, "192.0.2.7", 32, U},
	{DF_SCOPE_ENDPOINTS, 5400, "198.51.100.0", 24, T},
	{OTHER, 0, "10.0.0.99", 32, EVERY},
	{OTHER, 5301, "192.0.2.8", 32, U | T},
	{OTHER, 5300, "192.0.2.9", 32, U},
	{DF_SCOPE_ENDPOINTS, 5301, "192.0.2.8", 32, U | T},
	{DF_SCOPE_ENDPOINTS, 5300, "192.0.2.9", 32, U},
	{ALL6, 0, "::", 0, EVERY},
	{ALL4, 0, "0.0.0.0", 0, EVERY},
	{NAT, 0, "10.96.0.10", 32, MASK(DNS, U | T) | DF_RESOLVER_TRANSLATED(MASK(DNS, U | T))},
	{NAT, 0, "10.97.0.0", 16, MASK(DNS, U) | DF_RESOLVER_TRANSLATED(MASK(DNS, U))},
	{NAT, 5310, "10.96.0.11", 32, U | DF_RESOLVER_TRANSLATED(U)},
	{DF_SCOPE_ENDPOINTS, 5310, "10.96.0.11", 32, U | DF_RESOLVER_TRANSLATED(U)},
	{SPLIT, 0, "10.2.0.0", 16, MASK(DNS, U)},
	{SPLIT, 0, "10.2.3.4", 32, MASK(DNS, T)},
};

#define ENTRIES_LEN (sizeof(entries) / sizeof(entries[0]))

static unsigned int exact_lookups, prefix_lookups;

static __u8 family_of(const char *address)
{
	return strchr(address, ':') ? 6 : 4;
}

static void set_address(const char *address, __u8 bytes[16])
{
	memset(bytes, 0, 16);
	assert_int_equal(inet_pton(family_of(address) == 4 ? AF_INET : AF_INET6, address, bytes),
			 1);
}

static struct df_resolver_key entry_key(const struct entry *entry)
{
	struct df_resolver_key key = {.scope = entry->scope, .port = entry->port};

	key.family = family_of(entry->address);
	set_address(entry->address, key.addr);
	return key;
}

static int entry_is_exact(const struct entry *entry)
{
	return entry->prefix == (family_of(entry->address) == 4 ? 32 : 128);
}

static __u32 *resolver_exact(__u32 gen, const struct df_resolver_key *key)
{
	exact_lookups++;
	assert_int_equal(key->pad, 0);
	for (size_t i = 0; i < ENTRIES_LEN && gen == GEN; i++) {
		struct df_resolver_key candidate = entry_key(&entries[i]);

		if (entry_is_exact(&entries[i]) && memcmp(&candidate, key, sizeof(*key)) == 0)
			return &entries[i].mask;
	}
	return NULL;
}

static int bit_of(const void *bytes, __u32 bit)
{
	return (((const __u8 *)bytes)[bit / 8] >> (7 - bit % 8)) & 1;
}

static int same_bits(const void *a, const void *b, __u32 bits)
{
	for (__u32 bit = 0; bit < bits; bit++)
		if (bit_of(a, bit) != bit_of(b, bit))
			return 0;
	return 1;
}

static __u32 *resolver_prefix(__u32 gen, const struct df_resolver_prefix_key *key)
{
	struct entry *longest = NULL;

	prefix_lookups++;
	assert_int_equal(key->prefixlen, DF_PREFIX_BASE + (key->key.family == 4 ? 32 : 128));
	assert_int_equal(key->key.pad, 0);
	for (size_t i = 0; i < ENTRIES_LEN && gen == GEN; i++) {
		struct df_resolver_key candidate = entry_key(&entries[i]);
		__u32 bits = DF_PREFIX_BASE + entries[i].prefix;

		if (entry_is_exact(&entries[i]) || bits > key->prefixlen ||
		    !same_bits(&candidate, &key->key, bits))
			continue;
		if (!longest || entries[i].prefix > longest->prefix)
			longest = &entries[i];
	}
	return longest ? &longest->mask : NULL;
}

/* As policy_compile() would fill it for the entries above. */
static struct df_generation *generation_for(__u32 services)
{
	static struct df_generation generation;

	memset(&generation, 0, sizeof(generation));
	generation.services = services;
	generation.flags = DF_GEN_ENDPOINT_PREFIXES;
#define X(id, name, port, protocols, source)    \
	if (services & (1u << DF_SERVICE_##id)) \
		generation.ports[port / 64] |= 1ull << port % 64;
	DF_SERVICES(X)
#undef X
	for (size_t i = 0; i < ENTRIES_LEN; i++)
		if (entries[i].port)
			generation.ports[entries[i].port / 64] |= 1ull << entries[i].port % 64;
	return &generation;
}

static struct df_policy policy_for(__u32 scope, __u32 flags)
{
	return (struct df_policy){.scope = scope, .flags = flags, .name = "test"};
}

static struct df_flow flow_to(const char *address, __u16 port, __u8 protocol, __u32 flags)
{
	struct df_flow flow = {.family = family_of(address), .protocol = protocol, .flags = flags};

	set_address(address, flow.daddr);
	flow.sport = 40000;
	flow.dport = flags & FLOW_PORTS ? port : 0;
	return flow;
}

struct verdict_case {
	const char *name;
	const char *address;
	__u16 port;
	__u8 protocol;
	__u8 verdict;
	__u8 reason;
	__u8 service;
	__u32 scope;
	__u32 flow_flags; /* beside FLOW_PORTS */
};

#define V(name, address, port, protocol, verdict, reason, service, scope)                         \
	{                                                                                         \
		name, address, port, protocol, DF_VERDICT_##verdict, DF_REASON_##reason, service, \
			scope, 0                                                                  \
	}
#define VF(name, address, port, protocol, verdict, reason, service, flags)                        \
	{                                                                                         \
		name, address, port, protocol, DF_VERDICT_##verdict, DF_REASON_##reason, service, \
			CORP, flags                                                               \
	}

#define DNS DF_SERVICE_DNS
#define DOT DF_SERVICE_DOT
#define DOQ DF_SERVICE_DOQ

/* Under a valid, enforcing policy of this scope; services dns, dot and doq are fenced. */
static const struct verdict_case cases[] = {
	/* The worked examples of verdict.h. */
	V("dns to the resolver", "10.0.0.53", 53, UDP, ALLOW, SANCTIONED, DNS, CORP),
	V("dns to another one", "8.8.8.8", 53, UDP, DENY, NOT_SANCTIONED, DNS, CORP),
	V("https", "8.8.8.8", 443, TCP, PASS, NONE, NO_SERVICE, CORP),
	VF("segment routing", "10.0.0.53", 53, UDP, DENY, ROUTING_HEADER, DNS, FLOW_ROUTING),
	V("sctp", "10.0.0.53", 53, PROTO_SCTP, DENY, TRANSPORT, DNS, CORP),

	/* Services on their own ports, over their own transports. */
	V("dns over tcp", "10.0.0.53", 53, TCP, ALLOW, SANCTIONED, DNS, CORP),
	V("dns over udplite", "10.0.0.53", 53, PROTO_UDPLITE, ALLOW, SANCTIONED, DNS, CORP),
	V("dns over udplite elsewhere", "8.8.8.8", 53, PROTO_UDPLITE, DENY, NOT_SANCTIONED, DNS,
	  CORP),
	V("dot", "10.0.0.53", 853, TCP, ALLOW, SANCTIONED, DOT, CORP),
	V("doq", "10.0.0.53", 853, UDP, ALLOW, SANCTIONED, DOQ, CORP),
	V("dot elsewhere", "1.1.1.1", 853, TCP, DENY, NOT_SANCTIONED, DOT, CORP),
	V("doq elsewhere", "1.1.1.1", 853, UDP, DENY, NOT_SANCTIONED, DOQ, CORP),
	V("dot to a resolver for dot only", "2001:db8::53", 853, TCP, ALLOW, SANCTIONED, DOT, CORP),
	V("dns to a resolver for dot only", "2001:db8::53", 53, UDP, DENY, NOT_SANCTIONED, DNS,
	  CORP),
	V("doq to a resolver for dot only", "2001:db8::53", 853, UDP, DENY, NOT_SANCTIONED, DOQ,
	  CORP),
	V("tcp to a resolver for udp only", "2001:db8:1::1", 53, TCP, DENY, NOT_SANCTIONED, DNS,
	  CORP),
	V("dccp on the dot port", "10.0.0.53", 853, PROTO_DCCP, DENY, TRANSPORT, DOT, CORP),
	V("sctp elsewhere", "8.8.8.8", 53, PROTO_SCTP, DENY, TRANSPORT, DNS, CORP),
	V("sctp to a port not fenced", "8.8.8.8", 443, PROTO_SCTP, PASS, NONE, NO_SERVICE, CORP),
	V("the scope of another policy", "10.0.0.99", 53, UDP, DENY, NOT_SANCTIONED, DNS, CORP),
	V("its own policy", "10.0.0.99", 53, UDP, ALLOW, SANCTIONED, DNS, OTHER),
	V("a scope without resolvers", "10.0.0.53", 53, UDP, DENY, NOT_SANCTIONED, DNS, EMPTY),
	V("loopback is no exemption", "127.0.0.53", 53, UDP, DENY, NOT_SANCTIONED, DNS, CORP),
	V("loopback 6 is no exemption", "::1", 53, TCP, DENY, NOT_SANCTIONED, DNS, CORP),
	V("link-local is no exemption", "fe80::1", 53, UDP, DENY, NOT_SANCTIONED, DNS, CORP),

	/* Services that are not fenced. */
	V("mdns", "224.0.0.251", 5353, UDP, PASS, NONE, NO_SERVICE, CORP),
	V("llmnr", "224.0.0.252", 5355, UDP, PASS, NONE, NO_SERVICE, CORP),
	V("netbios", "10.255.255.255", 137, UDP, PASS, NONE, NO_SERVICE, CORP),
	V("sctp on the mdns port", "10.0.0.53", 5353, PROTO_SCTP, PASS, NONE, NO_SERVICE, CORP),

	/* Prefixes: the longest match, and the exact table before it. */
	V("in the prefix", "10.1.0.1", 53, UDP, ALLOW, SANCTIONED, DNS, CORP),
	V("its first address", "10.1.0.0", 53, UDP, ALLOW, SANCTIONED, DNS, CORP),
	V("its last address", "10.1.0.255", 53, TCP, ALLOW, SANCTIONED, DNS, CORP),
	V("right before it", "10.0.255.255", 53, UDP, DENY, NOT_SANCTIONED, DNS, CORP),
	V("right behind it", "10.1.1.0", 53, UDP, DENY, NOT_SANCTIONED, DNS, CORP),
	V("not this service there", "10.1.0.1", 853, TCP, DENY, NOT_SANCTIONED, DOT, CORP),
	V("in the longer prefix", "10.1.0.129", 853, TCP, ALLOW, SANCTIONED, DOT, CORP),
	V("exact entry without the service", "10.1.0.7", 53, UDP, ALLOW, SANCTIONED, DNS, CORP),
	V("exact entry with it", "10.1.0.7", 853, TCP, ALLOW, SANCTIONED, DOT, CORP),
	V("exact tcp", "10.2.3.4", 53, TCP, ALLOW, SANCTIONED, DNS, SPLIT),
	V("prefix udp", "10.2.3.4", 53, UDP, ALLOW, SANCTIONED, DNS, SPLIT),
	V("in the IPv6 prefix", "2001:db8:1:ffff::1", 53, UDP, ALLOW, SANCTIONED, DNS, CORP),
	V("behind the IPv6 prefix", "2001:db8:2::", 53, UDP, DENY, NOT_SANCTIONED, DNS, CORP),

	/* Families apart. */
	V("all of IPv6", "2001:db8::1", 53, UDP, ALLOW, SANCTIONED, DNS, ALL6),
	V("all of IPv6 is not IPv4", "8.8.8.8", 53, UDP, DENY, NOT_SANCTIONED, DNS, ALL6),
	V("all of IPv6 is not 0.0.0.0", "0.0.0.0", 53, UDP, DENY, NOT_SANCTIONED, DNS, ALL6),
	V("all of IPv4", "8.8.8.8", 853, TCP, ALLOW, SANCTIONED, DOT, ALL4),
	V("all of IPv4 is not IPv6", "2001:db8::1", 53, UDP, DENY, NOT_SANCTIONED, DNS, ALL4),
	V("all of IPv4 is not ::", "::", 53, UDP, DENY, NOT_SANCTIONED, DNS, ALL4),
	V("the same first bytes", "a00:35::", 53, UDP, DENY, NOT_SANCTIONED, DNS, CORP),

	/* Ports of their own. */
	V("own port", "192.0.2.7", 5300, UDP, ALLOW, SANCTIONED, NO_SERVICE, CORP),
	V("own port, udplite", "192.0.2.7", 5300, PROTO_UDPLITE, ALLOW, SANCTIONED, NO_SERVICE,
	  CORP),
	V("own port, other transport", "192.0.2.7", 5300, TCP, PASS, NONE, NO_SERVICE, CORP),
	V("its service port", "192.0.2.7", 53, UDP, DENY, NOT_SANCTIONED, DNS, CORP),
	V("own port in a prefix", "198.51.100.9", 5400, TCP, ALLOW, SANCTIONED, NO_SERVICE, CORP),
	V("another policy's endpoint", "192.0.2.8", 5301, UDP, DENY, NOT_SANCTIONED, NO_SERVICE,
	  CORP),
	V("another policy's endpoint, same port", "192.0.2.9", 5300, UDP, DENY, NOT_SANCTIONED,
	  NO_SERVICE, CORP),
	V("another policy's prefix", "198.51.100.9", 5400, TCP, DENY, NOT_SANCTIONED, NO_SERVICE,
	  OTHER),
	V("the same by an empty scope", "198.51.100.9", 5400, TCP, DENY, NOT_SANCTIONED, NO_SERVICE,
	  EMPTY),
	V("that prefix, other transport", "198.51.100.9", 5400, UDP, PASS, NONE, NO_SERVICE, OTHER),
	V("nobody's resolver", "203.0.113.1", 5300, UDP, PASS, NONE, NO_SERVICE, CORP),
	V("nobody's resolver, IPv6", "2001:db8::7", 5300, UDP, PASS, NONE, NO_SERVICE, CORP),
	V("a resolver, but another's port", "10.0.0.53", 5300, UDP, PASS, NONE, NO_SERVICE, CORP),

	/* Disguises count on fenced ports only, and before the resolver is looked up. */
	VF("routing header, not sanctioned", "8.8.8.8", 53, UDP, DENY, ROUTING_HEADER, DNS,
	   FLOW_ROUTING),
	VF("source route", "10.0.0.53", 53, TCP, DENY, SOURCE_ROUTE, DNS, FLOW_SOURCE_ROUTE),
	VF("tunnel", "10.0.0.53", 53, UDP, DENY, TUNNEL, DNS, FLOW_TUNNEL),
	VF("routing header before the others", "10.0.0.53", 53, UDP, DENY, ROUTING_HEADER, DNS,
	   FLOW_ROUTING | FLOW_SOURCE_ROUTE | FLOW_TUNNEL),
	VF("source route before tunnel", "10.0.0.53", 53, UDP, DENY, SOURCE_ROUTE, DNS,
	   FLOW_SOURCE_ROUTE | FLOW_TUNNEL),
	VF("disguise before transport", "10.0.0.53", 53, PROTO_SCTP, DENY, TUNNEL, DNS,
	   FLOW_TUNNEL),
	VF("disguised own port", "192.0.2.7", 5300, UDP, DENY, ROUTING_HEADER, NO_SERVICE,
	   FLOW_ROUTING),
	VF("disguised own port, nobody's", "203.0.113.1", 5300, UDP, DENY, SOURCE_ROUTE, NO_SERVICE,
	   FLOW_SOURCE_ROUTE),
	VF("https under a routing header", "8.8.8.8", 443, TCP, PASS, NONE, NO_SERVICE,
	   FLOW_ROUTING),
	VF("https under a source route", "8.8.8.8", 443, TCP, PASS, NONE, NO_SERVICE,
	   FLOW_SOURCE_ROUTE),
	VF("by IPsec", "8.8.8.8", 53, UDP, DENY, NOT_SANCTIONED, DNS, FLOW_SEALED),
	VF("https by IPsec", "8.8.8.8", 443, TCP, PASS, NONE, NO_SERVICE, FLOW_SEALED),
	VF("https in a tunnel", "8.8.8.8", 443, TCP, PASS, NONE, NO_SERVICE, FLOW_TUNNEL),
};

static struct df_decision decide_case(const struct verdict_case *expected, __u32 policy_flags)
{
	struct df_policy policy = policy_for(expected->scope, policy_flags);
	struct df_flow flow = flow_to(expected->address, expected->port, expected->protocol,
				      FLOW_PORTS | expected->flow_flags);

	return decide(&flow, generation_for(USUAL), &policy, GEN);
}

static void expect(const char *name, const struct df_decision *decision, __u32 verdict,
		   __u32 reason, __u32 service)
{
	if (decision->verdict != verdict || decision->reason != reason ||
	    decision->service != service)
		fail_msg("%s: verdict %u reason %u service %u, expected %u %u %u", name,
			 decision->verdict, decision->reason, decision->service, verdict, reason,
			 service);
}

#define VALID (DF_POLICY_VALID | DF_POLICY_PREFIXES)
#define CASES_LEN (sizeof(cases) / sizeof(cases[0]))

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES_LEN; i++) {
		struct df_decision decision = decide_case(&cases[i], VALID);

		expect(cases[i].name, &decision, cases[i].verdict, cases[i].reason,
		       cases[i].service);
		assert_int_equal(decision.translated, 0);
	}
}

/* Audit changes what would be a denial and nothing else. */
static void test_audit(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES_LEN; i++) {
		struct df_decision decision = decide_case(&cases[i], VALID | DF_POLICY_AUDIT);
		__u32 verdict = cases[i].verdict;

		expect(cases[i].name, &decision,
		       verdict == DF_VERDICT_DENY ? DF_VERDICT_AUDIT : verdict, cases[i].reason,
		       cases[i].service);
	}
}

/* `resolvers: any`: what is not let pass anyway is allowed, disguised or not. */
static void test_exempt(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES_LEN; i++) {
		const struct df_generation *generation = generation_for(USUAL);
		struct df_decision decision = decide_case(&cases[i], VALID | DF_POLICY_EXEMPT);
		int fenced = port_is_fenced(generation, cases[i].port);

		expect(cases[i].name, &decision, fenced ? DF_VERDICT_ALLOW : DF_VERDICT_PASS,
		       fenced ? DF_REASON_EXEMPT : DF_REASON_NONE, cases[i].service);
	}
}

/* An entry that nobody filled is no rule: every fenced port is denied, whatever else is set. */
static void test_no_policy(void **state)
{
	static const __u32 flags[] = {0, DF_POLICY_EXEMPT, DF_POLICY_PREFIXES,
				      DF_POLICY_EXEMPT | DF_POLICY_PREFIXES};

	(void)state;
	for (size_t i = 0; i < CASES_LEN; i++) {
		for (size_t j = 0; j < sizeof(flags) / sizeof(flags[0]); j++) {
			struct df_decision decision = decide_case(&cases[i], flags[j]);
			int fenced = port_is_fenced(generation_for(USUAL), cases[i].port);

			expect(cases[i].name, &decision, fenced ? DF_VERDICT_DENY : DF_VERDICT_PASS,
			       fenced ? DF_REASON_NO_POLICY : DF_REASON_NONE, cases[i].service);
		}
	}
}

static void test_all_zero_policy(void **state)
{
	struct df_flow flow = flow_to("10.0.0.53", 53, UDP, FLOW_PORTS);
	static const struct df_policy zero;
	struct df_decision decision = decide(&flow, generation_for(USUAL), &zero, GEN);

	(void)state;
	expect("zero policy", &decision, DF_VERDICT_DENY, DF_REASON_NO_POLICY, DNS);
}

struct structure_case {
	const char *name;
	__u32 flags;
	__u8 reason;
};

/* Packets whose ports cannot be read: which finding is named first. */
static const struct structure_case structures[] = {
	{"truncated", FLOW_TRUNCATED, DF_REASON_TRUNCATED},
	{"chain", FLOW_CHAIN, DF_REASON_HEADER_CHAIN},
	{"later fragment", FLOW_LATER_FRAGMENT, DF_REASON_FRAGMENT},
	{"truncated first", FLOW_TRUNCATED | FLOW_CHAIN | FLOW_LATER_FRAGMENT, DF_REASON_TRUNCATED},
	{"chain before fragment", FLOW_CHAIN | FLOW_LATER_FRAGMENT, DF_REASON_HEADER_CHAIN},
	{"truncated before routing", FLOW_TRUNCATED | FLOW_ROUTING, DF_REASON_TRUNCATED},
	{"chain before tunnel", FLOW_CHAIN | FLOW_TUNNEL, DF_REASON_HEADER_CHAIN},
	{"fragment before source route", FLOW_LATER_FRAGMENT | FLOW_SOURCE_ROUTE,
	 DF_REASON_FRAGMENT},
	{"IPsec, no peer", FLOW_SEALED, DF_REASON_IPSEC},
	{"fragment before IPsec", FLOW_LATER_FRAGMENT | FLOW_SEALED, DF_REASON_FRAGMENT},
	{"no ports at all", 0, DF_REASON_NONE},
	{"no ports, routing header", FLOW_ROUTING, DF_REASON_NONE},
	{"no ports, source route", FLOW_SOURCE_ROUTE, DF_REASON_NONE},
	{"no ports, tunnel", FLOW_TUNNEL, DF_REASON_NONE},
};

struct policy_effect {
	__u32 flags;
	__u8 verdict;
	__u8 reason; /* DF_REASON_MAX: the structure's */
};

static const struct policy_effect effects[] = {
	{VALID, DF_VERDICT_DENY, DF_REASON_MAX},
	{VALID | DF_POLICY_AUDIT, DF_VERDICT_AUDIT, DF_REASON_MAX},
	{VALID | DF_POLICY_EXEMPT, DF_VERDICT_ALLOW, DF_REASON_EXEMPT},
	{0, DF_VERDICT_DENY, DF_REASON_NO_POLICY},
	{DF_POLICY_AUDIT, DF_VERDICT_AUDIT, DF_REASON_NO_POLICY},
};

static void expect_structure(const struct structure_case *structure,
			     const struct policy_effect *effect)
{
	struct df_flow flow = flow_to("10.0.0.53", 0, UDP, structure->flags);
	struct df_policy policy = policy_for(CORP, effect->flags);
	struct df_decision decision = decide(&flow, generation_for(USUAL), &policy, GEN);

	if (structure->reason == DF_REASON_NONE)
		expect(structure->name, &decision, DF_VERDICT_PASS, DF_REASON_NONE, NO_SERVICE);
	else
		expect(structure->name, &decision, effect->verdict,
		       effect->reason == DF_REASON_MAX ? structure->reason : effect->reason,
		       NO_SERVICE);
}

static void test_unreadable_ports(void **state)
{
	(void)state;
	exact_lookups = prefix_lookups = 0;
	for (size_t i = 0; i < sizeof(structures) / sizeof(structures[0]); i++)
		for (size_t j = 0; j < sizeof(effects) / sizeof(effects[0]); j++)
			expect_structure(&structures[i], &effects[j]);
	assert_int_equal(exact_lookups + prefix_lookups, 0);
}

/* Which services are fenced decides what their ports are, even where two share one. */
struct services_case {
	__u32 services;
	__u16 port;
	__u8 protocol;
	__u8 verdict;
	__u8 service;
};

static const struct services_case service_cases[] = {
	{BIT(DNS), 853, TCP, DF_VERDICT_PASS, NO_SERVICE},
	{BIT(DNS), 853, UDP, DF_VERDICT_PASS, NO_SERVICE},
	{BIT(DOT), 853, TCP, DF_VERDICT_DENY, DOT},
	{BIT(DOT), 853, UDP, DF_VERDICT_PASS, NO_SERVICE},
	{BIT(DOQ), 853, UDP, DF_VERDICT_DENY, DOQ},
	{BIT(DOQ), 853, TCP, DF_VERDICT_PASS, NO_SERVICE},
	{BIT(DOT), 53, UDP, DF_VERDICT_PASS, NO_SERVICE},
	{BIT(DOT), 853, PROTO_SCTP, DF_VERDICT_DENY, DOT},
	{BIT(DOQ), 853, PROTO_SCTP, DF_VERDICT_DENY, DOQ},
	{BIT(MDNS), 5353, UDP, DF_VERDICT_DENY, DF_SERVICE_MDNS},
	{BIT(MDNS), 5353, TCP, DF_VERDICT_PASS, NO_SERVICE},
	{BIT(LLMNR), 5355, UDP, DF_VERDICT_DENY, DF_SERVICE_LLMNR},
	{BIT(LLMNR), 5355, TCP, DF_VERDICT_DENY, DF_SERVICE_LLMNR},
	{BIT(NETBIOS), 137, UDP, DF_VERDICT_DENY, DF_SERVICE_NETBIOS},
	{BIT(NETBIOS), 137, TCP, DF_VERDICT_PASS, NO_SERVICE},
	{0, 53, UDP, DF_VERDICT_PASS, NO_SERVICE},
};

static void test_fenced_services(void **state)
{
	struct df_policy policy = policy_for(CORP, VALID);

	(void)state;
	for (size_t i = 0; i < sizeof(service_cases) / sizeof(service_cases[0]); i++) {
		const struct services_case *expected = &service_cases[i];
		struct df_flow flow =
			flow_to("8.8.8.8", expected->port, expected->protocol, FLOW_PORTS);
		struct df_decision decision =
			decide(&flow, generation_for(expected->services), &policy, GEN);

		if (decision.verdict != expected->verdict || decision.service != expected->service)
			fail_msg("services 0x%x, port %u, protocol %u: verdict %u service %u",
				 expected->services, expected->port, expected->protocol,
				 decision.verdict, decision.service);
	}
}

static void test_mdns_resolver(void **state)
{
	struct df_flow flow = flow_to("224.0.0.251", 5353, UDP, FLOW_PORTS);
	struct df_policy policy = policy_for(CORP, VALID);
	struct df_decision decision = decide(&flow, generation_for(BIT(MDNS)), &policy, GEN);

	(void)state;
	expect("mdns", &decision, DF_VERDICT_ALLOW, DF_REASON_SANCTIONED, DF_SERVICE_MDNS);
}

struct translated_case {
	const char *address;
	__u16 port;
	__u8 protocol;
	__u32 scope;
	int translated;
};

static const struct translated_case translated_cases[] = {
	{"10.96.0.10", 53, UDP, NAT, 1},    {"10.96.0.10", 53, TCP, NAT, 1},
	{"10.97.1.2", 53, UDP, NAT, 1},     {"10.96.0.11", 5310, UDP, NAT, 1},
	{"10.97.1.2", 53, TCP, NAT, 0}, /* denied */
	{"10.96.0.10", 853, TCP, NAT, 0}, /* denied */
	{"10.96.0.11", 5310, UDP, CORP, 0}, /* denied: the endpoint's mark is another policy's */
	{"10.96.0.10", 443, TCP, NAT, 0},   {"10.0.0.53", 53, UDP, CORP, 0},
};

/* Set for the resolver's own grant only, never for a denial. */
static void test_translated(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(translated_cases) / sizeof(translated_cases[0]); i++) {
		const struct translated_case *expected = &translated_cases[i];
		struct df_flow flow =
			flow_to(expected->address, expected->port, expected->protocol, FLOW_PORTS);
		struct df_policy policy = policy_for(expected->scope, VALID);
		struct df_decision decision = decide(&flow, generation_for(USUAL), &policy, GEN);

		assert_int_equal(decision.translated, expected->translated);
		if (expected->translated)
			assert_int_equal(decision.reason, DF_REASON_SANCTIONED);
	}
}

/* Without the flags that promise prefixes the trie is not asked, and without entries nobody is. */
static void test_lookups(void **state)
{
	struct df_flow flow = flow_to("10.1.0.1", 53, UDP, FLOW_PORTS);
	struct df_policy policy = policy_for(CORP, DF_POLICY_VALID);
	struct df_generation *generation = generation_for(USUAL);
	struct df_decision decision;

	(void)state;
	exact_lookups = prefix_lookups = 0;
	decision = decide(&flow, generation, &policy, GEN);
	expect("no prefixes", &decision, DF_VERDICT_DENY, DF_REASON_NOT_SANCTIONED, DNS);
	assert_int_equal(exact_lookups, 1);
	assert_int_equal(prefix_lookups, 0);

	generation->flags = 0;
	flow = flow_to("198.51.100.9", 5400, TCP, FLOW_PORTS);
	policy = policy_for(OTHER, VALID);
	prefix_lookups = 0;
	decision = decide(&flow, generation, &policy, GEN);
	expect("no endpoint prefixes", &decision, DF_VERDICT_PASS, DF_REASON_NONE, NO_SERVICE);
	assert_int_equal(prefix_lookups, 1);

	exact_lookups = prefix_lookups = 0;
	flow = flow_to("10.0.0.53", 443, TCP, FLOW_PORTS);
	decision = decide(&flow, generation, &policy, GEN);
	expect("fast path", &decision, DF_VERDICT_PASS, DF_REASON_NONE, NO_SERVICE);
	assert_int_equal(exact_lookups + prefix_lookups, 0);
}

/* The other generation's tables are empty here: gen must reach them. */
static void test_generation(void **state)
{
	struct df_flow flow = flow_to("10.0.0.53", 53, UDP, FLOW_PORTS);
	struct df_policy policy = policy_for(CORP, VALID);
	struct df_decision decision = decide(&flow, generation_for(USUAL), &policy, !GEN);

	(void)state;
	expect("the other generation", &decision, DF_VERDICT_DENY, DF_REASON_NOT_SANCTIONED, DNS);
}

static void test_verdict_is_stricter(void **state)
{
	static const __u32 order[] = {DF_VERDICT_PASS, DF_VERDICT_ALLOW, DF_VERDICT_AUDIT,
				      DF_VERDICT_DENY};

	(void)state;
	assert_int_equal(DF_VERDICT_MAX, 4);
	for (int a = 0; a < 4; a++)
		for (int b = 0; b < 4; b++)
			assert_int_equal(verdict_is_stricter(order[a], order[b]), a > b);
}

static void test_protocol_bit(void **state)
{
	(void)state;
	for (__u32 protocol = 0; protocol < 300; protocol++) {
		__u32 expected = 0;

		if (protocol == 17 || protocol == 136)
			expected = DF_PROTO_UDP;
		if (protocol == 6 || protocol == 262)
			expected = DF_PROTO_TCP;
		assert_int_equal(protocol_bit(protocol), expected);
	}
}

struct service_of_case {
	__u32 port, protocols, service;
};

static void test_service_of(void **state)
{
	static const struct service_of_case table[] = {
		{53, U, DNS},
		{53, T, DNS},
		{53, U | T, DNS},
		{53, 0, DNS},
		{853, T, DOT},
		{853, U, DOQ},
		{853, 0, DOT},
		{5353, U, DF_SERVICE_MDNS},
		{5353, T, NO_SERVICE},
		{5355, U, DF_SERVICE_LLMNR},
		{5355, T, DF_SERVICE_LLMNR},
		{137, U, DF_SERVICE_NETBIOS},
		{137, T, NO_SERVICE},
		{0, U, NO_SERVICE},
		{52, U, NO_SERVICE},
		{54, T, NO_SERVICE},
		{443, T, NO_SERVICE},
		{65535, U, NO_SERVICE},
		{53 + 65536, U, NO_SERVICE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(service_of(table[i].port, table[i].protocols, ~0u),
				 table[i].service);
	assert_int_equal(service_of(53, U, 0), NO_SERVICE);
	assert_int_equal(service_of(853, T, BIT(DOQ)), NO_SERVICE);
	assert_int_equal(service_of(853, 0, BIT(DOQ)), DOQ);
}

static void test_service_protocols(void **state)
{
	(void)state;
	assert_int_equal(service_protocols(DNS), U | T);
	assert_int_equal(service_protocols(DOT), T);
	assert_int_equal(service_protocols(DOQ), U);
	assert_int_equal(service_protocols(DF_SERVICE_MDNS), U);
	assert_int_equal(service_protocols(DF_SERVICE_LLMNR), U | T);
	assert_int_equal(service_protocols(DF_SERVICE_NETBIOS), U);
	assert_int_equal(service_protocols(NO_SERVICE), 0);
	/* A resolver's mask holds two bits for every service and the mark above them. */
	assert_true(DF_SERVICE_MASK(DF_SERVICE_MAX - 1, U | T) < DF_RESOLVER_TRANSLATED(1));
}

static void test_port_is_fenced(void **state)
{
	static struct df_generation generation;

	(void)state;
	for (__u32 port = 0; port < 65536; port += 97)
		generation.ports[port / 64] |= 1ull << port % 64;
	for (__u32 port = 0; port < 65536; port++)
		assert_int_equal(port_is_fenced(&generation, (__u16)port), port % 97 == 0);
}

static void test_decision_pack(void **state)
{
	static const struct df_decision decisions[] = {
		{.verdict = DF_VERDICT_AUDIT,
		 .reason = DF_REASON_MAX - 1,
		 .service = NO_SERVICE,
		 .translated = 1,
		 .policy = DF_POLICY_MAX},
		{.verdict = 0xff, .reason = 0xff, .service = 0xff, .policy = 0xffffffff},
		{.translated = 0xff},
		{0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(decisions) / sizeof(decisions[0]); i++) {
		struct df_decision again = decision_unpack(decision_pack(&decisions[i]));

		assert_memory_equal(&again, &decisions[i], sizeof(again));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_audit),
		cmocka_unit_test(test_exempt),
		cmocka_unit_test(test_no_policy),
		cmocka_unit_test(test_all_zero_policy),
		cmocka_unit_test(test_unreadable_ports),
		cmocka_unit_test(test_fenced_services),
		cmocka_unit_test(test_mdns_resolver),
		cmocka_unit_test(test_translated),
		cmocka_unit_test(test_lookups),
		cmocka_unit_test(test_generation),
		cmocka_unit_test(test_verdict_is_stricter),
		cmocka_unit_test(test_protocol_bit),
		cmocka_unit_test(test_service_of),
		cmocka_unit_test(test_service_protocols),
		cmocka_unit_test(test_port_is_fenced),
		cmocka_unit_test(test_decision_pack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
