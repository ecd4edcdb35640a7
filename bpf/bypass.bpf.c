// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * setsockopt: two options make a socket whose frames reach the driver past the queueing layer, and
 * with it past tc: PACKET_QDISC_BYPASS and the transmit ring of AF_XDP. Where the edge is fenced
 * nobody gets them but a policy with `resolvers: any`; there is no frame to judge afterwards.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"
#include "report.h"
#include "subject.h"
#include "task.h"
#include "verdict.h"

#define SOCKOPT_DENY 0 /* EPERM */
#define SOCKOPT_ALLOW 1

#define LEVEL_PACKET 263 /* SOL_PACKET, linux/socket.h */
#define LEVEL_XDP 283 /* SOL_XDP */
#define PACKET_OPTION_BYPASS 20 /* PACKET_QDISC_BYPASS, linux/if_packet.h, 3.14 */
#define XDP_OPTION_TX_RING 3 /* XDP_TX_RING, linux/if_xdp.h, 4.18 */
#define SOCKOPT_PAGE 4096

static __always_inline int sockopt_is_bypass(const struct bpf_sockopt *ctx)
{
	const __u32 *value = ctx->optval;

	if (ctx->level == LEVEL_XDP)
		return ctx->optname == XDP_OPTION_TX_RING;
	if (ctx->level != LEVEL_PACKET || ctx->optname != PACKET_OPTION_BYPASS)
		return 0;
	return (const void *)(value + 1) > ctx->optval_end || *value;
}

static __always_inline void sockopt_report(const struct df_generation *generation, __u32 rank,
					   __u32 verdict)
{
	const struct df_decision decision = {
		.verdict = (__u8)verdict,
		.reason = DF_REASON_BYPASS,
		.service = DF_SERVICE_MAX,
		.policy = rank,
	};
	__u64 words[DF_EVENT_HEAD_SIZE / 8] = {};
	struct df_event *head = (struct df_event *)words;

	event_begin_call(head, ERRNO_EPERM);
	event_set_policy(head, DF_HOOK_SETSOCKOPT, generation, &decision);
	event_send_call(head);
}

/* Where the caller's cgroup cannot be told nobody has a policy, as soon as there are several. */
static __always_inline __u32 sockopt_rank(struct bpf_sockopt *ctx,
					  const struct df_generation *generation, __u32 gen)
{
	if (!kernel_sockopt_cgroup)
		return generation->flags & DF_GEN_SEVERAL ? DF_POLICY_MAX
							  : generation->default_policy;
	return subject_rank(ctx, SUBJECT_CURRENT, generation, gen,
			    generation->flags & DF_GEN_USERS ? task_current_uid() : DF_UID_ANY);
}

static __always_inline __u32 sockopt_verdict(const struct df_generation *generation, __u32 rank)
{
	__u32 flags = rank < DF_POLICY_MAX ? generation_policy(generation, rank)->flags : 0;

	if (!(flags & DF_POLICY_VALID))
		return DF_VERDICT_DENY;
	if (flags & DF_POLICY_EXEMPT)
		return DF_VERDICT_ALLOW;
	return flags & DF_POLICY_AUDIT ? DF_VERDICT_AUDIT : DF_VERDICT_DENY;
}

SEC("cgroup/setsockopt")
int dnsfence_setsockopt(struct bpf_sockopt *ctx)
{
	__u32 gen = active & 1, rank, verdict;
	const struct df_generation *generation = &generations[gen];

	if (!sockopt_is_bypass(ctx)) {
		/* A longer value than the kernel has copied for us: take the caller's own (5.8). */
		if (ctx->optlen > SOCKOPT_PAGE)
			ctx->optlen = 0;
		return SOCKOPT_ALLOW;
	}
	rank = sockopt_rank(ctx, generation, gen);
	verdict = sockopt_verdict(generation, rank);
	if (verdict == DF_VERDICT_ALLOW)
		return SOCKOPT_ALLOW;
	count_verdict(DF_HOOK_SETSOCKOPT, verdict, DF_REASON_BYPASS);
	sockopt_report(generation, rank, verdict);
	return verdict == DF_VERDICT_DENY ? SOCKOPT_DENY : SOCKOPT_ALLOW;
}
