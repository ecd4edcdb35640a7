// SPDX-License-Identifier: GPL-2.0-or-later
/* Violations by cgroup (userspace/tally.c): added up, by verdict, and bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "userspace/tally.h"

#define SAME_PLACE 1024 /* cgroups that far apart share places */

static char *written(const struct tally *tally)
{
	struct json json = {0};
	char *text;

	json_open(&json, NULL);
	tally_write(tally, &json);
	json_close(&json);
	assert_int_equal(json_finish(&json), 0);
	text = strndup(json.text, json.length);
	json_done(&json);
	assert_non_null(text);
	return text;
}

static void expect_written(const struct tally *tally, const char *part, bool is_there)
{
	_cleanup_free_ char *text = written(tally);

	if ((strstr(text, part) != NULL) != is_there)
		fail_msg("%s is%s in %s", part, is_there ? " not" : "", text);
}

static void test_adds_up(void **state)
{
	struct tally *tally = tally_new();

	(void)state;
	assert_non_null(tally);
	tally_add(tally, 7, DF_VERDICT_DENY, 2);
	tally_add(tally, 7, DF_VERDICT_DENY, 3);
	tally_add(tally, 7, DF_VERDICT_AUDIT, 1);
	tally_add(tally, 7 + SAME_PLACE, DF_VERDICT_AUDIT, 4);
	tally_add(tally, 0, DF_VERDICT_DENY, 9); /* nobody's */
	expect_written(tally, "{\"id\":7,\"denied\":5,\"audited\":1}", true);
	expect_written(tally, "{\"id\":1031,\"denied\":0,\"audited\":4}", true);
	expect_written(tally, "\"id\":0", false);
	tally_free(tally);
}

static void test_makes_room(void **state)
{
	struct tally *tally = tally_new();

	(void)state;
	assert_non_null(tally);
	for (uint64_t i = 0; i < 8; i++)
		tally_add(tally, 1 + i * SAME_PLACE, DF_VERDICT_DENY, 1);
	tally_add(tally, 1, DF_VERDICT_DENY, 1); /* not the quietest any more */
	tally_add(tally, 1 + 8 * SAME_PLACE, DF_VERDICT_DENY, 6);
	expect_written(tally, "{\"id\":1,\"denied\":2,", true);
	expect_written(tally, "\"id\":1025,", false);
	expect_written(tally, "{\"id\":8193,\"denied\":6,", true);
	tally_free(tally);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_adds_up),
		cmocka_unit_test(test_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
