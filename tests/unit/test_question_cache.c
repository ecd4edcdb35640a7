// SPDX-License-Identifier: GPL-2.0-or-later
/* userspace/question_cache.c: what was put comes back, and the one least used goes first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "bpf/abi.h"
#include "userspace/question_cache.h"

#define WAYS 4

static int setup(void **state)
{
	*state = question_cache_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	question_cache_free(*state);
	return 0;
}

static void put(struct question_cache *cache, uint64_t hash)
{
	question_cache_put(cache, hash, (const uint8_t *)&hash, sizeof(hash));
}

/* Is it there, and what was put? */
static bool has(struct question_cache *cache, uint64_t hash)
{
	size_t length = 0;
	const uint8_t *bytes = question_cache_get(cache, hash, &length);

	if (!bytes)
		return false;
	assert_int_equal(length, sizeof(hash));
	assert_memory_equal(bytes, &hash, sizeof(hash));
	return true;
}

static void test_what_was_put(void **state)
{
	assert_false(has(*state, 0));
	assert_false(has(*state, 7));
	put(*state, 0);
	put(*state, 7);
	assert_true(has(*state, 0));
	assert_true(has(*state, 7));
	assert_false(has(*state, 7 + DF_FOLD_SLOTS));
}

static void test_put_again(void **state)
{
	static const uint8_t other[DF_QUESTION_MAX] = "other";
	size_t length;

	put(*state, 7);
	question_cache_put(*state, 7, other, sizeof(other));
	assert_memory_equal(question_cache_get(*state, 7, &length), other, sizeof(other));
	assert_int_equal(length, sizeof(other));
}

static void test_too_long(void **state)
{
	static const uint8_t bytes[DF_QUESTION_MAX + 1];
	size_t length;

	question_cache_put(*state, 7, bytes, sizeof(bytes));
	assert_null(question_cache_get(*state, 7, &length));
}

static void test_least_used_goes(void **state)
{
	for (uint64_t i = 0; i < WAYS; i++)
		put(*state, 7 + i * DF_FOLD_SLOTS);
	assert_true(has(*state, 7));
	put(*state, 7 + WAYS * DF_FOLD_SLOTS);
	assert_false(has(*state, 7 + DF_FOLD_SLOTS));
	assert_true(has(*state, 7));
	for (uint64_t i = 2; i <= WAYS; i++)
		assert_true(has(*state, 7 + i * DF_FOLD_SLOTS));
}

/* As many as the kernel counts at once, with hashes as random as keyed ones are. */
static void test_a_full_house(void **state)
{
	uint64_t hash = 1, kept = 0;

	for (int i = 0; i < DF_FOLD_SLOTS; i++)
		put(*state, (hash = hash * 6364136223846793005u + 1442695040888963407u) >> 16);
	hash = 1;
	for (int i = 0; i < DF_FOLD_SLOTS; i++)
		kept += has(*state,
			    (hash = hash * 6364136223846793005u + 1442695040888963407u) >> 16);
	assert_true(kept >= DF_FOLD_SLOTS - DF_FOLD_SLOTS / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_was_put, setup, teardown),
		cmocka_unit_test_setup_teardown(test_put_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_least_used_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_full_house, setup, teardown),
	};

	return cmocka_run_group_tests_name("question_cache", tests, NULL, NULL);
}
