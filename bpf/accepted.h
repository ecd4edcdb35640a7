/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Segments that answer a client: of a connection that somebody else has opened to a server here.
 */
#ifndef DNSFENCE_ACCEPTED_H
#define DNSFENCE_ACCEPTED_H

#include "flow.h"
#include "maps.h"
#include "owner.h"

#define TCP_DATA_OFFSET 12 /* byte offsets in the header, RFC 9293 3.1 */
#define TCP_FLAGS 13
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* TCP without payload: handshake, acknowledgement, end. */
static __always_inline int packet_is_bare_segment(struct __sk_buff *skb, const struct df_flow *flow)
{
	__u8 doff;

	return flow->protocol == PROTO_TCP &&
	       bpf_skb_load_bytes(skb, flow->l4_offset + TCP_DATA_OFFSET, &doff, 1) == 0 &&
	       flow->l4_offset + (doff >> 4) * 4u >= skb->len;
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

#endif
