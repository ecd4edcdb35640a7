// SPDX-License-Identifier: GPL-2.0-or-later
/* userspace/when.c: times as people write them, in cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <time.h>

#include "userspace/when.h"

#define NOW (INT64_C(1795550000) * WHEN_SECOND) /* 2026-11-24T19:53:20Z, a Tuesday */
#define HOUR (INT64_C(3600) * WHEN_SECOND)

static void expect(const char *text, int64_t wanted)
{
	int64_t is = -1;

	if (when_parse(text, NOW, &is) < 0)
		fail_msg("'%s' is no time", text);
	if (is != wanted)
		fail_msg("'%s': %lld, not %lld", text, (long long)is, (long long)wanted);
}

static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static void test_absolute(void **state)
{
	(void)state;
	set_zone("UTC");
	expect("2026-11-24T19:53:20Z", NOW);
	expect("2026-11-24T19:53:20.25Z", NOW + WHEN_SECOND / 4);
	expect("2026-11-24T20:53:20+01:00", NOW);
	expect("2026-11-24T14:23:20-05:30", NOW);
	expect("2026-11-24 19:53:20", NOW);
	expect("2026-11-24 19:53:20 UTC", NOW);
	expect("2026-11-24 19:53", NOW - 20 * WHEN_SECOND);
	expect("2026-11-24", NOW - (19 * 3600 + 53 * 60 + 20) * WHEN_SECOND);
	expect("19:53", NOW - 20 * WHEN_SECOND);
	expect("19:53:20.5", NOW + WHEN_SECOND / 2);
	expect("@1795550000", NOW);
	expect("@1795550000.000001", NOW + 1);
	expect("@0", 0);
	expect("2024-02-29", INT64_C(1709164800) * WHEN_SECOND);
	expect("9999-12-31T23:59:59Z", INT64_C(253402300799) * WHEN_SECOND);
}

static void test_local(void **state)
{
	(void)state;
	set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	expect("2026-11-24 20:53:20", NOW);
	expect("2026-07-01 02:00", INT64_C(1782864000) * WHEN_SECOND); /* 00:00Z: summer */
	expect("2026-11-24 19:53:20Z", NOW);
	expect("today", NOW - (20 * 3600 + 53 * 60 + 20) * WHEN_SECOND);
	expect("yesterday", NOW - (44 * 3600 + 53 * 60 + 20) * WHEN_SECOND);
	set_zone("UTC");
}

static void test_relative(void **state)
{
	(void)state;
	expect("now", NOW);
	expect("-1h", NOW - HOUR);
	expect("+5min", NOW + 300 * WHEN_SECOND);
	expect("10 min ago", NOW - 600 * WHEN_SECOND);
	expect("1h 30min ago", NOW - 5400 * WHEN_SECOND);
	expect("2 days ago", NOW - 48 * HOUR);
	expect("-1w", NOW - 168 * HOUR);
	expect("-250ms", NOW - 250000);
	expect("  -90 seconds", NOW - 90 * WHEN_SECOND);
}

static void test_no_times(void **state)
{
	static const char *const texts[] = {
		"",
		"noon",
		"1h",
		"-1",
		"-1fortnight",
		"ago",
		"-h",
		"1h agoo",
		"-1h ago",
		"@",
		"@-1",
		"@99999999999999999999",
		"24:00",
		"19:60",
		"1:00",
		"2026-13-01",
		"2026-02-29",
		"2026-11-24T",
		"2026-11-24T19:53:20+1",
		"2026-11-24 19:53:20 CET",
		"2026-11-24T19:53:20Zx",
		"1969-12-31",
		"10000-01-01",
		"-99999999999999w",
		"-9999 weeks ago",
		"-9999 weeks", /* before 1970 */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int64_t is = 4711;

		if (when_parse(texts[i], NOW, &is) != -EINVAL)
			fail_msg("'%s' is a time", texts[i]);
		assert_int_equal(is, 4711);
	}
}

static void test_stamps(void **state)
{
	int64_t is;

	(void)state;
	assert_int_equal(when_parse_stamp("2026-11-24T19:53:20.000001Z", &is), 0);
	assert_int_equal(is, NOW + 1);
	assert_int_equal(when_parse_stamp("2026-11-24T19:53:20", &is), -EINVAL);
	assert_int_equal(when_parse_stamp("2026-11-24 19:53:20Z", &is), -EINVAL);
	assert_int_equal(when_parse_stamp("now", &is), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_absolute), cmocka_unit_test(test_local),
		cmocka_unit_test(test_relative), cmocka_unit_test(test_no_times),
		cmocka_unit_test(test_stamps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
