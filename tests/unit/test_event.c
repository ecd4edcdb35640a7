// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/event.c, event_json.c and event_line.c: which records of the ring are believed, and
 * what the two lines made of one say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "blank_facts.h"
#include "userspace/event.h"

static const char question[] = "\7example\3org\0\0\1\0\1";

static struct df_event good_record(void)
{
	struct df_event record = {
		.size = sizeof(struct df_event),
		.abi = DF_ABI_VERSION,
		.hook = DF_HOOK_PACKET,
		.verdict = DF_VERDICT_DENY,
		.reason = DF_REASON_NOT_SANCTIONED,
		.service = DF_SERVICE_DNS,
		.family = 4,
		.protocol = IPPROTO_UDP,
		.dport = 53,
		.sport = 40000,
		.flags = DF_EVENT_PACKET | DF_EVENT_QUESTION,
		.daddr = {8, 8, 4, 4},
		.saddr = {10, 0, 0, 1},
		.cgroup_id = 77,
		.count = 1,
		.question_len = sizeof(question) - 1,
		.policy = "default",
	};

	memcpy(record.question, question, sizeof(question) - 1);
	return record;
}

static int check(const void *record, size_t size)
{
	struct df_event checked = {.hook = 77};
	const char *problem = NULL;
	int r = event_check_record(record, size, &checked, &problem);

	if (r == 0)
		return 0;
	assert_int_equal(r, -EPROTO);
	assert_non_null(problem);
	assert_int_equal(checked.hook, 77);
	return r;
}

static void test_good_record(void **state)
{
	struct df_event record = good_record(), checked;
	const char *problem;

	(void)state;
	assert_int_equal(event_check_record(&record, sizeof(record), &checked, &problem), 0);
	assert_memory_equal(&checked, &record, sizeof(record));
}

/* A report of repeats is the head alone: the rest reads as zeroes. */
static void test_head_alone(void **state)
{
	struct df_event record = good_record(), checked;
	_cleanup_free_ void *head = malloc(DF_EVENT_HEAD_SIZE);
	const char *problem;

	(void)state;
	assert_non_null(head);
	record.size = DF_EVENT_HEAD_SIZE;
	record.question_len = 0;
	record.count = 1000;
	memcpy(head, &record, DF_EVENT_HEAD_SIZE);
	assert_int_equal(event_check_record(head, DF_EVENT_HEAD_SIZE, &checked, &problem), 0);
	assert_int_equal(checked.count, 1000);
	assert_int_equal(checked.question[0], 0);
	record.question_len = 1;
	memcpy(head, &record, DF_EVENT_HEAD_SIZE);
	assert_int_equal(check(head, DF_EVENT_HEAD_SIZE), -EPROTO);
}

/* Cut anywhere, in memory of exactly that size. */
static void test_sizes(void **state)
{
	struct df_event record = good_record();
	uint8_t longer[sizeof(record) + 64] = {0};

	(void)state;
	for (size_t size = 0; size < sizeof(record); size++) {
		_cleanup_free_ void *cut = malloc(size + 1);

		assert_non_null(cut);
		memcpy(cut, &record, size);
		assert_int_equal(check(cut, size), -EPROTO);
	}
	memcpy(longer, &record, sizeof(record));
	assert_int_equal(check(longer, sizeof(record)), 0);
	assert_int_equal(check(longer, sizeof(record) + 8), -EPROTO);
	assert_int_equal(check(longer, sizeof(longer)), -EPROTO);
}

#define REFUSED(statement)                                                 \
	do {                                                               \
		struct df_event record = good_record();                    \
		statement;                                                 \
		assert_int_equal(check(&record, sizeof(record)), -EPROTO); \
	} while (0)

#define ACCEPTED(statement)                                          \
	do {                                                         \
		struct df_event record = good_record();              \
		statement;                                           \
		assert_int_equal(check(&record, sizeof(record)), 0); \
	} while (0)

static void test_fields(void **state)
{
	(void)state;
	REFUSED(record.abi++);
	REFUSED(record.abi = 0);
	REFUSED(record.size = 0);
	REFUSED(record.size = sizeof(record) - 1);
	REFUSED(record.size = 0xffff);
	REFUSED(record.hook = DF_HOOK_MAX);
	REFUSED(record.hook = 0xff);
	REFUSED(record.verdict = DF_VERDICT_PASS);
	REFUSED(record.verdict = DF_VERDICT_ALLOW);
	REFUSED(record.verdict = DF_VERDICT_MAX);
	REFUSED(record.reason = DF_REASON_MAX);
	REFUSED(record.service = DF_SERVICE_MAX + 1);
	REFUSED(record.family = 5);
	REFUSED(record.count = 0);
	REFUSED(record.question_len = DF_QUESTION_MAX + 1);
	REFUSED(record.question_len = 0xffff);
	REFUSED(memset(record.policy, 'x', sizeof(record.policy)));
	REFUSED(memset(record.via.comm, 'x', sizeof(record.via.comm)));
	ACCEPTED(record.verdict = DF_VERDICT_AUDIT);
	ACCEPTED(record.service = DF_SERVICE_MAX);
	ACCEPTED(record.family = 0);
	ACCEPTED(record.family = 6);
	ACCEPTED(record.question_len = 0);
	ACCEPTED(record.question_len = DF_QUESTION_MAX);
	ACCEPTED(record.count = 0xffffffff);
}

static struct event good_event(void)
{
	struct event event = {
		.kind = EVENT_LOOKUP,
		.record = good_record(),
		.sequence = 7,
		.time = {.tv_sec = 1767225600, .tv_nsec = 123456789}, /* 2026-01-01T00:00:00Z */
		.count = 3,
		.has_question = true,
		.question = {.name = "example.org", .type = "A", .class = "IN"},
		.process_name = "dig",
		.user = "root",
		.cgroup = "/ci.slice",
	};

	event.record.flags |= DF_EVENT_CALLER | DF_EVENT_UID;
	return event;
}

static void expect_json(const struct event *event, const char *const *parts, size_t parts_len)
{
	_cleanup_(json_done) struct json json = {0};
	_cleanup_free_ char *text = NULL;

	assert_int_equal(event_write_json(event, "host-a", &json), 0);
	text = strndup(json.text, json.length);
	assert_non_null(text);
	assert_ptr_equal(strchr(text, '\n'), text + json.length - 1);
	for (size_t i = 0; i < parts_len; i++)
		if (!strstr(text, parts[i]))
			fail_msg("%s\nis not in\n%s", parts[i], text);
}

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

/* Which records are sampled lookups: with a rate; a violation has none. */
static void test_sampled_record(void **state)
{
	struct df_event record = good_record(), ret;
	const char *problem;

	(void)state;
	assert_true(event_record_is_violation(&record, sizeof(record)));
	record.sample = 2;
	assert_int_equal(event_check_record(&record, sizeof(record), &ret, &problem), -EPROTO);
	record.verdict = DF_VERDICT_ALLOW;
	assert_int_equal(event_check_record(&record, sizeof(record), &ret, &problem), 0);
	assert_int_equal(ret.sample, 2);
	assert_false(event_record_is_violation(&record, sizeof(record)));
	record.sample = 0;
	assert_int_equal(event_check_record(&record, sizeof(record), &ret, &problem), -EPROTO);
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

static void test_names(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < DF_REASON_MAX; i++) {
		assert_true(event_reason_name(i)[0] && event_reason_text(i)[0]);
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(event_reason_name(i), event_reason_name(j));
	}
	for (unsigned int i = 0; i < DF_VERDICT_MAX; i++)
		assert_true(event_verdict_name(i)[0]);
	for (unsigned int i = 0; i <= DF_SERVICE_MAX; i++)
		assert_true(event_service_name(i)[0]);
	assert_string_equal(event_reason_name(DF_REASON_MAX), "?");
	assert_string_equal(event_verdict_name(255), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_record),
		cmocka_unit_test(test_head_alone),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_audited),
		cmocka_unit_test(test_json_lost),
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
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_json_tamper),
		cmocka_unit_test(test_line_tamper),
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_sampled_record),
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_via),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
