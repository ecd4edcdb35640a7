// SPDX-License-Identifier: GPL-2.0-or-later
/* userspace/options.c: command lines in cases, over a small table of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "userspace/options.h"

static int run_nothing(const struct options *options)
{
	(void)options;
	return 0;
}

static const struct command_option plain_options[] = {
	{"json", 'j', NULL, "", FLAG(json)},
	{"lines", 'n', "N", "", COUNT(lines)},
	{0},
};

/* Of its own, by a common one's name; in a member that nothing else sets here. */
static const struct command_option own_options[] = {
	{"cgroup", 0, "PATH", "", TEXT(runtime_dir)},
	{"to", 0, "WORD", "", TEXTS(words)},
	{"verse", 0, NULL, "", FLAG(all)},
	{"number", 'n', "N", "", COUNT(rows)}, /* the letter of another command's option */
	{0},
};

static const struct command table[] = {
	{"plain", "", "", plain_options, run_nothing},
	{"own", "", "", own_options, run_nothing, "[WORD...]", 2},
	{0},
};

static const struct command_option common[] = {
	{"config", 'C', "FILE", "", TEXT(config), VALUE_FILE},
	{"cgroup", 0, "PATH", "", TEXT(cgroup)},
	{"verbose", 'v', NULL, "", FLAG(verbose)},
	{"help", 'h', NULL, "", FLAG(help)},
	{0},
};

#define ARGUMENTS_MAX 12

static int parse(const char *line, struct options *options, const struct command **ret_command,
		 struct problem *problem)
{
	static char text[256];
	char *argv[ARGUMENTS_MAX] = {"dnsfence"};
	int argc = 1;

	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	*options = (struct options){.cgroup = "/"};
	*ret_command = NULL;
	return options_parse(argc, argv, table, common, options, ret_command, problem);
}

static void expect_text(const char *line, const char *what, const char *is, const char *wanted)
{
	if (!is != !wanted || (is && !util_streq(is, wanted)))
		fail_msg("'%s': %s is '%s', not '%s'", line, what, is ?: "-", wanted ?: "-");
}

static void test_lines(void **state)
{
	static const struct {
		const char *line, *command, *config, *cgroup, *own;
		bool json, verbose;
		unsigned long count;
		size_t words;
		unsigned long rows;
	} cases[] = {
		{"", NULL, NULL, "/", NULL},
		{"plain", "plain", NULL, "/", NULL},
		{"-C a plain -j", "plain", "a", "/", NULL, .json = true},
		{"-j plain -Ca", "plain", "a", "/", NULL, .json = true},
		{"plain --verb", "plain", NULL, "/", NULL, .verbose = true},
		{"plain --cgroup=", "plain", NULL, "", NULL}, /* not a file */
		{"plain -jvn3", "plain", NULL, "/", NULL, .json = true, .verbose = true, 3},
		{"--conf a plain --li 7", "plain", "a", "/", NULL, .count = 7},
		{"plain --cgroup /x", "plain", NULL, "/x", NULL},
		{"--cgroup /x own", "own", NULL, "/x", NULL},
		{"own --cgroup /x", "own", NULL, "/", "/x"},
		{"--cgroup /x own --cgroup=/y", "own", NULL, "/x", "/y"},
		{"own -n 8", "own", NULL, "/", NULL, .rows = 8},
		{"-n8 plain", "plain", NULL, "/", NULL, .count = 8},
		{"own a -", "own", NULL, "/", NULL, .words = 2},
		{"own -- -C a", "own", NULL, "/", NULL, .words = 2},
		{"own --to a --to b --to c", "own", NULL, "/", NULL, .words = 3},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *line = cases[i].line;
		const struct command *command;
		struct problem problem;
		struct options options;

		if (parse(line, &options, &command, &problem) < 0)
			fail_msg("'%s': %s", line, problem.text);
		expect_text(line, "command", command ? command->name : NULL, cases[i].command);
		expect_text(line, "config", options.config, cases[i].config);
		expect_text(line, "cgroup", options.cgroup, cases[i].cgroup);
		expect_text(line, "own cgroup", options.runtime_dir, cases[i].own);
		if (options.json != cases[i].json || options.verbose != cases[i].verbose ||
		    options.lines != cases[i].count || options.rows != cases[i].rows ||
		    options.words.length != cases[i].words)
			fail_msg("'%s': json %d verbose %d lines %lu words %zu", line, options.json,
				 options.verbose, options.lines, options.words.length);
		options_done(&options);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
		{"plian", "no command 'plian'; did you mean 'plain'?"},
		{"elsewhere", "no command 'elsewhere'; see \"dnsfence --help\""},
		{"plain --jsno", "no option '--jsno'; did you mean '--json'?"},
		{"--qqqqqqqq", "no option '--qqqqqqqq'; see"},
		{"plain -x", "no option '-x'; see"},
		{"plain -jx", "no option '-x'; see"},
		{"plain --json=1", "--json takes no argument"},
		{"plain -C", "'-C' needs an argument"},
		{"plain --config= -j", "--config takes a path, not "},
		{"--ver plain", "'--ver' may be --verbose or --verse; write it out"},
		{"--c=a plain", "'--c' may be --config or --cgroup; write it out"},
		{"plain --c a", "'--c' may be --config or --cgroup; write it out"},
		{"plain --lines", "'--lines' needs an argument"},
		{"plain -n 0", "--lines takes a number from 1, not '0'"},
		{"plain -n 5x", "--lines takes a number from 1, not '5x'"},
		{"plain -n 99999999999999999999", "--lines takes a number from 1"},
		{"own -n 0", "--number takes a number from 1, not '0'"},
		{"own -j", "\"own\" takes no --json; see \"dnsfence own --help\""},
		{"plain more", "'more' is one word too many; see \"dnsfence plain --help\""},
		{"own a b c", "'c' is one word too many"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct command *command;
		struct problem problem;
		struct options options;

		if (parse(cases[i].line, &options, &command, &problem) != -EINVAL)
			fail_msg("'%s' is taken", cases[i].line);
		if (!strstr(problem.text, cases[i].text) || command)
			fail_msg("'%s': %s", cases[i].line, problem.text);
		options_done(&options);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
