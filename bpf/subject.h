/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which policy a caller or a socket has: the lowest rank among its cgroup, that cgroup's
 * ancestors, its user, and the pairs of both. Only levels that some policy names are looked at;
 * a configuration of one policy costs no lookup at all.
 */
#ifndef DNSFENCE_SUBJECT_H
#define DNSFENCE_SUBJECT_H

#include "maps.h"

enum subject_source {
	SUBJECT_SOCKET, /* the cgroup that created the socket; ctx is a struct __sk_buff */
	SUBJECT_CURRENT, /* the running task; ctx is unused */
};

static __always_inline __u64 subject_ancestor(void *ctx, enum subject_source source, int level)
{
	if (source == SUBJECT_SOCKET)
		return bpf_skb_ancestor_cgroup_id(ctx, level);
	return bpf_get_current_ancestor_cgroup_id(level);
}

static __always_inline __u32 subject_lower(void *inner, __u64 cgroup_id, __u32 uid, __u32 rank)
{
	struct df_subject_key key = {.cgroup_id = cgroup_id, .uid = uid};
	const __u32 *found = bpf_map_lookup_elem(inner, &key);

	return found && *found < rank ? *found : rank;
}

/* Rank of the policy; DF_POLICY_MAX when a map is missing, which decides to deny. */
static __always_inline __u32 subject_rank(void *ctx, enum subject_source source,
					  const struct df_generation *generation, __u32 gen,
					  __u32 uid)
{
	__u32 rank = generation->default_policy;
	__u64 levels = generation->levels;
	int users = !!(generation->flags & DF_GEN_USERS);
	void *inner;

	if (!levels && !users)
		return rank;
	inner = bpf_map_lookup_elem(&subjects, &gen);
	if (!inner)
		return DF_POLICY_MAX;
	if (users)
		rank = subject_lower(inner, 0, uid, rank);
	for (int level = 0; level < DF_LEVEL_MAX; level++) {
		__u64 id;

		if (!(levels >> level))
			break;
		if (!((levels >> level) & 1))
			continue;
		id = subject_ancestor(ctx, source, level);
		if (!id)
			break;
		rank = subject_lower(inner, id, DF_UID_ANY, rank);
		if (users)
			rank = subject_lower(inner, id, uid, rank);
	}
	return rank;
}

#endif
