// SPDX-License-Identifier: GPL-2.0-or-later
/* userspace/event_json.c and event_line.c: what is written of a lookup, in both forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "blank_facts.h"
#include "event_fixture.h"

static void test_json(void **state)
{
	static const char *const parts[] = {
		"{\"@timestamp\":\"2026-01-01T00:00:00.123456Z\"",
		"\"ecs\":{\"version\":",
		"\"category\":[\"network\"]",
		"\"type\":[\"connection\",\"denied\"]",
		"\"action\":\"dns-denied\"",
		"\"outcome\":\"failure\"",
		"\"reason\":\"resolver-not-sanctioned\"",
		"\"dataset\":\"dnsfence.violation\"",
		"\"sequence\":7",
		"\"transport\":\"udp\"",
		"\"type\":\"ipv4\"",
		"\"source\":{\"ip\":\"10.0.0.1\",\"port\":40000}",
		"\"destination\":{\"ip\":\"8.8.4.4\",\"port\":53}",
		"\"question\":{\"name\":\"example.org\",\"type\":\"A\",\"class\":\"IN\"}",
		"\"name\":\"dig\"",
		"\"user\":{\"id\":\"0\",\"name\":\"root\"}",
		"\"rule\":{\"name\":\"default\"}",
		"\"host\":{\"name\":\"host-a\"}",
		"\"hook\":\"packet\"",
		"\"verdict\":\"deny\"",
		"\"path\":\"/ci.slice\"",
		"\"count\":3",
		"\"lost_before\":0",
	};
	struct event event = good_event();

	(void)state;
	expect_json(&event, parts, ARRAY_LEN(parts));
}

static void test_json_audited(void **state)
{
	static const char *const parts[] = {
		"\"type\":[\"connection\",\"allowed\"]",
		"\"action\":\"dns-audited\"",
		"\"outcome\":\"success\"",
		"\"verdict\":\"audit\"",
		"\"ip\":\"2001:db8::53\"",
		"\"type\":\"ipv6\"",
		"\"transport\":\"tcp\"",
	};
	static const uint8_t daddr[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x53};
	struct event event = good_event();

	(void)state;
	event.record.verdict = DF_VERDICT_AUDIT;
	event.record.family = 6;
	event.record.protocol = IPPROTO_TCP;
	memcpy(event.record.daddr, daddr, sizeof(daddr));
	expect_json(&event, parts, ARRAY_LEN(parts));
}

#define ID "3f0c12ab34cd56ef3f0c12ab34cd56ef3f0c12ab34cd56ef3f0c12ab34cd56ef"
#define POD_UID "0e5d4c3b-2a19-4807-b6f5-e4d3c2b1a098"

static struct facts container_facts(void)
{
	struct facts facts = blank_facts();

	facts.unit = "docker-" ID ".scope";
	facts.container.runtime = RUNTIME_DOCKER;
	facts.container.id = ID;
	facts.container.name = "web-1";
	facts.container.image = "registry/web:7";
	return facts;
}

static struct facts pod_facts(void)
{
	struct facts facts = blank_facts();

	facts.container.runtime = RUNTIME_CONTAINERD;
	facts.container.id = ID;
	facts.container.name = "app";
	facts.pod.uid = POD_UID;
	facts.pod.namespace = "prod";
	facts.pod.name = "web-0";
	return facts;
}

static void test_json_processes(void **state)
{
	static const char *const parts[] = {
		"\"executable\":\"/usr/bin/dig\"",
		"\"parent\":{\"pid\":41,\"name\":\"sh\",\"executable\":\"/bin/busybox\"}",
	};
	struct event event = good_event();

	(void)state;
	event.record.caller.tgid = 42;
	event.record.caller.parent_tgid = 41;
	strcpy(event.record.caller.parent_comm, "sh");
	event.executable = "/usr/bin/dig";
	event.parent_executable = "/bin/busybox";
	expect_json(&event, parts, ARRAY_LEN(parts));
}

static void test_json_container(void **state)
{
	static const char *const parts[] = {
		"\"container\":{\"id\":\"" ID "\",\"runtime\":\"docker\",\"name\":\"web-1\","
		"\"image\":{\"name\":\"registry/web:7\"}},\"rule\"",
		"\"unit\":\"docker-" ID ".scope\"",
	};
	static const char *const bare[] = {"\"container\":{\"id\":\"" ID "\"},\"rule\""};
	struct facts facts = container_facts();
	struct event event = good_event();

	(void)state;
	event.facts = &facts;
	expect_json(&event, parts, ARRAY_LEN(parts));
	facts.container.runtime = RUNTIME_UNKNOWN;
	facts.container.name = facts.container.image = facts.unit = "";
	expect_json(&event, bare, ARRAY_LEN(bare));
}

static void test_json_pod(void **state)
{
	static const char *const parts[] = {
		"\"container\":{\"id\":\"" ID "\",\"runtime\":\"containerd\",\"name\":\"app\"}",
		"\"orchestrator\":{\"type\":\"kubernetes\",\"namespace\":\"prod\",\"resource\":{"
		"\"type\":\"pod\",\"name\":\"web-0\",\"id\":\"" POD_UID "\"}}",
	};
	struct facts facts = pod_facts();
	struct event event = good_event();

	(void)state;
	event.facts = &facts;
	expect_json(&event, parts, ARRAY_LEN(parts));
}

/* kind: a node that is a container, with pods in it. */
static void test_json_nested(void **state)
{
	static const char *const parts[] = {
		"\"nested\":{\"container\":{\"id\":\"inner\",\"runtime\":\"lxc\"},\"orchestrator\":"
		"{"
		"\"type\":\"kubernetes\",\"resource\":{\"type\":\"pod\",\"id\":\"" POD_UID "\"}}}",
		"\"user_unit\":\"app-x.scope\",\"user_unit_uid\":1000,\"nested\"",
	};
	struct facts facts = container_facts();
	struct event event = good_event();

	(void)state;
	event.facts = &facts;
	facts.user_unit = "app-x.scope";
	facts.user = 1000;
	facts.nested.runtime = RUNTIME_LXC;
	facts.nested.id = "inner";
	facts.nested_pod = POD_UID;
	expect_json(&event, parts, ARRAY_LEN(parts));
}

static void expect_place(const struct event *event, const char *place)
{
	char line[4096], wanted[512];

	snprintf(wanted, sizeof(wanted), ") in %s: resolver-not-sanctioned, ", place);
	line[event_write_line(event, false, line, sizeof(line) - 1)] = 0;
	if (!strstr(line, wanted))
		fail_msg("%s\nis not in\n%s", wanted, line);
}

/* The closest name that is known takes the place of the path. */
static void test_line_places(void **state)
{
	struct facts facts = pod_facts();
	struct event event = good_event();

	(void)state;
	event.facts = &facts;
	expect_place(&event, "pod prod/web-0");
	facts.pod.name = facts.pod.namespace = "";
	expect_place(&event, "container app");
	facts.container.name = "";
	expect_place(&event, "container 3f0c12ab34cd");
	facts.container.runtime = RUNTIME_LXC;
	facts.container.id = "a-name-of-some-length";
	expect_place(&event, "container a-name-of-some-length");
	facts.container.runtime = RUNTIME_NONE;
	facts.container.id = "";
	expect_place(&event, "pod " POD_UID);
	facts.pod.uid = "";
	facts.unit = "user@1000.service";
	facts.user_unit = "app-x.scope";
	facts.user = 1000;
	expect_place(&event, "app-x.scope of uid 1000");
	facts.user_unit = "";
	expect_place(&event, "user@1000.service");
	facts.unit = "";
	expect_place(&event, "/ci.slice");
	event.facts = NULL;
	event.cgroup[0] = 0;
	expect_place(&event, "a cgroup gone");
}

/* What nobody could tell is left out, not written as an empty word. */
static void test_json_leaves_out(void **state)
{
	static const char *const absent[] = {
		"\"process\"", "\"user\"", "\"dns\":",      "\"rule\"",      "\"path\"",
		"\"\"",        "\"unit\"", "\"user_unit\"", "\"container\"", "\"orchestrator\"",
		"\"nested\"",  "\"via\""};
	struct facts facts = blank_facts();
	_cleanup_(json_done) struct json json = {0};
	_cleanup_free_ char *text = NULL;
	struct event event = good_event();

	(void)state;
	event.record.flags = DF_EVENT_PACKET;
	event.record.policy[0] = event.cgroup[0] = 0;
	event.has_question = false;
	event.facts = &facts;
	event.executable = event.parent_executable = "";
	assert_int_equal(event_write_json(&event, "host-a", &json), 0);
	text = strndup(json.text, json.length);
	for (size_t i = 0; i < ARRAY_LEN(absent); i++)
		if (strstr(text, absent[i]))
			fail_msg("%s is in\n%s", absent[i], text);
}

static void test_line(void **state)
{
	struct event event = good_event();
	char line[4096];
	size_t length = event_write_line(&event, false, line, sizeof(line));

	(void)state;
	assert_int_equal(line[length - 1], '\n');
	line[length - 1] = 0;
	assert_null(strchr(line, '\n'));
	assert_non_null(strstr(line, "DENIED dns/udp 8.8.4.4:53 example.org A by dig["));
	assert_non_null(strstr(line, "in /ci.slice: resolver-not-sanctioned, policy default"));
	assert_non_null(strstr(line, "3 times"));
}

static void write_line(const struct event *event, char *line, size_t size)
{
	line[event_write_line(event, false, line, size) - 1] = 0;
	assert_null(strchr(line, '\n'));
}

/* A packet without ports, and a socket that is refused before it sends: no service is made up. */
static void test_no_service(void **state)
{
	_cleanup_(json_done) struct json json = {0};
	struct event event = good_event();
	char line[4096];

	(void)state;
	event.has_question = false;
	event.record.service = DF_SERVICE_MAX;
	event.record.dport = 0;
	event.record.reason = DF_REASON_IPSEC;
	write_line(&event, line, sizeof(line));
	assert_non_null(strstr(line, "DENIED udp 8.8.4.4 by dig["));
	event.record.hook = DF_HOOK_SETSOCKOPT;
	event.record.reason = DF_REASON_BYPASS;
	event.record.family = event.record.protocol = 0;
	event.record.flags &= (uint32_t)~DF_EVENT_PACKET;
	snprintf(event.command, sizeof(event.command), "%s", "tcpreplay -q");
	write_line(&event, line, sizeof(line));
	assert_non_null(strstr(line, "DENIED setsockopt() (\"tcpreplay -q\") by dig["));
	assert_int_equal(event_write_json(&event, "host-a", &json), 0);
	assert_null(memmem(json.text, json.length, "\"protocol\"", 10));
	assert_null(memmem(json.text, json.length, "\"destination\"", 13));
}

/* A forwarder's lookup: who asked for it, as far as that is known. */
static void test_via(void **state)
{
	static const char *const parts[] = {
		"\"via\":{\"basis\":\"question\",\"cgroup\":{\"id\":"
		"88,\"path\":\"/docker/abc\"},\"process\":{\"pid\":12,\"name\":"
		"\"nslookup\",\"parent\":{\"pid\":11}},\"user\":{"
		"\"id\":\"1000\"},\"netns\":{\"inode\":"
		"4026532000}}"};
	static const char *const located[] = {
		"\"process\":{\"pid\":12,\"name\":\"nslookup\",\"executable\":"
		"\"/usr/bin/nslookup\",\"parent\":{\"pid\":11}}"};
	static const char *const least[] = {
		"\"via\":{\"basis\":\"question\",\"cgroup\":{\"id\":88},\"user\":{\"id\":"
		"\"1000\"}}"};
	static const char *const connected[] = {"\"via\":{\"basis\":\"connection\",\"cgroup\":{"
						"\"id\":88},\"process\":{\"pid\":12,"};
	static const char *const named[] = {
		"\"netns\":{\"inode\":4026532000},\"unit\":\"docker-" ID ".scope\",\"container\":{"
		"\"id\":\"" ID "\",\"runtime\":\"docker\",\"name\":\"web-1\",\"image\":{\"name\":"
		"\"registry/web:7\"}}},\"generation\""};
	struct facts facts = container_facts();
	struct event event = good_event();
	char line[4096];

	(void)state;
	event.record.via = (struct df_via){.cgroup_id = 88,
					   .tgid = 12,
					   .uid = 1000,
					   .netns_inode = 4026532000u,
					   .parent_tgid = 11,
					   .comm = "nslookup"};
	strcpy(event.via_cgroup, "/docker/abc");
	expect_json(&event, parts, ARRAY_LEN(parts));
	write_line(&event, line, sizeof(line));
	assert_non_null(strstr(line, " in /ci.slice for nslookup[12] in /docker/abc: "));
	event.via_facts = &facts;
	expect_json(&event, named, ARRAY_LEN(named));
	write_line(&event, line, sizeof(line));
	assert_non_null(strstr(line, " in /ci.slice for nslookup[12] in container web-1: "));
	event.via_executable = "/usr/bin/nslookup";
	expect_json(&event, located, ARRAY_LEN(located));
	event.via_facts = NULL;
	event.record.via = (struct df_via){.cgroup_id = 88, .uid = 1000};
	event.via_cgroup[0] = 0;
	expect_json(&event, least, ARRAY_LEN(least));
	write_line(&event, line, sizeof(line));
	assert_non_null(strstr(line, " in /ci.slice for unknown process in a cgroup gone: "));
	event.record.via.tgid = 12;
	strcpy(event.record.via.comm, "a\033[31m\n");
	write_line(&event, line, sizeof(line));
	assert_non_null(strstr(line, " in /ci.slice for a?[31m?[12] in "));
	event.record.flags |= DF_EVENT_CONNECTED;
	expect_json(&event, connected, ARRAY_LEN(connected));
	write_line(&event, line, sizeof(line));
	assert_non_null(strstr(line, " in /ci.slice probably for a?[31m?[12] in "));
}

/* An allowed lookup is no alert, says how many it stands for, and is no violation. */
static void test_allowed(void **state)
{
	struct event event = {.kind = EVENT_LOOKUP, .record = good_record(), .count = 1};
	_cleanup_(json_done) struct json json = {0};
	_cleanup_free_ char *text = NULL;
	char line[512];

	(void)state;
	assert_int_equal(event_violations(&event), 1);
	event.record.verdict = DF_VERDICT_ALLOW;
	event.record.reason = DF_REASON_SANCTIONED;
	event.record.sample = 100;
	assert_int_equal(event_violations(&event), 0);
	event_write_line(&event, false, line, sizeof(line));
	assert_non_null(strstr(line, " ALLOW  dns/udp "));
	assert_non_null(strstr(line, ": sanctioned, policy "));
	assert_non_null(strstr(line, ", one in 100\n"));
	assert_int_equal(event_write_json(&event, "host", &json), 0);
	text = strndup(json.text, json.length);
	assert_non_null(strstr(text, "\"kind\":\"event\",\"category\":[\"network\"],\"type\":"
				     "[\"connection\",\"allowed\"],\"action\":\"dns-allowed\","
				     "\"outcome\":\"success\",\"reason\":\"sanctioned\","
				     "\"dataset\":\"dnsfence.lookup\""));
	assert_non_null(strstr(text, "\"count\":1,\"sample\":100,"));
	assert_null(strstr(text, "\"mode\""));
}

/* A frame that nobody's call has sent: where it came from stands where the culprit does. */
static void test_frame(void **state)
{
	struct event event = {.kind = EVENT_LOOKUP, .record = good_record(), .count = 1};
	_cleanup_(json_done) struct json json = {0};
	_cleanup_free_ char *text = NULL;
	char line[512];

	(void)state;
	event.record.hook = DF_HOOK_EDGE_OUT;
	event.record.cgroup_id = 0;
	strcpy(event.interface, "eth0");
	strcpy(event.ingress, "virbr0");
	event_write_line(&event, false, line, sizeof(line));
	assert_non_null(strstr(line, " by a frame from 10.0.0.1 at eth0, came in by virbr0: "));
	assert_int_equal(event_write_json(&event, "host", &json), 0);
	text = strndup(json.text, json.length);
	assert_non_null(strstr(text, "\"observer\":{\"ingress\":{\"interface\":{\"name\":"
				     "\"virbr0\"}},\"egress\":{\"interface\":{\"name\":"
				     "\"eth0\"}}}"));
	assert_null(strstr(text, "\"cgroup\""));
	assert_null(strstr(text, "\"user\""));
	event.record.hook = DF_HOOK_EDGE_IN;
	event.record.cgroup_id = 7;
	strcpy(event.ingress, "eth0");
	event_write_line(&event, false, line, sizeof(line));
	assert_non_null(strstr(line, " by a frame from 10.0.0.1 at eth0 in a cgroup gone: "));
}

/* A process may call itself anything: no byte of it steers a terminal. */
static void test_line_is_printable(void **state)
{
	struct event event = good_event();
	char line[4096];
	size_t length;

	(void)state;
	snprintf(event.process_name, sizeof(event.process_name), "a\033[31m\n\r\x7f\b");
	snprintf(event.cgroup, sizeof(event.cgroup), "/x\n\033]0;title\a");
	length = event_write_line(&event, false, line, sizeof(line));
	for (size_t i = 0; i + 1 < length; i++)
		assert_true((unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
}

/* However little room there is, the line ends inside it. */
static void test_line_fits(void **state)
{
	struct event event = good_event();
	char line[512];

	(void)state;
	memset(event.cgroup, 'c', sizeof(event.cgroup) - 1);
	for (size_t size = 16; size < sizeof(line); size++) {
		size_t length;

		memset(line, 0x55, sizeof(line));
		length = event_write_line(&event, true, line, size);
		assert_true(length <= size);
		assert_int_equal(line[length - 1], '\n');
		assert_int_equal(line[size], 0x55);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_audited),
		cmocka_unit_test(test_json_leaves_out),
		cmocka_unit_test(test_json_processes),
		cmocka_unit_test(test_json_container),
		cmocka_unit_test(test_json_pod),
		cmocka_unit_test(test_json_nested),
		cmocka_unit_test(test_line_places),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_line_is_printable),
		cmocka_unit_test(test_no_service),
		cmocka_unit_test(test_line_fits),
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_via),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
