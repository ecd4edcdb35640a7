/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the calls have recorded of the socket behind a packet (struct df_owner, socket.bpf.c), and
 * how far it can be believed.
 */
#ifndef DNSFENCE_OWNER_H
#define DNSFENCE_OWNER_H

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "flow.h"
#include "maps.h"
#include "subject.h"

#define SOCKET_INET4 2 /* AF_INET */
#define SOCKET_RAW 3 /* SOCK_RAW */

static __always_inline const struct df_owner *packet_owner(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk)
		return NULL;
	sk = bpf_sk_fullsock(sk); /* request and time-wait sockets have no storage */
	return sk ? bpf_sk_storage_get(&owners, sk, NULL, 0) : NULL;
}

static __always_inline int owner_accepted(const struct df_owner *owner)
{
	return owner && (owner->flags & DF_OWNER_LISTENER) && !(owner->flags & DF_OWNER_CALLED);
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

/* As owner_called(), but where NAT may have changed the port since. */
static __always_inline int owner_asked(const struct df_owner *owner, struct df_flow *flow)
{
	if (owner)
		flow->dport = owner->dport;
	return owner_called(owner, flow);
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

/* Rank of the policy of the cgroup that made the socket. */
df_global __u32 packet_socket_rank(struct __sk_buff *skb, __u32 gen)
{
	__u32 uid = DF_UID_ANY;

	gen &= 1;
	if (generations[gen].flags & DF_GEN_USERS)
		uid = packet_uid(skb, packet_owner(skb));
	return subject_rank(skb, SUBJECT_SOCKET, &generations[gen], gen, uid);
}

#endif
