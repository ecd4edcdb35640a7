// SPDX-License-Identifier: GPL-2.0-or-later
#include "aim.h"

#include "tests/unit/generate.h"
#include "tests/unit/reference.h"

static const uint8_t plain_protocols[] = {17, 17, 17, 6, 6, 6, 136, 132, 33, 58};
static const uint16_t ports[] = {53,   53,   53,   853,  853,  137, 5300,
				 5301, 5310, 5353, 5355, 5999, 443};

static void plain_packet(struct packet *packet)
{
	struct layer layers[PACKET_LAYERS_MAX] = {
		LAYER(random_below(2) ? 4 : 41),
		LAYER(random_of(plain_protocols, sizeof(plain_protocols))),
	};

	packet_build(packet, layers, 0);
}

/* A port that somebody is asked on, now and then the one beside it or any. */
static unsigned int random_port(void)
{
	if (random_one_in(16))
		return random_below(65536);
	return (ports[random_below(ARRAY_LEN(ports))] +
		(random_one_in(8) ? random_below(3) - 1 : 0)) &
	       0xffff;
}

/* Mostly one that a packet of this family can be for. */
static const struct resolver *random_resolver(const struct config *config, int family)
{
	const struct resolver *resolver = NULL;

	for (int try = 0; try < 8; try++) {
		const struct resolver_set *set =
			&config->sets[random_below((unsigned int)config->sets_length)];

		resolver = &set->resolvers[random_below((unsigned int)set->length)];
		if (resolver->address.family == family || random_one_in(16))
			break;
	}
	return resolver;
}

/* Into the resolver's network, or one bit away; of another family's address the same bytes. */
static void aim_address(const struct resolver *resolver, uint8_t *place, unsigned int bits)
{
	const struct address *address = &resolver->address;
	unsigned int bit = random_below(bits);

	memcpy(place, address->bytes, bits / 8);
	if (bit >= address->prefix || random_one_in(4))
		place[bit / 8] ^= (uint8_t)(0x80u >> bit % 8);
	if (bits > address->prefix && random_below(2)) /* into it, or past its end */
		place[bits / 8 - 1] = (uint8_t)random_next();
}

/* Ports, and behind them what makes a packet an answer, or a part of a connection. */
static void aim_transport(const struct resolver *resolver, uint8_t *place, uint32_t room)
{
	static const uint8_t flags[] = {0x02, 0x10, 0x12, 0x18, 0x04, 0x14, 0x11};

	packet_put16(place, random_one_in(3) ? random_port() : PACKET_SPORT);
	packet_put16(place + 2, resolver && resolver->port && random_below(3) ? resolver->port
									      : random_port());
	if (room < 20)
		return;
	place[10] = (uint8_t)(random_below(2) << 7); /* UDP: QR of the DNS header */
	place[13] = random_of(flags, sizeof(flags)); /* TCP: its flags */
	if (random_one_in(4))
		place[4 + random_below(16)] = (uint8_t)random_next();
}

static void aim(const struct config *config, struct packet *packet)
{
	const struct resolver *resolver;
	struct reference reference;

	reference_read(packet->bytes, packet->length, &reference);
	resolver = random_resolver(config, reference.family);
	if (reference.family && !random_one_in(8))
		aim_address(resolver,
			    packet->bytes + reference.ip_at + (reference.family == 4 ? 16 : 24),
			    reference.family == 4 ? 32 : 128);
	if (reference.has_ports)
		aim_transport(resolver, packet->bytes + reference.transport_at,
			      packet->length - (uint32_t)reference.transport_at);
}

void aim_packet(uint64_t seed, const struct config *config, uint32_t limit, struct packet *packet)
{
	random_state = seed;
	if (random_below(3))
		plain_packet(packet);
	else
		generate_packet(packet);
	aim(config, packet);
	if (random_one_in(3))
		generate_damage(packet);
	if (packet->length > limit)
		packet->length = limit;
	if (!packet->length)
		packet->length = 1;
}
