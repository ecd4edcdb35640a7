/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets that this host's IPsec has made unreadable: ESP, ESP in UDP, IPComp. What can be told of
 * them their socket tells.
 */
#ifndef DNSFENCE_SEALED_H
#define DNSFENCE_SEALED_H

#include "accepted.h"
#include "flow.h"
#include "maps.h"
#include "opaque.h"
#include "owner.h"
#include "service.h"

#define UDP_HEADER 8
#define PORT_ESP 4500 /* of ESP in UDP, at either end, RFC 3948 */
#define PORTS_PRIVILEGED 1024

/* What may be another packet that IPsec has made unreadable. */
static __always_inline int protocol_may_seal(__u8 protocol)
{
	return protocol == PROTO_ESP || protocol == PROTO_IPCOMP || protocol == PROTO_UDP;
}

static __always_inline int ports_may_seal(const __u8 ports[4])
{
	return flow_be16(ports) == PORT_ESP || flow_be16(ports + 2) == PORT_ESP;
}

df_global __u64 packet_decide(struct __sk_buff *skb, __u64 packed, __u32 gen, __u32 rank);

/* To a service's own port, or to a resolver at another that only some address has fenced. */
static __always_inline int is_lookup_as_it_stands(struct __sk_buff *skb, const struct df_flow *flow,
						  __u32 gen)
{
	return (__u8)packet_decide(skb, flow_pack(flow), gen, packet_socket_rank(skb, gen)) !=
	       DF_VERDICT_PASS;
}

/*
 * ESP in UDP (RFC 3948), made of what this socket sent, and neither what the socket itself sends
 * from there, nor IKE, which has zeros where ESP has its SPI. What goes to a resolver's port is
 * read as it stands: its source port is the sender's choice, by this host's NAT, or as a socket
 * that has given it up keeps it in a corked datagram over IPv6.
 */
static __always_inline int sealed_in_udp(struct __sk_buff *skb, const struct df_flow *flow,
					 const struct bpf_sock *sk, __u32 gen)
{
	__u8 ports[4];
	__u32 spi;

	if (bpf_skb_load_bytes(skb, flow->l4_offset, ports, sizeof(ports)) < 0 ||
	    !ports_may_seal(ports) ||
	    (port_is_fenced(&generations[gen & 1], flow_be16(ports + 2)) &&
	     is_lookup_as_it_stands(skb, flow, gen)) ||
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
	    (flow.protocol == PROTO_UDP && !sealed_in_udp(skb, &flow, full, gen)))
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

#endif
