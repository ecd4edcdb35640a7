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
#include "asker.h"
#include "client.h"
#include "plain.h"
#include "report.h"
#include "subject.h"
#include "task.h"

#define PACKET_DROP 0
#define PACKET_PASS 1

#define TCP_DATA_OFFSET 12 /* byte offsets in the header, RFC 9293 3.1 */
#define TCP_FLAGS 13
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define UDP_HEADER 8
#define PORT_ESP 4500 /* of ESP in UDP, at either end, RFC 3948 */
#define PORTS_PRIVILEGED 1024
#define SOCKET_INET4 2 /* AF_INET */
#define SOCKET_RAW 3 /* SOCK_RAW */
#define TCP_ACK 0x10

enum packet_excuse {
	EXCUSE_NONE,
	EXCUSE_ANSWER, /* a server's, to a client */
	EXCUSE_REPORTED, /* an audited connection's bare segment; its connect() is in the log */
	EXCUSE_TRANSLATED, /* let through at connect() or sendmsg(), to another address */
};

/* What may be another packet that IPsec has made unreadable. */
static __always_inline int protocol_may_seal(__u8 protocol)
{
	return protocol == PROTO_ESP || protocol == PROTO_IPCOMP || protocol == PROTO_UDP;
}

static __always_inline int ports_may_seal(const __u8 ports[4])
{
	return flow_be16(ports) == PORT_ESP || flow_be16(ports + 2) == PORT_ESP;
}

/* TCP without payload: handshake, acknowledgement, end. */
static __always_inline int packet_is_bare_segment(struct __sk_buff *skb, const struct df_flow *flow)
{
	__u8 doff;

	return flow->protocol == PROTO_TCP &&
	       bpf_skb_load_bytes(skb, flow->l4_offset + TCP_DATA_OFFSET, &doff, 1) == 0 &&
	       flow->l4_offset + (doff >> 4) * 4u >= skb->len;
}

static __always_inline const struct df_owner *packet_owner(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk)
		return NULL;
	sk = bpf_sk_fullsock(sk); /* request and time-wait sockets have no storage */
	return sk ? bpf_sk_storage_get(&owners, sk, NULL, 0) : NULL;
}

/*
 * A segment of a connection that somebody opened to a server here, whose client uses port 53. The
 * SYN-ACK still belongs to the listener, which is marked; the accepted socket inherits the mark.
 * To look for a listener on the same port instead would let anybody vouch for a connection of
 * his own by opening one.
 */
static __always_inline int listener_mark(struct bpf_sock *sk)
{
	struct df_owner *owner;

	sk = bpf_get_listener_sock(sk);
	owner = sk ? bpf_sk_storage_get(&owners, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE) : NULL;
	if (owner)
		owner->flags |= DF_OWNER_LISTENER;
	return !!owner;
}

static __always_inline int owner_accepted(const struct df_owner *owner)
{
	return owner && (owner->flags & DF_OWNER_LISTENER) && !(owner->flags & DF_OWNER_CALLED);
}

static __always_inline int packet_is_accepted(struct __sk_buff *skb, const struct df_flow *flow)
{
	struct bpf_sock *sk = skb->sk;
	__u8 flags;

	if (!sk || flow->protocol != PROTO_TCP ||
	    bpf_skb_load_bytes(skb, flow->l4_offset + TCP_FLAGS, &flags, 1) < 0)
		return 0;
	/* Of whatever socket, the kernel's own among them: it says nothing. */
	if (flags & TCP_RST)
		return packet_is_bare_segment(skb, flow);
	if ((flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK))
		return listener_mark(sk);
	if (flags & TCP_SYN)
		return 0;
	return owner_accepted(packet_owner(skb));
}

/* Does the recorded call speak of this packet? NAT may have changed its address since. */
static __always_inline int owner_called(const struct df_owner *owner, const struct df_flow *flow)
{
	const __u64 *a, *b;

	if (!owner || !(owner->flags & DF_OWNER_CALLED))
		return 0;
	if (flow->protocol == PROTO_TCP)
		return 1;
	a = (const __u64 *)owner->daddr;
	b = (const __u64 *)flow->daddr;
	return owner->family == flow->family && owner->dport == flow->dport && a[0] == b[0] &&
	       a[1] == b[1];
}

static __always_inline __u32 packet_uid(struct __sk_buff *skb, const struct df_owner *owner)
{
	if (owner && (owner->flags & DF_OWNER_CREATED))
		return owner->creator_uid;
	return bpf_get_socket_uid(skb);
}

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

/* The peer of a connected socket, whose port the caller has seen to be set. */
static __always_inline void flow_set_peer(struct df_flow *flow, const struct bpf_sock *sk)
{
	flow->dport = bpf_ntohs((__u16)sk->dst_port);
	if (sk->family == SOCKET_INET4) {
		__u32 addr[4] = {sk->dst_ip4};

		flow->family = 4;
		__builtin_memcpy(flow->daddr, addr, sizeof(addr));
	} else {
		__u32 addr[4] = {sk->dst_ip6[0], sk->dst_ip6[1], sk->dst_ip6[2], sk->dst_ip6[3]};

		flow_set_daddr6(flow, addr);
	}
}

/* Where it goes, by what the walk has found. */
static __always_inline void packet_target(struct __sk_buff *skb, struct df_flow *flow)
{
	struct bpf_sock *sk = skb->sk;

	if ((flow->flags & (FLOW_SEALED | FLOW_PORTS)) != (FLOW_SEALED | FLOW_PORTS)) {
		flow_reload_target(skb, flow);
		return;
	}
	sk = sk ? bpf_sk_fullsock(sk) : NULL;
	if (sk)
		flow_set_peer(flow, sk);
}

/*
 * Where the call behind this packet went, before this host's NAT: the peer of a connected socket,
 * else the last recorded call's target. 0 when there is no such call to believe.
 */
static __always_inline int flow_before_nat(struct __sk_buff *skb, struct df_flow *flow)
{
	const struct df_owner *owner = packet_owner(skb);
	struct bpf_sock *sk = skb->sk;

	sk = sk ? bpf_sk_fullsock(sk) : NULL;
	if (!sk || !owner || !(owner->flags & DF_OWNER_TRANSLATED) ||
	    (owner->flags & DF_OWNER_ANSWERS) || owner->netns_cookie != host_netns_cookie)
		return 0;
	flow->family = owner->family;
	flow->dport = owner->dport;
	__builtin_memcpy(flow->daddr, owner->daddr, sizeof(flow->daddr));
	if (sk->dst_port)
		flow_set_peer(flow, sk);
	return 1;
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

df_global __u32 packet_socket_rank(struct __sk_buff *skb, __u32 gen)
{
	__u32 uid = DF_UID_ANY;

	gen &= 1;
	if (generations[gen].flags & DF_GEN_USERS)
		uid = packet_uid(skb, packet_owner(skb));
	return subject_rank(skb, SUBJECT_SOCKET, &generations[gen], gen, uid);
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

/* As owner_called(), but where NAT may have changed the port since. */
static __always_inline int owner_asked(const struct df_owner *owner, struct df_flow *flow)
{
	if (owner)
		flow->dport = owner->dport;
	return owner_called(owner, flow);
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

/*
 * A resolver marked `translated`, let through at connect() or sendmsg(), whose address this host's
 * NAT has changed since. What was asked for is judged once more, by the socket's policy and the
 * generation in force. The policy that denies the packet has to have such a resolver, too: what
 * call_errno() leaves to the packet for a forwarder is no other call's to vouch for.
 */
df_global __u32 packet_is_translated(struct __sk_buff *skb, __u64 packed, __u32 gen, __u32 denied)
{
	const struct df_generation *generation = &generations[gen & 1];
	__u32 rank = generation->default_policy;
	struct df_decision decision;
	struct df_flow flow = {};

	if (!(generation->flags & DF_GEN_TRANSLATED) ||
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

/*
 * ESP in UDP (RFC 3948), made of what this socket sent, and neither what the socket itself sends
 * from there, nor IKE, which has zeros where ESP has its SPI.
 */
static __always_inline int sealed_in_udp(struct __sk_buff *skb, const struct df_flow *flow,
					 const struct bpf_sock *sk)
{
	__u8 ports[4];
	__u32 spi;

	if (bpf_skb_load_bytes(skb, flow->l4_offset, ports, sizeof(ports)) < 0 ||
	    !ports_may_seal(ports) ||
	    bpf_skb_load_bytes(skb, flow->l4_offset + UDP_HEADER, &spi, sizeof(spi)) < 0 || !spi)
		return 0;
	return opaque(sk->protocol) != PROTO_UDP || sk->src_port != flow_be16(ports);
}

/*
 * Has sendmsg() been judged at the call? Not with a fenced port of the socket's own, which could
 * be a server's answer. A port that takes a privilege is believed to be one.
 */
static __always_inline int sealed_was_judged(struct __sk_buff *skb, const struct bpf_sock *sk,
					     __u32 gen)
{
	const struct df_owner *owner = packet_owner(skb);

	if (!(generations[gen & 1].flags & DF_GEN_CALLS))
		return 0;
	return !owner || !(owner->flags & DF_OWNER_ANSWERS) || sk->src_port < PORTS_PRIVILEGED;
}

/*
 * What IPsec has made of a TCP, UDP or UDP-Lite packet, which nobody can read here, is judged by
 * its socket: as going to the socket's peer. UDP may go elsewhere than that. Where a hook judges
 * sendmsg() it has been seen there; where none does, nobody knows, and it is refused. A raw socket
 * that sends ESP by itself is an IPsec of its own.
 */
df_global __u64 packet_unseal(struct __sk_buff *skb, __u64 packed, __u32 gen)
{
	struct bpf_sock *sk = skb->sk, *full;
	struct df_flow flow;
	__u32 protocol;

	if (!sk || listener_mark(sk)) /* a SYN-ACK is all that a listener sends */
		return packed;
	flow_unpack(&flow, packed);
	full = bpf_sk_fullsock(sk);
	if (!full)
		return packed;
	if (full->type == SOCKET_RAW ||
	    (flow.protocol == PROTO_UDP && !sealed_in_udp(skb, &flow, full)))
		return packed;
	protocol = opaque(full->protocol); /* read as a whole: the verifier knows no part of it */
	flow.protocol = (__u8)protocol;
	flow.flags = FLOW_SEALED | FLOW_PORTS;
	if (protocol == PROTO_TCP)
		return flow_pack(&flow);
	if (protocol_bit(protocol) != DF_PROTO_UDP)
		return packed;
	if (!sealed_was_judged(skb, full, gen))
		flow.flags = FLOW_SEALED;
	else if (!full->dst_port)
		return packed;
	return flow_pack(&flow);
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

/* Report what a slot holds, if it has held it for long enough. Global: verified once, not per turn.
 */
df_global int flush_slot(__u32 index, __u64 now)
{
	struct fold_slot *slot = bpf_map_lookup_elem(&folds, &index);
	struct df_event *record;
	__u32 count;

	if (!slot || !slot->pending || now - slot->since < DF_FOLD_NS)
		return 0;
	record = bpf_ringbuf_reserve(&events, DF_EVENT_HEAD_SIZE, 0);
	if (!record)
		return 0; /* full: the slot keeps its count for the next run */
	bpf_spin_lock(&slot->lock);
	count = slot_take(slot, record);
	bpf_spin_unlock(&slot->lock);
	slot_report(record, count);
	return 0;
}

/*
 * Never attached: the daemon runs it (BPF_PROG_TEST_RUN) to report repeats that no later
 * violation has reported. One run walks DF_FOLD_BATCH slots, the next goes on behind them.
 */
SEC("cgroup_skb/egress")
int dnsfence_flush(struct __sk_buff *skb)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 first = flush_next;

	(void)skb;
	flush_next = (first + DF_FOLD_BATCH) % DF_FOLD_SLOTS;
	for (int i = 0; i < DF_FOLD_BATCH; i++)
		flush_slot((first + i) % DF_FOLD_SLOTS, now);
	return PACKET_PASS;
}
