// SPDX-License-Identifier: GPL-2.0-or-later
#include "judge.h"

static __u32 *resolver_exact(__u32 gen, const struct df_resolver_key *key);
static __u32 *resolver_prefix(__u32 gen, const struct df_resolver_prefix_key *key);

#include "bpf/verdict.h"

static const struct policy_image *judged; /* by the call at hand, for the two lookups */

/* The order of the image's tables, see policy.c: the key, then the width. */
static int resolver_order(const void *left, const void *right)
{
	const struct policy_resolver *a = left, *b = right;
	int order = memcmp(&a->key, &b->key, sizeof(a->key));

	if (order)
		return order;
	return a->prefix < b->prefix ? -1 : a->prefix > b->prefix;
}

static __u32 *resolver_find(struct policy_resolver *list, size_t length,
			    const struct df_resolver_key *key, uint32_t prefix)
{
	const struct policy_resolver wanted = {.key = *key, .prefix = prefix};
	struct policy_resolver *found;

	if (!length)
		return NULL;
	found = bsearch(&wanted, list, length, sizeof(*list), resolver_order);
	return found ? &found->mask : NULL;
}

static __u32 *resolver_exact(__u32 gen, const struct df_resolver_key *key)
{
	(void)gen;
	return resolver_find(judged->exact, judged->exact_length, key, key->family == 4 ? 32 : 128);
}

/* The longest match first; the bits behind each width are zeroes in the table. */
static __u32 *resolver_prefix(__u32 gen, const struct df_resolver_prefix_key *key)
{
	struct df_resolver_key masked = key->key;
	uint32_t bits = key->prefixlen - DF_PREFIX_BASE;
	__u32 *found;

	(void)gen;
	for (;; bits--) {
		found = resolver_find(judged->prefixes, judged->prefixes_length, &masked, bits);
		if (found || !bits)
			return found;
		masked.addr[(bits - 1) / 8] &= (uint8_t) ~(0x80u >> (bits - 1) % 8);
	}
}

static int subject_order(const void *left, const void *right)
{
	const struct policy_subject *a = left, *b = right;

	return memcmp(&a->key, &b->key, sizeof(a->key));
}

const uint32_t *judge_subject(const struct policy_image *image, uint64_t cgroup_id, uint32_t uid)
{
	const struct policy_subject wanted = {.key = {.cgroup_id = cgroup_id, .uid = uid}};
	const struct policy_subject *found;

	if (!image->subjects_length)
		return NULL;
	found = bsearch(&wanted, image->subjects, image->subjects_length, sizeof(*image->subjects),
			subject_order);
	return found ? &found->rank : NULL;
}

static uint32_t subject_lower(const struct policy_image *image, uint64_t cgroup_id, uint32_t uid,
			      uint32_t rank)
{
	const uint32_t *found = judge_subject(image, cgroup_id, uid);

	return found && *found < rank ? *found : rank;
}

uint32_t judge_rank(const struct policy_image *image, const uint64_t *ancestors, size_t levels,
		    uint32_t uid)
{
	uint32_t rank = image->generation.default_policy;

	rank = subject_lower(image, 0, uid, rank);
	for (size_t level = 0; level < levels && level < DF_LEVEL_MAX; level++) {
		rank = subject_lower(image, ancestors[level], DF_UID_ANY, rank);
		rank = subject_lower(image, ancestors[level], uid, rank);
	}
	return rank;
}

struct judgement judge_flow(const struct policy_image *image, const struct df_flow *flow,
			    uint32_t rank)
{
	const struct df_generation *generation = &image->generation;
	struct df_decision decision;

	judged = image;
	decision = decide(flow, generation, &generation->policies[rank & (DF_POLICY_MAX - 1)], 0);
	return (struct judgement){
		.verdict = decision.verdict,
		.reason = decision.reason,
		.service = decision.service,
		.translated = decision.translated,
		.rank = rank,
	};
}

bool judge_fences(const struct policy_image *image, uint16_t port)
{
	return port_is_fenced(&image->generation, port);
}
