// SPDX-License-Identifier: GPL-2.0-or-later
/* Paths of cgroups as people write them, and which is below which (userspace/cgroup.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "userspace/cgroup.h"

static void test_clean(void **state)
{
	static const char *const pairs[][2] = {
		{"/", "/"},
		{"//", "/"},
		{"/a", "/a"},
		{"/a/", "/a"},
		{"//a//b///", "/a/b"},
		{"/a/...", "/a/..."},
		{"/.a/b.", "/.a/b."},
		{"/a b/\\x2d", "/a b/\\x2d"},
	};
	char to[16];

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_int_equal(cgroup_path_clean(pairs[i][0], to, sizeof(to)), 0);
		assert_string_equal(to, pairs[i][1]);
	}
}

static void test_refused(void **state)
{
	static const char *const refused[] = {"",      "a",    "a/b",   "/.",     "/..",    "/a/.",
					      "/a/..", "/./a", "/../a", "/a/./b", "/a/../b"};
	char to[16];

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_int_equal(cgroup_path_clean(refused[i], to, sizeof(to)), -EINVAL);
	assert_int_equal(cgroup_path_clean("/345678/bcdef01", to, sizeof(to)), 0);
	assert_int_equal(cgroup_path_clean("/345678/bcdef012", to, sizeof(to)), -EINVAL);
	assert_int_equal(cgroup_path_clean("/345678/bcdef01///", to, sizeof(to)), 0);
}

static void test_below(void **state)
{
	(void)state;
	assert_true(cgroup_is_below("/a/b", "/a"));
	assert_true(cgroup_is_below("/a", "/a"));
	assert_true(cgroup_is_below("/a", "/"));
	assert_false(cgroup_is_below("/ab", "/a"));
	assert_false(cgroup_is_below("/", "/a"));
	assert_int_equal(cgroup_level("/"), 0);
	assert_int_equal(cgroup_level("/a/b"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
