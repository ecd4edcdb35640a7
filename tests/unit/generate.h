/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pseudo-random packets: headers in any order with fields that mean something, then cut, flipped
 * and patched. The same from the same random_state on every machine. Tests only.
 */
#ifndef DNSFENCE_TEST_GENERATE_H
#define DNSFENCE_TEST_GENERATE_H

#include <stdio.h>
#include <stdlib.h>

#include "packet.h"

static uint64_t random_state;

/* SplitMix64: the same packets from the same seed on every machine. */
static inline uint64_t random_next(void)
{
	uint64_t value = random_state += 0x9e3779b97f4a7c15ull;

	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
	return value ^ (value >> 31);
}

static inline unsigned int random_below(unsigned int limit)
{
	return (unsigned int)(random_next() % limit);
}

static inline int random_one_in(unsigned int n)
{
	return random_below(n) == 0;
}

static const uint8_t protocols[] = {0, 4,  6,  17, 33,  41,  43,  44,  51, 60,
				    1, 58, 59, 50, 132, 135, 136, 139, 140};
static const uint8_t leaders[] = {0, 43, 44, 51, 60, 135, 139, 140, 4, 41};
static const uint8_t option_types[] = {0, 1, 1, 1, 7, 68, 130, 131, 137, 148};

static inline uint8_t random_of(const uint8_t *list, size_t length)
{
	return list[random_below((unsigned int)length)];
}

static inline void random_options(struct layer *layer)
{
	layer->length = (uint8_t)(random_below(11) * 4);
	for (uint8_t at = 0; at < layer->length;) {
		uint8_t size = (uint8_t)(2 + random_below(9));

		layer->options[at] = random_of(option_types, sizeof(option_types));
		if (at + 1 < layer->length)
			layer->options[at + 1] = random_one_in(8) ? (uint8_t)random_next() : size;
		at = (uint8_t)(at + (layer->options[at] <= 1 ? 1 : size));
	}
}

static inline void random_layer(struct layer *layer, uint8_t protocol)
{
	*layer = (struct layer){.present = 1, .protocol = protocol};
	if (protocol == 4 && random_one_in(3))
		random_options(layer);
	if ((protocol == 4 && random_one_in(8)) || (protocol == 44 && random_one_in(3))) {
		layer->fragment = (uint16_t)(random_one_in(2) ? 1 : random_below(0x2000));
		layer->more = (uint8_t)random_below(2);
	}
	if (protocol != 4 && random_one_in(3))
		layer->length = (uint8_t)random_below(random_one_in(8) ? 256 : 5);
}

/* Mostly long chains that lead somewhere; now and then anything behind anything. */
static inline void random_layers(struct layer layers[PACKET_LAYERS_MAX])
{
	unsigned int count = 2 + random_below(random_one_in(3) ? PACKET_LAYERS_MAX - 1 : 5);

	memset(layers, 0, sizeof(*layers) * PACKET_LAYERS_MAX);
	random_layer(&layers[0], random_below(2) ? 4 : 41);
	for (unsigned int i = 1; i + 1 < count; i++) {
		uint8_t protocol = random_of(leaders, sizeof(leaders));

		if (protocol == 4 || protocol == 41)
			protocol = random_one_in(2) ? protocol : 60;
		random_layer(&layers[i], protocol);
	}
	random_layer(&layers[count - 1], random_of(protocols, sizeof(protocols)));
}

/* Cut, flip, patch. */
static inline void generate_damage(struct packet *packet)
{
	unsigned int flips = random_below(3);

	if (random_one_in(3) && packet->length)
		packet->length = random_below(packet->length + 1);
	for (unsigned int i = 0; i < flips && packet->length; i++) {
		unsigned int reach = packet->length < 128 ? packet->length : 128;
		uint8_t *byte =
			packet->bytes + random_below(random_one_in(4) ? packet->length : reach);

		if (random_one_in(2))
			*byte ^= (uint8_t)(1u << random_below(8));
		else
			*byte = random_of(protocols, sizeof(protocols));
	}
}

/* Headers in any order with fields that mean something. */
static inline void generate_packet(struct packet *packet)
{
	struct layer layers[PACKET_LAYERS_MAX];

	random_layers(layers);
	packet_build(packet, layers, random_of(protocols, sizeof(protocols)));
}

static inline void packet_dump(const struct packet *packet)
{
	for (uint32_t i = 0; i < packet->length && i < 512; i++)
		fprintf(stderr, "%02x%s", packet->bytes[i], i % 16 == 15 ? "\n" : " ");
	fprintf(stderr, "\n");
}

/* A number from the environment. */
static inline uint64_t setting(const char *name, uint64_t standard)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : standard;
}

#endif
