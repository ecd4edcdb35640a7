// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bpf/siphash.h against OpenSSL's SIPHASH with one and three rounds (EVP_MAC-SIPHASH(7), c-rounds
 * and d-rounds), of the bytes 0, 1, 2, ... with the key 00 01 ... 0f.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/siphash.h"

static const struct {
	uint32_t length;
	uint64_t hash;
} cases[] = {
	{0, 0xabac0158050fc4dc},  {1, 0xc9f49bf37d57ca93},  {7, 0xd3927d989bb11140},
	{8, 0x369095118d299a8e},  {9, 0x25a48eb36c063de4},  {15, 0xd320d86d2a519956},
	{16, 0xcc4fdd1a7d908b66}, {63, 0x9d199062b7bbb3a8}, {247, 0x9958d4376c452998},
};

/* As bpf/question.h feeds it: whole words, then the rest. */
static uint64_t hash_of(const uint8_t *bytes, uint32_t length)
{
	struct siphash sip;
	uint64_t word = 0;
	uint32_t at = 0;

	siphash_begin(&sip, 0x0706050403020100, 0x0f0e0d0c0b0a0908);
	for (; length - at >= 8; at += 8) {
		memcpy(&word, bytes + at, 8);
		siphash_word(&sip, word);
	}
	word = 0;
	memcpy(&word, bytes + at, length - at);
	return siphash_end(&sip, word, length);
}

static void test_as_openssl_has_it(void **state)
{
	uint8_t bytes[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(hash_of(bytes, cases[i].length), cases[i].hash);
}

/* What made two questions one before there was a key: bits that a product only moves. */
static void test_bits_that_cancel_in_a_product(void **state)
{
	uint8_t bytes[16] = "aaaaaaaaaaaaaaa", other[16];

	(void)state;
	memcpy(other, bytes, sizeof(other));
	other[7] ^= 0x80;
	other[12] ^= 0x04;
	other[15] ^= 0x80;
	assert_int_not_equal(hash_of(bytes, 16), hash_of(other, 16));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_openssl_has_it),
		cmocka_unit_test(test_bits_that_cancel_in_a_product),
	};

	return cmocka_run_group_tests_name("siphash", tests, NULL, NULL);
}
