/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a policy forbids and goes through all the same: answers to a client, what is in the log
 * already, what was let through to another address, before this host's NAT.
 */
#ifndef DNSFENCE_PARDON_H
#define DNSFENCE_PARDON_H

#include "accepted.h"
#include "flow.h"
#include "maps.h"
#include "owner.h"
#include "question.h"
#include "subject.h"
#include "verdict.h"

enum packet_excuse {
	EXCUSE_NONE,
	EXCUSE_ANSWER, /* a server's, to a client */
	EXCUSE_REPORTED, /* an audited connection's bare segment; its connect() is in the log */
	EXCUSE_TRANSLATED, /* let through at connect() or sendmsg(), to another address */
};

/* Where neither question nor flags can be read: by the connection alone. */
static __always_inline __u32 sealed_excuse(struct __sk_buff *skb, const struct df_flow *flow,
					   __u32 audit)
{
	const struct df_owner *owner = packet_owner(skb);

	if (flow->protocol != PROTO_TCP)
		return EXCUSE_NONE;
	if (owner_accepted(owner))
		return EXCUSE_ANSWER;
	return audit && owner_called(owner, flow) ? EXCUSE_REPORTED : EXCUSE_NONE;
}

/* A packet that a policy forbids but that answers somebody, or is reported already. */
df_global __u32 packet_excuse(struct __sk_buff *skb, __u64 packed, __u32 gen, __u32 audit)
{
	struct df_flow flow;

	flow_unpack(&flow, packed);
	if (!(flow.flags & FLOW_PORTS))
		return EXCUSE_NONE;
	if (flow.flags & FLOW_SEALED)
		return sealed_excuse(skb, &flow, audit);
	flow_reload(skb, &flow);
	if ((port_may_answer(&generations[gen & 1], &flow) && question_is_answer(skb, &flow)) ||
	    packet_is_accepted(skb, &flow))
		return EXCUSE_ANSWER;
	if (audit && packet_is_bare_segment(skb, &flow) && owner_called(packet_owner(skb), &flow))
		return EXCUSE_REPORTED;
	return EXCUSE_NONE;
}

/*
 * A resolver marked `translated`, let through at connect() or sendmsg(), whose address this host's
 * NAT has changed since. What was asked for is judged once more, by the socket's policy and the
 * generation in force. The policy that denies the packet has to have such a resolver, too: what
 * call_errno() leaves to the packet for a forwarder is no other call's to vouch for. No hook sees
 * UDP-Lite connect: its peer vouches for nothing.
 */
df_global __u32 packet_is_translated(struct __sk_buff *skb, __u64 packed, __u32 gen, __u32 denied)
{
	const struct df_generation *generation = &generations[gen & 1];
	__u32 rank = generation->default_policy;
	struct df_decision decision;
	struct df_flow flow = {};

	if (!(generation->flags & DF_GEN_TRANSLATED) || (__u8)packed == PROTO_UDPLITE ||
	    !(generation_policy(generation, denied)->flags & DF_POLICY_TRANSLATED))
		return 0;
	flow.protocol = (__u8)packed;
	flow.flags = FLOW_PORTS;
	if (!flow_before_nat(skb, &flow))
		return 0;
	if (generation->flags & DF_GEN_SEVERAL)
		rank = packet_socket_rank(skb, gen);
	if (rank >= DF_POLICY_MAX)
		return 0;
	decision = decide(&flow, generation, generation_policy(generation, rank), gen & 1);
	return decision.reason == DF_REASON_SANCTIONED && decision.translated;
}

/* What the policy's list forbids may yet be an answer, or have been let through before NAT. */
static __always_inline __u32 packet_pardon(struct __sk_buff *skb, __u64 packed, __u32 gen,
					   const struct df_decision *decision)
{
	__u32 excuse;

	if (decision->reason != DF_REASON_NOT_SANCTIONED)
		return EXCUSE_NONE;
	excuse = packet_excuse(skb, packed, gen, decision->verdict == DF_VERDICT_AUDIT);
	if (excuse == EXCUSE_NONE && packet_is_translated(skb, packed, gen, decision->policy))
		return EXCUSE_TRANSLATED;
	return excuse;
}

#endif
