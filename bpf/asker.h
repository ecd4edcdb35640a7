/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who asked: while some policy forwards, whoever sends a question that goes through is remembered
 * under the question's hash, and the denial of a forwarder's same question names him. Both ends are
 * packet.bpf.c's; this file owns the table and the rules. Who asks without a packet: client.h.
 *
 * - The last one that asked counts, for DF_VIA_NS. A forwarder's own question takes nobody's place,
 *   so that behind a chain of forwarders the first one that asked is named.
 * - Whoever shares the forwarder's cgroup is not told apart from it.
 */
#ifndef DNSFENCE_ASKER_H
#define DNSFENCE_ASKER_H

#include "maps.h"
#include "verdict.h"

static __always_inline int policy_forwards(const struct df_generation *generation, __u32 rank)
{
	return rank < DF_POLICY_MAX &&
	       (generation_policy(generation, rank)->flags & DF_POLICY_FORWARDS);
}

static __always_inline void via_set_process(struct df_via *via, const struct df_caller *caller)
{
	via->tgid = caller->tgid;
	via->uid = caller->uid;
	via->netns_inode = caller->netns_inode;
	via->parent_tgid = caller->parent_tgid;
	__builtin_memcpy(via->comm, caller->comm, sizeof(via->comm));
}

static __always_inline int asker_is_fresh(const struct df_asker *asker, __u64 now)
{
	return asker && now - asker->time_ns < DF_VIA_NS;
}

/* rank: of the policy that let the question through; DF_POLICY_MAX: none has judged it. */
static __always_inline void asker_remember(const struct df_asker *asker, __u64 question_hash,
					   const struct df_generation *generation, __u32 rank)
{
	if (policy_forwards(generation, rank) &&
	    asker_is_fresh(bpf_map_lookup_elem(&askers, &question_hash), asker->time_ns))
		return;
	(void)bpf_map_update_elem(&askers, &question_hash, asker, BPF_ANY);
}

static __always_inline void event_set_via(struct df_event *head,
					  const struct df_generation *generation, __u32 rank)
{
	const struct df_asker *asker;

	if (!(head->flags & DF_EVENT_QUESTION) || !policy_forwards(generation, rank))
		return;
	asker = bpf_map_lookup_elem(&askers, &head->question_hash);
	if (asker_is_fresh(asker, head->time_ns) && asker->who.cgroup_id != head->cgroup_id)
		head->via = asker->who;
}

#endif
