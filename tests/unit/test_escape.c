// SPDX-License-Identifier: GPL-2.0-or-later
/* userspace/escape.c: names that look like patterns, and what mountinfo(5) makes of blanks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>

#include "userspace/escape.h"
#include "userspace/util.h"

static const char *const names[] = {"plain", "[1]", "[!a]", "[", "]",   "*",    "a?b",
				    "\\",    "a\\", "\\*",  "~", "{a}", "a b[", "[[:alpha:]]"};

/* Found in each by name, by a word and below a word; nowhere else, for they are all there. */
static void expect_found(const char *top, const char *name, const char *pattern)
{
	_cleanup_free_ char *directory = NULL, *escaped = NULL, *wanted = NULL;
	glob_t found = {0};

	assert_true(asprintf(&directory, "%s/%s", top, name) > 0);
	assert_true(asprintf(&wanted, "%s/sub/file", directory) > 0);
	escaped = escape_glob(directory, pattern);
	assert_non_null(escaped);
	if (glob(escaped, 0, NULL, &found) != 0 || found.gl_pathc != 1)
		fail_msg("%s: %zu found", escaped, (size_t)found.gl_pathc);
	assert_string_equal(found.gl_pathv[0], wanted);
	globfree(&found);
}

static void make(const char *top, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", top, name);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/%s/sub", top, name);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/%s/sub/file", top, name);
	assert_int_equal(close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
}

static void drop(const char *top, const char *name)
{
	static const char *const parts[] = {"/sub/file", "/sub", ""};
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s%s", top, name, parts[i]);
		(void)remove(path);
	}
}

static void test_glob(void **state)
{
	static const char *const patterns[] = {"/sub/file", "/sub/*", "/*/file", "/*/f[i]le"};
	char top[] = "/tmp/dnsfence-test-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(top));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		make(top, names[i]);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		for (size_t k = 0; k < ARRAY_LEN(patterns); k++)
			expect_found(top, names[i], patterns[k]);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		drop(top, names[i]);
	(void)remove(top);
}

static void test_octal(void **state)
{
	static const char *const cases[][2] = {
		{"/sys/fs/cgroup", "/sys/fs/cgroup"},
		{"/a\\040b", "/a b"},
		{"/a\\011\\012b\\134040", "/a\t\nb\\040"},
		{"\\040", " "},
		{"", ""},
		{"/a\\04", "/a\\04"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "%s", cases[i][0]);
		escape_undo_octal(text);
		assert_string_equal(text, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_glob),
		cmocka_unit_test(test_octal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
