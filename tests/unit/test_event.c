// SPDX-License-Identifier: GPL-2.0-or-later
/* userspace/event.c: which records of the ring are believed, and the names of what is in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "event_fixture.h"

static int check(const void *record, size_t size)
{
	struct df_event checked = {.hook = 77};
	const char *problem = NULL;
	int r = event_check_record(record, size, &checked, &problem);

	if (r == 0)
		return 0;
	assert_int_equal(r, -EPROTO);
	assert_non_null(problem);
	assert_int_equal(checked.hook, 77);
	return r;
}

static void test_good_record(void **state)
{
	struct df_event record = good_record(), checked;
	const char *problem;

	(void)state;
	assert_int_equal(event_check_record(&record, sizeof(record), &checked, &problem), 0);
	assert_memory_equal(&checked, &record, sizeof(record));
}

/* A report of repeats is the head alone: the rest reads as zeroes. */
static void test_head_alone(void **state)
{
	struct df_event record = good_record(), checked;
	_cleanup_free_ void *head = malloc(DF_EVENT_HEAD_SIZE);
	const char *problem;

	(void)state;
	assert_non_null(head);
	record.size = DF_EVENT_HEAD_SIZE;
	record.question_len = 0;
	record.count = 1000;
	memcpy(head, &record, DF_EVENT_HEAD_SIZE);
	assert_int_equal(event_check_record(head, DF_EVENT_HEAD_SIZE, &checked, &problem), 0);
	assert_int_equal(checked.count, 1000);
	assert_int_equal(checked.question[0], 0);
	record.question_len = 1;
	memcpy(head, &record, DF_EVENT_HEAD_SIZE);
	assert_int_equal(check(head, DF_EVENT_HEAD_SIZE), -EPROTO);
}

/* Cut anywhere, in memory of exactly that size. */
static void test_sizes(void **state)
{
	struct df_event record = good_record();
	uint8_t longer[sizeof(record) + 64] = {0};

	(void)state;
	for (size_t size = 0; size < sizeof(record); size++) {
		_cleanup_free_ void *cut = malloc(size + 1);

		assert_non_null(cut);
		memcpy(cut, &record, size);
		assert_int_equal(check(cut, size), -EPROTO);
	}
	memcpy(longer, &record, sizeof(record));
	assert_int_equal(check(longer, sizeof(record)), 0);
	assert_int_equal(check(longer, sizeof(record) + 8), -EPROTO);
	assert_int_equal(check(longer, sizeof(longer)), -EPROTO);
}

#define REFUSED(statement)                                                 \
	do {                                                               \
		struct df_event record = good_record();                    \
		statement;                                                 \
		assert_int_equal(check(&record, sizeof(record)), -EPROTO); \
	} while (0)

#define ACCEPTED(statement)                                          \
	do {                                                         \
		struct df_event record = good_record();              \
		statement;                                           \
		assert_int_equal(check(&record, sizeof(record)), 0); \
	} while (0)

static void test_fields(void **state)
{
	(void)state;
	REFUSED(record.abi++);
	REFUSED(record.abi = 0);
	REFUSED(record.size = 0);
	REFUSED(record.size = sizeof(record) - 1);
	REFUSED(record.size = 0xffff);
	REFUSED(record.hook = DF_HOOK_MAX);
	REFUSED(record.hook = 0xff);
	REFUSED(record.verdict = DF_VERDICT_PASS);
	REFUSED(record.verdict = DF_VERDICT_ALLOW);
	REFUSED(record.verdict = DF_VERDICT_MAX);
	REFUSED(record.reason = DF_REASON_MAX);
	REFUSED(record.service = DF_SERVICE_MAX + 1);
	REFUSED(record.family = 5);
	REFUSED(record.count = 0);
	REFUSED(record.question_len = DF_QUESTION_MAX + 1);
	REFUSED(record.question_len = 0xffff);
	REFUSED(memset(record.policy, 'x', sizeof(record.policy)));
	REFUSED(memset(record.via.comm, 'x', sizeof(record.via.comm)));
	ACCEPTED(record.verdict = DF_VERDICT_AUDIT);
	ACCEPTED(record.service = DF_SERVICE_MAX);
	ACCEPTED(record.family = 0);
	ACCEPTED(record.family = 6);
	ACCEPTED(record.question_len = 0);
	ACCEPTED(record.question_len = DF_QUESTION_MAX);
	ACCEPTED(record.count = 0xffffffff);
}

/* Which records are sampled lookups: with a rate; a violation has none. */
static void test_sampled_record(void **state)
{
	struct df_event record = good_record(), ret;
	const char *problem;

	(void)state;
	assert_true(event_record_is_violation(&record, sizeof(record)));
	record.sample = 2;
	assert_int_equal(event_check_record(&record, sizeof(record), &ret, &problem), -EPROTO);
	record.verdict = DF_VERDICT_ALLOW;
	assert_int_equal(event_check_record(&record, sizeof(record), &ret, &problem), 0);
	assert_int_equal(ret.sample, 2);
	assert_false(event_record_is_violation(&record, sizeof(record)));
	record.sample = 0;
	assert_int_equal(event_check_record(&record, sizeof(record), &ret, &problem), -EPROTO);
}

static void test_names(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < DF_REASON_MAX; i++) {
		assert_true(event_reason_name(i)[0] && event_reason_text(i)[0]);
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(event_reason_name(i), event_reason_name(j));
	}
	for (unsigned int i = 0; i < DF_VERDICT_MAX; i++)
		assert_true(event_verdict_name(i)[0]);
	for (unsigned int i = 0; i <= DF_SERVICE_MAX; i++)
		assert_true(event_service_name(i)[0]);
	assert_string_equal(event_reason_name(DF_REASON_MAX), "?");
	assert_string_equal(event_verdict_name(255), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_record),    cmocka_unit_test(test_head_alone),
		cmocka_unit_test(test_sizes),          cmocka_unit_test(test_fields),
		cmocka_unit_test(test_sampled_record), cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
