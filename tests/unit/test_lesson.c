// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What was asked -> the least policy (userspace/lesson.c, lesson_write.c): each subject by its
 * closest name, with what it asked; a file that loads whatever the names are; what looks like a
 * leak stays out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "blank_facts.h"
#include "bpf/abi.h"
#include "userspace/config.h"
#include "userspace/document.h"
#include "userspace/lesson.h"

static struct address address_of(const char *text)
{
	struct address address;
	const char *problem;

	assert_int_equal(address_parse(text, &address, &problem), 0);
	return address;
}

static void learn(struct lesson *lesson, const struct facts *facts, const char *cgroup,
		  const char *resolver, uint8_t service, uint64_t count)
{
	const struct lesson_use use = {
		.facts = facts,
		.cgroup = cgroup,
		.process = "dig",
		.resolver = address_of(resolver),
		.service = service,
		.count = count,
	};

	assert_int_equal(lesson_add(lesson, &use), 0);
}

/* As learn(), of nobody in particular. */
static void see(struct lesson *lesson, const char *resolver, enum lesson_sight sight,
		uint64_t count)
{
	const struct lesson_use use = {
		.cgroup = "",
		.process = "dig",
		.resolver = address_of(resolver),
		.service = DF_SERVICE_DNS,
		.sight = sight,
		.count = count,
	};

	assert_int_equal(lesson_add(lesson, &use), 0);
}

/* The text, which is a configuration that loads, in *ret. */
static char *written(const struct lesson *lesson, bool accept, struct config *ret,
		     struct lesson_totals *totals)
{
	struct diagnostics diagnostics = {0};
	struct nameservers system = {0};
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	nameservers_add(&system, "9.9.9.9");
	lesson_write(lesson, &system, accept, to, totals);
	assert_int_equal(fclose(to), 0);
	if (config_load_text(text, size, "learned", ret, &diagnostics) < 0) {
		diagnostics_print(&diagnostics, stderr);
		fail_msg("%s", text);
	}
	diagnostics_done(&diagnostics);
	return text;
}

static void expect(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("%s is not in\n%s", part, text);
}

static void test_subjects(void **state)
{
	struct lesson *lesson = lesson_new();
	struct facts unit = blank_facts(), container = blank_facts(), pod = blank_facts(),
		     user = blank_facts();
	_cleanup_free_ char *text = NULL;
	struct lesson_totals totals;
	struct config config;

	(void)state;
	assert_non_null(lesson);
	unit.unit = "web.service";
	container.unit = "docker-1.scope";
	container.container.runtime = RUNTIME_DOCKER;
	container.container.name = "db-1";
	pod.pod.namespace = "prod";
	pod.pod.name = "api-0";
	user.user_unit = "app.scope";
	user.user = 1000;
	learn(lesson, &unit, "/system.slice/web.service", "10.0.0.53", DF_SERVICE_DNS, 3);
	learn(lesson, &unit, "/system.slice/web.service", "10.0.0.53", DF_SERVICE_DOT, 2);
	learn(lesson, &container, "/docker/1", "10.0.0.54", DF_SERVICE_DNS, 1);
	learn(lesson, &pod, "/kubepods/x", "fd00::53", DF_SERVICE_DNS, 1);
	learn(lesson, &user, "/user.slice/x", "9.9.9.9", DF_SERVICE_DNS, 1);
	learn(lesson, NULL, "/ci", "10.0.0.53", DF_SERVICE_DNS, 1);
	learn(lesson, NULL, "/ci/deep", "10.0.0.55", DF_SERVICE_DNS, 1);
	learn(lesson, NULL, "/", "10.0.0.56", DF_SERVICE_DNS, 7);
	text = written(lesson, false, &config, &totals);
	assert_int_equal(totals.lookups, 17);
	assert_int_equal(totals.subjects, 7);
	assert_int_equal(totals.resolvers, 7);
	assert_int_equal(totals.left_out, 0);
	expect(text, "{address: \"10.0.0.53\", service: [dns, dot]}   # 5 lookups by dig\n");
	expect(text, "match: {unit: \"web.service\"}");
	expect(text, "match: {container: {name: \"db-1\"}}");
	expect(text, "match: {pod: {namespace: \"prod\", name: \"api-0\"}}");
	expect(text, "match: {user_unit: \"app.scope\", user: \"1000\"}");
	expect(text, "everybody:\n    - {address: \"10.0.0.56\"");
	/* The deeper cgroup decides before the one above it. */
	assert_true(strstr(text, "\"/ci/dee[p]\"") < strstr(text, "\"/c[i]\""));
	assert_int_equal(config.policies_length, 7);
	assert_int_equal(config.mode, MODE_AUDIT);
	config_done(&config);
	lesson_free(lesson);
}

static void test_leaks(void **state)
{
	struct lesson *lesson = lesson_new();
	_cleanup_free_ char *text = NULL, *accepted = NULL;
	struct lesson_totals totals;
	struct config config;
	char server[32];

	(void)state;
	assert_non_null(lesson);
	learn(lesson, NULL, "/a", "10.0.0.53", DF_SERVICE_DNS, 1);
	learn(lesson, NULL, "/a", "8.8.8.8", DF_SERVICE_DNS, 4);
	learn(lesson, NULL, "/a", "2001:4860:4860::8888", DF_SERVICE_DNS, 1);
	for (int i = 0; i < 20; i++) {
		snprintf(server, sizeof(server), "198.41.0.%d", i + 1);
		learn(lesson, NULL, "/recursor", server, DF_SERVICE_DNS, 1);
	}
	text = written(lesson, false, &config, &totals);
	assert_int_equal(totals.left_out, 22);
	assert_int_equal(totals.resolvers, 1);
	expect(text, "# left out, it looks like a leak: 8.8.8.8   # 4 lookups by dig");
	expect(text, "# 20 public servers, as a recursive resolver asks them; resolvers: any");
	assert_null(strstr(text, "{address: \"8.8.8.8\""));
	config_done(&config);
	accepted = written(lesson, true, &config, &totals);
	assert_int_equal(totals.left_out, 0);
	assert_int_equal(totals.resolvers, 23);
	expect(accepted, "{address: \"8.8.8.8\"");
	config_done(&config);
	lesson_free(lesson);
}

/* Whatever somebody calls his cgroup or container, the file loads and means that one. */
static void test_names(void **state)
{
	struct lesson *lesson = lesson_new();
	struct facts container = blank_facts(), unit = blank_facts();
	_cleanup_free_ char *text = NULL;
	struct lesson_totals totals;
	struct config config;

	(void)state;
	assert_non_null(lesson);
	unit.unit = "a\\x2db.service"; /* as systemd escapes a "-" */
	learn(lesson, &unit, "/a\\x2db.service", "10.0.0.53", DF_SERVICE_DNS, 1);
	learn(lesson, NULL, "/a\\x2dc", "10.0.0.53", DF_SERVICE_DNS, 1);
	learn(lesson, NULL, "/d!", "10.0.0.53", DF_SERVICE_DNS, 1);
	container.container.runtime = RUNTIME_LXC;
	container.container.name = "x\\\", resolvers: any} # [*]";
	learn(lesson, &container, "/lxc/x", "10.0.0.53", DF_SERVICE_DNS, 1);
	learn(lesson, NULL, "/a \"b\\ c", "10.0.0.53", DF_SERVICE_DNS, 1);
	learn(lesson, NULL, "/everybody", "10.0.0.53", DF_SERVICE_DNS, 1);
	learn(lesson, NULL, "/a*b", "10.0.0.53", DF_SERVICE_DNS, 1);
	text = written(lesson, false, &config, &totals);
	expect(text, "cgroup: \"/a?[b]\"");
	expect(text, "unit: \"a\\\\x2db.service\"");
	expect(text, "cgroup: \"/a\\\\x2d[c]\"");
	expect(text, "cgroup: \"/d?\"");
	assert_int_equal(config.policies_length, 8);
	for (size_t i = 0; i < config.policies_length; i++)
		assert_false(config.policies[i].any);
	config_done(&config);
	lesson_free(lesson);
}

/*
 * A process may have any bytes for a name, and a cgroup nearly any. What ends a line in YAML would
 * end the comment, too: U+2028, as a carriage return, would let the name write the next key.
 */
static void test_bytes(void **state)
{
	static const char *const names[] = {"\xe2\x80\xa8services: []", "\rhooks: all", "\xff\xfe",
					    "caf\xc3\xa9", "\xc2\x85x: y"};
	struct lesson *lesson = lesson_new();
	_cleanup_free_ char *text = NULL;
	struct lesson_totals totals;
	struct config config;

	(void)state;
	assert_non_null(lesson);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct lesson_use use = {
			.cgroup = i ? "/a" : "/b\xff\t\xe2\x80\xa9 c",
			.process = names[i],
			.resolver = address_of(i < 3 ? "10.0.0.53" : "10.0.0.54"),
			.service = DF_SERVICE_DNS,
			.count = 1,
		};

		assert_int_equal(lesson_add(lesson, &use), 0);
	}
	text = written(lesson, false, &config, &totals);
	expect(text, "by ???services: []\n");
	expect(text, "by ?hooks: all, ??\n");
	expect(text, "by caf\xc3\xa9, ??x: y\n");
	expect(text, "cgroup: \"/b????? [c]\"");
	assert_int_equal(config.policies_length, 3);
	config_done(&config);
	lesson_free(lesson);
}

/* Calls and the packets they send are the same lookups; what was refused at the call counts, too.
 */
static void test_sights(void **state)
{
	struct lesson *lesson = lesson_new();
	_cleanup_free_ char *text = NULL;
	struct lesson_totals totals;
	struct config config;

	(void)state;
	see(lesson, "10.0.0.1", LESSON_DATAGRAM_CALL, 3);
	see(lesson, "10.0.0.1", LESSON_DATAGRAM, 3);
	see(lesson, "10.0.0.2", LESSON_DATAGRAM_CALL, 5); /* refused */
	see(lesson, "10.0.0.2", LESSON_CONNECTION, 2);
	see(lesson, "10.0.0.3", LESSON_DATAGRAM, 7); /* one socket, connected */
	see(lesson, "10.0.0.3", LESSON_DATAGRAM_CALL, 1);
	text = written(lesson, false, &config, &totals);
	expect(text, "{address: \"10.0.0.1\", service: dns}   # 3 lookups by dig");
	expect(text, "{address: \"10.0.0.2\", service: dns}   # 7 lookups by dig");
	expect(text, "{address: \"10.0.0.3\", service: dns}   # 7 lookups by dig");
	assert_int_equal(totals.lookups, 17);
	config_done(&config);
	lesson_free(lesson);
}

static void expect_order(const char *text, const char *first, const char *then)
{
	expect(text, first);
	expect(text, then);
	if (strstr(text, first) > strstr(text, then))
		fail_msg("%s is behind %s in\n%s", first, then, text);
}

/* The first match decides: whatever covers another one comes behind it, how often it asked or not.
 */
static void test_order(void **state)
{
	struct lesson *lesson = lesson_new();
	struct facts unit = blank_facts(), user = blank_facts(), container = blank_facts();
	_cleanup_free_ char *text = NULL;
	struct lesson_totals totals;
	struct config config;

	(void)state;
	unit.unit = "user@1000.service";
	user.unit = unit.unit;
	user.user_unit = "app.scope";
	user.user = 1000;
	container = user;
	container.container.name = "db";
	container.owner = 1000;
	learn(lesson, NULL, "/x", "10.0.0.1", DF_SERVICE_DNS, 10);
	learn(lesson, NULL, "/q", "10.0.0.2", DF_SERVICE_DNS, 9);
	learn(lesson, NULL, "/x/y", "10.0.0.3", DF_SERVICE_DNS, 8);
	learn(lesson, NULL, "/d!", "10.0.0.4", DF_SERVICE_DNS, 7);
	learn(lesson, NULL, "/dx", "10.0.0.5", DF_SERVICE_DNS, 6);
	learn(lesson, NULL, "/d-", "10.0.0.6", DF_SERVICE_DNS, 1);
	learn(lesson, &unit, "/u", "10.0.0.7", DF_SERVICE_DNS, 5);
	learn(lesson, &user, "/u", "10.0.0.8", DF_SERVICE_DNS, 4);
	learn(lesson, &container, "/u", "10.0.0.9", DF_SERVICE_DNS, 3);
	text = written(lesson, false, &config, &totals);
	expect_order(text, "cgroup: \"/x/[y]\"", "cgroup: \"/[x]\"");
	expect_order(text, "cgroup: \"/x/[y]\"", "cgroup: \"/[q]\"");
	expect_order(text, "cgroup: \"/d[x]\"", "cgroup: \"/d?\"");
	expect_order(text, "unit: \"user@1000.service\"", "cgroup: \"/x/[y]\"");
	expect_order(text, "user_unit: \"app.scope\"", "{unit: \"user@1000.service\"");
	expect_order(text, "container: {name: \"db\"", "user_unit: \"app.scope\"");
	/* One pattern says both, so both have what either asked. */
	expect_order(text, "{address: \"10.0.0.4\"", "{address: \"10.0.0.6\"");
	assert_int_equal(totals.subjects, 8);
	config_done(&config);
	lesson_free(lesson);
}

/* As many levels, each of so many of that letter. */
static void deep_path(char *to, char letter, unsigned int levels, size_t length)
{
	for (unsigned int level = 0; level < levels; level++) {
		*to++ = '/';
		memset(to, letter, length);
		to += length;
	}
	*to = 0;
}

/* A path is told whole, as long as paths can be; one too deep for a policy by what is above it. */
static void test_long(void **state)
{
	struct lesson *lesson = lesson_new();
	_cleanup_free_ char *text = NULL;
	struct lesson_totals totals;
	struct config config;
	char path[4096], deep[128], sibling[4096];

	(void)state;
	deep_path(path, 'a', 20, 200);
	deep_path(sibling, 'a', 20, 200);
	sibling[strlen(sibling) - 1] = 'b';
	deep_path(deep, 'c', 40, 1);
	learn(lesson, NULL, path, "10.0.0.1", DF_SERVICE_DNS, 2);
	learn(lesson, NULL, sibling, "10.0.0.2", DF_SERVICE_DNS, 1);
	learn(lesson, NULL, deep, "10.0.0.3", DF_SERVICE_DNS, 1);
	learn(lesson, NULL, "/short", "10.0.0.4", DF_SERVICE_DNS, 1);
	text = written(lesson, false, &config, &totals);
	assert_int_equal(totals.subjects, 4);
	path[strlen(path) - 1] = 0;
	expect(text, path);
	expect(text, "aa[b]\"");
	deep_path(deep, 'c', 30, 1);
	strcat(deep, "/[c]\"");
	expect(text, deep);
	config_done(&config);
	lesson_free(lesson);
}

/* Whoever cannot be named is not everybody; each lookup of his is told once. */
static void test_gone(void **state)
{
	struct lesson *lesson = lesson_new();
	_cleanup_free_ char *text = NULL;
	struct lesson_totals totals;
	struct config config;
	char resolver[32];

	(void)state;
	learn(lesson, NULL, "", "10.0.0.53", DF_SERVICE_DNS, 1);
	for (int sight = LESSON_DATAGRAM; sight <= LESSON_DATAGRAM_CALL; sight++) {
		const struct lesson_use use = {
			.process = "dig",
			.resolver = address_of("10.66.66.66"),
			.service = DF_SERVICE_DNS,
			.sight = (enum lesson_sight)sight,
			.count = 2,
		};

		assert_int_equal(lesson_add(lesson, &use), 0);
	}
	for (int i = 0; i < 20; i++) {
		snprintf(resolver, sizeof(resolver), "10.66.66.%d", 100 + i);
		learn(lesson, NULL, NULL, resolver, DF_SERVICE_DNS, 1);
	}
	text = written(lesson, true, &config, &totals);
	assert_int_equal(totals.lookups, 23);
	assert_int_equal(totals.gone, 22);
	assert_int_equal(totals.subjects, 1);
	assert_int_equal(totals.resolvers, 1);
	assert_null(strstr(text, "{address: \"10.66.66."));
	expect(text, "  # left out: 22 lookups of cgroups that had gone before they could be "
		     "named\n"
		     "  #   10.66.66.66   # 2 lookups by dig\n");
	expect(text, "  #   and 5 more\n");
	config_done(&config);
	lesson_free(lesson);
}

/* Those who asked most get the policies that there are; the others are told. */
static void test_many_subjects(void **state)
{
	struct lesson *lesson = lesson_new();
	_cleanup_free_ char *text = NULL;
	struct lesson_totals totals;
	struct config config;
	char cgroup[32];

	(void)state;
	for (int i = 0; i < 300; i++) {
		snprintf(cgroup, sizeof(cgroup), "/job-%03d", i);
		learn(lesson, NULL, cgroup, "10.0.0.53", DF_SERVICE_DNS, i < 45 ? 2 : 3);
	}
	learn(lesson, NULL, "/job-000/below", "10.0.0.54", DF_SERVICE_DNS, 4);
	text = written(lesson, false, &config, &totals);
	assert_int_equal(config.policies_length, DF_POLICY_MAX);
	assert_int_equal(totals.subjects, 301);
	assert_int_equal(totals.crowded, 46);
	assert_int_equal(totals.crowded_lookups, 45 * 2 + 3);
	assert_int_equal(totals.lookups, 45 * 2 + 255 * 3 + 4);
	expect(text, "    match: {cgroup: \"/job-000/belo[w]\"}\n");
	expect(text, "  # left out, for 256 policies are all that fit:\n"
		     "  #   match: {cgroup: \"/job-29[9]\"}   # 3 lookups\n"
		     "  #   match: {cgroup: \"/job-00[0]\"}   # 2 lookups\n");
	expect(text, "  #   and 30 more\n");
	config_done(&config);
	free(TAKE_PTR(text));
	/* Who is in none of them needs no policy beside the default one. */
	learn(lesson, NULL, "", "10.0.0.55", DF_SERVICE_DNS, 1);
	text = written(lesson, false, &config, &totals);
	assert_int_equal(config.policies_length, DF_POLICY_MAX);
	assert_int_equal(totals.crowded, 46);
	expect(text, "everybody:\n    - {address: \"10.0.0.55\"");
	config_done(&config);
	lesson_free(lesson);
}

/* A file of more than DOCUMENT_SIZE_MAX bytes is not read. */
static void test_many_resolvers(void **state)
{
	struct lesson *lesson = lesson_new();
	_cleanup_free_ char *text = NULL;
	struct lesson_totals totals;
	struct config config;
	struct lesson_use use = {
		.process = "a process with so long a name",
		.count = UINT32_MAX,
		.resolver = address_of("fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
	};

	(void)state;
	for (int i = 0; i < 5 * 5000; i++) {
		use.cgroup = (const char *[]){"/a", "/b", "/c", "/d", "/e"}[i / 5000];
		use.resolver.bytes[14] = (uint8_t)(i % 5000 >> 8);
		use.resolver.bytes[15] = (uint8_t)(i % 5000);
		for (use.service = 0; use.service < DF_SERVICE_MAX; use.service++)
			assert_int_equal(lesson_add(lesson, &use), 0);
	}
	text = written(lesson, false, &config, &totals);
	assert_in_range(strlen(text), 1, DOCUMENT_SIZE_MAX);
	assert_int_equal(totals.resolvers, 16384);
	assert_true(totals.lookups == 25000ull * DF_SERVICE_MAX * UINT32_MAX);
	assert_true(totals.crowded_lookups == (25000ull - 16384) * DF_SERVICE_MAX * UINT32_MAX);
	assert_int_equal(totals.crowded, 0);
	expect(text, "    # left out: ");
	expect(text, ": []\n    # left out: ");
	config_done(&config);
	lesson_free(lesson);
}

static void test_nothing(void **state)
{
	struct lesson *lesson = lesson_new();
	_cleanup_free_ char *text = NULL;
	struct lesson_totals totals;
	struct config config;

	(void)state;
	assert_non_null(lesson);
	text = written(lesson, false, &config, &totals);
	assert_int_equal(totals.lookups, 0);
	assert_int_equal(config.policies_length, 1);
	assert_int_equal(config.policies[0].sets_length, 1);
	config_done(&config);
	lesson_free(lesson);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subjects),       cmocka_unit_test(test_leaks),
		cmocka_unit_test(test_names),          cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_sights),         cmocka_unit_test(test_long),
		cmocka_unit_test(test_order),          cmocka_unit_test(test_gone),
		cmocka_unit_test(test_nothing),        cmocka_unit_test(test_many_subjects),
		cmocka_unit_test(test_many_resolvers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
