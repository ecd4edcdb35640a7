// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/policy.c: the image of a configuration, first in cases, then as a whole: decide()
 * over the image must say what a plain reading of the configuration says, for pseudo-random
 * configurations (TEST_SEED chooses others).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "userspace/config.h"
#include "userspace/policy.h"

static __u32 *resolver_exact(__u32 gen, const struct df_resolver_key *key);
static __u32 *resolver_prefix(__u32 gen, const struct df_resolver_prefix_key *key);

#include "bpf/verdict.h"

#define U DF_PROTO_UDP
#define T DF_PROTO_TCP
#define MASK(service, protocols) DF_SERVICE_MASK(DF_SERVICE_##service, protocols)
#define EVERY (MASK(DNS, U | T) | MASK(DOT, T) | MASK(DOQ, U))
#define HEAD "apiVersion: dnsfence/v1\n"

static struct policy_image *image; /* behind the two lookups */

static bool same_bits(const uint8_t *a, const uint8_t *b, uint32_t bits)
{
	for (uint32_t bit = 0; bit < bits; bit++)
		if ((a[bit / 8] ^ b[bit / 8]) & (0x80 >> bit % 8))
			return false;
	return true;
}

static __u32 *resolver_exact(__u32 gen, const struct df_resolver_key *key)
{
	(void)gen;
	for (size_t i = 0; i < image->exact_length; i++)
		if (memcmp(&image->exact[i].key, key, sizeof(*key)) == 0)
			return &image->exact[i].mask;
	return NULL;
}

static __u32 *resolver_prefix(__u32 gen, const struct df_resolver_prefix_key *key)
{
	struct policy_resolver *longest = NULL;

	(void)gen;
	for (size_t i = 0; i < image->prefixes_length; i++) {
		struct policy_resolver *entry = &image->prefixes[i];

		if (memcmp(&entry->key, &key->key, 8) == 0 &&
		    same_bits(entry->key.addr, key->key.addr, entry->prefix) &&
		    (!longest || entry->prefix > longest->prefix))
			longest = entry;
	}
	return longest ? &longest->mask : NULL;
}

struct fixture {
	struct diagnostics diagnostics;
	struct config config;
	struct policy_image image;
};

static void fixture_done(struct fixture *fixture)
{
	policy_image_done(&fixture->image);
	diagnostics_done(&fixture->diagnostics);
	config_done(&fixture->config);
}

#define _cleanup_fixture_ _cleanup_(fixture_done)

static void compile(const char *text, const struct subject *subjects, size_t subjects_length,
		    struct fixture *ret)
{
	*ret = (struct fixture){0};
	if (config_load_text(text, strlen(text), "test.yaml", &ret->config, &ret->diagnostics) < 0)
		fail_msg("%s\n%s", ret->diagnostics.list[0].text, text);
	assert_int_equal(policy_compile(&ret->config, subjects, subjects_length, &ret->image), 0);
	image = &ret->image;
}

/* The entry for this address or prefix, in whichever table; fails without one. */
static uint32_t mask_of(const struct policy_image *of, uint32_t scope, uint16_t port,
			const char *text)
{
	struct address address;
	const char *problem;
	const struct policy_resolver *list;
	size_t length;

	assert_int_equal(address_parse(text, &address, &problem), 0);
	list = address_is_single(&address) ? of->exact : of->prefixes;
	length = address_is_single(&address) ? of->exact_length : of->prefixes_length;
	for (size_t i = 0; i < length; i++)
		if (list[i].key.scope == scope && list[i].key.port == port &&
		    list[i].key.family == address.family && list[i].prefix == address.prefix &&
		    memcmp(list[i].key.addr, address.bytes, 16) == 0)
			return list[i].mask;
	fail_msg("no entry for %s, scope %u, port %u", text, scope, port);
	return 0;
}

static int fenced(const struct policy_image *of, uint16_t port)
{
	return port_is_fenced(&of->generation, port);
}

static void test_minimal(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	const struct df_generation *generation = &fixture.image.generation;

	(void)state;
	compile(HEAD "resolvers: {good: [10.77.0.2]}\n"
		     "policies: [{name: default, resolvers: [good]}]\n",
		NULL, 0, &fixture);
	assert_int_equal(fixture.image.exact_length, 1);
	assert_int_equal(fixture.image.prefixes_length, 0);
	assert_int_equal(fixture.image.subjects_length, 0);
	assert_int_equal(mask_of(&fixture.image, 1, 0, "10.77.0.2"), EVERY);
	assert_int_equal(generation->id, 0);
	assert_int_equal(generation->flags, 0);
	assert_int_equal(generation->policies_len, 1);
	assert_int_equal(generation->default_policy, 0);
	assert_int_equal(generation->levels, 0);
	assert_int_equal(generation->policies[0].flags, DF_POLICY_VALID);
	assert_int_equal(generation->policies[0].scope, 1);
	assert_int_equal(generation->policies[0].errnum, EPERM);
	assert_string_equal(generation->policies[0].name, "default");
	assert_int_equal(generation->policies[1].flags, 0);
	assert_true(fenced(&fixture.image, 53) && fenced(&fixture.image, 853));
	assert_false(fenced(&fixture.image, 5353) || fenced(&fixture.image, 443));
}

/* The first single addresses of a policy, in its order, with all that the table says of them. */
static void test_near(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	const struct df_policy *policies = fixture.image.generation.policies;
	const struct df_near_resolver *near = policies[0].near;

	(void)state;
	compile(HEAD
		"resolvers:\n"
		"  b: [10.0.0.9, 10.9.0.0/16, {address: 10.0.0.8, port: 5300},\n"
		"      {address: 10.0.0.7, service: dot}, 10.0.0.9]\n"
		"  a: [{address: 10.0.0.7, service: dns, translated: true}, 'fd00::1', 10.0.0.1]\n"
		"policies:\n"
		"  - {name: both, match: {cgroup: /a}, resolvers: [b, a]}\n"
		"  - {name: same, match: {cgroup: /b}, resolvers: [a, b]}\n"
		"  - {name: none, match: {cgroup: /c}, resolvers: []}\n"
		"  - {name: default, resolvers: any}\n",
		NULL, 0, &fixture);
	assert_int_equal(near[0].mask, mask_of(&fixture.image, 1, 0, "10.0.0.9"));
	assert_memory_equal(near[0].addr, "\x0a\0\0\x09\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(near[1].mask, MASK(DOT, T) | MASK(DNS, U | T) |
					       DF_RESOLVER_TRANSLATED(MASK(DNS, U | T)));
	assert_memory_equal(near[1].addr, "\x0a\0\0\x07\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(near[2].family, 6);
	assert_memory_equal(near[2].addr, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	assert_int_equal(policies[1].scope, 1);
	assert_int_equal(policies[1].near[0].mask, near[1].mask);
	for (int i = 2; i < 4; i++)
		assert_int_equal(policies[i].near[0].family, 0);
}

static void test_layers(void **state)
{
	static const struct {
		const char *text;
		uint32_t flags;
	} cases[] = {
		{HEAD "policies: [{name: default, resolvers: []}]\n", 0},
		{HEAD "hooks: auto\npolicies: [{name: default, resolvers: []}]\n", 0},
		{HEAD "hooks: all\npolicies: [{name: default, resolvers: []}]\n", DF_GEN_CALLS},
		{HEAD "deny_at: packet\npolicies: [{name: default, resolvers: []}]\n",
		 DF_GEN_DEFER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_fixture_ struct fixture fixture;

		compile(cases[i].text, NULL, 0, &fixture);
		assert_int_equal(fixture.image.generation.flags, cases[i].flags);
	}
}

static bool is_translated(const struct df_near_resolver *near, uint8_t last)
{
	const uint8_t address[16] = {127, 0, 0, last};

	return near->family == 4 && memcmp(near->addr, address, sizeof(address)) == 0;
}

/* Which policies forward, which have a translated resolver, and the first of those addresses. */
static void test_forwards(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	const struct df_generation *generation = &fixture.image.generation;
	const struct df_policy *policies = generation->policies;

	(void)state;
	compile(HEAD "resolvers:\n"
		     "  good: [10.0.0.1]\n"
		     "  net: [{address: 10.9.0.0/16, translated: true}]\n"
		     "  own: [{address: 127.0.0.11, translated: true},\n"
		     "        {address: 127.0.0.11, service: dot, translated: true},\n"
		     "        {address: 127.0.0.12, translated: true},\n"
		     "        {address: 127.0.0.13, port: 5300, translated: true},\n"
		     "        {address: 127.0.0.14, translated: true}]\n"
		     "policies:\n"
		     "  - {name: a, match: {cgroup: /a}, forwards: true, resolvers: [good]}\n"
		     "  - {name: b, match: {cgroup: /b}, forwards: true, resolvers: [net]}\n"
		     "  - {name: c, match: {cgroup: /c}, forwards: false, resolvers: [good, own]}\n"
		     "  - {name: d, match: {cgroup: /d}, resolvers: [own, good]}\n"
		     "  - {name: default, resolvers: [good]}\n",
		NULL, 0, &fixture);
	assert_int_equal(generation->flags, DF_GEN_SEVERAL | DF_GEN_TRANSLATED | DF_GEN_FORWARDS);
	assert_int_equal(policies[0].flags, DF_POLICY_VALID | DF_POLICY_FORWARDS);
	assert_int_equal(policies[1].flags, DF_POLICY_VALID | DF_POLICY_FORWARDS |
						    DF_POLICY_PREFIXES | DF_POLICY_TRANSLATED);
	assert_int_equal(policies[2].flags, DF_POLICY_VALID | DF_POLICY_TRANSLATED);
	assert_int_equal(policies[3].flags, DF_POLICY_VALID | DF_POLICY_TRANSLATED);
	assert_int_equal(policies[4].flags, DF_POLICY_VALID);
	for (uint8_t i = 0; i < DF_NEAR_MAX; i++)
		assert_true(is_translated(&generation->translated[i], 11 + i));
}

static void test_modes_and_errnos(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	const struct df_generation *generation = &fixture.image.generation;

	(void)state;
	compile(HEAD "mode: audit\non_deny: refused\npolicies:\n"
		     "  - {name: a, match: {cgroup: /a}, mode: enforce, resolvers: any}\n"
		     "  - {name: b, match: {cgroup: /b}, on_deny: eperm, resolvers: []}\n"
		     "  - {name: c, match: {cgroup: /c}, on_deny: unreachable, resolvers: []}\n"
		     "  - {name: default, resolvers: []}\n",
		NULL, 0, &fixture);
	assert_int_equal(generation->flags, DF_GEN_SEVERAL | DF_GEN_ERRNO);
	assert_int_equal(generation->default_policy, 3);
	assert_int_equal(generation->policies_len, 4);
	assert_int_equal(generation->policies[0].flags, DF_POLICY_VALID | DF_POLICY_EXEMPT);
	assert_int_equal(generation->policies[0].errnum, ECONNREFUSED);
	assert_int_equal(generation->policies[1].flags, DF_POLICY_VALID | DF_POLICY_AUDIT);
	assert_int_equal(generation->policies[1].errnum, EPERM);
	assert_int_equal(generation->policies[2].errnum, EHOSTUNREACH);
	for (size_t i = 0; i < 4; i++)
		assert_true(generation->policies[i].scope != DF_SCOPE_ENDPOINTS);
}

static void test_resolver_forms(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	const struct policy_image *of = &fixture.image;

	(void)state;
	compile(HEAD "resolvers:\n  a:\n"
		     "    - {address: 10.0.0.1, service: dns}\n"
		     "    - {address: 10.0.0.2, service: [dot, doq]}\n"
		     "    - {address: 10.0.0.3, protocol: tcp}\n"
		     "    - {address: 10.0.0.4, service: dns, protocol: udp}\n"
		     "    - {address: 10.0.0.5, port: 5300}\n"
		     "    - {address: 10.0.0.6, port: 5300, protocol: udp, translated: true}\n"
		     "    - {address: 10.0.0.7, port: 8853, service: dot}\n"
		     "    - {address: 10.0.0.8, port: 53}\n"
		     "    - {address: 10.0.0.9, port: 853}\n"
		     "    - {address: 10.0.0.10, port: 53, protocol: udp}\n"
		     "    - {address: 10.0.0.11, translated: true}\n"
		     "    - 10.1.0.0/16\n"
		     "    - {address: 10.2.0.0/16, port: 5400, protocol: tcp}\n"
		     "    - \"2001:db8::/32\"\n"
		     "policies: [{name: default, resolvers: [a]}]\n",
		NULL, 0, &fixture);
	assert_int_equal(mask_of(of, 1, 0, "10.0.0.1"), MASK(DNS, U | T));
	assert_int_equal(mask_of(of, 1, 0, "10.0.0.2"), MASK(DOT, T) | MASK(DOQ, U));
	assert_int_equal(mask_of(of, 1, 0, "10.0.0.3"), MASK(DNS, T) | MASK(DOT, T));
	assert_int_equal(mask_of(of, 1, 0, "10.0.0.4"), MASK(DNS, U));
	assert_int_equal(mask_of(of, 1, 5300, "10.0.0.5"), U | T);
	assert_int_equal(mask_of(of, DF_SCOPE_ENDPOINTS, 5300, "10.0.0.5"), U | T);
	assert_int_equal(mask_of(of, 1, 5300, "10.0.0.6"), U | DF_RESOLVER_TRANSLATED(U));
	assert_int_equal(mask_of(of, 1, 8853, "10.0.0.7"), T);
	/* A service's own port, however it is written, is that service's. */
	assert_int_equal(mask_of(of, 1, 0, "10.0.0.8"), MASK(DNS, U | T));
	assert_int_equal(mask_of(of, 1, 0, "10.0.0.9"), MASK(DOT, T) | MASK(DOQ, U));
	assert_int_equal(mask_of(of, 1, 0, "10.0.0.10"), MASK(DNS, U));
	assert_int_equal(mask_of(of, 1, 0, "10.0.0.11"), EVERY | DF_RESOLVER_TRANSLATED(EVERY));
	assert_int_equal(mask_of(of, 1, 0, "10.1.0.0/16"), EVERY);
	assert_int_equal(mask_of(of, 1, 5400, "10.2.0.0/16"), T);
	assert_int_equal(mask_of(of, DF_SCOPE_ENDPOINTS, 5400, "10.2.0.0/16"), T);
	assert_int_equal(mask_of(of, 1, 0, "2001:db8::/32"), EVERY);
	assert_int_equal(of->exact_length + of->prefixes_length, 14 + 4);
	assert_int_equal(of->generation.flags, DF_GEN_ENDPOINT_PREFIXES | DF_GEN_TRANSLATED);
	assert_int_equal(of->generation.policies[0].flags,
			 DF_POLICY_VALID | DF_POLICY_PREFIXES | DF_POLICY_TRANSLATED);
	assert_true(fenced(of, 5300) && fenced(of, 8853) && fenced(of, 5400));
}

/* Entries for one address are one entry; a prefix carries what wider ones grant. */
static void test_merging(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	const struct policy_image *of = &fixture.image;

	(void)state;
	compile(HEAD "resolvers:\n  a:\n"
		     "    - {address: 10.0.0.1, service: dns}\n"
		     "    - {address: \"::ffff:10.0.0.1\", service: dot}\n"
		     "    - 10.0.0.1\n"
		     "    - {address: 10.1.2.0/24, service: doq}\n"
		     "    - {address: 10.0.0.0/8, service: dot}\n"
		     "    - {address: 10.1.0.0/16, service: dns, protocol: udp}\n"
		     "    - {address: 10.2.0.0/16, service: dns}\n"
		     "    - {address: \"::/0\", service: doq}\n"
		     "  b: [10.0.0.1]\n"
		     "policies: [{name: default, resolvers: [a, b, a]}]\n",
		NULL, 0, &fixture);
	assert_int_equal(of->exact_length, 1);
	assert_int_equal(mask_of(of, 1, 0, "10.0.0.1"), EVERY);
	assert_int_equal(of->prefixes_length, 5);
	assert_int_equal(mask_of(of, 1, 0, "10.0.0.0/8"), MASK(DOT, T));
	assert_int_equal(mask_of(of, 1, 0, "10.1.0.0/16"), MASK(DOT, T) | MASK(DNS, U));
	assert_int_equal(mask_of(of, 1, 0, "10.1.2.0/24"),
			 MASK(DOT, T) | MASK(DNS, U) | MASK(DOQ, U));
	assert_int_equal(mask_of(of, 1, 0, "10.2.0.0/16"), MASK(DOT, T) | MASK(DNS, U | T));
	assert_int_equal(mask_of(of, 1, 0, "::/0"), MASK(DOQ, U));
}

/* The same sets in another order are the same scope: the entries are there once. */
static void test_scopes(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	const struct df_policy *policies = fixture.image.generation.policies;

	(void)state;
	compile(HEAD "resolvers: {a: [10.0.0.1, 10.1.0.0/16], b: [10.0.0.2], c: []}\n"
		     "policies:\n"
		     "  - {name: p0, match: {cgroup: /0}, resolvers: [a, b]}\n"
		     "  - {name: p1, match: {cgroup: /1}, resolvers: [b]}\n"
		     "  - {name: p2, match: {cgroup: /2}, resolvers: [b, a, b]}\n"
		     "  - {name: p3, match: {cgroup: /3}, resolvers: any}\n"
		     "  - {name: p4, match: {cgroup: /4}, resolvers: []}\n"
		     "  - {name: p5, resolvers: [c]}\n",
		NULL, 0, &fixture);
	assert_int_equal(policies[0].scope, policies[2].scope);
	assert_int_not_equal(policies[0].scope, policies[1].scope);
	assert_int_equal(policies[2].flags, DF_POLICY_VALID | DF_POLICY_PREFIXES);
	assert_int_equal(policies[1].flags, DF_POLICY_VALID);
	assert_int_equal(policies[4].flags, DF_POLICY_VALID);
	assert_int_equal(fixture.image.exact_length, 3);
	assert_int_equal(fixture.image.prefixes_length, 1);
}

static uint32_t origin_rank_of(const struct policy_image *of, uint32_t ifindex, const char *text)
{
	struct address address, best = {0};
	const char *problem;
	uint32_t rank = DF_POLICY_MAX;

	assert_int_equal(address_parse(text, &address, &problem), 0);
	for (size_t i = 0; i < of->origins_length; i++) {
		const struct policy_origin *origin = &of->origins[i];

		if (origin->ifindex != ifindex || !address_covers(&origin->source, &address) ||
		    (rank != DF_POLICY_MAX && origin->source.prefix < best.prefix))
			continue;
		best = origin->source;
		rank = origin->rank;
	}
	return rank;
}

/* What the longest match says is the lowest rank of all that cover it. */
static void test_origins(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	struct policy_image *of = &fixture.image;
	const struct subject subjects[] = {
		{.policy = 0, .of_frames = true, .ifindex = 7, .source = {4, 24, {10, 1, 2}}},
		{.policy = 1, .of_frames = true, .source = {4, 8, {10}}},
		{.policy = 2, .of_frames = true, .source = {4, 16, {10, 1}}},
		{.policy = 3, .of_frames = true, .ifindex = 7},
		{.policy = 3, .of_frames = true, .source = {4, 8, {10}}},
		{.policy = 2, .cgroup_id = 9, .uid = DF_UID_ANY, .level = 1},
	};

	(void)state;
	compile(HEAD "policies:\n"
		     "  - {name: p0, match: {interface: a, source: 10.1.2.0/24}, resolvers: any}\n"
		     "  - {name: p1, match: {source: 10.0.0.0/8}, resolvers: []}\n"
		     "  - {name: p2, match: {source: [10.1.0.0/16]}, resolvers: any}\n"
		     "  - {name: p3, match: {interface: [a, 'b*']}, resolvers: any}\n"
		     "  - {name: p4, resolvers: []}\n",
		subjects, ARRAY_LEN(subjects), &fixture);
	assert_int_equal(of->generation.flags, DF_GEN_SEVERAL | DF_GEN_ORIGINS);
	assert_int_equal(of->subjects_length, 1);
	assert_int_equal(of->origins_length, 5); /* the third interface entry is the other family */
	assert_int_equal(origin_rank_of(of, 7, "10.1.2.3"), 0);
	assert_int_equal(origin_rank_of(of, 7, "10.1.3.3"), 3);
	assert_int_equal(origin_rank_of(of, 7, "fd00::1"), 3);
	assert_int_equal(origin_rank_of(of, 0, "10.1.2.3"), 1);
	assert_int_equal(origin_rank_of(of, 0, "10.9.9.9"), 1);
	assert_int_equal(origin_rank_of(of, 0, "192.0.2.1"), DF_POLICY_MAX);
	assert_int_equal(origin_rank_of(of, 8, "10.1.2.3"), DF_POLICY_MAX);
	assert_int_equal(policy_set_frames(of, NULL, 0), 0);
	assert_int_equal(of->origins_length, 0);
	assert_int_equal(of->generation.flags, DF_GEN_SEVERAL);
}

static void test_subjects(void **state)
{
	static const struct subject subjects[] = {
		{.policy = 1, .cgroup_id = 200, .uid = DF_UID_ANY, .level = 2},
		{.policy = 0, .cgroup_id = 100, .uid = DF_UID_ANY, .level = 1},
		{.policy = 2, .cgroup_id = 0, .uid = 1000, .level = 0},
		{.policy = 0, .cgroup_id = 200, .uid = DF_UID_ANY, .level = 2},
		{.policy = 1, .cgroup_id = 200, .uid = 7, .level = 2},
		{.policy = 2, .cgroup_id = 300, .uid = DF_UID_ANY, .level = 31},
		{.policy = 0, .cgroup_id = 100, .uid = DF_UID_ANY, .level = 1},
	};
	static const struct subject too_deep = {.cgroup_id = 1, .uid = DF_UID_ANY, .level = 32};
	_cleanup_fixture_ struct fixture fixture;
	struct policy_image untouched = {.exact_length = 77};

	(void)state;
	compile(HEAD "policies:\n"
		     "  - {name: a, match: {cgroup: /a}, resolvers: []}\n"
		     "  - {name: b, match: {cgroup: /b}, resolvers: []}\n"
		     "  - {name: c, match: {user: \"1000\"}, resolvers: []}\n"
		     "  - {name: default, resolvers: []}\n",
		subjects, ARRAY_LEN(subjects), &fixture);
	assert_int_equal(fixture.image.subjects_length, 5);
	for (size_t i = 0; i < 5; i++) {
		const struct policy_subject *subject = &fixture.image.subjects[i];

		assert_int_equal(subject->key.pad, 0);
		if (subject->key.cgroup_id == 100 || subject->key.cgroup_id == 200)
			assert_int_equal(subject->rank, subject->key.uid == 7 ? 1 : 0);
		else
			assert_int_equal(subject->rank, 2);
	}
	assert_int_equal(fixture.image.generation.levels, 1ull << 1 | 1ull << 2 | 1ull << 31);
	assert_int_equal(fixture.image.generation.flags, DF_GEN_SEVERAL | DF_GEN_USERS);
	assert_int_equal(policy_compile(&fixture.config, &too_deep, 1, &untouched), -E2BIG);
	assert_int_equal(untouched.exact_length, 77);
}

/* --- the whole against a plain reading --- */

static uint64_t random_state;

static unsigned int random_below(unsigned int limit)
{
	uint64_t value = random_state += 0x9e3779b97f4a7c15ull; /* SplitMix64 */

	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
	return (unsigned int)((value ^ (value >> 31)) % limit);
}

static const char *const places[] = {"0.0.0.0/0",     "10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24",
				     "10.1.1.0/31",   "10.1.1.1",   "10.1.1.2",    "10.16.0.0/12",
				     "10.32.0.0/16",  "10.2.0.1",   "::/0",        "2001::/16",
				     "2001:db8::/32", "2001:db8::1"};
static const char *const targets[] = {
	"10.1.1.0", "10.1.1.1", "10.1.1.2", "10.1.1.9", "10.1.9.9",    "10.2.0.1",   "10.32.0.1",
	"8.8.8.8",  "0.0.0.0",  "::",       "2001::1",  "2001:db8::1", "2001:db8::2"};
static const uint16_t ports[] = {53, 853, 5300, 5353, 443};

static void random_resolver(struct resolver *ret)
{
	const char *problem;

	*ret = (struct resolver){0};
	(void)address_parse(places[random_below(ARRAY_LEN(places))], &ret->address, &problem);
	if (random_below(3) == 0)
		ret->services = 1 + random_below((1u << DF_SERVICE_MAX) - 1);
	if (random_below(2)) {
		ret->port = ports[random_below(4)];
		ret->services &= ~(ret->services - 1); /* one port carries one service */
	}
	if (random_below(4) == 0)
		ret->protocols = random_below(2) ? U : T;
	ret->translated = random_below(8) == 0;
}

#define SETS 4
#define POLICIES 5
#define RESOLVERS 5

/* All storage static: nothing of it goes through config_done(). */
static void random_config(struct config *config)
{
	static struct resolver_set sets[SETS];
	static struct resolver resolvers[SETS][RESOLVERS];
	static struct policy_config policies[POLICIES];
	static char *names[POLICIES][SETS];
	static char *set_names[SETS] = {"a", "b", "c", "d"};

	config_init(config);
	config->services = random_below(1u << DF_SERVICE_MAX);
	config->sets = sets;
	config->sets_length = SETS;
	for (size_t i = 0; i < SETS; i++) {
		sets[i] = (struct resolver_set){.name = set_names[i], .resolvers = resolvers[i]};
		sets[i].length = random_below(RESOLVERS + 1);
		for (size_t j = 0; j < sets[i].length; j++)
			random_resolver(&resolvers[i][j]);
	}
	config->policies = policies;
	config->policies_length = 1 + random_below(POLICIES);
	for (size_t i = 0; i < config->policies_length; i++) {
		policies[i] = (struct policy_config){.name = "p", .mode = MODE_INHERIT};
		policies[i].has_match = i + 1 < config->policies_length;
		policies[i].any = random_below(6) == 0;
		policies[i].sets = names[i];
		policies[i].sets_length = policies[i].any ? 0 : random_below(SETS);
		for (size_t j = 0; j < policies[i].sets_length; j++)
			names[i][j] = set_names[random_below(SETS)];
	}
}

struct target {
	struct address address;
	uint16_t port;
	uint32_t protocol; /* DF_PROTO_ bit */
};

static uint32_t fenced_service(const struct config *config, const struct target *target)
{
	return service_of(target->port, target->protocol, config->services);
}

/* Does this entry of the configuration name the target? */
static bool resolver_names(const struct config *config, const struct resolver *resolver,
			   const struct target *target)
{
	uint32_t service = fenced_service(config, target);

	if (resolver->address.family != target->address.family ||
	    !same_bits(resolver->address.bytes, target->address.bytes, resolver->address.prefix))
		return false;
	if (resolver->protocols && !(resolver->protocols & target->protocol))
		return false;
	if (!resolver->port)
		return service < DF_SERVICE_MAX &&
		       (!resolver->services || (resolver->services & (1u << service)));
	if (resolver->port != target->port)
		return false;
	for (uint32_t i = 0; i < DF_SERVICE_MAX; i++)
		if (resolver->services & (1u << i))
			return service_protocols(i) & target->protocol;
	return true;
}

static bool policy_names(const struct config *config, const struct policy_config *policy,
			 const struct target *target)
{
	for (size_t i = 0; i < policy->sets_length; i++) {
		const struct resolver_set *set = config_find_set(config, policy->sets[i]);

		for (size_t j = 0; j < set->length; j++)
			if (resolver_names(config, &set->resolvers[j], target))
				return true;
	}
	return false;
}

static uint32_t plain_reading(const struct config *config, const struct policy_config *policy,
			      const struct target *target)
{
	if (policy_names(config, policy, target))
		return DF_VERDICT_ALLOW;
	if (fenced_service(config, target) < DF_SERVICE_MAX)
		return DF_VERDICT_DENY;
	for (size_t i = 0; i < config->policies_length; i++)
		if (policy_names(config, &config->policies[i], target))
			return DF_VERDICT_DENY;
	return DF_VERDICT_PASS;
}

static void compare_target(const struct config *config, const struct target *target)
{
	struct df_flow flow = {.family = target->address.family,
			       .protocol = target->protocol == U ? PROTO_UDP : PROTO_TCP,
			       .dport = target->port,
			       .flags = FLOW_PORTS};

	memcpy(flow.daddr, target->address.bytes, sizeof(flow.daddr));
	for (size_t i = 0; i < config->policies_length; i++) {
		const struct policy_config *policy = &config->policies[i];
		struct df_decision decision =
			decide(&flow, &image->generation, &image->generation.policies[i], 0);
		uint32_t expected = plain_reading(config, policy, target);
		char text[ADDRESS_TEXT_MAX];

		/* An exempt policy is allowed what others are denied, nothing is denied it. */
		if (policy->any &&
		    (decision.verdict == DF_VERDICT_ALLOW ||
		     (decision.verdict == DF_VERDICT_PASS && expected == DF_VERDICT_PASS)))
			continue;
		if (decision.verdict != expected)
			fail_msg("policy %zu, %s port %u protocol %u: %u, expected %u", i,
				 address_format(&target->address, text), target->port,
				 target->protocol, decision.verdict, expected);
	}
}

static void compare_all_targets(const struct config *config)
{
	struct target target;
	const char *problem;

	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		assert_int_equal(address_parse(targets[i], &target.address, &problem), 0);
		for (size_t j = 0; j < ARRAY_LEN(ports); j++) {
			target.port = ports[j];
			target.protocol = U;
			compare_target(config, &target);
			target.protocol = T;
			compare_target(config, &target);
		}
	}
}

/* Sorted, and no key twice: what the publisher writes in one batch. */
static void expect_sorted(const struct policy_resolver *list, size_t length)
{
	for (size_t i = 1; i < length; i++) {
		int order = memcmp(&list[i - 1].key, &list[i].key, sizeof(list[i].key));

		assert_true(order < 0 || (order == 0 && list[i - 1].prefix < list[i].prefix));
	}
}

static void test_random_configurations(void **state)
{
	const char *text = getenv("TEST_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : 20260101;
	static struct policy_image compiled;

	(void)state;
	fprintf(stderr, "TEST_SEED=%llu\n", (unsigned long long)seed);
	for (unsigned int i = 0; i < 5000; i++) {
		struct config config;

		random_state = seed + i;
		random_config(&config);
		assert_int_equal(policy_compile(&config, NULL, 0, &compiled), 0);
		image = &compiled;
		expect_sorted(compiled.exact, compiled.exact_length);
		expect_sorted(compiled.prefixes, compiled.prefixes_length);
		compare_all_targets(&config);
		policy_image_done(&compiled);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_minimal),
		cmocka_unit_test(test_near),
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_forwards),
		cmocka_unit_test(test_modes_and_errnos),
		cmocka_unit_test(test_resolver_forms),
		cmocka_unit_test(test_merging),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_subjects),
		cmocka_unit_test(test_random_configurations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
