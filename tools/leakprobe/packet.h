/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets made by hand, header by header, from the outermost on.
 */
#ifndef LEAKPROBE_PACKET_H
#define LEAKPROBE_PACKET_H

#include "probe.h"

#define PACKET_MAX 4096

struct packet {
	size_t len;
	unsigned char bytes[PACKET_MAX];
};

void put(struct packet *packet, const void *bytes, size_t len);
void put_udp(struct packet *packet, const struct probe *p, const union endpoint *source,
	     const union endpoint *to);
/* fragment: offset in units of 8 bytes and IP_MF, host order. */
void put_ip4(struct packet *packet, const union endpoint *source, const union endpoint *to,
	     uint8_t protocol, size_t payload, uint16_t fragment);
void put_ip6(struct packet *packet, const union endpoint *source, const union endpoint *to,
	     uint8_t next, size_t payload);
void put_ip(struct packet *packet, const union endpoint *source, const union endpoint *to,
	    uint8_t protocol, size_t payload);
/* fragment: offset in units of 8 bytes; more: not the last. */
void put_fragment(struct packet *packet, uint8_t next, uint16_t fragment, bool more);
/* Eight bytes of nothing: a destination or hop-by-hop options header with one PadN. */
void put_padding(struct packet *packet, uint8_t next);

/* A segment with the query as its data. */
void put_tcp(struct packet *packet, const struct probe *p, const union endpoint *source,
	     const union endpoint *to, uint8_t flags);
/* Two segments, the packet at the first (RFC 8754 2). */
void put_segments(struct packet *packet, uint8_t next, const union endpoint *first,
		  const union endpoint *last);
/* An authentication header of 24 bytes (RFC 4302 2). */
void put_ah(struct packet *packet, uint8_t next);

/* A whole UDP datagram with its IP header. */
int make_datagram(struct probe *p, const union endpoint *to, struct packet *ret_packet);
/* packet includes its IP header; it is routed by the address in to, not by the header. */
int send_raw(struct probe *p, const struct packet *packet, const union endpoint *to);

#endif
