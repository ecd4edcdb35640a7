// SPDX-License-Identifier: GPL-2.0-or-later
/* userspace/config_covers.c: which policies never decide, for one before them takes all of theirs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "config_fixture.h"

struct pair {
	const char *first, *second; /* matches */
};

/* The second never decides. */
static const struct pair covered[] = {
	{"cgroup: /a", "cgroup: /a"},
	{"cgroup: /a", "cgroup: /a/b"},
	{"cgroup: /a/", "cgroup: [/a, /a/b/c]"},
	{"cgroup: /", "cgroup: /a"},
	{"cgroup: \"/a/*\"", "cgroup: /a/b/c"},
	{"cgroup: \"/a/*\"", "cgroup: \"/a/*\""},
	{"cgroup: [/b, /a]", "cgroup: [/a, /b]"},
	{"cgroup: /a", "cgroup: /a, user: unbound"},
	{"unit: \"a*.service\"", "unit: [a.service, ab.service]"},
	{"user_unit: a.service", "user_unit: a.service, user: root"},
	{"user: [root, unbound]", "user: unbound"},
	{"container: {name: \"web-*\"}", "container: {name: web-1, image: nginx}"},
	{"container: {runtime: [docker, podman]}", "container: {runtime: docker}"},
	{"container: {label: {app: web}}", "container: {label: {tier: front, app: web}}"},
	{"container: {name: a, user: alice}", "container: {name: a, user: alice}"},
	{"container: {name: \"*\"}", "container: {name: a}, pod: {name: b}"},
	{"pod: {namespace: \"*\"}", "pod: {namespace: batch, name: job}"},
	{"interface: \"veth*\"", "interface: veth0, source: 10.0.0.0/8"},
	{"source: 10.0.0.0/8", "source: [10.1.0.0/16, 10.0.0.1]"},
	{"source: \"2001:db8::/32\"", "source: \"2001:db8::1\""},
};

/* The second decides for somebody, or may. */
static const struct pair apart[] = {
	{"cgroup: /a", "cgroup: /ab"},
	{"cgroup: /a/b", "cgroup: /a"},
	{"cgroup: /a", "cgroup: [/a, /b]"},
	{"cgroup: \"/a/*\"", "cgroup: /a"},
	{"cgroup: \"/a*\"", "cgroup: \"/ab*\""},
	{"cgroup: /a, user: unbound", "cgroup: /a"},
	{"cgroup: /a", "unit: a.service"},
	{"unit: a.service", "user_unit: a.service"},
	{"unit: a.service", "unit: \"*.service\""},
	{"container: {name: web}", "container: {image: web}"},
	{"container: {name: web, image: nginx}", "container: {name: web}"},
	{"container: {runtime: docker}", "container: {name: a}"},
	{"container: {runtime: docker}", "container: {runtime: [docker, podman]}"},
	{"container: {label: {app: web}}", "container: {label: {app: [web, db]}}"},
	{"container: {label: {app: web}}", "container: {label: {tier: web}}"},
	{"container: {name: a}", "container: {name: a, user: alice}"},
	{"container: {name: a, user: alice}", "container: {name: a}"},
	{"container: {name: \"*\"}", "pod: {name: a}"},
	{"pod: {name: a}", "pod: {namespace: a}"},
	{"interface: veth0", "interface: \"veth*\""},
	{"interface: veth0", "source: 10.0.0.0/8"},
	{"source: 10.1.0.0/16", "source: 10.0.0.0/8"},
	{"source: 10.0.0.0/8", "source: \"2001:db8::/32\""},
};

/* Is the second one said never to decide, and nothing else? */
static bool warns(const struct pair *pair)
{
	_cleanup_fixture_ struct fixture fixture;
	char text[1024];

	snprintf(text, sizeof(text),
		 V P "  - {name: one, match: {%s}, resolvers: []}\n"
		     "  - {name: two, match: {%s}, resolvers: []}\n"
		     "  - {name: default, resolvers: []}\n",
		 pair->first, pair->second);
	load_good(text, &fixture);
	assert_true(fixture.diagnostics.length <= 1);
	return says(
		&fixture.diagnostics, DIAGNOSTIC_WARNING,
		&(struct expected){"'two' never decides: 'one' in test.yaml:3 comes first", 4, 5});
}

static void test_covered(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(covered); i++)
		if (!warns(&covered[i]))
			fail_msg("no warning: {%s}, {%s}", covered[i].first, covered[i].second);
}

static void test_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(apart); i++)
		if (warns(&apart[i]))
			fail_msg("a warning: {%s}, {%s}", apart[i].first, apart[i].second);
}

/* One warning of a policy, however many come before it; the first of them is named. */
static void test_first(void **state)
{
	_cleanup_fixture_ struct fixture fixture;

	(void)state;
	load_good(V P "  - {name: a, match: {cgroup: /x}, resolvers: []}\n"
		      "  - {name: b, match: {cgroup: /x}, resolvers: []}\n"
		      "  - {name: c, match: {cgroup: /x}, resolvers: []}\n"
		      "  - {name: default, resolvers: []}\n",
		  &fixture);
	assert_int_equal(fixture.diagnostics.length, 2);
	assert_true(says(&fixture.diagnostics, DIAGNOSTIC_WARNING,
			 &(struct expected){"'b' never decides: 'a'", 4, 5}));
	assert_true(says(&fixture.diagnostics, DIAGNOSTIC_WARNING,
			 &(struct expected){"'c' never decides: 'a'", 5, 5}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_covered),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
