// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Raw sockets: headers made by hand, and what they can be made to say.
 */
#include "packet.h"

#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>

static int raw_udp(struct probe *p)
{
	union endpoint source, target = with_port(&p->to, 0);
	struct packet packet = {};
	int result = find_source(p, &p->to, &source);

	if (result)
		return result;
	put_udp(&packet, p, &source, &p->to);
	return open_socket(p, p->to.any.sa_family, SOCK_RAW, IPPROTO_UDP)
		       ?: send_bytes(p, packet.bytes, packet.len, 0, &target);
}

static int raw_hdrincl(struct probe *p)
{
	struct packet packet;

	return make_datagram(p, &p->to, &packet) ?: send_raw(p, &packet, &p->to);
}

static int raw_hdrincl_lying(struct probe *p)
{
	struct packet packet;

	return make_datagram(p, &p->to, &packet) ?: send_raw(p, &packet, &p->other);
}

/*
 * A datagram in two pieces. Over IPv6 the first holds only a destination options header, so
 * that the ports are in the second.
 */
static int make_fragments(struct probe *p, struct packet *ret_first, struct packet *ret_later)
{
	struct packet body = {}, first = {}, later = {};
	const size_t cut = is_ip4(&p->to) ? 16 : 8;
	union endpoint source;
	int result = find_source(p, &p->to, &source);

	if (result)
		return result;
	if (is_ip4(&p->to)) {
		put_udp(&body, p, &source, &p->to);
		put_ip4(&first, &source, &p->to, IPPROTO_UDP, cut, IP_MF);
		put_ip4(&later, &source, &p->to, IPPROTO_UDP, body.len - cut, cut / 8);
	} else {
		put_padding(&body, IPPROTO_UDP);
		put_udp(&body, p, &source, &p->to);
		put_ip6(&first, &source, &p->to, IPPROTO_FRAGMENT, 8 + cut);
		put_fragment(&first, IPPROTO_DSTOPTS, 0, true);
		put_ip6(&later, &source, &p->to, IPPROTO_FRAGMENT, 8 + body.len - cut);
		put_fragment(&later, IPPROTO_DSTOPTS, cut / 8, false);
	}
	put(&first, body.bytes, cut);
	put(&later, body.bytes + cut, body.len - cut);
	*ret_first = first;
	*ret_later = later;
	return 0;
}

static int raw_fragment_first(struct probe *p)
{
	struct packet first, later;

	return make_fragments(p, &first, &later) ?: send_raw(p, &first, &p->to);
}

static int raw_fragment_later(struct probe *p)
{
	struct packet first, later;

	return make_fragments(p, &first, &later) ?: send_raw(p, &later, &p->to);
}

static int raw_fragments(struct probe *p)
{
	return raw_fragment_first(p) ?: raw_fragment_later(p);
}

/* A datagram behind a fragment header of our choice. */
static int send_fragment(struct probe *p, uint8_t protocol, uint16_t offset)
{
	struct packet packet = {}, body = {};
	union endpoint source;
	int result = find_source(p, &p->to, &source);

	if (result)
		return result;
	put_udp(&body, p, &source, &p->to);
	put_ip6(&packet, &source, &p->to, IPPROTO_FRAGMENT, 8 + body.len);
	put_fragment(&packet, protocol, offset, false);
	put(&packet, body.bytes, body.len);
	return send_raw(p, &packet, &p->to);
}

static int ip6_atomic_fragment(struct probe *p)
{
	return send_fragment(p, IPPROTO_UDP, 0);
}

static int send_tcp_segment(struct probe *p, uint8_t flags)
{
	union endpoint source, target = with_port(&p->to, 0);
	struct packet packet = {};
	int result = find_source(p, &p->to, &source);

	if (result)
		return result;
	put_tcp(&packet, p, &source, &p->to, flags);
	return open_socket(p, p->to.any.sa_family, SOCK_RAW, IPPROTO_TCP)
		       ?: send_bytes(p, packet.bytes, packet.len, 0, &target);
}

static int raw_tcp_syn(struct probe *p)
{
	return send_tcp_segment(p, TH_SYN);
}

static int raw_tcp_data(struct probe *p)
{
	return send_tcp_segment(p, TH_PUSH | TH_ACK);
}

static int raw_tcp_synack(struct probe *p)
{
	return send_tcp_segment(p, TH_SYN | TH_ACK);
}

static int raw_tcp_rst(struct probe *p)
{
	return send_tcp_segment(p, TH_RST);
}

/* A datagram to ADDR in a packet that begins with the given headers, of IPv6. */
static int send_headed(struct probe *p, const struct packet *headers, uint8_t first)
{
	struct packet packet = {}, body = *headers;
	union endpoint source;
	int result = find_source(p, &p->to, &source);

	if (result)
		return result;
	put_udp(&body, p, &source, &p->to);
	put_ip(&packet, &source, &p->to, first, body.len);
	put(&packet, body.bytes, body.len);
	return send_raw(p, &packet, &p->to);
}

static int raw_ah(struct probe *p)
{
	struct packet headers = {};

	put_ah(&headers, IPPROTO_UDP);
	return send_headed(p, &headers, IPPROTO_AH);
}

/* The packet is at ADDR, its last segment is -f: the kernel's own header can't say that. */
static int ip6_routing_raw(struct probe *p)
{
	struct packet headers = {};

	put_segments(&headers, IPPROTO_UDP, &p->to, &p->other);
	return send_headed(p, &headers, IPPROTO_ROUTING);
}

/* What a segment routing encapsulation makes: IPv6, routing header, a datagram to -f. */
static int ip6_routing_tunnel(struct probe *p)
{
	union endpoint source, inner = with_port(&p->other, port_of(&p->to));
	struct packet packet = {}, datagram;
	int result = make_datagram(p, &inner, &datagram) ?: find_source(p, &p->to, &source);

	if (result)
		return result;
	put_ip6(&packet, &source, &p->to, IPPROTO_ROUTING, 40 + datagram.len);
	put_segments(&packet, is_ip4(&inner) ? IPPROTO_IPIP : IPPROTO_IPV6, &p->to, &p->to);
	put(&packet, datagram.bytes, datagram.len);
	return send_raw(p, &packet, &p->to);
}

/* The first fragment names port 9, a second first fragment PORT: who reassembles, chooses. */
static int raw_overlap(struct probe *p)
{
	union endpoint decoy = with_port(&p->to, DISCARD_PORT);
	struct packet packets[2] = {};
	union endpoint source;
	int result = find_source(p, &p->to, &source);

	for (int i = 0; !result && i < 2; i++) {
		struct packet body = {};

		put_udp(&body, p, &source, i ? &p->to : &decoy);
		if (is_ip4(&p->to)) {
			put_ip4(&packets[i], &source, &p->to, IPPROTO_UDP, 16, IP_MF);
		} else {
			put_ip6(&packets[i], &source, &p->to, IPPROTO_FRAGMENT, 8 + 16);
			put_fragment(&packets[i], IPPROTO_UDP, 0, true);
		}
		put(&packets[i], body.bytes, 16);
		result = send_raw(p, &packets[i], &p->to);
	}
	return result;
}

/*
 * A later fragment that says it continues ICMPv6: who reassembles goes by the first one's word
 * alone (RFC 8200 4.5). It brings another UDP header for the place behind an options header.
 */
static int ip6_fragment_next(struct probe *p)
{
	return send_fragment(p, IPPROTO_ICMPV6, 1);
}

/* The query as the data of protocol -x: what a tunnel's or another protocol's packet looks like. */
static int raw_protocol(struct probe *p)
{
	union endpoint target = with_port(&p->to, 0);

	return open_socket(p, p->to.any.sa_family, SOCK_RAW, (int)p->chain)
		       ?: send_bytes(p, p->query + 2, p->query_len, 0, &target);
}

/*
 * The query behind the ports of protocol -x, where SCTP and DCCP have them, too (RFC 9260 3.1,
 * RFC 4340 5.1); the rest of their headers is nothing.
 */
static int raw_ports(struct probe *p)
{
	union endpoint target = with_port(&p->to, 0);
	const uint16_t header[6] = {htons(40053), htons(port_of(&p->to))};
	struct packet packet = {};

	put(&packet, header, sizeof(header));
	put(&packet, p->query + 2, p->query_len);
	return open_socket(p, p->to.any.sa_family, SOCK_RAW, (int)p->chain)
		       ?: send_bytes(p, packet.bytes, packet.len, 0, &target);
}

static int ip6_dstopts_chain(struct probe *p)
{
	struct packet packet = {}, body = {};
	union endpoint source;
	int result = find_source(p, &p->to, &source);

	if (result)
		return result;
	for (unsigned int left = p->chain; left > 0; left--)
		put_padding(&body, left > 1 ? IPPROTO_DSTOPTS : IPPROTO_UDP);
	put_udp(&body, p, &source, &p->to);
	put_ip6(&packet, &source, &p->to, p->chain ? IPPROTO_DSTOPTS : IPPROTO_UDP, body.len);
	put(&packet, body.bytes, body.len);
	return send_raw(p, &packet, &p->to);
}

/* A datagram to -f inside one to ADDR; the kernel adds the outer header. */
static int ipip(struct probe *p)
{
	union endpoint inner = with_port(&p->other, port_of(&p->to));
	union endpoint outer = with_port(&p->to, 0);
	int protocol = is_ip4(&inner) ? IPPROTO_IPIP : IPPROTO_IPV6;
	struct packet packet;

	return make_datagram(p, &inner, &packet)
		?: open_socket(p, outer.any.sa_family, SOCK_RAW, protocol)
		?: send_bytes(p, packet.bytes, packet.len, 0, &outer);
}

const struct technique raw_techniques[] = {
	{"raw-udp", FOR_BOTH, NEEDS_RAW, raw_udp, "raw socket, own UDP header"},
	{"raw-hdrincl", FOR_BOTH, NEEDS_RAW, raw_hdrincl, "raw socket, own IP header"},
	{"raw-hdrincl-lying", FOR_BOTH, NEEDS_RAW, raw_hdrincl_lying,
	 "IP header says ADDR, sendto() says -f"},
	{"raw-fragment-first", FOR_BOTH, NEEDS_RAW, raw_fragment_first,
	 "the first half of a datagram"},
	{"raw-fragment-later", FOR_BOTH, NEEDS_RAW, raw_fragment_later,
	 "the second half of a datagram"},
	{"raw-fragments", FOR_BOTH, NEEDS_RAW, raw_fragments, "both halves"},
	{"ip6-atomic-fragment", FOR_6, NEEDS_RAW, ip6_atomic_fragment,
	 "fragment header on a whole datagram"},
	{"ip6-dstopts-chain", FOR_6, NEEDS_RAW, ip6_dstopts_chain,
	 "-x destination options headers"},
	{"ipip", FOR_BOTH, NEEDS_RAW, ipip,
	 "a datagram to -f inside one to ADDR, protocol 4 or 41"},
	{"raw-tcp-syn", FOR_BOTH, NEEDS_RAW, raw_tcp_syn, "hand-made SYN with the query"},
	{"raw-tcp-data", FOR_BOTH, NEEDS_RAW, raw_tcp_data, "hand-made segment with the query"},
	{"raw-tcp-synack", FOR_BOTH, NEEDS_RAW, raw_tcp_synack, "hand-made SYN-ACK with the query"},
	{"raw-tcp-rst", FOR_BOTH, NEEDS_RAW, raw_tcp_rst, "hand-made reset with the query"},
	{"raw-ah", FOR_BOTH, NEEDS_RAW, raw_ah, "authentication header on a datagram"},
	{"raw-overlap", FOR_BOTH, NEEDS_RAW, raw_overlap,
	 "two first fragments: to port 9, then to PORT"},
	{"raw-protocol", FOR_BOTH, NEEDS_RAW, raw_protocol, "the query as data of IP protocol -x"},
	{"raw-ports", FOR_BOTH, NEEDS_RAW, raw_ports, "the query behind ports of IP protocol -x"},
	{"ip6-fragment-next", FOR_6, NEEDS_RAW, ip6_fragment_next,
	 "later fragment with a UDP header that says ICMPv6"},
	{"ip6-routing-raw", FOR_6, NEEDS_RAW, ip6_routing_raw,
	 "segment routing header: addressed to ADDR, last segment -f"},
	{"ip6-routing-tunnel", FOR_6, NEEDS_RAW, ip6_routing_tunnel,
	 "segment routing header to ADDR, inside it a datagram to -f"},
	{},
};
