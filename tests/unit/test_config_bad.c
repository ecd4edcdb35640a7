// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/config.c, document.c and schema.c: what is no configuration is refused with a message
 * at the right place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "config_fixture.h"

struct bad_case {
	const char *text;
	unsigned int line, column; /* of the message; 0: not checked */
	const char *says;
};

#define POLICY(rest) V P "  - {name: default, resolvers: [], " rest "}\n"
#define SET(rest) V DEFAULT "resolvers:\n  a: [" rest "]\n"

static const struct bad_case bad[] = {
	/* No configuration at all. */
	{"", 0, 0, "empty"},
	{"# only a comment\n", 0, 0, "empty"},
	{"just a word\n", 1, 1, "expected keys and values"},
	{"[]\n", 1, 1, "expected keys and values"},
	{"a: [\n", 2, 0, ""},
	{"a: b: c\n", 1, 0, ""},
	{"\t- a\n", 1, 0, ""},
	{"a: \xff\n", 0, 0, ""},
	{V DEFAULT "---\n" V DEFAULT, 3, 0, "one document"},

	/* What plain data does not need. */
	{V DEFAULT "mode: &a audit\n", 3, 7, "anchor"},
	{V DEFAULT "mode: *a\n", 3, 7, "alias"},
	{V DEFAULT "mode: !!str audit\n", 3, 7, "tag"},
	{V DEFAULT "resolvers: !x {}\n", 3, 12, "tag"},
	{V DEFAULT "mode: audit\nmode: enforce\n", 4, 1, "duplicate key 'mode'"},
	{V DEFAULT "resolvers: {a: [], b: [], a: []}\n", 3, 27, "duplicate key 'a'"},
	{V DEFAULT "? [a]\n: b\n", 3, 3, "key must be a word"},
	{V DEFAULT "x: [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]\n", 3, 0, "nested deeper"},
	{V DEFAULT "mode: \"au\\0dit\"\n", 3, 7, "zero byte"},
	{V "resolvers:\n\ta: []\n" DEFAULT, 3, 1, "a tab; YAML is indented with spaces"},
	{V "resolvers:\n  \ta: []\n" DEFAULT, 3, 3, "a tab; YAML is indented with spaces"},
	{V DEFAULT "mode: \xe9\xe9\n", 0, 0, "byte 75: invalid trailing UTF-8"},
	{V DEFAULT "\"a\\eb\\nc\": 1\n", 3, 1, "unknown key 'a?b?c'"},
	{"", 1, 1, "the file is empty; \"dnsfence init\""},

	/* Keys. */
	{DEFAULT, 1, 1, "missing 'apiVersion'"},
	{"apiVersion: dnsfence/v2\n" DEFAULT, 1, 13, "dnsfence/v1"},
	{V DEFAULT "resolver: {}\n", 3, 1, "did you mean 'resolvers'"},
	{V DEFAULT "on-deny: eperm\n", 3, 1, "did you mean 'on_deny'"},
	{V DEFAULT "quarterback: 1\n", 3, 1, "unknown key 'quarterback'"},
	{POLICY("colour: red"), 3, 0, "unknown key 'colour' in policy"},
	{V P "  - {resolvers: []}\n", 3, 0, "missing 'name'"},
	{V P "  - {name: default}\n", 3, 0, "missing 'resolvers'"},
	{SET("{port: 53}"), 4, 0, "missing 'address'"},
	{SET("{address: 10.0.0.1, adress: 10.0.0.1}"), 4, 0, "did you mean 'address'"},

	/* Values. */
	{V DEFAULT "mode: observe\n", 3, 7, "enforce or audit"},
	{V DEFAULT "mode:\n", 3, 0, "found nothing"},
	{V DEFAULT "mode: [audit]\n", 3, 7, "expected a single value"},
	{V DEFAULT "on_deny: drop\n", 3, 10, "eperm"},
	{V DEFAULT "services: [dns, http]\n", 3, 17, "'http'"},
	{V DEFAULT "services: []\n", 3, 11, "empty"},
	{V DEFAULT "services: {dns: true}\n", 3, 11, "expected a list"},
	{V DEFAULT "events: {stdout: yes}\n", 3, 18, "neither true nor false"},
	{V DEFAULT "events: {file: events.jsonl}\n", 3, 16, "absolute"},
	{V DEFAULT "events: {file: }\n", 3, 0, "found nothing"},
	{V DEFAULT "events: {buffer: 100}\n", 3, 18, "power of two"},
	{V DEFAULT "events: {buffer: 32}\n", 3, 18, "64 to 65536"},
	{V DEFAULT "events: {buffer: 1e3}\n", 3, 18, "not a number"},
	{V DEFAULT "metrics: {listen: 0.0.0.0:9753}\n", 3, 19, "loopback"},
	{V DEFAULT "metrics: {listen: localhost:9753}\n", 3, 19, "only an address"},
	{V DEFAULT "metrics: {listen: 9753}\n", 3, 19, "127.0.0.1:9753"},
	{V DEFAULT "metrics: {listen: \"[::]:9753\"}\n", 3, 19, "loopback"},
	{V DEFAULT "metrics: {listen: unix:run}\n", 3, 19, "unix:/PATH"},
	{V DEFAULT "metrics: {textfile: /var/lib/dnsfence.txt}\n", 3, 21, ".prom"},
	{V DEFAULT "metrics: {interval: 0}\n", 3, 21, "1 to 3600"},
	{V DEFAULT "events: {allowed: -1}\n", 3, 19, "from 0 to 1000000"},
	{V DEFAULT "events: {allowed: some}\n", 3, 19, "from 0 to 1000000"},
	{V DEFAULT "events: {queue: 1KiB}\n", 3, 17, "from 64 to"},
	{V DEFAULT "events: {queue: 1MB}\n", 3, 17, "64MiB or 1GiB"},
	{V DEFAULT "events: {queue: -1MiB}\n", 3, 17, "not a size"},
	{V DEFAULT "events: {queue: 99999999999999GiB}\n", 3, 17, "not a size"},
	{V DEFAULT "events: {drop: random}\n", 3, 16, "newest or oldest"},
	{V DEFAULT "events: {rotate: {size: 64MiB}}\n", 0, 0, "no events.file"},
	{V DEFAULT "events: {file: /a, rotate: {keep: 2}}\n", 3, 0, "missing 'size'"},
	{V DEFAULT "events: {file: /a, rotate: {size: 1MiB, keep: 0}}\n", 3, 47, "1 to 999"},
	{V DEFAULT "events: {syslog: true}\n", 3, 18, "expected keys"},
	{V DEFAULT "events: {syslog: {facility: daemon}}\n", 3, 0, "missing 'to'"},
	{V DEFAULT "events: {syslog: {to: []}}\n", 3, 23, "empty"},
	{V DEFAULT "events: {syslog: {to: 192.0.2.1}}\n", 3, 23, "expected local, unix:/PATH"},
	{V DEFAULT "events: {syslog: {to: tcp:192.0.2.1}}\n", 3, 23, "tcp:ADDRESS:PORT"},
	{V DEFAULT "events: {syslog: {to: tcp:2001:db8::1:601}}\n", 3, 23, "[2001:db8::1]:601"},
	{V DEFAULT "events: {syslog: {to: udp:192.0.2.0/24:514}}\n", 3, 23, "prefix"},
	{V DEFAULT "events: {syslog: {to: udp:192.0.2.1/32:514}}\n", 3, 23, "prefix"},
	{V DEFAULT "events: {syslog: {to: tcp:log.example.org:601}}\n", 3, 23, "launder"},
	{V DEFAULT "events: {syslog: {to: tcp::601}}\n", 3, 23, "address"},
	{V DEFAULT "events: {syslog: {to: tcp:192.0.2.1:0}}\n", 3, 23, "expected"},
	{V DEFAULT "events: {syslog: {to: unix:dev/log}}\n", 3, 23, "expected"},
	{V DEFAULT "events: {syslog: {to: [local, local]}}\n", 3, 31, "named twice"},
	{V DEFAULT "events: {syslog: {to: local, facility: kern}}\n", 3, 40, "authpriv"},
	{V DEFAULT "edge: {interfaces: [eth0, auto]}\n", 3, 27, "stands alone"},
	{V DEFAULT "edge: {interfaces: []}\n", 3, 20, "empty"},
	{V DEFAULT "edge: {uplinks: eth0}\n", 3, 17, "edge.interfaces is off"},
	{V DEFAULT "edge: {interfaces: off, uplinks: [eth0]}\n", 3, 34, "edge.interfaces is off"},
	{V DEFAULT "runtimes: {docker: data}\n", 3, 20, "'data' is not an absolute path"},
	{V DEFAULT "runtimes: {docker: [/a, b]}\n", 3, 20, "'b' is not an absolute path"},
	{V DEFAULT "runtimes: {host: host}\n", 3, 18, "not an absolute path"},
	{V DEFAULT "runtimes: {dokcer: /data}\n", 3, 12, "did you mean 'docker'"},
	{V "policies:\n  - {name: a, match: {source: 10.0.0.1, user: \"0\"}, resolvers: []}\n"
	   "  - {name: d, resolvers: []}\n",
	 3, 0, "write two policies"},
	{V "policies:\n  - {name: a, match: {source: 10.0.0.1/8}, resolvers: []}\n"
	   "  - {name: d, resolvers: []}\n",
	 3, 31, "host bits"},
	{V DEFAULT "resolvers: [10.0.0.1]\n", 3, 12, "expected keys and values"},
	{V DEFAULT "resolvers: {a: 10.0.0.1}\n", 3, 16, "expected a list"},
	{V DEFAULT "resolvers: {any: []}\n", 3, 13, "cannot name"},
	{V DEFAULT "resolvers: {\"a b\": []}\n", 3, 13, "cannot name"},
	{SET("dns.example.org"), 4, 7, "not an IP address"},
	{SET("\"10.0.0.53:5353\""), 4, 7, "port: PORT"},
	{SET("10.0.0.53/24"), 4, 7, "10.0.0.0/24"},
	{SET("fe80::1%eth0"), 4, 7, "zone"},
	{SET("{address: 10.0.0.1, port: 0}"), 4, 33, "1 to 65535"},
	{SET("{address: 10.0.0.1, port: 65536}"), 4, 33, "1 to 65535"},
	{SET("{address: 10.0.0.1, port: -1}"), 4, 33, "1 to 65535"},
	{SET("{address: 10.0.0.1, port: 0x35}"), 4, 33, "1 to 65535"},
	{SET("{address: 10.0.0.1, port: 99999999999999999999}"), 4, 33, "1 to 65535"},
	{SET("{address: 10.0.0.1, protocol: sctp}"), 4, 0, "udp or tcp"},
	{SET("{address: 10.0.0.1, port: 99, service: [dns, dot]}"), 4, 0, "one service"},

	/* Policies. */
	{V, 0, 0, "no default policy"},
	{V "policies:\n", 2, 0, "found nothing"},
	{V "policies: []\n", 0, 0, "no default policy"},
	{V P "  - {name: a, match: {cgroup: /a}, resolvers: []}\n", 3, 5, "no default policy"},
	{V P "  - default\n", 3, 5, "expected keys and values"},
	{V P "  - {name: a, resolvers: []}\n  - {name: b, resolvers: []}\n", 4, 0, "never match"},
	{V P "  - {name: a, resolvers: []}\n  - {name: b, match: {cgroup: /b}, resolvers: []}\n", 4,
	 0, "never match"},
	{V P "  - {name: a, match: {cgroup: /a}, resolvers: []}\n  - {name: a, resolvers: []}\n", 4,
	 0, "taken by the policy in test.yaml:3"},
	{V P "  - {name: default, resolvers: [nowhere]}\n", 3, 0, "no resolver set 'nowhere'"},
	{V P "  - {name: default, resolvers: nowhere}\n", 3, 0, "expected any or a list"},
	{V P "  - {name: default, resolvers: [any]}\n", 3, 33, "stands alone"},
	{V P "  - {name: default, resolvers: }\n", 3, 0, "found nothing"},
	{V P "  - {name: \"a b\", resolvers: []}\n", 3, 0, "letters"},
	{V P "  - {name: \"\", resolvers: []}\n", 3, 0, "letters"},
	{V P "  - {name: a123456789012345678901234567890123456789, resolvers: []}\n", 3, 0,
	 "letters"},
	{POLICY("match: {}"), 3, 0, "leave match out"},
	{POLICY("match: "), 3, 0, "found nothing"},
	{POLICY("match: {cgroup: ci.slice}"), 3, 0, "begin with /"},
	{POLICY("match: {cgroup: /a/../b}"), 3, 0, "plain path"},
	{POLICY("match: {cgroup: /a//b}"), 3, 0, "plain path"},
	{POLICY("match: {cgroup: [/a, b]}"), 3, 57, "begin with /"},
	{POLICY("match: {cgroup: "
		"/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z/1/2/3/4/5/6}"),
	 3, 52, "deeper than 31 levels"},
	{POLICY("match: {unit: x.service, source: 10.0.0.1}"), 3, 0, "write two policies"},
	{POLICY("match: {unit: nginx}"), 3, 50, "did you mean 'nginx.service'"},
	{POLICY("match: {unit: [a.service, nginx.timer]}"), 3, 62, "no cgroup"},
	{POLICY("match: {unit: /system.slice/a.service}"), 3, 50, "is a path"},
	{POLICY("match: {unit: \"a b.service\"}"), 3, 50, "cannot be a unit"},
	{POLICY("match: {unit: \"\"}"), 3, 50, "cannot be a unit"},
	{POLICY("match: {unit: []}"), 3, 50, "list is empty"},
	{POLICY("match: {unit: {a: b}}"), 3, 50, "expected a list"},
	{POLICY("match: {user_unit: app}"), 3, 55, "app.service"},
	{POLICY("match: {userunit: a.scope}"), 3, 44, "did you mean 'user_unit'"},
	{POLICY("match: {container: x}"), 3, 55, "expected keys and values"},
	{POLICY("match: {container: {}}"), 3, 55, "every container"},
	{POLICY("match: {container: {nam: x}}"), 3, 56, "did you mean 'name'"},
	{POLICY("match: {container: {runtime: rkt}}"), 3, 65, "cri-o"},
	{POLICY("match: {container: {id: \"\"}}"), 3, 60, "empty word"},
	{POLICY("match: {container: {label: app}}"), 3, 63, "expected keys and values"},
	{POLICY("match: {container: {label: {}}}"), 3, 63, "{app: web}"},
	{POLICY("match: {container: {label: {a: {b: c}}}}"), 3, 67, "expected a list"},
	{POLICY("match: {pod: x}"), 3, 49, "expected keys and values"},
	{POLICY("match: {pod: {}}"), 3, 49, "every pod"},
	{POLICY("match: {pod: {image: x}}"), 3, 50, "unknown key 'image' in pod"},
	{POLICY("redirect: 10.0.0.1"), 3, 0, "redirect"},
	{POLICY("mode: off"), 3, 0, "enforce or audit"},
};

/* One mistake, one message. */
static void test_once(void **state)
{
	static const struct bad_case once[] = {
		{"apiversion: dnsfence/v1\n" DEFAULT, 1, 1, "did you mean 'apiVersion'"},
		{V "policie: []\n", 2, 1, "did you mean 'policies'"},
		{V "policies: {name: default}\n", 2, 11, "expected a list"},
		{V P "  - {name: ci, match: {user: \"0\"}, resolvers: []}\npolicis: []\n", 4, 1,
		 "did you mean 'policies'"},
		{V P "  - {name: default, resolver: []}\n", 3, 0, "did you mean 'resolvers'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(once); i++) {
		_cleanup_fixture_ struct fixture fixture;

		load(once[i].text, &fixture);
		assert_int_equal(fixture.diagnostics.length, 1);
		if (!strstr(fixture.diagnostics.list[0].text, once[i].says))
			fail_msg("%s\n%s", fixture.diagnostics.list[0].text, once[i].text);
	}
}

static void test_bad(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_cleanup_fixture_ struct fixture fixture;

		load(bad[i].text, &fixture);
		if (fixture.result == -EINVAL &&
		    says(&fixture.diagnostics, DIAGNOSTIC_ERROR,
			 &(struct expected){bad[i].says, bad[i].line, bad[i].column}))
			continue;
		wrong++;
		print_error("expected %u:%u: ...%s... for\n%s\n", bad[i].line, bad[i].column,
			    bad[i].says, bad[i].text);
		diagnostics_print(&fixture.diagnostics, stderr);
	}
	assert_int_equal(wrong, 0);
}

/* All errors of a file at once, and nothing twice. */
static void test_all_errors(void **state)
{
	_cleanup_fixture_ struct fixture fixture;

	(void)state;
	load("apiVersion: dnsfence/v9\n"
	     "mode: maybe\n"
	     "colour: red\n"
	     "resolvers: {a: [10.0.0.300]}\n"
	     "policies: [{name: default, resolvers: [], on_deny: x}]\n",
	     &fixture);
	assert_int_equal(fixture.diagnostics.errors, 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(fixture.diagnostics.list[i].where.file, "test.yaml");
}

static void test_too_many_errors(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	_cleanup_free_ char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	(void)state;
	assert_non_null(to);
	for (int i = 0; i < 1000; i++)
		fprintf(to, "key%d: x\n", i);
	fclose(to);
	load(text, &fixture);
	assert_true(fixture.diagnostics.errors >= 1000);
	assert_int_equal(fixture.diagnostics.length, DIAGNOSTICS_MAX);
}

static void test_print(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	_cleanup_free_ char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	(void)state;
	load(V "mode: maybe\n" DEFAULT, &fixture);
	diagnostics_print(&fixture.diagnostics, to);
	fclose(to);
	assert_string_equal(text,
			    "test.yaml:2:7: error: mode: 'maybe' is not one of enforce or audit\n");
}

static void test_print_json(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	_cleanup_free_ char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	(void)state;
	load(V "mode: \"a\\\"b\"\n" DEFAULT, &fixture);
	diagnostics_print_json(&fixture.diagnostics, to);
	diagnostic_say(to, true, DIAGNOSTIC_INFO, "%d files", 1);
	fclose(to);
	assert_string_equal(
		text, "{\"severity\":\"error\",\"file\":\"test.yaml\",\"line\":2,\"column\":7,"
		      "\"message\":\"mode: 'a\\\"b' is not one of enforce or audit\"}\n"
		      "{\"severity\":\"info\",\"message\":\"1 files\"}\n");
}

/* A service that nobody fences is worth a word, but no error. */
static void test_warning(void **state)
{
	_cleanup_fixture_ struct fixture fixture;

	(void)state;
	load_good(SET("{address: 10.0.0.1, service: mdns}"), &fixture);
	assert_int_equal(fixture.diagnostics.length, 1);
	assert_int_equal(fixture.diagnostics.list[0].severity, DIAGNOSTIC_WARNING);
	assert_int_equal(fixture.diagnostics.list[0].where.line, 4);
}

/* A duplicate key is an error, and what stood there first does no harm. */
static void test_duplicate_set_names(void **state)
{
	_cleanup_fixture_ struct fixture fixture;

	(void)state;
	load(V P "  - name: default\n"
		 "    resolvers: [a, b, c, d, e, f, g, h]\n"
		 "    resolvers: [x]\n",
	     &fixture);
	assert_int_equal(fixture.result, -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),       cmocka_unit_test(test_bad),
		cmocka_unit_test(test_all_errors), cmocka_unit_test(test_too_many_errors),
		cmocka_unit_test(test_print),      cmocka_unit_test(test_print_json),
		cmocka_unit_test(test_warning),    cmocka_unit_test(test_duplicate_set_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
