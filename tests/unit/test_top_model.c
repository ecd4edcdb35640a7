// SPDX-License-Identifier: GPL-2.0-or-later
/* userspace/top_model.c: sums, rates, order and what gives way; compared with a plain count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "userspace/top_model.h"

#define SECOND INT64_C(1000000)

static void add(struct top_model *model, const char *key, enum top_verdict verdict, uint64_t count,
		int64_t time)
{
	struct top_sample sample = {.verdict = verdict,
				    .count = count,
				    .time = time,
				    .detail = "detail",
				    .line = "{}",
				    .line_length = 2};

	for (int grouping = 0; grouping < TOP_GROUPING_MAX; grouping++)
		sample.keys[grouping] = grouping == TOP_POLICY ? "one" : key;
	assert_int_equal(top_model_add(model, &sample), 0);
}

/* "a b c": the keys in their order. */
static void expect_order(const struct top_model *model, enum top_grouping grouping,
			 enum top_order order, bool reverse, const char *filter, const char *wanted)
{
	struct top_view view;
	char text[512] = "";

	assert_int_equal(top_model_view(model, grouping, order, reverse, filter, &view), 0);
	for (size_t i = 0; i < view.length; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
			 view.rows[i].key);
	assert_string_equal(text, wanted);
	top_view_done(&view);
}

/* What is scaled says so in its row and in the sums, until all is forgotten. */
static void test_estimates(void **state)
{
	struct top_sample sample = {.verdict = TOP_ALLOWED,
				    .count = 100,
				    .estimated = true,
				    .keys = {"a", "a", "a", "a", "one"}};
	struct top_model model;
	struct top_view view;

	(void)state;
	assert_int_equal(top_model_init(&model, 8, 0), 0);
	add(&model, "b", TOP_ALLOWED, 3, 1);
	assert_false(model.estimated);
	assert_int_equal(top_model_add(&model, &sample), 0);
	assert_true(model.estimated);
	assert_int_equal(model.counts[TOP_ALLOWED], 103);
	assert_int_equal(top_model_view(&model, TOP_SUBJECT, TOP_BY_ALLOWED, false, NULL, &view),
			 0);
	assert_string_equal(view.rows[0].key, "a");
	assert_true(view.rows[0].estimated);
	assert_false(view.rows[1].estimated);
	top_view_done(&view);
	top_model_clear(&model, 0);
	assert_false(model.estimated);
	top_model_done(&model);
}

static void test_orders(void **state)
{
	struct top_model model;

	(void)state;
	assert_int_equal(top_model_init(&model, 8, 0), 0);
	add(&model, "b", TOP_DENIED, 5, 30);
	add(&model, "a", TOP_AUDITED, 9, 10);
	top_model_measure(&model, 2 * SECOND);
	add(&model, "C", TOP_DENIED, 4, 20);
	add(&model, "a", TOP_DENIED, 1, 11);
	top_model_measure(&model, 4 * SECOND);
	expect_order(&model, TOP_SUBJECT, TOP_BY_RATE, false, "", "C a b");
	expect_order(&model, TOP_SUBJECT, TOP_BY_TOTAL, false, "", "a b C");
	expect_order(&model, TOP_SUBJECT, TOP_BY_DENIED, false, NULL, "b C a");
	expect_order(&model, TOP_SUBJECT, TOP_BY_AUDITED, false, "", "a b C");
	expect_order(&model, TOP_SUBJECT, TOP_BY_LAST, false, "", "b C a");
	expect_order(&model, TOP_SUBJECT, TOP_BY_NAME, false, "", "C a b");
	expect_order(&model, TOP_SUBJECT, TOP_BY_NAME, true, "", "b a C");
	expect_order(&model, TOP_SUBJECT, TOP_BY_NAME, false, "c", "C");
	expect_order(&model, TOP_SUBJECT, TOP_BY_NAME, false, "DETAIL", "C a b");
	expect_order(&model, TOP_SUBJECT, TOP_BY_NAME, false, "nothing", "");
	expect_order(&model, TOP_POLICY, TOP_BY_TOTAL, false, "", "one");
	top_model_done(&model);
}

static void test_rates(void **state)
{
	struct top_model model;
	struct top_view view;

	(void)state;
	assert_int_equal(top_model_init(&model, 8, 10 * SECOND), 0);
	add(&model, "a", TOP_DENIED, 30, 0);
	top_model_measure(&model, 12 * SECOND);
	assert_int_equal(top_model_view(&model, TOP_SUBJECT, TOP_BY_RATE, false, "", &view), 0);
	assert_true(view.rows[0].rate == 15.0);
	assert_true(model.rates[TOP_DENIED] == 15.0);
	top_model_measure(&model, 13 * SECOND);
	assert_true(view.rows[0].rate == 15.0); /* a view stays as it was */
	top_view_done(&view);
	assert_int_equal(top_model_view(&model, TOP_SUBJECT, TOP_BY_RATE, false, "", &view), 0);
	assert_true(view.rows[0].rate == 0.0);
	top_view_done(&view);
	top_model_measure(&model, 13 * SECOND); /* no time has passed */
	top_model_clear(&model, 14 * SECOND);
	expect_order(&model, TOP_SUBJECT, TOP_BY_RATE, false, "", "");
	assert_int_equal(model.counts[TOP_DENIED], 0);
	top_model_done(&model);
}

static void test_eviction(void **state)
{
	struct top_model model;
	struct top_view view;

	(void)state;
	assert_int_equal(top_model_init(&model, 3, 0), 0);
	add(&model, "big", TOP_DENIED, 100, 1);
	add(&model, "old", TOP_DENIED, 1, 2);
	add(&model, "new", TOP_AUDITED, 1, 3);
	add(&model, "next", TOP_DENIED, 1, 4); /* for "old" */
	expect_order(&model, TOP_SUBJECT, TOP_BY_NAME, false, "", "big new next");
	add(&model, "old", TOP_DENIED, 2, 5); /* for "new"; begins at zero */
	assert_int_equal(top_model_view(&model, TOP_SUBJECT, TOP_BY_NAME, false, "", &view), 0);
	assert_int_equal(view.length, 3);
	assert_string_equal(view.rows[2].key, "old");
	assert_int_equal(view.rows[2].total, 2);
	assert_int_equal(view.evicted, 2);
	assert_int_equal(view.others[TOP_DENIED], 1);
	assert_int_equal(view.others[TOP_AUDITED], 1);
	assert_int_equal(model.counts[TOP_DENIED], 104);
	top_view_done(&view);
	top_model_done(&model);
}

/* Whatever gives way: rows and others add up to all there was, and what is large stays. */
static void test_flood(void **state)
{
	struct top_model model;
	struct top_view view;
	uint64_t sum;
	unsigned int seed = 1;

	(void)state;
	assert_int_equal(top_model_init(&model, 64, 0), 0);
	for (int i = 0; i < 50000; i++) {
		char key[32];

		seed = seed * 1103515245u + 12345u;
		snprintf(key, sizeof(key), i % 5 ? "small %u" : "large %u",
			 i % 5 ? seed >> 8 : (seed >> 8) % 20);
		add(&model, key, i % 2 ? TOP_DENIED : TOP_AUDITED, 1, i);
	}
	assert_int_equal(top_model_view(&model, TOP_QUESTION, TOP_BY_TOTAL, false, "", &view), 0);
	assert_int_equal(view.length, 64);
	sum = view.others[TOP_DENIED] + view.others[TOP_AUDITED];
	for (size_t i = 0; i < view.length; i++)
		sum += view.rows[i].total;
	assert_int_equal(sum, 50000);
	for (size_t i = 0; i < 20; i++) {
		assert_memory_equal(view.rows[i].key, "large", 5);
		assert_true(view.rows[i].total > 300);
	}
	top_view_done(&view);
	top_model_done(&model);
}

static void test_long_keys(void **state)
{
	char key[2 * TOP_KEY_MAX], line[TOP_EVENT_MAX + 2];
	struct top_sample sample = {.count = 1, .line = line, .line_length = TOP_EVENT_MAX + 1};
	struct top_model model;
	struct top_view view;

	(void)state;
	memset(key, 'x', sizeof(key) - 1);
	key[sizeof(key) - 1] = 0;
	memset(line, ' ', sizeof(line));
	for (int grouping = 0; grouping < TOP_GROUPING_MAX; grouping++)
		sample.keys[grouping] = key;
	assert_int_equal(top_model_init(&model, 4, 0), 0);
	assert_int_equal(top_model_add(&model, &sample), 0);
	assert_int_equal(top_model_add(&model, &sample), 0);
	assert_int_equal(top_model_view(&model, TOP_SUBJECT, TOP_BY_NAME, false, "", &view), 0);
	assert_int_equal(view.length, 1);
	assert_int_equal(view.rows[0].total, 2);
	assert_int_equal(view.rows[0].event->line_length, 0);
	top_view_done(&view);
	top_model_done(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_estimates), cmocka_unit_test(test_orders),
		cmocka_unit_test(test_rates),     cmocka_unit_test(test_eviction),
		cmocka_unit_test(test_flood),     cmocka_unit_test(test_long_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
