// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/judge.c: whose policy counts, in cases, and against a plain copy of the kernel's walk
 * (bpf/subject.h) for pseudo-random subjects; the lookups against a plain search through the
 * image's tables. TEST_SEED chooses others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "userspace/judge.h"

#define HEAD "apiVersion: dnsfence/v1\n"
#define LEVELS 5

static void compile(const char *text, const struct subject *subjects, size_t subjects_length,
		    struct policy_image *ret)
{
	struct diagnostics diagnostics = {0};
	struct config config = {0};

	if (config_load_text(text, strlen(text), "test.yaml", &config, &diagnostics) < 0)
		fail_msg("%s\n%s", diagnostics.list[0].text, text);
	assert_int_equal(policy_compile(&config, subjects, subjects_length, ret), 0);
	diagnostics_done(&diagnostics);
	config_done(&config);
}

static struct df_flow flow_to(const char *text, uint16_t port, uint8_t protocol)
{
	struct df_flow flow = {.flags = FLOW_PORTS, .dport = port, .protocol = protocol};
	struct address address;
	const char *problem;

	assert_int_equal(address_parse(text, &address, &problem), 0);
	flow.family = address.family;
	memcpy(flow.daddr, address.bytes, sizeof(flow.daddr));
	return flow;
}

/* Policies 0 to 3 are for these; 4 is the default. Cgroup ids are level * 10 + number. */
static const struct subject ranks_subjects[] = {
	{0, 31, DF_UID_ANY, 3}, /* /1/1/1 */
	{1, 11, 1000, 1}, /* /1, user 1000 */
	{2, 0, 1001, 0}, /* user 1001 anywhere */
	{3, 11, DF_UID_ANY, 1}, /* /1 */
};

#define POLICIES_OF_RANKS                                                      \
	"policies:\n"                                                          \
	"  - {name: deep, match: {cgroup: /1/1/1}, resolvers: []}\n"           \
	"  - {name: pair, match: {cgroup: /1, user: '1000'}, resolvers: []}\n" \
	"  - {name: user, match: {user: '1001'}, resolvers: []}\n"             \
	"  - {name: wide, match: {cgroup: /1}, resolvers: []}\n"               \
	"  - {name: default, resolvers: []}\n"

static void test_ranks(void **state)
{
	static const struct {
		const char *what;
		uint64_t ancestors[LEVELS];
		size_t levels;
		uint32_t uid, rank;
	} cases[] = {
		{"the root", {1}, 1, 0, 4},
		{"no cgroup is known", {0}, 0, 0, 4},
		{"no cgroup is known, but the user", {0}, 0, 1001, 2},
		{"the cgroup itself", {1, 11}, 2, 0, 3},
		{"below it", {1, 11, 29}, 3, 0, 3},
		{"another", {1, 12, 21}, 3, 0, 4},
		{"first in the file, not nearest: the pair above", {1, 11, 21}, 3, 1000, 1},
		{"the pair does not hold for others", {1, 11, 21}, 3, 1002, 3},
		{"the user before the wide cgroup", {1, 11, 21}, 3, 1001, 2},
		{"the user elsewhere", {1, 12}, 2, 1001, 2},
		{"the deep one before all", {1, 11, 21, 31}, 4, 1000, 0},
		{"below the deep one", {1, 11, 21, 31, 41}, 5, 1001, 0},
	};
	struct policy_image image;

	(void)state;
	compile(HEAD POLICIES_OF_RANKS, ranks_subjects, ARRAY_LEN(ranks_subjects), &image);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t rank =
			judge_rank(&image, cases[i].ancestors, cases[i].levels, cases[i].uid);

		if (rank != cases[i].rank)
			fail_msg("%s: rank %u, not %u", cases[i].what, rank, cases[i].rank);
	}
	policy_image_done(&image);
}

/* One policy needs no subject at all. */
static void test_one_policy(void **state)
{
	const uint64_t ancestors[] = {1, 11};
	struct policy_image image;

	(void)state;
	compile(HEAD "policies: [{name: default, resolvers: []}]\n", NULL, 0, &image);
	assert_int_equal(judge_rank(&image, ancestors, 2, 0), 0);
	policy_image_done(&image);
}

static uint64_t random_next(void)
{
	static uint64_t random_state;

	if (!random_state) {
		const char *seed = getenv("TEST_SEED");

		random_state = seed ? strtoull(seed, NULL, 0) | 1 : 0x9e3779b97f4a7c15ull;
	}
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static const uint32_t *map_lookup(const struct policy_image *image, uint64_t cgroup_id,
				  uint32_t uid)
{
	for (size_t i = 0; i < image->subjects_length; i++)
		if (image->subjects[i].key.cgroup_id == cgroup_id &&
		    image->subjects[i].key.uid == uid)
			return &image->subjects[i].rank;
	return NULL;
}

static uint32_t map_lower(const struct policy_image *image, uint64_t id, uint32_t uid,
			  uint32_t rank)
{
	const uint32_t *found = map_lookup(image, id, uid);

	return found && *found < rank ? *found : rank;
}

/* subject_rank() of bpf/subject.h, with its shortcuts, over a map that is searched. */
static uint32_t kernel_rank(const struct policy_image *image, const uint64_t *ancestors,
			    size_t levels, uint32_t uid)
{
	const struct df_generation *generation = &image->generation;
	uint32_t rank = generation->default_policy;
	bool users = generation->flags & DF_GEN_USERS;

	if (!generation->levels && !users)
		return rank;
	if (users)
		rank = map_lower(image, 0, uid, rank);
	for (size_t level = 0; level < DF_LEVEL_MAX && level < levels; level++) {
		if (!(generation->levels >> level & 1))
			continue;
		rank = map_lower(image, ancestors[level], DF_UID_ANY, rank);
		if (users)
			rank = map_lower(image, ancestors[level], uid, rank);
	}
	return rank;
}

static void test_ranks_like_the_kernel(void **state)
{
	struct policy_image image;
	size_t differ = 0;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct subject subjects[12];
		uint64_t ancestors[LEVELS];
		size_t length = random_next() % ARRAY_LEN(subjects);
		size_t levels = 1 + random_next() % LEVELS;

		for (size_t i = 0; i < length; i++) {
			uint32_t level = random_next() % LEVELS;
			bool any = random_next() % 4 == 0;

			subjects[i] = (struct subject){
				.policy = random_next() % 4,
				.cgroup_id = any ? 0 : level * 10 + 1 + random_next() % 2,
				.uid = any || random_next() % 2 ? random_next() % 3 : DF_UID_ANY,
				.level = level,
			};
		}
		for (size_t i = 0; i < levels; i++)
			ancestors[i] = i * 10 + 1 + random_next() % 2;
		compile(HEAD POLICIES_OF_RANKS, subjects, length, &image);
		for (uint32_t uid = 0; uid < 4; uid++) {
			uint32_t rank = judge_rank(&image, ancestors, levels, uid);

			assert_int_equal(rank, kernel_rank(&image, ancestors, levels, uid));
			differ += rank != 4;
		}
		policy_image_done(&image);
	}
	assert_in_range(differ, 1000, 7900); /* both outcomes were seen, often */
}

static void test_flows(void **state)
{
	static const struct {
		const char *addr;
		uint16_t port;
		uint8_t protocol, verdict, reason;
	} cases[] = {
		{"10.0.0.53", 53, PROTO_UDP, DF_VERDICT_ALLOW, DF_REASON_SANCTIONED},
		{"10.0.0.53", 853, PROTO_TCP, DF_VERDICT_ALLOW, DF_REASON_SANCTIONED},
		{"10.0.0.54", 53, PROTO_UDP, DF_VERDICT_DENY, DF_REASON_NOT_SANCTIONED},
		{"10.1.255.255", 53, PROTO_TCP, DF_VERDICT_ALLOW, DF_REASON_SANCTIONED},
		{"10.2.0.0", 53, PROTO_TCP, DF_VERDICT_DENY, DF_REASON_NOT_SANCTIONED},
		{"10.1.2.3", 853, PROTO_TCP, DF_VERDICT_ALLOW, DF_REASON_SANCTIONED},
		{"10.1.2.200", 853, PROTO_TCP, DF_VERDICT_ALLOW, DF_REASON_SANCTIONED},
		{"2001:db8::ffff", 53, PROTO_UDP, DF_VERDICT_ALLOW, DF_REASON_SANCTIONED},
		{"2001:db9::", 53, PROTO_UDP, DF_VERDICT_DENY, DF_REASON_NOT_SANCTIONED},
		{"10.0.0.7", 5300, PROTO_UDP, DF_VERDICT_ALLOW, DF_REASON_SANCTIONED},
		{"10.0.0.7", 5300, PROTO_TCP, DF_VERDICT_PASS, DF_REASON_NONE},
		{"10.0.0.8", 5300, PROTO_UDP, DF_VERDICT_PASS, DF_REASON_NONE},
		{"10.0.0.54", 443, PROTO_TCP, DF_VERDICT_PASS, DF_REASON_NONE},
		{"10.0.0.54", 53, PROTO_UDPLITE, DF_VERDICT_DENY, DF_REASON_NOT_SANCTIONED},
		{"10.0.0.53", 53, PROTO_SCTP, DF_VERDICT_DENY, DF_REASON_TRANSPORT},
	};
	struct policy_image image;

	(void)state;
	compile(HEAD "resolvers:\n"
		     "  good: [10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.53, 10.1.0.0/16,\n"
		     "         {address: 10.1.2.0/24, service: dns}, '2001:db8::/32',\n"
		     "         {address: 10.0.0.7, port: 5300, protocol: udp}]\n"
		     "policies: [{name: default, resolvers: [good]}]\n",
		NULL, 0, &image);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct df_flow flow = flow_to(cases[i].addr, cases[i].port, cases[i].protocol);
		struct judgement judgement = judge_flow(&image, &flow, 0);

		if (judgement.verdict != cases[i].verdict || judgement.reason != cases[i].reason)
			fail_msg("%s %u/%u: verdict %u reason %u", cases[i].addr, cases[i].port,
				 cases[i].protocol, judgement.verdict, judgement.reason);
	}
	assert_true(judge_fences(&image, 53) && judge_fences(&image, 5300));
	assert_false(judge_fences(&image, 443));
	policy_image_done(&image);
}

/* The rank chooses the policy, and with it mode and exemption. */
static void test_policies(void **state)
{
	const struct df_flow bad = flow_to("10.0.0.9", 53, PROTO_UDP);
	struct policy_image image;

	(void)state;
	compile(HEAD "resolvers: {a: [{address: 10.0.0.9, translated: true}]}\n"
		     "policies:\n"
		     "  - {name: any, match: {cgroup: /1}, resolvers: any}\n"
		     "  - {name: watch, match: {cgroup: /2}, mode: audit, resolvers: []}\n"
		     "  - {name: lists, match: {cgroup: /3}, resolvers: [a]}\n"
		     "  - {name: default, resolvers: []}\n",
		NULL, 0, &image);
	assert_int_equal(judge_flow(&image, &bad, 0).reason, DF_REASON_EXEMPT);
	assert_int_equal(judge_flow(&image, &bad, 1).verdict, DF_VERDICT_AUDIT);
	assert_int_equal(judge_flow(&image, &bad, 2).verdict, DF_VERDICT_ALLOW);
	assert_true(judge_flow(&image, &bad, 2).translated);
	assert_int_equal(judge_flow(&image, &bad, 3).verdict, DF_VERDICT_DENY);
	assert_int_equal(judge_flow(&image, &bad, 3).rank, 3);
	assert_int_equal(judge_flow(&image, &bad, 3).service, DF_SERVICE_DNS);
	assert_int_equal(judge_flow(&image, &bad, 200).reason, DF_REASON_NO_POLICY);
	policy_image_done(&image);
}

static bool same_bits(const uint8_t *a, const uint8_t *b, uint32_t bits)
{
	for (uint32_t bit = 0; bit < bits; bit++)
		if ((a[bit / 8] ^ b[bit / 8]) & (0x80 >> bit % 8))
			return false;
	return true;
}

/* Is the address in any prefix of the table? */
static bool listed(const struct policy_image *image, const struct df_flow *flow)
{
	for (size_t i = 0; i < image->prefixes_length; i++)
		if (same_bits(image->prefixes[i].key.addr, flow->daddr, image->prefixes[i].prefix))
			return true;
	return false;
}

static void test_prefixes(void **state)
{
	char text[4096] = HEAD "resolvers: {good: [";
	struct policy_image image;
	size_t allowed = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		uint32_t bits = 1 + (uint32_t)(random_next() % 31);
		uint32_t addr = (uint32_t)random_next() & (0x0fffffffu << (32 - bits));

		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%u.%u.%u.%u/%u, ",
			 addr >> 24, addr >> 16 & 255, addr >> 8 & 255, addr & 255, MAX(bits, 6u));
	}
	strcat(text, "192.0.2.1]}\npolicies: [{name: default, resolvers: [good]}]\n");
	compile(text, NULL, 0, &image);
	for (int i = 0; i < 20000; i++) {
		struct df_flow flow = {
			.flags = FLOW_PORTS, .dport = 53, .protocol = PROTO_UDP, .family = 4};
		uint32_t addr = (uint32_t)random_next();
		bool allow;

		memcpy(flow.daddr, &addr, sizeof(addr));
		allow = judge_flow(&image, &flow, 0).verdict == DF_VERDICT_ALLOW;
		assert_int_equal(allow, listed(&image, &flow));
		allowed += allow;
	}
	assert_in_range(allowed, 100, 19900);
	policy_image_done(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranks),    cmocka_unit_test(test_one_policy),
		cmocka_unit_test(test_flows),    cmocka_unit_test(test_ranks_like_the_kernel),
		cmocka_unit_test(test_policies), cmocka_unit_test(test_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
