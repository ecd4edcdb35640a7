// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * connect4/6, sendmsg4/6 and sock_create: before the packet. They know who asks, and they can
 * give the caller an errno at once where the packet layer would let it wait (TCP) or can only
 * say EPERM.
 *
 * Here is no packet yet, and so no question for the log. With `deny_at: packet`, and always for
 * sendmsg() but for `hooks: all`, a UDP lookup whose errno is to be EPERM is therefore left to the
 * packet layer. Whether the fence is closed never depends on these programs but for resolvers
 * marked `translated`, and for what this host's NAT or IPsec turns into something else. Where they
 * have to judge for IPsec's sake, a generation has DF_GEN_CALLS.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"
#include "client.h"
#include "flow.h"
#include "verdict.h"
#include "report.h"
#include "subject.h"
#include "task.h"

#define SOCKET_DENY 0
#define SOCKET_ALLOW 1

#define ERRNO_EPERM 1

/* 0.0.0.0 and :: mean this host; port 53 there is the loopback resolver. */
static __always_inline void flow_resolve_any(struct df_flow *flow)
{
	const __u64 *words = (const __u64 *)flow->daddr;

	if (words[0] || words[1])
		return;
	if (flow->family == 4)
		flow->daddr[0] = 127;
	flow->daddr[flow->family == 4 ? 3 : 15] = 1;
}

/* The call's target. user_family lies; the attach type says the family. */
static __always_inline void flow_from_call(struct bpf_sock_addr *ctx, struct df_flow *flow,
					   int family)
{
	__builtin_memset(flow, 0, sizeof(*flow));
	flow->dport = bpf_ntohs((__u16)ctx->user_port);
	flow->protocol = (__u8)(ctx->protocol == PROTO_MPTCP ? PROTO_TCP : ctx->protocol);
	flow->flags = FLOW_PORTS;
	if (family == 4) {
		__u32 addr = ctx->user_ip4;

		flow->family = 4;
		__builtin_memcpy(flow->daddr, &addr, sizeof(addr));
	} else {
		__u32 addr[4] = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2],
				 ctx->user_ip6[3]};

		flow_set_daddr6(flow, addr);
	}
	flow_resolve_any(flow);
}

/* What the packet layer needs to know of this call. */
static __always_inline void owner_record(struct bpf_sock_addr *ctx, const struct df_flow *flow,
					 const struct df_generation *generation, __u32 rank,
					 int translated)
{
	struct bpf_sock *sk = ctx->sk;
	struct df_owner *owner;

	if (!sk)
		return;
	owner = bpf_sk_storage_get(&owners, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!owner)
		return;
	owner->cgroup_id = bpf_get_current_cgroup_id();
	owner->netns_cookie = bpf_get_netns_cookie(ctx);
	owner->generation = generation->id;
	owner->policy = rank;
	owner->dport = flow->dport;
	owner->family = flow->family;
	__builtin_memcpy(owner->daddr, flow->daddr, sizeof(owner->daddr));
	task_identify(&owner->caller);
	owner->flags |= DF_OWNER_CALLED;
	if (translated)
		owner->flags |= DF_OWNER_TRANSLATED;
	else
		owner->flags &= ~DF_OWNER_TRANSLATED;
}

static __always_inline void call_report(struct bpf_sock_addr *ctx, const struct df_flow *flow,
					const struct df_generation *generation,
					const struct df_decision *decision, enum df_hook hook,
					int errnum)
{
	__u64 words[DF_EVENT_HEAD_SIZE / 8] = {};
	struct df_event *head = (struct df_event *)words;

	event_begin_call(head, errnum);
	event_set_policy(head, hook, generation, decision);
	head->family = flow->family;
	head->protocol = flow->protocol;
	head->dport = flow->dport;
	__builtin_memcpy(head->daddr, flow->daddr, sizeof(head->daddr));
	head->netns_cookie = bpf_get_netns_cookie(ctx);
	event_set_client(head, generation, decision->policy);
	event_send_call(head);
}

/* Rank of the caller's policy. Global, so that the verifier explores the walk once. */
df_global __u32 call_rank(struct bpf_sock_addr *ctx, __u32 gen)
{
	const struct df_generation *generation = &generations[gen & 1];
	__u32 uid = generation->flags & DF_GEN_USERS ? task_current_uid() : DF_UID_ANY;

	return subject_rank(ctx, SUBJECT_CURRENT, generation, gen & 1, uid);
}

static __always_inline struct df_decision call_decide(struct bpf_sock_addr *ctx,
						      const struct df_flow *flow,
						      const struct df_generation *generation,
						      __u32 gen)
{
	struct df_decision decision = {
		.verdict = DF_VERDICT_DENY,
		.reason = DF_REASON_STATE,
		.service = DF_SERVICE_MAX,
		.policy = DF_POLICY_MAX,
	};
	__u32 rank = call_rank(ctx, gen);

	if (rank >= DF_POLICY_MAX)
		return decision;
	decision = decide(flow, generation, generation_policy(generation, rank), gen);
	decision.policy = rank;
	return decision;
}

/* The packet layer judges what this socket sends by the caller's own policy, whoever calls next. */
static __always_inline int call_is_creators(struct bpf_sock_addr *ctx,
					    const struct df_generation *generation)
{
	struct bpf_sock *sk = ctx->sk;
	const struct df_owner *owner = sk ? bpf_sk_storage_get(&owners, sk, NULL, 0) : NULL;

	return owner && (owner->flags & DF_OWNER_CREATED) &&
	       owner->creator_cgroup == bpf_get_current_cgroup_id() &&
	       (!(generation->flags & DF_GEN_USERS) || owner->creator_uid == task_current_uid());
}

/*
 * A forwarder's denial waits for the packet, whose question tells for whom it was. Not where the
 * packet layer could then be talked round: by a `translated` resolver of the same policy, or, where
 * it cannot ask for the caller's cgroup, on a socket that somebody else has made.
 */
static __always_inline int call_waits(struct bpf_sock_addr *ctx,
				      const struct df_generation *generation,
				      const struct df_decision *decision)
{
	__u32 flags = decision->policy < DF_POLICY_MAX
			      ? generation_policy(generation, decision->policy)->flags
			      : 0;

	return (flags & (DF_POLICY_FORWARDS | DF_POLICY_TRANSLATED)) == DF_POLICY_FORWARDS &&
	       (kernel_packet_cgroup || call_is_creators(ctx, generation));
}

/* The errno of a denial here; 0: the packet layer denies, with EPERM and the question. */
static __always_inline int call_errno(struct bpf_sock_addr *ctx, const struct df_flow *flow,
				      const struct df_generation *generation,
				      const struct df_decision *decision, enum df_hook hook)
{
	int connects = hook == DF_HOOK_CONNECT4 || hook == DF_HOOK_CONNECT6;
	int errnum = ERRNO_EPERM;

	if (decision->policy < DF_POLICY_MAX && kernel_set_retval)
		errnum = generation_policy(generation, decision->policy)->errnum;
	if (errnum != ERRNO_EPERM || protocol_bit(flow->protocol) != DF_PROTO_UDP)
		return errnum;
	/* What is only audited goes on to the packet layer, unless a fence beside refuses it here.
	 */
	if (decision->verdict != DF_VERDICT_DENY)
		return fence_learns ? errnum : 0;
	/* The packet may not show any more where it was meant to go: NAT, IPsec. */
	if (!connects && (generation->flags & DF_GEN_CALLS))
		return errnum;
	if (call_waits(ctx, generation, decision))
		return 0;
	/*
	 * Where the packet layer trusts what was let through here, nothing else may be: another
	 * thread's call on the same socket would vouch for this one's packet.
	 */
	if (generation->flags & DF_GEN_TRANSLATED)
		return errnum;
	/* Likewise where it cannot ask for the caller's cgroup itself. */
	if (!kernel_packet_cgroup && (generation->flags & DF_GEN_SEVERAL))
		return errnum;
	if (connects && !(generation->flags & DF_GEN_DEFER))
		return errnum;
	return 0;
}

static __always_inline int call_deny(int errnum)
{
	if (kernel_set_retval && errnum != ERRNO_EPERM)
		bpf_set_retval(-errnum);
	return SOCKET_DENY;
}

static __always_inline int call_judge(struct bpf_sock_addr *ctx, const struct df_flow *flow,
				      const struct df_generation *generation, __u32 gen,
				      enum df_hook hook)
{
	struct df_decision decision = call_decide(ctx, flow, generation, gen);
	int errnum;

	if (decision.verdict == DF_VERDICT_PASS)
		return SOCKET_ALLOW;
	errnum = decision.verdict == DF_VERDICT_ALLOW
			 ? 0 /* counted where the packet passes */
			 : call_errno(ctx, flow, generation, &decision, hook);
	/* A denied call sends nothing; but it must not leave an older one's word standing. */
	if (!errnum || decision.verdict != DF_VERDICT_DENY ||
	    (generation->flags & DF_GEN_TRANSLATED))
		owner_record(ctx, flow, generation, decision.policy,
			     decision.verdict == DF_VERDICT_ALLOW && decision.translated);
	if (!errnum)
		return SOCKET_ALLOW;
	if (decision.verdict == DF_VERDICT_DENY || flow->protocol == PROTO_TCP || fence_learns) {
		count_verdict(hook, decision.verdict, decision.reason);
		call_report(ctx, flow, generation, &decision, hook, errnum);
	}
	return decision.verdict == DF_VERDICT_DENY ? call_deny(errnum) : SOCKET_ALLOW;
}

/* A server that answers from a fenced port of its own: only the packet can tell. */
static __always_inline int call_may_answer(struct bpf_sock_addr *ctx,
					   const struct df_generation *generation,
					   enum df_hook hook)
{
	if (hook != DF_HOOK_SENDMSG4 && hook != DF_HOOK_SENDMSG6)
		return 0;
	return ctx->sk && port_is_fenced(generation, (__u16)ctx->sk->src_port);
}

/* What such a socket sends is never again believed to go to a translated resolver. */
static __always_inline void owner_mark_server(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct df_owner *owner;

	if (!sk)
		return;
	owner = bpf_sk_storage_get(&owners, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (owner)
		owner->flags |= DF_OWNER_ANSWERS;
}

/* A connected socket that passes a control message calls sendmsg with port 0: not fenced. */
static __always_inline int call_handle(struct bpf_sock_addr *ctx, enum df_hook hook, int family)
{
	__u32 gen = active & 1;
	const struct df_generation *generation = &generations[gen];
	struct df_flow flow;

	if (!port_is_fenced(generation, bpf_ntohs((__u16)ctx->user_port)))
		return SOCKET_ALLOW;
	if (!flow_has_ports(ctx->protocol) && ctx->protocol != PROTO_MPTCP)
		return SOCKET_ALLOW; /* ping sockets, 6.2 */
	if (call_may_answer(ctx, generation, hook)) {
		owner_mark_server(ctx);
		return SOCKET_ALLOW;
	}
	flow_from_call(ctx, &flow, family);
	return call_judge(ctx, &flow, generation, gen, hook);
}

SEC("cgroup/connect4")
int dnsfence_connect4(struct bpf_sock_addr *ctx)
{
	return call_handle(ctx, DF_HOOK_CONNECT4, 4);
}

SEC("cgroup/connect6")
int dnsfence_connect6(struct bpf_sock_addr *ctx)
{
	return call_handle(ctx, DF_HOOK_CONNECT6, 6);
}

SEC("cgroup/sendmsg4")
int dnsfence_sendmsg4(struct bpf_sock_addr *ctx)
{
	return call_handle(ctx, DF_HOOK_SENDMSG4, 4);
}

SEC("cgroup/sendmsg6")
int dnsfence_sendmsg6(struct bpf_sock_addr *ctx)
{
	return call_handle(ctx, DF_HOOK_SENDMSG6, 6);
}

/* A socket whose maker there is no room to write down: as what his policy cannot judge. */
static __always_inline int create_unknown(struct bpf_sock *ctx, __u32 gen)
{
	const struct df_generation *generation = &generations[gen];
	struct df_decision decision = {.reason = DF_REASON_STATE, .service = DF_SERVICE_MAX};
	__u32 rank = subject_rank(ctx, SUBJECT_CURRENT, generation, gen, task_current_uid());
	__u32 flags = rank < DF_POLICY_MAX ? generation_policy(generation, rank)->flags : 0;
	__u64 words[DF_EVENT_HEAD_SIZE / 8] = {};
	struct df_event *head = (struct df_event *)words;

	if (!(generation->flags & DF_GEN_USERS) || (flags & DF_POLICY_EXEMPT))
		return SOCKET_ALLOW;
	decision.policy = rank;
	decision.verdict = flags & DF_POLICY_AUDIT ? DF_VERDICT_AUDIT : DF_VERDICT_DENY;
	event_begin_call(head, ERRNO_EPERM);
	event_set_policy(head, DF_HOOK_SOCK_CREATE, generation, &decision);
	count_verdict(DF_HOOK_SOCK_CREATE, decision.verdict, DF_REASON_STATE);
	event_send_call(head);
	return decision.verdict == DF_VERDICT_DENY ? SOCKET_DENY : SOCKET_ALLOW;
}

/*
 * The creator's uid, as the initial user namespace names it: inside another one, what
 * bpf_get_socket_uid() tells the packet layer is that namespace's number, which its owner chose.
 * And its cgroup, which calls cannot ask the socket for. Attached only while a policy names a user,
 * or forwards and the packet layer cannot ask for the caller's cgroup.
 *
 * There may be no room: net.core.optmem_max, which is each network namespace's own since Linux 6.9,
 * is its owner's to lower to 0. A socket whose uid nobody could tell is not made then.
 */
SEC("cgroup/sock_create")
int dnsfence_sock_create(struct bpf_sock *ctx)
{
	struct df_owner *owner =
		bpf_sk_storage_get(&owners, ctx, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	if (!owner)
		return create_unknown(ctx, active & 1);
	owner->creator_uid = task_current_uid();
	owner->creator_cgroup = bpf_get_current_cgroup_id();
	owner->flags |= DF_OWNER_CREATED;
	return SOCKET_ALLOW;
}
