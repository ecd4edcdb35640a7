// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bpf/flow.h against the independent reader of reference.c, over pseudo-random packets: headers
 * in any order with fields that mean something, then cut, flipped and patched. The seed is
 * printed; TEST_SEED and TEST_PACKETS choose another one and how many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "compare.h"
#include "generate.h"

#define PACKETS 400000ull

struct coverage {
	uint64_t flags[8]; /* by bit of df_flow.flags; the last one: none at all */
};

static void coverage_count(struct coverage *coverage, const struct packet *packet)
{
	struct df_flow flow;

	host_flow_parse(packet->bytes, packet->length, &flow);
	for (unsigned int bit = 0; bit < 7; bit++)
		coverage->flags[bit] += (flow.flags >> bit) & 1;
	coverage->flags[7] += !flow.flags;
}

/* In a buffer of exactly its length, so that the sanitizer sees every byte read too far. */
static const char *compare_exactly(const struct packet *packet)
{
	uint8_t *copy = malloc(packet->length ? packet->length : 1);
	const char *difference;

	assert_non_null(copy);
	memcpy(copy, packet->bytes, packet->length);
	difference = compare_readings(copy, packet->length);
	free(copy);
	return difference;
}

static void test_structured_packets(void **state)
{
	uint64_t seed = setting("TEST_SEED", 20260101), count = setting("TEST_PACKETS", PACKETS);
	struct coverage coverage = {0};
	static struct packet packet;

	(void)state;
	fprintf(stderr, "%llu packets, TEST_SEED=%llu\n", (unsigned long long)count,
		(unsigned long long)seed);
	for (uint64_t i = 0; i < count; i++) {
		const char *difference;

		random_state = seed + i;
		generate_packet(&packet);
		generate_damage(&packet);
		coverage_count(&coverage, &packet);
		difference = compare_exactly(&packet);
		if (!difference)
			continue;
		packet_dump(&packet);
		fail_msg("TEST_SEED=%llu TEST_PACKETS=1: %s differ", (unsigned long long)(seed + i),
			 difference);
	}
	/* A generator that no longer reaches some finding would compare nothing there. */
	for (unsigned int bit = 0; bit < 8 && count >= PACKETS; bit++)
		assert_true(coverage.flags[bit] > count / 1000);
}

/* Bytes without any structure: short, and of either version. */
static void test_noise(void **state)
{
	uint64_t seed = setting("TEST_SEED", 20260101);
	static struct packet packet;

	(void)state;
	random_state = ~seed;
	for (unsigned int i = 0; i < 100000; i++) {
		packet.length = random_below(120);
		for (uint32_t at = 0; at < packet.length; at++)
			packet.bytes[at] = (uint8_t)random_next();
		if (random_below(4))
			packet.bytes[0] = (uint8_t)(random_below(2) ? 0x45 : 0x60);
		assert_null(compare_exactly(&packet));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_structured_packets),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
