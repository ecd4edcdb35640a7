// SPDX-License-Identifier: GPL-2.0-or-later
/* userspace/config.c: the files of a configuration, and the drop-ins beside the first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "bpf/abi.h"
#include "config_fixture.h"

static void test_missing_file(void **state)
{
	struct diagnostics diagnostics = {0};
	struct config config;

	(void)state;
	assert_int_equal(config_load("/nonexistent/dnsfence.yaml", &config, &diagnostics), -ENOENT);
	assert_int_equal(diagnostics.errors, 0);
}

static void write_file(const char *directory, const char *name, const char *text)
{
	_cleanup_free_ char *path = NULL;
	FILE *file;

	assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void make_directory(const char *directory, const char *name)
{
	_cleanup_free_ char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void remove_file(const char *directory, const char *name)
{
	_cleanup_free_ char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
	(void)remove(path);
}

struct dropin_files {
	const char *whole, *ten, *twenty;
};

/* A directory of its own with dnsfence.yaml and two files in dnsfence.d, loaded and removed. */
static void load_files(const struct dropin_files *files, struct fixture *ret)
{
	_cleanup_free_ char *path = NULL, *dropins = NULL;
	char directory[] = "/tmp/dnsfence-test-XXXXXX";

	*ret = (struct fixture){0};
	assert_non_null(mkdtemp(directory));
	assert_true(asprintf(&path, "%s/dnsfence.yaml", directory) > 0);
	assert_true(asprintf(&dropins, "%s/dnsfence.d", directory) > 0);
	assert_int_equal(mkdir(dropins, 0700), 0);
	write_file(directory, "dnsfence.yaml", files->whole);
	write_file(directory, "dnsfence.d/20.yaml", files->twenty);
	write_file(directory, "dnsfence.d/10.yaml", files->ten);
	write_file(directory, "dnsfence.d/ignored.txt", "not read");
	ret->result = config_load(path, &ret->config, &ret->diagnostics);
	remove_file(directory, "dnsfence.d/10.yaml");
	remove_file(directory, "dnsfence.d/20.yaml");
	remove_file(directory, "dnsfence.d/ignored.txt");
	remove_file(directory, "dnsfence.d");
	remove_file(directory, "dnsfence.yaml");
	(void)remove(directory);
}

#define PART(name, match) V P "  - {name: " name ", " match "resolvers: [a]}\n"

/* dnsfence.d beside the file, in order of name; the default stays last. */
static void test_dropins(void **state)
{
	static const struct dropin_files files = {
		.whole = V "resolvers: {a: [10.0.0.1]}\n" DEFAULT,
		.ten = PART("sooner", "match: {cgroup: /a}, "),
		.twenty = PART("later", "match: {cgroup: /b}, "),
	};
	_cleanup_fixture_ struct fixture fixture;

	(void)state;
	load_files(&files, &fixture);
	diagnostics_print(&fixture.diagnostics, stderr);
	assert_int_equal(fixture.result, 0);
	assert_int_equal(fixture.config.policies_length, 3);
	assert_string_equal(fixture.config.policies[0].name, "sooner");
	assert_string_equal(fixture.config.policies[1].name, "later");
	assert_string_equal(fixture.config.policies[2].name, "default");
}

/* What adds up, and what the last file decides: as dnsfence.yaml(5) says. */
static void test_dropins_add_up(void **state)
{
	static const struct dropin_files files = {
		.whole = V "services: [dns]\n"
			   "events: {allowed: 5, syslog: {to: local}}\n"
			   "runtimes: {docker: /a}\n"
			   "edge: {interfaces: eth0}\n" DEFAULT,
		.ten = V "services: [dot, doq]\n"
			 "events: {syslog: {to: 'tcp:192.0.2.1:601'}}\n"
			 "runtimes: {docker: [/b, /c]}\n",
		.twenty = V "events: {allowed: 7}\n"
			    "edge: {interfaces: eth1, uplinks: eth2}\n",
	};
	_cleanup_fixture_ struct fixture fixture;
	const struct config *config = &fixture.config;

	(void)state;
	load_files(&files, &fixture);
	assert_int_equal(fixture.result, 0);
	assert_int_equal(config->syslog.length, 2);
	assert_int_equal(config->runtimes.docker.length, 3);
	assert_int_equal(config->edge.interfaces.length, 2);
	assert_int_equal(config->edge.uplinks.length, 1);
	assert_int_equal(config->services, 1u << DF_SERVICE_DOT | 1u << DF_SERVICE_DOQ);
	assert_int_equal(config->events_allowed, 7);
}

static void test_dropin_conflicts(void **state)
{
	static const struct dropin_files two_defaults = {
		.whole = V "resolvers: {a: [10.0.0.1]}\n" DEFAULT,
		.ten = PART("second", ""),
		.twenty = V,
	};
	static const struct dropin_files same_set = {
		.whole = V "resolvers: {a: [10.0.0.1]}\n" DEFAULT,
		.ten = V "resolvers: {a: [10.0.0.2]}\n",
		.twenty = V,
	};
	static const struct dropin_files same_name = {
		.whole = V "resolvers: {a: [10.0.0.1]}\n" DEFAULT,
		.ten = PART("x", "match: {cgroup: /a}, "),
		.twenty = PART("x", "match: {cgroup: /b}, "),
	};
	static const struct dropin_files same_syslog = {
		.whole = V "events: {syslog: {to: local}}\n" DEFAULT,
		.ten = V "events: {syslog: {to: local}}\n",
		.twenty = V,
	};
	static const struct dropin_files *const all[] = {&two_defaults, &same_set, &same_name,
							 &same_syslog};
	static const char *const words[] = {"only one can be the default", "already", "taken",
					    "named twice"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		_cleanup_fixture_ struct fixture fixture;

		load_files(all[i], &fixture);
		assert_int_equal(fixture.result, -EINVAL);
		assert_true(says(&fixture.diagnostics, DIAGNOSTIC_ERROR,
				 &(struct expected){.says = words[i]}));
	}
}

/* The errors of every file, at once. */
static void test_dropin_errors(void **state)
{
	static const struct dropin_files broken = {
		.whole = V "mode: permit\n" DEFAULT,
		.ten = V "mood: 1\n",
		.twenty = V "deny_at: nowhere\n",
	};
	static const char *const words[] = {"'permit'", "'mood'", "'nowhere'"};
	_cleanup_fixture_ struct fixture fixture;

	(void)state;
	load_files(&broken, &fixture);
	assert_int_equal(fixture.result, -EINVAL);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		assert_true(says(&fixture.diagnostics, DIAGNOSTIC_ERROR,
				 &(struct expected){.says = words[i]}));
}

/* It may hold policies: not to read it, or to take the built-in policy, would open the fence. */
static void test_dropins_unreadable(void **state)
{
	char directory[] = "/tmp/dnsfence-[t]est-XXXXXX"; /* by its name, as any other */
	_cleanup_free_ char *path = NULL, *dropins = NULL;
	struct diagnostics diagnostics = {0};
	struct config config = {0};

	(void)state;
	assert_non_null(mkdtemp(directory));
	assert_true(asprintf(&path, "%s/dnsfence.yaml", directory) > 0);
	assert_true(asprintf(&dropins, "%s/dnsfence.d", directory) > 0);
	assert_int_equal(symlink("dnsfence.d", dropins), 0); /* ELOOP, for root, too */
	for (int with_file = 0; with_file < 2; with_file++) {
		if (with_file)
			write_file(directory, "dnsfence.yaml", V DEFAULT);
		assert_int_equal(config_load(path, &config, &diagnostics), -EINVAL);
		assert_true(says(&diagnostics, DIAGNOSTIC_ERROR,
				 &(struct expected){.says = "cannot read the dir"}));
		diagnostics_done(&diagnostics);
		config_done(&config);
	}
	remove_file(directory, "dnsfence.yaml");
	remove_file(directory, "dnsfence.d");
	(void)remove(directory);
}

/* The directory is taken by its name: what reads like a pattern there finds no other's drop-ins. */
static void test_dropins_of_a_pattern(void **state)
{
	static const char *const parts[] = {
		"c[1]",
		"c[1]/dnsfence.d",
		"c1",
		"c1/dnsfence.d",
	};
	char directory[] = "/tmp/dnsfence-test-XXXXXX";
	_cleanup_free_ char *path = NULL;
	_cleanup_fixture_ struct fixture fixture = {0};

	(void)state;
	assert_non_null(mkdtemp(directory));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		make_directory(directory, parts[i]);
	write_file(directory, "c[1]/dnsfence.d/a.yaml", V DEFAULT);
	write_file(directory, "c[1]/dnsfence.d/b.yml", V);
	write_file(directory, "c1/dnsfence.d/c.yaml", V "mode: audit\n");
	assert_true(asprintf(&path, "%s/c[1]/dnsfence.yaml", directory) > 0);
	fixture.result = config_load(path, &fixture.config, &fixture.diagnostics);
	remove_file(directory, "c[1]/dnsfence.d/a.yaml");
	remove_file(directory, "c[1]/dnsfence.d/b.yml");
	remove_file(directory, "c1/dnsfence.d/c.yaml");
	for (size_t i = ARRAY_LEN(parts); i--;)
		remove_file(directory, parts[i]);
	(void)remove(directory);
	assert_int_equal(fixture.result, 0);
	assert_int_equal(fixture.config.files_length, 1);
	assert_non_null(strstr(fixture.config.files[0], "/c[1]/dnsfence.d/a.yaml"));
	assert_int_equal(fixture.config.mode, MODE_ENFORCE);
	assert_true(says(&fixture.diagnostics, DIAGNOSTIC_WARNING,
			 &(struct expected){.says = "/c[1]/dnsfence.d/b.yml is not read"}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing_file),
		cmocka_unit_test(test_dropins),
		cmocka_unit_test(test_dropins_add_up),
		cmocka_unit_test(test_dropin_conflicts),
		cmocka_unit_test(test_dropin_errors),
		cmocka_unit_test(test_dropins_unreadable),
		cmocka_unit_test(test_dropins_of_a_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
