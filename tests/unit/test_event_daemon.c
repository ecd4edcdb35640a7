// SPDX-License-Identifier: GPL-2.0-or-later
/* userspace/event_json.c and event_line.c: what the daemon itself has to say, in both forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "event_fixture.h"

static void test_json_lost(void **state)
{
	static const char *const parts[] = {"\"action\":\"events-lost\"",
					    "\"dataset\":\"dnsfence.log\"",
					    "\"dnsfence\":{\"count\":12}", "\"sequence\":8"};
	struct event event = {.kind = EVENT_LOST, .count = 12, .sequence = 8};

	(void)state;
	expect_json(&event, parts, ARRAY_LEN(parts));
}

static struct event tamper_event(void)
{
	return (struct event){
		.kind = EVENT_TAMPER,
		.sequence = 9,
		.tamper = {.object = "link", .name = "packet", .what = "was detached"},
	};
}

static void test_json_tamper(void **state)
{
	static const char *const open[] = {
		"\"kind\":\"alert\"",
		"\"category\":[\"configuration\",\"intrusion_detection\"]",
		"\"type\":[\"change\"]",
		"\"action\":\"tamper\"",
		"\"outcome\":\"success\"",
		"\"reason\":\"was detached\"",
		"\"dataset\":\"dnsfence.tamper\",\"sequence\":9",
		"\"dnsfence\":{\"tamper\":{\"object\":\"link\",\"name\":\"packet\","
		"\"what\":\"was detached\",\"restored\":false}}",
	};
	static const char *const mended[] = {"\"outcome\":\"failure\"", "\"restored\":true"};
	static const char *const beside[] = {
		"\"kind\":\"event\",\"category\":[\"configuration\"],\"type\":[\"info\"]",
		"\"outcome\":\"unknown\"",
		"\"program\":{\"id\":12,\"name\":\"other\",\"tag\":\"00ff\"}",
	};
	struct event event = tamper_event();

	(void)state;
	expect_json(&event, open, ARRAY_LEN(open));
	event.tamper.restored = true;
	expect_json(&event, mended, ARRAY_LEN(mended));
	event.tamper = (struct event_tamper){
		.object = "order",
		.name = "connect4",
		.neighbour = true,
		.program = {12, "other", "00ff"},
	};
	expect_json(&event, beside, ARRAY_LEN(beside));
}

static void test_line_tamper(void **state)
{
	struct event event = tamper_event();
	char line[512];

	(void)state;
	line[event_write_line(&event, false, line, sizeof(line))] = 0;
	assert_string_equal(strchr(line, ' '), " TAMPER link packet: was detached; NOT restored\n");
	event.tamper.restored = true;
	event.tamper.name = "";
	line[event_write_line(&event, false, line, sizeof(line))] = 0;
	assert_string_equal(strchr(line, ' '), " TAMPER link: was detached; restored\n");
	event.tamper.neighbour = true;
	line[event_write_line(&event, false, line, sizeof(line))] = 0;
	assert_string_equal(strchr(line, ' '), " BESIDE link: was detached\n");
	assert_int_equal(event_write_line(&event, true, line, 20), 19);
}

static struct event drift_event(void)
{
	return (struct event){
		.kind = EVENT_DRIFT,
		.sequence = 10,
		.interface = "eth0",
		.drift = {.source = "router-advertisement",
			  .resolver = "2001:db8::1",
			  .router = "fe80::1",
			  .lifetime_s = 60},
	};
}

static void test_drift(void **state)
{
	static const char *const advertised[] = {
		"\"kind\":\"alert\",\"category\":[\"configuration\",\"network\"],\"type\":["
		"\"change\"]",
		"\"action\":\"resolver-drift\"",
		"\"reason\":\"router-advertisement by fe80::1 at eth0 proposes a resolver that no "
		"policy names\"",
		"\"dataset\":\"dnsfence.drift\",\"sequence\":10",
		"\"source\":{\"ip\":\"fe80::1\"}",
		"\"destination\":{\"ip\":\"2001:db8::1\"}",
		"\"observer\":{\"ingress\":{\"interface\":{\"name\":\"eth0\"}}}",
		"\"dnsfence\":{\"drift\":{\"source\":\"router-advertisement\",\"lifetime\":60}}",
	};
	static const char *const written[] = {
		"\"reason\":\"resolv.conf proposes a resolver that no policy names\"",
		"\"drift\":{\"source\":\"resolv.conf\",\"path\":\"/etc/resolv.conf\"}",
	};
	struct event event = drift_event();
	char line[512];

	(void)state;
	expect_json(&event, advertised, ARRAY_LEN(advertised));
	line[event_write_line(&event, false, line, sizeof(line))] = 0;
	assert_string_equal(strchr(line, ' '),
			    " DRIFT  router-advertisement by fe80::1 at eth0 proposes the resolver "
			    "2001:db8::1, which no policy names\n");
	event.interface[0] = event.drift.router[0] = 0;
	event.drift.lifetime_s = 0;
	event.drift.source = "resolv.conf";
	strcpy(event.drift.path, "/etc/resolv.conf");
	expect_json(&event, written, ARRAY_LEN(written));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_lost),
		cmocka_unit_test(test_json_tamper),
		cmocka_unit_test(test_line_tamper),
		cmocka_unit_test(test_drift),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
