// SPDX-License-Identifier: GPL-2.0-or-later
/* What a sweep found, in words and in JSON (userspace/sweep_format.c), and its totals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "userspace/sweep_format.h"

#define TCP4 (&socket_tables[0])

static void test_sentences(void **state)
{
	struct sweep_totals totals = {.complete = true};
	char text[SWEEP_LINE_MAX];

	(void)state;
	assert_null(sweep_say_done(&totals, text));
	assert_null(sweep_say_missed(&totals, text));
	assert_false(sweep_troubled(&totals));
	totals.fates[SWEEP_FATE_CLOSED] = 2;
	assert_string_equal(sweep_say_done(&totals, text),
			    "closed 2 open sockets to resolvers that are not sanctioned");
	totals.fates[SWEEP_FATE_FAILED] = 1;
	totals.close_error = EOPNOTSUPP;
	totals.unclosed = TCP4;
	assert_string_equal(sweep_say_missed(&totals, text),
			    "1 open socket to resolvers that are not sanctioned cannot be closed "
			    "(tcp: this kernel has no CONFIG_INET_DIAG_DESTROY)");
	assert_int_equal(sweep_open(&totals), 1);
	totals.fates[SWEEP_FATE_FAILED] = 0;
	totals.unlisted = TCP4;
	totals.troubles[SWEEP_TROUBLE_TABLE] = 1;
	totals.troubles[SWEEP_TROUBLE_NETNS] = 3;
	totals.trouble_error = EPERM;
	totals.complete = false;
	assert_string_equal(
		sweep_say_missed(&totals, text),
		"3 network namespaces cannot be entered (it takes root); this "
		"kernel lists no tcp sockets (CONFIG_INET_TCP_DIAG); the search for open "
		"sockets ended early, after 60 seconds at most");
	assert_true(sweep_troubled(&totals));
}

/* A process may call itself anything. */
static void test_line_is_printable(void **state)
{
	struct sweep_record record = {
		.kind = SWEEP_SOCKET,
		.socket = {.table = TCP4},
		.flow = {.family = 4, .daddr = {192, 0, 2, 1}, .dport = 53},
		.process = "\x1b[2J\nx",
		.pid = 1,
	};
	char text[SWEEP_LINE_MAX];

	(void)state;
	sweep_write_line(&record, text);
	assert_non_null(strstr(text, "192.0.2.1:53"));
	assert_non_null(strstr(text, "?[2J?x[1]"));
	assert_null(strpbrk(text, "\x1b\n"));
}

/* What nobody knows is left out; what failed says why. */
static void test_json(void **state)
{
	struct sweep_record record = {
		.kind = SWEEP_SOCKET,
		.fate = SWEEP_FATE_FAILED,
		.error = EOPNOTSUPP,
		.netns = 4,
		.socket = {.table = TCP4, .uid = 33, .cgroup_id = 7, .state = 1},
		.flow = {.family = 6, .daddr = {[15] = 1}, .dport = 53, .sport = 9},
		.judgement = {.verdict = DF_VERDICT_DENY, .reason = DF_REASON_NOT_SANCTIONED},
		.policy = "default",
	};
	struct json json = {0};

	(void)state;
	sweep_write_json(&record, &json);
	assert_int_equal(json_finish(&json), 0);
	json.text[json.length - 1] = 0;
	assert_string_equal(json.text,
			    "{\"outcome\":\"failed\",\"verdict\":\"deny\",\"reason\":\"resolver-"
			    "not-sanctioned\","
			    "\"policy\":\"default\",\"service\":\"dns\",\"transport\":\"tcp\","
			    "\"state\":\"established\",\"source\":{\"ip\":\"::\",\"port\":9},"
			    "\"destination\":{\"ip\":\"::1\",\"port\":53},\"user\":{\"id\":\"33\"},"
			    "\"cgroup\":{\"id\":7},\"netns\":{\"inode\":4},"
			    "\"error\":\"this kernel has no CONFIG_INET_DIAG_DESTROY\"}");
	json_done(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_line_is_printable),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
