// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * tc at interfaces: frames that no cgroup hook has seen, because no inet socket sent them
 * (AF_PACKET, AF_XDP, TUN, virtual machines) or because they are forwarded. At the host's end of a
 * veth pair and at a tap the frame is met as it comes in, at uplinks and tunnels as it leaves.
 *
 * - A frame of an inet socket has been judged by packet.bpf.c, in whatever network namespace it was
 *   sent, and passes as it leaves. As it comes in the owner of that namespace may have made another
 *   packet of it since, by netfilter's or tc's egress hooks or a tunnel device, whose own packets
 *   have the socket of what is inside: to a fenced port it is judged again, by the socket's policy.
 * - A frame of another socket has that socket's cgroup, and its policy.
 * - Any other frame is judged by where it came in and by its source address.
 * - What was let in is marked with where it goes (tc_index), so that it is not judged again by a
 *   source address that masquerading has changed. NAT that changes the target makes the mark void.
 *
 * Fragments are decided without state: the first one shows the ports, and without it the others are
 * nothing; one whose header ends before the ports is refused; later ones pass.
 *
 * Other people's filters run after this one, whatever it lets pass.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"

#include "flow.h"
#include "verdict.h"
#include "owner.h"
#include "pardon.h"
#include "plain.h"
#include "report.h"
#include "subject.h"
#include "task.h"

#define EDGE_NEXT (-1) /* TC_ACT_UNSPEC: on to the next filter */
#define EDGE_DROP 2 /* TC_ACT_SHOT */

#define FAMILY_INET 2
#define FAMILY_INET6 10
#define FAMILY_PACKET 17
#define FAMILY_XDP 44

#define ETHERNET_HEADER 14
#define ETHERTYPE_AT 12
#define ETHERTYPE_IP4 0x0800
#define ETHERTYPE_IP6 0x86dd
#define ETHERTYPE_VLAN 0x8100 /* IEEE 802.1Q */
#define ETHERTYPE_QINQ 0x88a8 /* IEEE 802.1ad */
#define ETHERTYPE_QINQ_OLD 0x9100
#define ETHERTYPE_PPPOE 0x8864 /* RFC 2516, session stage */
#define PPP_IP4 0x0021 /* RFC 1332 */
#define PPP_IP6 0x0057 /* RFC 5072 */
#define ETHERTYPE_MPLS 0x8847 /* RFC 3032 5 */
#define ETHERTYPE_MPLS_MULTICAST 0x8848 /* RFC 5332 */
#define PPP_MPLS 0x0281 /* RFC 3032 4.3 */
#define PPP_MPLS_MULTICAST 0x0283
#define LENGTH_MAX 1500 /* up to here the type field is a length (IEEE 802.3 3.2.6) */
#define LLC_SNAP 0xaaaa /* both service access points; 3, unnumbered, follows (RFC 1042) */
#define SNAP_HEADER 8
#define LABEL 4
#define LABEL_BOTTOM 1 /* of its third byte (RFC 3032 2.1) */

#define EDGE_TAGS_MAX 4
#define EDGE_LABELS_MAX 16

#define EDGE_MARK_ANY 0xffffu /* a `translated` resolver: wherever NAT sends it */

/* What a frame is judged with, in one word for global functions. */
#define EDGE_WITH(gen, hook, family) \
	((gen) | (__u32)((hook) == DF_HOOK_EDGE_OUT) << 1 | (family) << 8)

static __always_inline __u32 with_gen(__u32 with)
{
	return with & 1;
}

static __always_inline int with_out(__u32 with)
{
	return !!(with & 2);
}

static __always_inline __u32 with_family(__u32 with)
{
	return with >> 8;
}

static __always_inline int family_is_inet(__u32 family)
{
	return family == FAMILY_INET || family == FAMILY_INET6;
}

/* A socket that makes its own frames. A tun device's is whoever opened it, not who sends. */
static __always_inline int family_is_frames(__u32 family)
{
	return family == FAMILY_PACKET || family == FAMILY_XDP;
}

static __always_inline int ethertype_is_tag(__u32 type)
{
	return type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ || type == ETHERTYPE_QINQ_OLD;
}

static __always_inline __u32 edge_load16(struct __sk_buff *skb, __u32 offset)
{
	__u8 bytes[2];

	return bpf_skb_load_bytes(skb, offset, bytes, sizeof(bytes)) < 0 ? 0 : flow_be16(bytes);
}

/* Where the IP header of a frame stands, in one word for global functions; 0: it has none. */
#define INNER(offset, version) ((__u64)(version) << 32 | (offset))
#define INNER_TOO_DEEP INNER(0, 1) /* behind more tags or labels than are followed */

static __always_inline __u64 inner_of_type(__u32 offset, __u32 type)
{
	return type == ETHERTYPE_IP4   ? INNER(offset, 4)
	       : type == ETHERTYPE_IP6 ? INNER(offset, 6)
				       : 0;
}

/* A packet that nobody has announced says by itself what it is. */
static __always_inline __u64 inner_of_version(struct __sk_buff *skb, __u32 offset)
{
	__u32 version = edge_load16(skb, offset) >> 12;

	return version == 4 || version == 6 ? INNER(offset, version) : 0;
}

static __always_inline int ethertype_is_labels(__u32 type)
{
	return type == ETHERTYPE_MPLS || type == ETHERTYPE_MPLS_MULTICAST;
}

/* Under a stack of labels; no header says what is there (RFC 4928 3). */
df_global __u64 edge_find_under_labels(struct __sk_buff *skb, __u32 offset)
{
	__u8 label[LABEL] = {};

	for (int i = 0; i < EDGE_LABELS_MAX && !(label[2] & LABEL_BOTTOM); i++) {
		if (bpf_skb_load_bytes(skb, offset, label, sizeof(label)) < 0)
			return 0;
		offset += sizeof(label);
	}
	return label[2] & LABEL_BOTTOM ? inner_of_version(skb, offset) : INNER_TOO_DEEP;
}

/* offset: behind a PPPoE ethertype. */
static __always_inline __u64 edge_find_in_session(struct __sk_buff *skb, __u32 offset)
{
	__u32 type = edge_load16(skb, offset + 6);

	offset += 8;
	if (type == PPP_MPLS || type == PPP_MPLS_MULTICAST)
		return edge_find_under_labels(skb, offset);
	return inner_of_type(offset, type == PPP_IP4   ? ETHERTYPE_IP4
				     : type == PPP_IP6 ? ETHERTYPE_IP6
						       : 0);
}

/*
 * How far on the next type field is: behind a tag, or behind the length, as wireless stations
 * make Ethernet of such frames, whatever the organization code. 0: this is the last one.
 */
static __always_inline __u32 edge_type_step(struct __sk_buff *skb, __u32 offset, __u32 type)
{
	if (ethertype_is_tag(type))
		return 4;
	return type <= LENGTH_MAX && edge_load16(skb, offset + 2) == LLC_SNAP &&
			       edge_load16(skb, offset + 4) >> 8 == 3
		       ? SNAP_HEADER
		       : 0;
}

df_global __u64 edge_find_in_ethernet(struct __sk_buff *skb)
{
	__u32 offset = ETHERTYPE_AT, type = 0, step = 0;

	for (int i = 0; i <= EDGE_TAGS_MAX; i++) {
		type = edge_load16(skb, offset);
		step = edge_type_step(skb, offset, type);
		if (!step)
			break;
		offset += step;
	}
	if (step)
		return INNER_TOO_DEEP;
	offset += 2;
	if (ethertype_is_labels(type))
		return edge_find_under_labels(skb, offset);
	return type == ETHERTYPE_PPPOE ? edge_find_in_session(skb, offset)
				       : inner_of_type(offset, type);
}

/* Where there is no Ethernet header: a packet, or MPLS in a tunnel that says so. */
static __always_inline __u64 edge_find_bare(struct __sk_buff *skb)
{
	__u64 inner = inner_of_version(skb, 0);

	if (inner || !ethertype_is_labels(__builtin_bswap16(skb->protocol)))
		return inner;
	return edge_find_under_labels(skb, 0);
}

/*
 * Where the IP packet at offset ends, by its own word: what comes behind is padding. No bound where
 * it says zero: a segment larger than the field (GSO), or what no receiver takes.
 */
static __always_inline __u32 edge_packet_end(struct __sk_buff *skb, __u32 offset, __u32 version)
{
	__u32 length = edge_load16(skb, offset + (version == 6 ? 4 : 2));

	if (!length)
		return ~0u;
	return offset + length + (version == 6 ? IP6_HEADER : 0);
}

/*
 * Ports behind the packet's end are no ports: a first fragment without any would pass by them, and
 * the later one that has them is not looked into.
 */
static __always_inline void edge_cut(struct __sk_buff *skb, struct df_flow *flow, __u32 offset,
				     __u32 version)
{
	__u32 need = flow->l4_offset + (flow->flags & FLOW_PORTS ? FLOW_PORTS_LENGTH : 0);

	if (need > edge_packet_end(skb, offset, version)) {
		flow->flags &= ~FLOW_PORTS;
		flow->flags |= FLOW_TRUNCATED;
	}
}

/* The packet in a frame, walked and packed; 0 when it is no IP. */
df_global __u64 edge_walk(struct __sk_buff *skb, __u32 ethernet)
{
	struct df_flow flow = {.flags = FLOW_CHAIN};
	__u64 inner = ethernet ? edge_find_in_ethernet(skb) : edge_find_bare(skb);
	__u32 version = inner >> 32 == 6 ? 6 : 4;

	if (!inner)
		return 0;
	if (inner != INNER_TOO_DEEP) {
		flow_walk(skb, &flow, (__u32)inner, version);
		edge_cut(skb, &flow, (__u32)inner, version);
		if (flow.l3_offset != (__u16)inner)
			edge_cut(skb, &flow, flow.l3_offset, flow.family);
	}
	return flow_pack(&flow);
}

static __always_inline __u64 edge_plain(const struct __sk_buff *skb, int ethernet,
					__u8 ret_ports[4])
{
	const __u8 *data = (const __u8 *)(long)skb->data;
	const __u8 *end = (const __u8 *)(long)skb->data_end;
	__u16 type;

	if (!ethernet)
		return plain_parse(skb, 0, ret_ports);
	if (data + ETHERNET_HEADER > end)
		return 0;
	type = flow_be16(data + ETHERTYPE_AT);
	if (type != ETHERTYPE_IP4 && type != ETHERTYPE_IP6)
		return 0;
	return plain_parse(skb, ETHERNET_HEADER, ret_ports);
}

/*
 * What this layer makes of a walk: later fragments pass, and a tunnel is judged by what is in it;
 * it may be this host's own tunnel device that has wrapped a forwarded packet. A socket that makes
 * its own frames has no such excuse.
 */
static __always_inline __u64 edge_soften(__u64 packed, __u32 family)
{
	__u32 waived = FLOW_LATER_FRAGMENT | (family_is_frames(family) ? 0 : FLOW_TUNNEL);

	return packed & ~((__u64)waived << 16);
}

/* Where a frame goes, never 0 nor EDGE_MARK_ANY. */
static __always_inline __u16 edge_mark_of(struct __sk_buff *skb, __u64 packed)
{
	const __u64 *addr;
	struct df_flow flow;
	__u64 hash;

	flow_unpack(&flow, packed);
	flow_reload_target(skb, &flow);
	addr = (const __u64 *)flow.daddr;
	hash = hash_mix(hash_mix(hash_mix(0, addr[0]), addr[1]),
			(__u64)flow.dport << 8 | flow.protocol);
	return (__u16)(hash % (EDGE_MARK_ANY - 1) + 1);
}

/* The lowest rank of those that cover where a frame came in and whom it says to be from. */
df_global __u32 edge_origin_rank(struct __sk_buff *skb, __u64 packed, __u32 gen)
{
	const struct df_generation *generation = &generations[gen & 1];
	__u32 rank = generation->default_policy, slot = gen & 1;
	struct df_origin_key key = {};
	struct df_flow flow;
	const __u32 *found;
	void *inner;

	if (!(generation->flags & DF_GEN_ORIGINS))
		return rank;
	inner = bpf_map_lookup_elem(&origins, &slot);
	if (!inner)
		return DF_POLICY_MAX;
	flow_unpack(&flow, packed);
	flow_reload(skb, &flow);
	key.prefixlen = DF_ORIGIN_BASE + (flow.family == 4 ? 32 : 128);
	key.family = flow.family;
	__builtin_memcpy(key.addr, flow.saddr, sizeof(key.addr));
	found = bpf_map_lookup_elem(inner, &key);
	if (found && *found < rank)
		rank = *found;
	key.ifindex = skb->ingress_ifindex;
	found = key.ifindex ? bpf_map_lookup_elem(inner, &key) : NULL;
	return found && *found < rank ? *found : rank;
}

/* On the way out the sender itself is running, and the kernel tells its uid as the host has it. */
static __always_inline int edge_has_sender(__u32 with)
{
	return kernel_packet_task && with_out(with) && with_family(with) == FAMILY_PACKET;
}

static __always_inline __u32 edge_rank(struct __sk_buff *skb, __u64 packed, __u32 with)
{
	const struct df_generation *generation = &generations[with_gen(with)];
	__u32 uid = DF_UID_ANY;

	if (!family_is_frames(with_family(with)))
		return edge_origin_rank(skb, packed, with_gen(with));
	if (generation->flags & DF_GEN_USERS)
		uid = edge_has_sender(with) ? task_current_uid() : bpf_get_socket_uid(skb);
	return subject_rank(skb, SUBJECT_SOCKET, generation, with_gen(with), uid);
}

/*
 * No hook sees such a socket made, so its uid is the number that its own user namespace has for it,
 * which that one's owner chose: it may forbid something, but never allow.
 */
df_global __u64 edge_decide(struct __sk_buff *skb, __u64 packed, __u32 with)
{
	__u32 gen = with_gen(with);
	__u64 verdict = packet_decide(skb, packed, gen, edge_rank(skb, packed, with)), other;

	if (!family_is_frames(with_family(with)) || !(generations[gen].flags & DF_GEN_USERS) ||
	    edge_has_sender(with))
		return verdict;
	other = packet_decide(
		skb, packed, gen,
		subject_rank(skb, SUBJECT_SOCKET, &generations[gen], gen, DF_UID_ANY));
	return verdict_is_stricter((__u8)other, (__u8)verdict) ? other : verdict;
}

/*
 * A TCP segment that opens and asks nothing: a reset or SYN-ACK without data, and what is only
 * audited goes on as a connection, whose SYN and what it asks are in the log.
 */
static __always_inline int edge_excuse_tcp(struct __sk_buff *skb, const struct df_flow *flow,
					   int audit)
{
	__u8 tcp[2];
	__u32 flags;

	if (bpf_skb_load_bytes(skb, flow->l4_offset + TCP_DATA_OFFSET, tcp, sizeof(tcp)) < 0 ||
	    flow->l4_offset + (tcp[0] >> 4) * 4u <
		    edge_packet_end(skb, flow->l3_offset, flow->family))
		return 0;
	flags = tcp[1];
	if ((flags & TCP_RST) || (flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK))
		return 1;
	return audit && !(flags & TCP_SYN);
}

/* A frame that a policy forbids but that answers somebody. */
static __always_inline int edge_excuse(struct __sk_buff *skb, __u64 packed, __u32 gen, int audit)
{
	struct df_flow flow;

	flow_unpack(&flow, packed);
	if (!(flow.flags & FLOW_PORTS))
		return 0;
	flow_reload(skb, &flow);
	if (flow.protocol == PROTO_TCP)
		return edge_excuse_tcp(skb, &flow, audit);
	return port_may_answer(&generations[gen & 1], &flow) && question_is_answer(skb, &flow);
}

static __always_inline void edge_set_caller(struct __sk_buff *skb, struct df_event *head,
					    __u32 with)
{
	__u32 family = with_family(with);

	head->cgroup_id =
		family_is_frames(family) || family_is_inet(family) ? bpf_skb_cgroup_id(skb) : 0;
	/* On the way in it may be anybody who runs. */
	if (!kernel_packet_task || !with_out(with) || !family_is_frames(family))
		return;
	task_identify(&head->caller);
	head->flags |= DF_EVENT_CALLER | DF_EVENT_UID;
}

df_global int edge_report(struct __sk_buff *skb, __u64 packed, __u32 with, __u64 verdict)
{
	struct df_decision decision = decision_unpack(verdict);
	__u64 words[DF_EVENT_HEAD_SIZE / 8] = {};
	struct df_event *head = (struct df_event *)words;
	struct question question;
	struct df_flow flow;

	flow_unpack(&flow, packed);
	flow_reload(skb, &flow);
	event_begin(head, DF_EVENT_PACKET);
	head->ifindex = skb->ifindex;
	head->ingress_ifindex = skb->ingress_ifindex;
	event_set_flow(head, &flow);
	event_set_policy(head, with_out(with) ? DF_HOOK_EDGE_OUT : DF_HOOK_EDGE_IN,
			 &generations[with_gen(with)], &decision);
	edge_set_caller(skb, head, with);
	event_set_question(skb, head, &flow, &question);
	event_send(skb, head, &question, !!(head->flags & DF_EVENT_CALLER));
	return 0;
}

/* Frames of sockets outside the fenced cgroup are not this fence's matter. */
static __always_inline int edge_in_scope(struct __sk_buff *skb, __u32 gen)
{
	return bpf_skb_ancestor_cgroup_id(skb, fence_level) == generations[gen & 1].cgroup_id;
}

static __always_inline void edge_let_in(struct __sk_buff *skb, __u64 packed, __u32 with,
					int translated)
{
	if (!with_out(with))
		skb->tc_index = translated ? EDGE_MARK_ANY : edge_mark_of(skb, packed);
}

/*
 * A frame of an inet socket on its way in. What is refused here has been changed since the packet
 * layer let it through. What is only audited passes without a word, for nearly all of it is in the
 * log already. Else its mark is missing: what goes to a `translated` resolver may go on to wherever
 * this host's NAT sends it. The violation, or 0.
 */
df_global __u64 edge_judge_again(struct __sk_buff *skb, __u64 packed, __u32 with)
{
	struct df_decision decision;
	__u32 gen = with_gen(with);
	__u64 verdict;

	if (!edge_in_scope(skb, gen)) {
		edge_let_in(skb, packed, with, 0);
		return 0;
	}
	verdict = packet_decide(skb, packed, gen, packet_socket_rank(skb, gen));
	decision = decision_unpack(verdict);
	if (decision.verdict == DF_VERDICT_DENY &&
	    packet_pardon(skb, packed, gen, &decision) == EXCUSE_NONE) {
		count_verdict(DF_HOOK_EDGE_IN, decision.verdict, decision.reason);
		return verdict;
	}
	edge_let_in(skb, packed, with,
		    decision.reason == DF_REASON_SANCTIONED && decision.translated);
	return 0;
}

/* A frame that its policy forbids or allows; the violation, or 0 when it may go on. */
static __always_inline __u64 edge_act(struct __sk_buff *skb, __u64 packed, __u32 with,
				      __u64 verdict)
{
	struct df_decision decision = decision_unpack(verdict);

	if (decision.reason == DF_REASON_NOT_SANCTIONED &&
	    edge_excuse(skb, packed, with_gen(with), decision.verdict == DF_VERDICT_AUDIT)) {
		decision.verdict = DF_VERDICT_ALLOW;
		decision.reason = DF_REASON_ANSWER;
	}
	if (with_out(with))
		count_verdict(DF_HOOK_EDGE_OUT, decision.verdict, decision.reason);
	else
		count_verdict(DF_HOOK_EDGE_IN, decision.verdict, decision.reason);
	/* What a policy lets in only for the log is let out likewise. */
	if (decision.verdict != DF_VERDICT_DENY)
		edge_let_in(skb, packed, with, decision.translated);
	return decision.verdict == DF_VERDICT_ALLOW ? 0 : verdict;
}

/*
 * A frame to a fenced port, or one whose port is not plain to see. The violation, as
 * decision_pack() has it, or 0. Reporting it is the caller's: the stacks of all would be too deep
 * together.
 */
df_global __u64 edge_judge(struct __sk_buff *skb, __u64 packed, __u32 with)
{
	__u32 family = with_family(with), gen = with_gen(with);
	__u64 verdict;

	if (family_is_inet(family))
		return edge_judge_again(skb, packed, with);
	if (family_is_frames(family) && !edge_in_scope(skb, gen)) {
		edge_let_in(skb, packed, with, 0);
		return 0;
	}
	if (with_out(with) && !family && skb->tc_index &&
	    (skb->tc_index == EDGE_MARK_ANY || skb->tc_index == edge_mark_of(skb, packed)))
		return 0;
	verdict = edge_decide(skb, packed, with);
	return (__u8)verdict == DF_VERDICT_PASS ? 0 : edge_act(skb, packed, with, verdict);
}

static __always_inline int edge_handle(struct __sk_buff *skb, enum df_hook hook, int ethernet)
{
	struct bpf_sock *sk = skb->sk;
	__u32 family = sk ? sk->family : 0, gen = active & 1;
	__u32 with = EDGE_WITH(gen, hook, family);
	__u64 packed, violation;
	__u8 ports[4];

	if (hook == DF_HOOK_EDGE_OUT && family_is_inet(family))
		return EDGE_NEXT;
	if (hook == DF_HOOK_EDGE_IN && skb->tc_index)
		skb->tc_index = 0; /* nobody else's word counts */
	packed = edge_plain(skb, ethernet, ports);
	if (packed && !port_is_fenced(&generations[gen], flow_be16(ports + 2)))
		return EDGE_NEXT;
	if (!packed)
		packed = edge_walk(skb, (__u32)ethernet);
	if (!packed)
		return EDGE_NEXT;
	packed = edge_soften(packed, family);
	violation = edge_judge(skb, packed, with);
	if (!violation)
		return EDGE_NEXT;
	edge_report(skb, packed, with, violation);
	return (__u8)violation == DF_VERDICT_DENY ? EDGE_DROP : EDGE_NEXT;
}

SEC("tc")
int dnsfence_eth_in(struct __sk_buff *skb)
{
	return edge_handle(skb, DF_HOOK_EDGE_IN, 1);
}

SEC("tc")
int dnsfence_eth_out(struct __sk_buff *skb)
{
	return edge_handle(skb, DF_HOOK_EDGE_OUT, 1);
}

/* Interfaces whose frames begin with the IP header: tun, tunnels, ppp. */
SEC("tc")
int dnsfence_ip_in(struct __sk_buff *skb)
{
	return edge_handle(skb, DF_HOOK_EDGE_IN, 0);
}

SEC("tc")
int dnsfence_ip_out(struct __sk_buff *skb)
{
	return edge_handle(skb, DF_HOOK_EDGE_OUT, 0);
}
