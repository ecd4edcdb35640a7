/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's verdict in user space: decide() of bpf/verdict.h, and the walk of bpf/subject.h,
 * over a policy image. Pure: no libbpf, no netlink, no file. Not reentrant.
 */
#ifndef DNSFENCE_JUDGE_H
#define DNSFENCE_JUDGE_H

#include "bpf/flow.h"
#include "policy.h"

struct judgement {
	uint8_t verdict; /* enum df_verdict */
	uint8_t reason; /* enum df_reason */
	uint8_t service; /* enum df_service; DF_SERVICE_MAX: none, or a resolver's own port */
	bool translated; /* the resolver is behind this host's NAT */
	uint32_t rank; /* of the policy that decided */
};

/*
 * Rank of the policy of a cgroup and a user: the lowest of all that name the cgroup, one above it,
 * the user, or a pair of both. ancestors: ids from the root (level 0) to the cgroup itself.
 */
uint32_t judge_rank(const struct policy_image *image, const uint64_t *ancestors, size_t levels,
		    uint32_t uid);

/* The rank that one entry of the image's subjects names, see df_subject_key; NULL: there is none.
 */
const uint32_t *judge_subject(const struct policy_image *image, uint64_t cgroup_id, uint32_t uid);

/* What the policy of this rank, below DF_POLICY_MAX, says to a flow. */
struct judgement judge_flow(const struct policy_image *image, const struct df_flow *flow,
			    uint32_t rank);

/* Does a policy fence this port at all, at whatever address? */
bool judge_fences(const struct policy_image *image, uint16_t port);

#endif
