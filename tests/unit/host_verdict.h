/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf/verdict.h for the host compiler, over the tables of a policy image instead of maps: the
 * kernel's very own decide() on what the very own compiler has made of a configuration. And the
 * comparison of its verdict with judge.h's. Tests only.
 */
#ifndef DNSFENCE_TEST_HOST_VERDICT_H
#define DNSFENCE_TEST_HOST_VERDICT_H

#include "userspace/event.h"
#include "userspace/policy.h"

#include "host_flow.h"
#include "judge.h"

static struct policy_image *host_image; /* whose tables decide() looks into */

static inline __u32 *resolver_exact(__u32 gen, const struct df_resolver_key *key)
{
	(void)gen;
	for (size_t i = 0; i < host_image->exact_length; i++)
		if (memcmp(&host_image->exact[i].key, key, sizeof(*key)) == 0)
			return &host_image->exact[i].mask;
	return NULL;
}

static inline int host_prefix_matches(const struct policy_resolver *entry,
				      const struct df_resolver_key *key)
{
	if (entry->key.scope != key->scope || entry->key.port != key->port ||
	    entry->key.family != key->family)
		return 0;
	for (__u32 bit = 0; bit < entry->prefix; bit++)
		if ((entry->key.addr[bit / 8] ^ key->addr[bit / 8]) >> (7 - bit % 8) & 1)
			return 0;
	return 1;
}

/* The longest match, as the kernel's trie answers. */
static inline __u32 *resolver_prefix(__u32 gen, const struct df_resolver_prefix_key *key)
{
	struct policy_resolver *longest = NULL;

	(void)gen;
	for (size_t i = 0; i < host_image->prefixes_length; i++)
		if (host_prefix_matches(&host_image->prefixes[i], &key->key) &&
		    (!longest || host_image->prefixes[i].prefix > longest->prefix))
			longest = &host_image->prefixes[i];
	return longest ? &longest->mask : NULL;
}

#include "bpf/verdict.h"

static inline struct df_decision host_decide(struct policy_image *image, uint32_t rank,
					     const uint8_t *packet, uint32_t length)
{
	struct df_flow flow;

	host_image = image;
	host_flow_parse(packet, length, &flow);
	return decide(&flow, &image->generation, &image->generation.policies[rank], 0);
}

static inline bool judgement_equal(const struct judgement *judgement, uint32_t verdict,
				   uint32_t reason)
{
	return util_streq(judgement->verdict, event_verdict_name(verdict)) &&
	       util_streq(judgement->reason, event_reason_name(reason));
}

#endif
