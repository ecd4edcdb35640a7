// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Raw sockets: headers made by hand, and what they can be made to say.
 */
#include "packet.h"

#include <netinet/ip.h>

static int raw_udp(struct probe *p)
{
	union address source, target = with_port(&p->to, 0);
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
	union address source;
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

static int ip6_atomic_fragment(struct probe *p)
{
	struct packet packet = {}, body = {};
	union address source;
	int result = find_source(p, &p->to, &source);

	if (result)
		return result;
	put_udp(&body, p, &source, &p->to);
	put_ip6(&packet, &source, &p->to, IPPROTO_FRAGMENT, 8 + body.len);
	put_fragment(&packet, IPPROTO_UDP, 0, false);
	put(&packet, body.bytes, body.len);
	return send_raw(p, &packet, &p->to);
}

static int ip6_dstopts_chain(struct probe *p)
{
	struct packet packet = {}, body = {};
	union address source;
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
	union address inner = with_port(&p->other, port_of(&p->to));
	union address outer = with_port(&p->to, 0);
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
	{},
};
