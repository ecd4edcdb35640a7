// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/watch.c: which differences between what should be and what is are found, and that
 * each has a name and a way to mend it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "userspace/watch.h"

/* connect4, connect6 and packet are attached, all maps pinned. */
static struct df_seal whole(void)
{
	struct df_seal seal = {
		.abi = DF_ABI_VERSION,
		.slot = 1,
		.cgroup_id = 77,
		.checksum = 0x1234,
		.tables = {10, 11, 12},
		.entries = 0x5678,
	};
	static const unsigned int attached[] = {DF_HOOK_CONNECT4, DF_HOOK_CONNECT6, DF_HOOK_PACKET};

	for (size_t i = 0; i < ARRAY_LEN(attached); i++) {
		seal.links[attached[i]] = seal.link_pins[attached[i]] = 100 + attached[i];
		seal.programs[attached[i]] = 200 + attached[i];
	}
	for (unsigned int map = 0; map < FENCE_MAP_MAX; map++)
		seal.map_pins[map] = 300 + map;
	return seal;
}

static void test_nothing(void **state)
{
	struct df_seal should = whole(), is = should;
	struct watch_findings findings;

	(void)state;
	watch_compare(&should, &is, &findings);
	assert_int_equal(findings.length, 0);
	/* A hook that is not ours: whatever is pinned there, or attached. */
	is.links[DF_HOOK_SENDMSG4] = is.link_pins[DF_HOOK_SENDMSG4] = 9;
	watch_compare(&should, &is, &findings);
	assert_int_equal(findings.length, 0);
}

/* The field, what it becomes, and the one finding that follows. */
static const struct {
	size_t offset;
	uint32_t value;
	enum watch_kind kind;
	unsigned int index;
	const char *name;
} changes[] = {
#define FIELD(field) offsetof(struct df_seal, field)
	{FIELD(cgroup_id), 0, WATCH_CGROUP, 0, ""},
	{FIELD(links[DF_HOOK_PACKET]), 0, WATCH_LINK, DF_HOOK_PACKET, "packet"},
	{FIELD(links[DF_HOOK_CONNECT6]), 0, WATCH_LINK, DF_HOOK_CONNECT6, "connect6"},
	{FIELD(programs[DF_HOOK_CONNECT4]), 9, WATCH_PROGRAM, DF_HOOK_CONNECT4, "connect4"},
	{FIELD(link_pins[DF_HOOK_PACKET]), 0, WATCH_LINK_PIN, DF_HOOK_PACKET, "packet"},
	{FIELD(link_pins[DF_HOOK_PACKET]), 9, WATCH_LINK_PIN, DF_HOOK_PACKET, "packet"},
	{FIELD(map_pins[FENCE_GLOBALS]), 0, WATCH_MAP_PIN, FENCE_GLOBALS, "globals"},
	{FIELD(map_pins[FENCE_SEAL]), 9, WATCH_MAP_PIN, FENCE_SEAL, "seal"},
	{FIELD(tables[0]), 9, WATCH_TABLE, 0, "resolvers"},
	{FIELD(tables[2]), 0, WATCH_TABLE, 2, "subjects"},
	{FIELD(entries), 1, WATCH_ENTRIES, 0, "subjects"},
	{FIELD(slot), 0, WATCH_ACTIVE, 0, ""},
	{FIELD(slot), 7, WATCH_ACTIVE, 0, ""},
	{FIELD(checksum), 1, WATCH_GENERATION, 0, ""},
#undef FIELD
};

static void test_one_change(void **state)
{
	struct df_seal should = whole();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct df_seal is = should;
		struct watch_findings findings;

		memcpy((char *)&is + changes[i].offset, &changes[i].value, sizeof(uint32_t));
		watch_compare(&should, &is, &findings);
		assert_int_equal(findings.length, 1);
		assert_int_equal(findings.list[0].kind, changes[i].kind);
		assert_int_equal(findings.list[0].index, changes[i].index);
		assert_string_equal(watch_name(&findings.list[0]), changes[i].name);
	}
}

/* With the cgroup all else has gone; with a link its program and pin are made anew. */
static void test_covered(void **state)
{
	struct df_seal should = whole(), is = should;
	struct watch_findings findings;

	(void)state;
	is.links[DF_HOOK_PACKET] = is.programs[DF_HOOK_PACKET] = is.link_pins[DF_HOOK_PACKET] = 0;
	watch_compare(&should, &is, &findings);
	assert_int_equal(findings.length, 1);
	assert_int_equal(findings.list[0].kind, WATCH_LINK);
	is.cgroup_id = 0;
	watch_compare(&should, &is, &findings);
	assert_int_equal(findings.length, 1);
	assert_int_equal(findings.list[0].kind, WATCH_CGROUP);
}

/* Everything at once fits. */
static void test_all(void **state)
{
	struct df_seal should, is = {.cgroup_id = 77};
	struct watch_findings findings;

	(void)state;
	memset(&should, 1, sizeof(should));
	should.cgroup_id = 77;
	is = should;
	memset(is.programs, 2, sizeof(is.programs));
	memset(is.link_pins, 2, sizeof(is.link_pins));
	memset(is.map_pins, 2, sizeof(is.map_pins));
	memset(is.tables, 2, sizeof(is.tables));
	is.entries = 2;
	is.slot = 2;
	is.checksum = 2;
	watch_compare(&should, &is, &findings);
	assert_int_equal(findings.length,
			 2 * DF_HOOK_CGROUP_MAX + FENCE_MAP_MAX + DF_SEAL_TABLES + 3);
}

static void test_names(void **state)
{
	(void)state;
	for (int kind = 0; kind < WATCH_KIND_MAX; kind++) {
		assert_true(strlen(watch_object(kind)) > 2);
		assert_true(strlen(watch_what(kind)) > 10);
		assert_in_range(watch_mend_of(kind), 0, WATCH_MEND_MAX - 1);
	}
}

/* Any single bit of the structure counts. */
static void test_checksum(void **state)
{
	_cleanup_free_ struct df_generation *generation = calloc(1, sizeof(*generation));
	uint64_t before;

	(void)state;
	assert_non_null(generation);
	before = watch_checksum(generation);
	for (size_t byte = 0; byte < sizeof(*generation); byte += 97) {
		((unsigned char *)generation)[byte] ^= 1u << byte % 8;
		assert_true(watch_checksum(generation) != before);
		((unsigned char *)generation)[byte] ^= 1u << byte % 8;
	}
	assert_true(watch_checksum(generation) == before);
	generation->policies[DF_POLICY_MAX - 1].name[DF_POLICY_NAME_LEN - 1] = 1;
	assert_true(watch_checksum(generation) != before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing), cmocka_unit_test(test_one_change),
		cmocka_unit_test(test_covered), cmocka_unit_test(test_all),
		cmocka_unit_test(test_names),   cmocka_unit_test(test_checksum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
