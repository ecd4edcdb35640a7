// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/explain.c and denial.c: lines, layers and near misses in cases, and for pseudo-random
 * configurations and lookups against a plain reading of both (judge.c). TEST_SEED chooses others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "userspace/event.h"
#include "userspace/explain.h"

#include "opinion.h"

#define HEAD "apiVersion: dnsfence/v1\n"

/* What a text becomes, and who asks. */
struct bench {
	struct config config;
	struct policy_image image;
	struct kernel_features features;
	struct denial_surroundings surroundings;
	struct asker asker;
	struct explain_request request;
};

static void bench_open(struct bench *bench, const char *text, const struct subject *subjects,
		       size_t subjects_length)
{
	struct diagnostics diagnostics = {0};

	memset(bench, 0, sizeof(*bench));
	if (config_load_text(text, strlen(text), "test.yaml", &bench->config, &diagnostics) < 0)
		fail_msg("%s\n%s", diagnostics.list[0].text, text);
	diagnostics_done(&diagnostics);
	assert_int_equal(policy_compile(&bench->config, subjects, subjects_length, &bench->image),
			 0);
	memset(&bench->features, 1, sizeof(bench->features));
	bench->surroundings.features = &bench->features;
	memset(bench->surroundings.attached, 1, sizeof(bench->surroundings.attached));
	bench->asker = (struct asker){
		.cgroup = "/a/b/c", .ancestors = {1, 11, 21, 31}, .levels = 4, .uid = DF_UID_ANY};
	bench->request = (struct explain_request){&bench->image, &bench->config, &bench->asker,
						  &bench->surroundings};
}

static void bench_close(struct bench *bench)
{
	policy_image_done(&bench->image);
	config_done(&bench->config);
}

static void ask(const struct bench *bench, const char *text, struct explanation *ret)
{
	struct problem problem;
	struct query query;

	if (query_parse(text, &query, &problem) < 0)
		fail_msg("%s", problem.text);
	explain(&bench->request, &query, ret);
}

/* Line numbers matter: the head is line 1. */
#define LINES                                                                     \
	HEAD "resolvers:\n"                                                       \
	     "  stub: [127.0.0.53]\n"                                             \
	     "  corp:\n"                                                          \
	     "    - 10.0.0.53\n"                                                  \
	     "    - 10.1.0.0/24\n"                                                \
	     "    - {address: 8.8.8.8, service: dot}\n"                           \
	     "    - {address: 8.8.8.8, port: 5300, protocol: udp}\n"              \
	     "    - {address: 192.0.2.8, service: dns, port: 853}\n"              \
	     "  more: [8.8.8.8, 10.0.0.53]\n"                                     \
	     "  unused: [8.8.8.8, 9.9.9.9]\n"                                     \
	     "policies:\n"                                                        \
	     "  - {name: near, match: {cgroup: /a/b}, resolvers: [stub, corp]}\n" \
	     "  - {name: wide, match: {cgroup: /a}, resolvers: [more]}\n"         \
	     "  - {name: user, match: {user: '7'}, resolvers: any}\n"             \
	     "  - {name: default, resolvers: []}\n"

static const struct subject lines_subjects[] = {
	{0, 21, DF_UID_ANY, 2},
	{1, 11, DF_UID_ANY, 1},
	{2, 0, 7, 0},
};

static void test_lines(void **state)
{
	static const struct {
		const char *text, *verdict, *set;
		unsigned int line;
	} cases[] = {
		{"10.0.0.53", "allow", "corp", 5},
		{"10.0.0.53/doq", "allow", "corp", 5},
		{"10.1.0.200/tcp", "allow", "corp", 6},
		{"127.0.0.53", "allow", "stub", 3},
		{"8.8.8.8/dot", "allow", "corp", 7},
		{"8.8.8.8:5300", "allow", "corp", 8},
		{"192.0.2.8:853/tcp", "allow", "corp", 9},
		{"8.8.8.8:5300/tcp", "pass", NULL, 0},
		{"8.8.8.8", "deny", NULL, 0},
		{"10.0.0.53/sctp", "deny", NULL, 0},
		{"10.0.0.53:443/tcp", "pass", NULL, 0},
	};
	struct explanation explanation;
	struct bench bench;

	(void)state;
	bench_open(&bench, LINES, lines_subjects, ARRAY_LEN(lines_subjects));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct grant_line *line = &explanation.line;

		ask(&bench, cases[i].text, &explanation);
		if (!util_streq(event_verdict_name(explanation.judgement.verdict),
				cases[i].verdict))
			fail_msg("%s: not %s", cases[i].text, cases[i].verdict);
		if (!line->set != !cases[i].set ||
		    (line->set && (!util_streq(line->set->name, cases[i].set) ||
				   line->resolver->where.line != cases[i].line)))
			fail_msg("%s: %s, line %u", cases[i].text,
				 line->set ? line->set->name : "-",
				 line->set ? line->resolver->where.line : 0);
	}
	bench_close(&bench);
}

static void test_claims(void **state)
{
	struct explanation explanation;
	struct bench bench;

	(void)state;
	bench_open(&bench, LINES, lines_subjects, ARRAY_LEN(lines_subjects));
	bench.asker.uid = 7;
	ask(&bench, "8.8.8.8", &explanation);
	assert_int_equal(explanation.claims_length, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(explanation.claims[i].rank, i);
	assert_true(explanation.claims[0].by_cgroup && !explanation.claims[0].by_user);
	assert_int_equal(explanation.claims[0].level, 2);
	assert_int_equal(explanation.claims[1].level, 1);
	assert_true(explanation.claims[2].by_user && !explanation.claims[2].by_cgroup);
	assert_false(explanation.claims[3].by_user || explanation.claims[3].by_cgroup);
	assert_int_equal(explanation.judgement.rank, 0);

	bench.asker.levels = 1;
	ask(&bench, "8.8.8.8", &explanation);
	assert_int_equal(explanation.claims_length, 2);
	assert_int_equal(explanation.judgement.reason, DF_REASON_EXEMPT);
	assert_int_equal(explanation.near_length, 0);

	bench.asker.outside = true;
	ask(&bench, "8.8.8.8", &explanation);
	assert_int_equal(explanation.judgement.verdict, DF_VERDICT_PASS);
	assert_int_equal(explanation.claims_length, 0);
	bench_close(&bench);
}

/* "other-way 853/6 line 7" and the like, in order, one a line. */
static const char *near_list(const struct explanation *explanation)
{
	static char text[1024];
	size_t used = 0;

	text[0] = 0;
	for (size_t i = 0; i < explanation->near_length; i++) {
		const struct near_miss *near = &explanation->near[i];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%d:%u/%u:%u:%u ",
					 near->kind, near->port, near->protocol, near->rank,
					 near->line.set ? near->line.resolver->where.line : 0);
	}
	return text;
}

static void test_near(void **state)
{
	struct explanation explanation;
	struct bench bench;

	(void)state;
	bench_open(&bench, LINES, lines_subjects, ARRAY_LEN(lines_subjects));
	ask(&bench, "8.8.8.8", &explanation);
	assert_string_equal(near_list(&explanation),
			    "0:853/6:0:7 0:5300/17:0:8 1:0/0:1:10 2:0/0:0:11 ");
	ask(&bench, "9.9.9.9", &explanation);
	assert_string_equal(near_list(&explanation), "2:0/0:0:11 ");
	ask(&bench, "8.8.8.8:5300/tcp", &explanation);
	assert_string_equal(near_list(&explanation), "0:853/6:0:7 0:5300/17:0:8 ");
	ask(&bench, "8.8.8.8/mdns", &explanation);
	assert_string_equal(near_list(&explanation), "3:5353/17:0:0 ");
	ask(&bench, "1.1.1.1", &explanation);
	assert_string_equal(near_list(&explanation), "");
	/* Of the policy in force alone no line is known, but everything else is. */
	bench.request.config = NULL;
	ask(&bench, "8.8.8.8", &explanation);
	assert_string_equal(near_list(&explanation), "0:853/6:0:0 0:5300/17:0:0 1:0/0:1:0 ");
	bench_close(&bench);
}

struct layer_case {
	const char *config; /* keys of its head */
	const char *text;
	const char *keys; /* of its policy */
	bool old; /* a kernel that can do nothing of it */
	bool bare; /* no hook at the calls is attached */
	const char *layers;
};

static const char *layer_list(const struct explanation *explanation)
{
	static const char *const hooks[] = {"connect4", "connect6", "sendmsg4", "sendmsg6",
					    "packet"};
	static char text[256];
	size_t used = 0;

	text[0] = 0;
	for (size_t i = 0; i < explanation->denials_length; i++) {
		const struct denial *denial = &explanation->denials[i];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %s %s %d",
					 i ? ", " : "", denial->call, hooks[denial->hook],
					 denial->fails ?: "-", denial->errnum);
	}
	return text;
}

static void test_layers(void **state)
{
	static const struct layer_case cases[] = {
		{"", "8.8.8.8",
		 .layers = "connect() connect4 connect() 1, "
			   "sendto() packet sendto() 1"},
		{"", "::1", .layers = "connect() connect6 connect() 1, sendto() packet sendto() 1"},
		{"", "8.8.8.8/tcp", .layers = "connect() connect4 connect() 1"},
		{"", "8.8.8.8/udplite", .layers = "send() packet send() 1"},
		{"", "8.8.8.8/sctp", .layers = "send() packet send() 1"},
		{"", "10.0.0.1", .layers = ""},
		{"", "8.8.8.8:443/tcp", .layers = ""},
		{"on_deny: refused\n", "8.8.8.8",
		 .layers = "connect() connect4 connect() 111, sendto() sendmsg4 sendto() 111"},
		{"on_deny: unreachable\n", "8.8.8.8/tcp",
		 .layers = "connect() connect4 connect() 113"},
		{"on_deny: refused\n", "8.8.8.8", .old = true,
		 .layers = "connect() connect4 connect() 1, sendto() packet sendto() 1"},
		{"on_deny: refused\n", "8.8.8.8/udplite", .layers = "send() packet send() 1"},
		{"deny_at: packet\n", "8.8.8.8",
		 .layers = "connect() packet send() 1, sendto() packet sendto() 1"},
		{"deny_at: packet\n", "8.8.8.8/tcp", .layers = "connect() connect4 connect() 1"},
		{"deny_at: packet\non_deny: refused\n", "8.8.8.8",
		 .layers = "connect() connect4 connect() 111, sendto() sendmsg4 sendto() 111"},
		{"hooks: all\n", "8.8.8.8",
		 .layers = "connect() connect4 connect() 1, sendto() sendmsg4 sendto() 1"},
		{"", "8.8.8.8", .keys = ", forwards: true",
		 .layers = "connect() packet send() 1, sendto() packet sendto() 1"},
		{"", "8.8.8.8/tcp", .keys = ", forwards: true",
		 .layers = "connect() connect4 connect() 1"},
		{"hooks: all\n", "8.8.8.8", .keys = ", forwards: true",
		 .layers = "connect() packet send() 1, sendto() sendmsg4 sendto() 1"},
		{"on_deny: refused\n", "8.8.8.8", .keys = ", forwards: true",
		 .layers = "connect() connect4 connect() 111, sendto() sendmsg4 sendto() 111"},
		{"mode: audit\n", "8.8.8.8", .layers = "send() packet - 0"},
		{"mode: audit\n", "8.8.8.8/tcp", .layers = "connect() connect4 - 0"},
		{"", "8.8.8.8", .bare = true,
		 .layers = "connect() packet send() 1, sendto() packet sendto() 1"},
		{"", "8.8.8.8/tcp", .bare = true, .layers = "connect() packet - 0"},
		{"mode: audit\n", "8.8.8.8/tcp", .bare = true, .layers = "connect() packet - 0"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct explanation explanation;
		struct bench bench;
		char text[512];

		snprintf(text, sizeof(text),
			 HEAD "%sresolvers: {a: [10.0.0.1]}\n"
			      "policies: [{name: default, resolvers: [a]%s}]\n",
			 cases[i].config, cases[i].keys ?: "");
		bench_open(&bench, text, NULL, 0);
		if (cases[i].old)
			memset(&bench.features, 0, sizeof(bench.features));
		for (int hook = 0; cases[i].bare && hook < DF_HOOK_PACKET; hook++)
			bench.surroundings.attached[hook] = false;
		ask(&bench, cases[i].text, &explanation);
		if (!util_streq(layer_list(&explanation), cases[i].layers))
			fail_msg("%s%s: %s\nnot: %s", cases[i].config, cases[i].text,
				 layer_list(&explanation), cases[i].layers);
		bench_close(&bench);
	}
}

static uint64_t random_state;

static unsigned int random_below(unsigned int limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned int)(random_state % limit);
}

#define RANDOM_OF(list) (list)[random_below(ARRAY_LEN(list))]

/* Addresses and ports that often meet. */
static const char *const addresses[] = {"10.0.0.1",    "10.0.0.2",    "10.0.1.1", "192.0.2.1",
					"2001:db8::1", "2001:db8::2", "::1",      "127.0.0.53"};
static const char *const networks[] = {"10.0.0.0/24",   "10.0.0.0/8", "0.0.0.0/0",
				       "2001:db8::/64", "::/0",       "10.0.0.2/31"};
static const char *const services[] = {"dns", "dot", "doq", "mdns", "llmnr", "netbios"};
static const unsigned int ports[] = {53, 853, 5353, 5355, 137, 5300, 5301, 443};

static void random_resolver(char *text, size_t size)
{
	size_t used =
		(size_t)snprintf(text, size, "{address: '%s'",
				 random_below(3) ? RANDOM_OF(addresses) : RANDOM_OF(networks));
	bool port = random_below(3) == 0, service = !port && random_below(3) == 0;

	if (service)
		used += (size_t)snprintf(text + used, size - used, ", service: %s",
					 RANDOM_OF(services));
	if (port)
		used += (size_t)snprintf(text + used, size - used, ", port: %u", RANDOM_OF(ports));
	if (!service && random_below(4) == 0) /* not every service is spoken over both */
		used += (size_t)snprintf(text + used, size - used, ", protocol: %s",
					 random_below(2) ? "udp" : "tcp");
	snprintf(text + used, size - used, "}");
}

#define SETS 4u
#define POLICIES 5u

static void random_config(char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, HEAD "services: %s\nresolvers:\n",
				       random_below(2) ? "[dns, dot, doq]"
						       : "[dns, dot, doq, mdns, llmnr, netbios]");

	for (unsigned int set = 0; set < SETS; set++) {
		used += (size_t)snprintf(text + used, size - used, "  s%u:\n", set);
		for (unsigned int i = 0; i < 1 + random_below(4); i++) {
			char resolver[128];

			random_resolver(resolver, sizeof(resolver));
			used += (size_t)snprintf(text + used, size - used, "    - %s\n", resolver);
		}
	}
	used += (size_t)snprintf(text + used, size - used, "policies:\n");
	for (unsigned int policy = 0; policy < POLICIES; policy++) {
		bool last = policy == POLICIES - 1;

		used += (size_t)snprintf(text + used, size - used, "  - {name: p%u%s, ", policy,
					 last ? "" : ", match: {cgroup: /x}");
		used += (size_t)snprintf(text + used, size - used, "mode: %s, ",
					 random_below(4) ? "enforce" : "audit");
		if (random_below(10) == 0)
			used += (size_t)snprintf(text + used, size - used, "resolvers: any}\n");
		else
			used += (size_t)snprintf(text + used, size - used,
						 "resolvers: [s%u, s%u]}\n", random_below(SETS),
						 random_below(SETS));
	}
}

static void random_query(struct query *query)
{
	static const uint8_t transports[] = {17, 17, 17, 6, 6, 136, 132, 33};
	struct problem problem;
	char text[QUERY_TEXT_MAX];

	snprintf(text, sizeof(text), "%s", RANDOM_OF(addresses));
	assert_int_equal(query_parse(text, query, &problem), 0);
	query->port = (uint16_t)RANDOM_OF(ports);
	query->protocol = RANDOM_OF(transports);
}

static bool plainly_sanctioned(const struct config *config, size_t policy,
			       const struct query *query)
{
	const char *verdict, *reason;

	opinion_of(config, policy, query, &verdict, &reason);
	return util_streq(reason, "sanctioned");
}

/* The line alone, in a configuration of nothing else, sanctions the lookup. */
static void check_line(const struct config *config, const struct grant_line *line,
		       const struct query *query)
{
	char *names[] = {line->set->name};
	struct resolver resolver = *line->resolver;
	struct resolver_set set = {.name = names[0], .resolvers = &resolver, .length = 1};
	struct policy_config policy = {.name = names[0], .sets = names, .sets_length = 1};
	struct config alone = *config;

	alone.sets = &set;
	alone.sets_length = 1;
	alone.policies = &policy;
	alone.policies_length = 1;
	if (!plainly_sanctioned(&alone, 0, query))
		fail_msg("line %u does not sanction it", line->resolver->where.line);
}

static bool names_policy(const struct explanation *explanation, uint32_t rank)
{
	for (size_t i = 0; i < explanation->near_length; i++)
		if (explanation->near[i].kind == NEAR_OTHER_POLICY &&
		    explanation->near[i].rank == rank)
			return true;
	return false;
}

static bool names_way(const struct explanation *explanation, uint16_t port, uint8_t protocol)
{
	for (size_t i = 0; i < explanation->near_length; i++)
		if (explanation->near[i].kind == NEAR_OTHER_WAY &&
		    explanation->near[i].port == port && explanation->near[i].protocol == protocol)
			return true;
	return false;
}

/* Every policy and every port that would have done is named, and no other. */
static void check_near(const struct config *config, const struct explanation *explanation)
{
	for (uint32_t rank = 0; rank < POLICIES; rank++)
		assert_int_equal(names_policy(explanation, rank),
				 rank != explanation->judgement.rank &&
					 plainly_sanctioned(config, rank, &explanation->query));
	for (size_t i = 0; i < ARRAY_LEN(ports) && !explanation->near_more; i++)
		for (int tcp = 0; tcp < 2; tcp++) {
			struct query other = explanation->query;

			other.port = (uint16_t)ports[i];
			other.protocol = tcp ? 6 : 17;
			assert_int_equal(
				names_way(explanation, other.port, other.protocol),
				plainly_sanctioned(config, explanation->judgement.rank, &other));
		}
	for (size_t i = 0; i < explanation->near_length; i++) {
		const struct near_miss *near = &explanation->near[i];
		struct query other = explanation->query;

		if (near->kind == NEAR_OTHER_WAY) {
			other.port = near->port;
			other.protocol = near->protocol;
		}
		if (near->kind != NEAR_UNFENCED)
			check_line(config, &near->line, &other);
	}
}

static void check_random(struct bench *bench, uint64_t seen[DF_REASON_MAX])
{
	struct explanation explanation;
	const char *verdict, *reason;
	struct query query;
	char text[QUERY_TEXT_MAX];
	uint32_t rank;

	bench->asker.levels = random_below(5);
	bench->asker.uid = random_below(3);
	random_query(&query);
	explain(&bench->request, &query, &explanation);
	rank = judge_rank(&bench->image, bench->asker.ancestors, bench->asker.levels,
			  bench->asker.uid);
	assert_int_equal(explanation.claims[0].rank, rank);
	opinion_of(&bench->config, rank, &query, &verdict, &reason);
	if (!util_streq(verdict, event_verdict_name(explanation.judgement.verdict)) ||
	    !util_streq(reason, event_reason_name(explanation.judgement.reason)))
		fail_msg("%s: %s %s, by plain reading %s %s", query_format(&query, text),
			 event_verdict_name(explanation.judgement.verdict),
			 event_reason_name(explanation.judgement.reason), verdict, reason);
	seen[explanation.judgement.reason]++;
	assert_int_equal(explanation.line.set != NULL,
			 explanation.judgement.reason == DF_REASON_SANCTIONED);
	if (explanation.line.set)
		check_line(&bench->config, &explanation.line, &query);
	if (explanation.judgement.reason == DF_REASON_NOT_SANCTIONED)
		check_near(&bench->config, &explanation);
	assert_int_equal(explanation.denials_length != 0,
			 explanation.judgement.verdict >= DF_VERDICT_DENY);
}

static void test_random(void **state)
{
	static const uint64_t ids[] = {1, 11, 21, 31};
	uint64_t seen[DF_REASON_MAX] = {0};
	const char *seed = getenv("TEST_SEED");

	(void)state;
	random_state = seed ? strtoull(seed, NULL, 0) | 1 : 0x2545f4914f6cdd1dull;
	for (int round = 0; round < 300; round++) {
		struct subject subjects[6];
		static char text[8192];
		struct bench bench;

		for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
			uint32_t level = random_below(4);

			subjects[i] = (struct subject){
				.policy = random_below(POLICIES - 1),
				.cgroup_id = random_below(3) ? ids[level] : 0,
				.uid = random_below(2) ? random_below(3) : DF_UID_ANY,
				.level = level,
			};
			if (!subjects[i].cgroup_id && subjects[i].uid == DF_UID_ANY)
				subjects[i].uid = 0;
		}
		random_config(text, sizeof(text));
		bench_open(&bench, text, subjects, ARRAY_LEN(subjects));
		for (int i = 0; i < 100; i++)
			check_random(&bench, seen);
		bench_close(&bench);
	}
	assert_in_range(seen[DF_REASON_SANCTIONED], 1000, 29000);
	assert_in_range(seen[DF_REASON_NOT_SANCTIONED], 1000, 29000);
	assert_in_range(seen[DF_REASON_NONE], 500, 29000);
	assert_in_range(seen[DF_REASON_EXEMPT], 100, 29000);
	assert_in_range(seen[DF_REASON_TRANSPORT], 100, 29000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),  cmocka_unit_test(test_claims),
		cmocka_unit_test(test_near),   cmocka_unit_test(test_layers),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
