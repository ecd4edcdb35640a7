/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of layers -> the bytes of a packet, for the tests of the parser. Each layer is known by
 * its protocol number (4 is an IPv4 header, 41 an IPv6 header), so that what follows gives every
 * header its "next header" field. Addresses and ports say which layer they stand in: the n-th IP
 * header goes from .n.1 to .n.53, ports from 40000 to 53.
 */
#ifndef DNSFENCE_TEST_PACKET_H
#define DNSFENCE_TEST_PACKET_H

#include <stdint.h>
#include <string.h>

#define PACKET_MAX 40960 /* 15 layers, an extension header has at most 2048 bytes */
#define PACKET_LAYERS_MAX 15
#define PACKET_SPORT 40000
#define PACKET_DPORT 53

struct layer {
	uint8_t present; /* unset: the list ends before this one */
	uint8_t protocol;
	uint8_t length; /* extension header: its length byte; IPv4: bytes of options */
	uint8_t more; /* IPv4, fragment header: more fragments */
	uint16_t fragment; /* IPv4, fragment header: offset in units of 8 bytes */
	uint8_t options[40];
};

#define LAYER(number, ...)                                        \
	{                                                         \
		.present = 1, .protocol = (number), ##__VA_ARGS__ \
	}
#define L_IP4(...) LAYER(4, ##__VA_ARGS__)
#define L_IP6(...) LAYER(41, ##__VA_ARGS__)
#define L_HOP(...) LAYER(0, ##__VA_ARGS__)
#define L_ROUTE(...) LAYER(43, ##__VA_ARGS__)
#define L_FRAG(...) LAYER(44, ##__VA_ARGS__)
#define L_AH(...) LAYER(51, ##__VA_ARGS__)
#define L_DST(...) LAYER(60, ##__VA_ARGS__)
#define L_MOBILITY(...) LAYER(135, ##__VA_ARGS__)
#define L_HIP(...) LAYER(139, ##__VA_ARGS__)
#define L_SHIM6(...) LAYER(140, ##__VA_ARGS__)
#define L_UDP LAYER(17)
#define L_TCP LAYER(6)
#define L_UDPLITE LAYER(136)
#define L_SCTP LAYER(132)
#define L_DCCP LAYER(33)
#define L_ICMP LAYER(1)
#define L_ICMP6 LAYER(58)
#define L_ESP LAYER(50)
#define L_NONE LAYER(59)

struct packet {
	uint8_t bytes[PACKET_MAX];
	uint32_t length;
	unsigned int addresses; /* IP headers so far */
};

static inline uint8_t *packet_extend(struct packet *packet, uint32_t length)
{
	uint8_t *place = packet->bytes + packet->length;

	memset(place, 0, length);
	packet->length += length;
	return place;
}

static inline void packet_put16(uint8_t *place, unsigned int value)
{
	place[0] = (uint8_t)(value >> 8);
	place[1] = (uint8_t)value;
}

static inline void packet_address4(uint8_t place[4], unsigned int n, uint8_t last)
{
	const uint8_t address[4] = {10, 0, (uint8_t)n, last};

	memcpy(place, address, sizeof(address));
}

static inline void packet_address6(uint8_t place[16], unsigned int n, uint8_t last)
{
	const uint8_t address[16] = {0x20, 0x01, 0x0d, 0xb8, [13] = (uint8_t)n, [15] = last};

	memcpy(place, address, sizeof(address));
}

static inline void packet_add_ip4(struct packet *packet, const struct layer *layer, uint8_t next)
{
	uint32_t options = (layer->length + 3u) & ~3u;
	uint8_t *header = packet_extend(packet, 20 + options);

	header[0] = (uint8_t)(0x40 | (5 + options / 4));
	packet_put16(header + 6, (layer->more ? 0x2000u : 0) | layer->fragment);
	header[8] = 64;
	header[9] = next;
	packet_address4(header + 12, packet->addresses, 1);
	packet_address4(header + 16, packet->addresses, 53);
	memcpy(header + 20, layer->options, layer->length);
	packet->addresses++;
}

static inline void packet_add_ip6(struct packet *packet, uint8_t next)
{
	uint8_t *header = packet_extend(packet, 40);

	header[0] = 0x60;
	header[6] = next;
	header[7] = 64;
	packet_address6(header + 8, packet->addresses, 1);
	packet_address6(header + 24, packet->addresses, 53);
	packet->addresses++;
}

static inline void packet_add_extension(struct packet *packet, const struct layer *layer,
					uint8_t next)
{
	uint32_t length = (layer->length + 1u) * 8;
	uint8_t *header;

	if (layer->protocol == 51)
		length = (layer->length + 2u) * 4;
	if (layer->protocol == 44)
		length = 8;
	header = packet_extend(packet, length);
	header[0] = next;
	header[1] = layer->length;
	if (layer->protocol == 44)
		packet_put16(header + 2, (unsigned int)layer->fragment << 3 | layer->more);
}

static inline void packet_add_ports(struct packet *packet)
{
	uint8_t *header = packet_extend(packet, 20);

	packet_put16(header, PACKET_SPORT);
	packet_put16(header + 2, PACKET_DPORT);
	header[12] = 0x50;
}

static inline int packet_protocol_has_ports(uint8_t protocol)
{
	return protocol == 17 || protocol == 6 || protocol == 136 || protocol == 132 ||
	       protocol == 33;
}

/* last: what the last header says follows it, when no layer does. */
static inline void packet_build(struct packet *packet, const struct layer *layers, uint8_t last)
{
	packet->length = 0;
	packet->addresses = 0;
	for (int i = 0; i < PACKET_LAYERS_MAX && layers[i].present; i++) {
		const struct layer *layer = &layers[i];
		int follows = i + 1 < PACKET_LAYERS_MAX && layers[i + 1].present;
		uint8_t next = follows ? layers[i + 1].protocol : last;

		if (layer->protocol == 4)
			packet_add_ip4(packet, layer, next);
		else if (layer->protocol == 41)
			packet_add_ip6(packet, next);
		else if (packet_protocol_has_ports(layer->protocol))
			packet_add_ports(packet);
		else if (layer->protocol == 1 || layer->protocol == 58 || layer->protocol == 50)
			(void)packet_extend(packet, 8);
		else if (layer->protocol != 59)
			packet_add_extension(packet, layer, next);
	}
}

#endif
