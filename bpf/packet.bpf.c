// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * cgroup_skb/egress: the authority. Sees every packet of every inet socket after NAT and before
 * fragmentation, whatever system call, option or kernel thread sent it, and judges it by the
 * cgroup that created the socket. 0 drops; no other program can undo that.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"

#include "flow.h"
#include "verdict.h"
#include "accepted.h"
#include "asker.h"
#include "client.h"
#include "owner.h"
#include "pardon.h"
#include "plain.h"
#include "report.h"
#include "sealed.h"
#include "subject.h"
#include "task.h"

#define PACKET_DROP 0
#define PACKET_PASS 1

/*
 * UDP leaves in its sender's context, and so does whatever a raw socket sends; what is sent again,
 * by TCP, SCTP and DCCP, also leaves in whatever an interrupt met.
 */
static __always_inline int packet_has_current(struct __sk_buff *skb, const struct df_flow *flow)
{
	struct bpf_sock *sk = skb->sk;

	/* What IPsec makes of a packet may come out later, in a context of the ciphers' own. */
	if (!kernel_packet_task || (flow->flags & FLOW_SEALED))
		return 0;
	if (flow->protocol != PROTO_TCP && flow->protocol != PROTO_SCTP &&
	    flow->protocol != PROTO_DCCP)
		return 1;
	sk = sk ? bpf_sk_fullsock(sk) : NULL;
	return sk && sk->type == SOCKET_RAW;
}

/*
 * Who sent it: what runs now, or what was recorded at the call. The network namespace is the
 * socket's in either case.
 */
static __always_inline void event_set_caller(struct __sk_buff *skb, struct df_event *head,
					     const struct df_flow *flow)
{
	const struct df_owner *owner = packet_owner(skb);

	if (owner && (owner->flags & DF_OWNER_CALLED))
		head->netns_cookie = owner->netns_cookie;
	if (packet_has_current(skb, flow)) {
		task_identify(&head->caller);
		head->flags |= DF_EVENT_CALLER | DF_EVENT_UID;
	} else if (owner_called(owner, flow)) {
		head->caller = owner->caller;
		head->flags |= DF_EVENT_CALLER | DF_EVENT_UID;
	} else {
		head->caller.uid = packet_uid(skb, owner);
		head->flags |= DF_EVENT_UID;
	}
}

/* The functions below are global, so that the verifier explores each of them once. */

/* Any packet, header by header: what flow_pack() keeps of it. */
df_global __u64 packet_walk(struct __sk_buff *skb)
{
	struct df_flow flow;
	__u8 version;

	if (bpf_skb_load_bytes(skb, 0, &version, 1) < 0)
		version = 0;
	flow_walk(skb, &flow, 0, version >> 4 == 6 ? 6 : 4);
	return flow_pack(&flow);
}

/*
 * Rank of whoever made the call that sent this packet; DF_POLICY_MAX when nobody can tell: by
 * what runs now, or by what connect() or sendmsg() have recorded.
 */
df_global __u32 packet_caller_rank(struct __sk_buff *skb, __u64 packed, __u32 gen)
{
	const struct df_owner *owner;
	struct df_flow flow;

	gen &= 1;
	flow_unpack(&flow, packed);
	if (packet_has_current(skb, &flow) && kernel_packet_cgroup)
		return subject_rank(skb, SUBJECT_CURRENT, &generations[gen], gen,
				    generations[gen].flags & DF_GEN_USERS ? task_current_uid()
									  : DF_UID_ANY);
	packet_target(skb, &flow);
	owner = packet_owner(skb);
	if (owner_called(owner, &flow) && owner->generation == generations[gen].id)
		return owner->policy;
	return DF_POLICY_MAX;
}

/* The verdict by one policy, packed by decision_pack(). */
df_global __u64 packet_decide(struct __sk_buff *skb, __u64 packed, __u32 gen, __u32 rank)
{
	struct df_decision decision = {
		.verdict = DF_VERDICT_DENY,
		.reason = DF_REASON_STATE,
		.service = DF_SERVICE_MAX,
		.policy = DF_POLICY_MAX,
	};
	const struct df_generation *generation = &generations[gen & 1];
	struct df_flow flow;

	if (rank >= DF_POLICY_MAX)
		return decision_pack(&decision);
	flow_unpack(&flow, packed);
	packet_target(skb, &flow);
	decision = decide(&flow, generation, generation_policy(generation, rank), gen & 1);
	decision.policy = rank;
	return decision_pack(&decision);
}

/*
 * Of what is allowed, the packet that asks: with a question where it can be read. Of the other
 * services a TCP connection's first segment, and each datagram.
 */
static __always_inline int packet_is_lookup(struct __sk_buff *skb, const struct df_event *head,
					    const struct df_flow *flow)
{
	__u8 flags;

	if (head->flags & DF_EVENT_QUESTION)
		return 1;
	if (head->service == DF_SERVICE_DNS || head->service == DF_SERVICE_MAX ||
	    (flow->flags & FLOW_SEALED))
		return 0;
	if (flow->protocol != PROTO_TCP)
		return 1;
	return bpf_skb_load_bytes(skb, flow->l4_offset + TCP_FLAGS, &flags, 1) == 0 &&
	       (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/* A violation, or an allowed packet that was chosen to be logged if it is a lookup. */
df_global int packet_report(struct __sk_buff *skb, __u64 packed, __u32 gen, __u64 verdict)
{
	struct df_decision decision = decision_unpack(verdict);
	struct question question;
	/* The frame has room for the head only; the question goes straight into the ring. */
	__u64 words[DF_EVENT_HEAD_SIZE / 8] = {};
	struct df_event *head = (struct df_event *)words;
	struct df_flow flow;

	flow_unpack(&flow, packed);
	if (flow.flags & FLOW_SEALED)
		packet_target(skb, &flow); /* the source is not the peer's business either */
	else
		flow_reload(skb, &flow);
	event_begin(head, DF_EVENT_PACKET);
	head->cgroup_id = bpf_skb_cgroup_id(skb);
	head->ifindex = skb->ifindex;
	event_set_flow(head, &flow);
	event_set_policy(head, DF_HOOK_PACKET, &generations[gen & 1], &decision);
	event_set_caller(skb, head, &flow);
	event_set_question(skb, head, &flow, &question);
	if (decision.verdict == DF_VERDICT_ALLOW) {
		if (!packet_is_lookup(skb, head, &flow))
			return 0;
		head->sample = generations[gen & 1].sample;
	}
	event_set_via(head, &generations[gen & 1], decision.policy);
	if (packet_has_current(skb, &flow))
		event_set_client(head, &generations[gen & 1], decision.policy);
	event_send(skb, head, &question, packet_has_current(skb, &flow));
	return 0;
}

/*
 * A packet that goes through: if it asks a question, remember who sent it. rank is that of the
 * policy that let it through, DF_POLICY_MAX if none had to.
 */
df_global int packet_note_asker(struct __sk_buff *skb, __u64 packed, __u32 gen, __u32 rank)
{
	const struct df_owner *owner = packet_owner(skb);
	struct df_asker asker = {};
	struct question question;
	struct df_caller caller;
	struct df_flow flow;

	flow_unpack(&flow, packed);
	flow_reload_target(skb, &flow);
	question_find(skb, &flow, &question);
	if (!(flow.flags & FLOW_PORTS) || !question.length)
		return 0;
	asker.time_ns = bpf_ktime_get_ns();
	asker.who.cgroup_id = bpf_skb_cgroup_id(skb);
	asker.who.uid = packet_uid(skb, owner);
	if (packet_has_current(skb, &flow)) {
		task_identify(&caller);
		via_set_process(&asker.who, &caller);
	} else if (owner_asked(owner, &flow)) {
		via_set_process(&asker.who, &owner->caller);
	}
	asker_remember(&asker, question.hash, &generations[gen & 1], rank);
	if (flow_is_to_stub(&flow))
		clients_note_asker(&asker.who, asker.time_ns);
	return 0;
}

static __always_inline int packet_pass(struct __sk_buff *skb, __u64 packed, __u32 gen, __u32 rank)
{
	if ((generations[gen].flags & DF_GEN_FORWARDS) && !(packed >> 16 & FLOW_SEALED))
		packet_note_asker(skb, packed, gen, rank);
	return PACKET_PASS;
}

/* By chance, not by turns: a client that asks in a rhythm is neither always met nor never. */
static __always_inline int sample_is_due(const struct df_generation *generation)
{
	return (generation->flags & DF_GEN_SAMPLES) &&
	       bpf_get_prandom_u32() % generation->sample == 0;
}

/* Nothing but what is allowed: a violation without its count would upset the account. */
static __always_inline void packet_sample(struct __sk_buff *skb, __u64 packed, __u32 gen,
					  __u64 verdict)
{
	if (decision_unpack(verdict).verdict == DF_VERDICT_ALLOW)
		packet_report(skb, packed, gen, verdict);
}

/* By the socket's policy, and where they may differ by the caller's: the stricter one wins. */
static __always_inline __u64 packet_decide_all(struct __sk_buff *skb, __u64 packed, __u32 gen)
{
	const struct df_generation *generation = &generations[gen];
	__u32 rank, caller;
	__u64 verdict, other;

	if (!(generation->flags & DF_GEN_SEVERAL))
		return packet_decide(skb, packed, gen, generation->default_policy);
	rank = packet_socket_rank(skb, gen);
	verdict = packet_decide(skb, packed, gen, rank);
	caller = packet_caller_rank(skb, packed, gen);
	if (caller >= DF_POLICY_MAX || caller == rank)
		return verdict;
	other = packet_decide(skb, packed, gen, caller);
	return verdict_is_stricter((__u8)other, (__u8)verdict) ? other : verdict;
}

static __always_inline int packet_judge(struct __sk_buff *skb, __u64 packed, __u32 gen)
{
	__u64 verdict = packet_decide_all(skb, packed, gen);
	struct df_decision decision = decision_unpack(verdict);

	if (decision.verdict == DF_VERDICT_PASS)
		return PACKET_PASS;
	if (decision.verdict != DF_VERDICT_ALLOW) {
		__u32 excuse = packet_pardon(skb, packed, gen, &decision);

		if (excuse == EXCUSE_REPORTED)
			return PACKET_PASS;
		if (excuse != EXCUSE_NONE) {
			decision.verdict = DF_VERDICT_ALLOW;
			decision.reason =
				excuse == EXCUSE_ANSWER ? DF_REASON_ANSWER : DF_REASON_SANCTIONED;
		}
	}
	count_verdict(DF_HOOK_PACKET, decision.verdict, decision.reason);
	if (decision.verdict == DF_VERDICT_ALLOW) {
		if (decision.reason != DF_REASON_ANSWER && sample_is_due(&generations[gen]))
			packet_sample(skb, packed, gen, decision_pack(&decision));
		return packet_pass(skb, packed, gen, decision.policy);
	}
	packet_report(skb, packed, gen, verdict);
	return decision.verdict == DF_VERDICT_DENY ? PACKET_DROP
						   : packet_pass(skb, packed, gen, decision.policy);
}

/*
 * The policy that alone decides on a plain packet: there is only one, or who runs now is in the
 * cgroup that made the socket and users do not matter. DF_POLICY_MAX: packet_decide_all() must
 * look.
 */
static __always_inline __u32 plain_rank(struct __sk_buff *skb, __u64 packed,
					const struct df_generation *generation, __u32 gen)
{
	if (!(generation->flags & DF_GEN_SEVERAL))
		return generation->default_policy;
	if ((generation->flags & DF_GEN_USERS) || !kernel_packet_task || !kernel_packet_cgroup ||
	    (__u8)packed == PROTO_TCP || bpf_get_current_cgroup_id() != bpf_skb_cgroup_id(skb))
		return DF_POLICY_MAX;
	return packet_socket_rank(skb, gen);
}

/* Where a plain packet goes, taken from it in place; 0: it cannot be read. */
static __always_inline int plain_target(const struct __sk_buff *skb, __u64 packed,
					struct df_flow *flow)
{
	const __u8 *data = (const __u8 *)(long)skb->data;
	const __u8 *end = (const __u8 *)(long)skb->data_end;

	flow->family = (__u8)(packed >> 8);
	flow->protocol = (__u8)packed;
	if (flow->family == 4 && data + IP4_HEADER <= end)
		__builtin_memcpy(flow->daddr, data + 16, 4);
	else if (flow->family == 6 && data + IP6_HEADER <= end)
		__builtin_memcpy(flow->daddr, data + 24, 16);
	else
		return 0;
	return 1;
}

/*
 * The lookup that is in order, without unpacking and reading again: the same verdict on the same
 * flow, taken from the packet in place. The reason when it is allowed, else DF_REASON_NONE: what
 * is to be refused, or pardoned, goes the whole way.
 */
static __always_inline __u32 plain_allows(const struct __sk_buff *skb, __u64 packed, __u16 dport,
					  __u32 gen, __u32 rank)
{
	const struct df_generation *generation = &generations[gen];
	struct df_flow flow = {.dport = dport, .flags = FLOW_PORTS};
	struct df_decision decision;

	if (!plain_target(skb, packed, &flow))
		return DF_REASON_NONE;
	decision = decide(&flow, generation, generation_policy(generation, rank), gen);
	return decision.verdict == DF_VERDICT_ALLOW ? decision.reason : DF_REASON_NONE;
}

/* 1 + the rank of the policy that lets this plain packet to a fenced port through; 0: look closer.
 */
df_global __u32 plain_passes(struct __sk_buff *skb, __u64 packed, __u32 dport, __u32 gen)
{
	__u32 rank, reason;

	gen &= 1;
	rank = plain_rank(skb, packed, &generations[gen], gen);
	if (rank >= DF_POLICY_MAX)
		return 0;
	reason = plain_allows(skb, packed, (__u16)dport, gen, rank);
	if (reason == DF_REASON_NONE)
		return 0;
	count_verdict(DF_HOOK_PACKET, DF_VERDICT_ALLOW, reason);
	return 1 + rank;
}

/*
 * A plain packet to a port that is not fenced: does it ask a forwarder, where this host's NAT has
 * led it? Reads the packet anew, so that all others need not keep what was read.
 */
df_global int plain_note_translated(struct __sk_buff *skb, __u32 gen)
{
	const struct df_generation *generation = &generations[gen & 1];
	struct df_flow flow = {};
	__u8 ports[4];
	__u64 packed = plain_parse(skb, 0, ports);

	if (!packed || !plain_target(skb, packed, &flow))
		return 0;
	for (int i = 0; i < DF_NEAR_MAX; i++)
		if (near_is_target(&generation->translated[i], &flow))
			return packet_note_asker(skb, packed, gen, DF_POLICY_MAX);
	return 0;
}

/* The usual packet: to another port it is none of the fence's business, before any map lookup. */
static __always_inline int plain_handle(struct __sk_buff *skb, __u64 packed, __u32 dport, __u32 gen)
{
	__u32 passes;

	if (!port_is_fenced(&generations[gen], dport)) {
		if (generations[gen].flags & DF_GEN_FORWARDS)
			plain_note_translated(skb, gen);
		return PACKET_PASS;
	}
	passes = plain_passes(skb, packed, dport, gen);
	if (!passes)
		return packet_judge(skb, packed, gen);
	if (sample_is_due(&generations[gen]))
		packet_sample(skb, packed, gen, packet_decide(skb, packed, gen, passes - 1));
	return packet_pass(skb, packed, gen, passes - 1);
}

SEC("cgroup_skb/egress")
int dnsfence_packet(struct __sk_buff *skb)
{
	__u32 gen = active & 1;
	__u8 ports[4];
	__u64 packed = plain_parse(skb, 0, ports);

	if (packed && !((__u8)packed == PROTO_UDP && ports_may_seal(ports)))
		return plain_handle(skb, packed, flow_be16(ports + 2), gen);
	if (!packed)
		packed = packet_walk(skb);
	if (protocol_may_seal((__u8)packed))
		packed = packet_unseal(skb, packed, gen);
	return packet_judge(skb, packed, gen);
}
