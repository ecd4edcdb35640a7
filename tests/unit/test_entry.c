// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/entry.c and where.c: lines of the log read back. The readable line made of one is the
 * one that the daemon makes of the same event.
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
#include "userspace/when.h"
#include "userspace/where.h"

static struct event violation(void)
{
	struct event event = {
		.record = {.hook = DF_HOOK_PACKET,
			   .verdict = DF_VERDICT_DENY,
			   .reason = DF_REASON_NOT_SANCTIONED,
			   .service = DF_SERVICE_DNS,
			   .family = 4,
			   .protocol = IPPROTO_UDP,
			   .dport = 53,
			   .flags = DF_EVENT_PACKET | DF_EVENT_CALLER | DF_EVENT_UID,
			   .daddr = {8, 8, 4, 4},
			   .cgroup_id = 77,
			   .policy = "default"},
		.time = {.tv_sec = 1795550000, .tv_nsec = 250000000},
		.sequence = 9,
		.count = 3,
		.has_question = true,
		.question = {.name = "Mail.Example.org", .type = "A", .class = "IN"},
		.process_name = "curl",
		.executable = "/usr/bin/curl",
		.command = "curl -s",
		.user = "web",
		.cgroup = "/system.slice/web.service",
	};

	event.record.caller.tgid = 4711;
	event.record.caller.uid = 1000;
	return event;
}

static void read_back(const struct event *event, struct entry *ret)
{
	struct json json = {0};

	assert_int_equal(event_write_json(event, "host", &json), 0);
	assert_int_equal(entry_parse(json.text, json.length, ret), 0);
	json_done(&json);
}

static void expect_same_line(const struct event *event)
{
	char theirs[4096], ours[8400];
	struct entry entry;
	size_t length;

	read_back(event, &entry);
	length = event_write_line(event, false, theirs, sizeof(theirs));
	theirs[length - 1] = 0; /* the newline */
	entry_write_line(&entry, event->time.tv_sec * WHEN_SECOND, false, ours, sizeof(ours));
	assert_string_equal(ours, theirs);
	entry_done(&entry);
}

static void test_line_of_lookup(void **state)
{
	struct event event = violation();

	(void)state;
	expect_same_line(&event);
	event.record.verdict = DF_VERDICT_AUDIT;
	event.count = 1;
	expect_same_line(&event);
	event.record.hook = DF_HOOK_CONNECT4; /* no packet, no question; the command instead */
	event.record.flags &= (uint8_t)~DF_EVENT_PACKET;
	event.has_question = false;
	expect_same_line(&event);
	event.record.via.cgroup_id = 78; /* asked by a forwarder */
	event.record.via.tgid = 12;
	strcpy(event.record.via.comm, "app");
	strcpy(event.via_cgroup, "/app.slice");
	expect_same_line(&event);
	event.record.flags |= DF_EVENT_CONNECTED;
	expect_same_line(&event);
	event.record.via.tgid = 0;
	event.via_cgroup[0] = 0;
	expect_same_line(&event);
	event.record.family = 6;
	event.cgroup[0] = 0;
	event.user[0] = 0;
	event.record.policy[0] = 0;
	expect_same_line(&event);
	strcpy(event.process_name, "\033[2J\xc2\x9b"); /* what a terminal would obey */
	expect_same_line(&event);
}

#define ID "3f0c12ab34cd56ef3f0c12ab34cd56ef3f0c12ab34cd56ef3f0c12ab34cd56ef"

/* The closest name that is known, of who asked and of who asked a forwarder. */
static void test_line_of_places(void **state)
{
	struct facts facts = blank_facts();
	struct event event = violation();

	(void)state;
	facts.unit = "web.service";
	event.record.via.cgroup_id = 78;
	event.facts = event.via_facts = &facts;
	expect_same_line(&event);
	facts.user_unit = "app-x.scope";
	facts.user = 1000;
	expect_same_line(&event);
	facts.pod.uid = "0e5d4c3b-2a19-4807-b6f5-e4d3c2b1a098";
	expect_same_line(&event);
	facts.container.runtime = RUNTIME_DOCKER;
	facts.container.id = ID;
	expect_same_line(&event);
	facts.container.name = "web-1";
	expect_same_line(&event);
	facts.pod.name = "web-7";
	facts.pod.namespace = "prod";
	expect_same_line(&event);
}

static void test_line_of_frame(void **state)
{
	struct event event = violation();

	(void)state;
	event.record.flags = DF_EVENT_PACKET;
	event.record.hook = DF_HOOK_EDGE_OUT;
	event.record.cgroup_id = 0;
	memcpy(event.record.saddr, "\12\0\0\1", 4);
	strcpy(event.interface, "eth0");
	expect_same_line(&event);
	strcpy(event.ingress, "veth1");
	expect_same_line(&event);
}

/* No ports, and no destination at all. */
static void test_line_of_no_service(void **state)
{
	struct event event = violation();

	(void)state;
	event.record.service = DF_SERVICE_MAX;
	event.record.dport = 0;
	event.has_question = false;
	expect_same_line(&event);
	event.record.protocol = 0;
	expect_same_line(&event);
	event.record.hook = DF_HOOK_SETSOCKOPT;
	event.record.flags &= (uint32_t)~DF_EVENT_PACKET;
	event.record.family = 0;
	expect_same_line(&event);
	event.command[0] = 0;
	expect_same_line(&event);
}

static void test_line_of_others(void **state)
{
	struct event event = {.kind = EVENT_LOST, .count = 12, .time = {.tv_sec = 1795550000}};

	(void)state;
	expect_same_line(&event);
	event.kind = EVENT_TAMPER;
	event.tamper = (struct event_tamper){
		.object = "link", .name = "packet", .what = "was detached", .restored = true};
	expect_same_line(&event);
	event.tamper.restored = false;
	expect_same_line(&event);
	event.tamper.neighbour = true;
	event.tamper.program.id = 7;
	expect_same_line(&event);
	event.kind = EVENT_DRIFT;
	event.drift = (struct event_drift){
		.source = "router-advertisement", .resolver = "fe80::9", .router = "fe80::1"};
	strcpy(event.interface, "eth0");
	expect_same_line(&event);
}

static void test_another_day(void **state)
{
	struct event event = violation();
	struct entry entry;
	char line[8400];

	(void)state;
	setenv("TZ", "UTC", 1);
	read_back(&event, &entry);
	entry_write_line(&entry, (event.time.tv_sec + 86400) * WHEN_SECOND, false, line,
			 sizeof(line));
	assert_memory_equal(line, "2026-11-24 19:53:20 DENIED", 26);
	entry_done(&entry);
}

#define FIELDS_MAX 256

/* Every field of an event is one that entry_fields names. context: which of those were seen. */
static void expect_known(void *context, const char *field, const char *value)
{
	bool *seen = context;

	(void)value;
	for (size_t i = 0; entry_fields[i]; i++)
		if (util_streq(entry_fields[i], field)) {
			seen[i] = true;
			return;
		}
	fail_msg("%s is not among entry_fields", field);
}

static void see_fields(const struct event *event, bool *seen)
{
	struct entry entry;

	read_back(event, &entry);
	entry_each(&entry, expect_known, seen);
	entry_done(&entry);
}

/* A violation of which everything is known. */
static struct event full_violation(const struct facts *facts)
{
	struct event event = violation();
	struct df_via *via = &event.record.via;

	event.record.sport = 40000;
	event.record.saddr[0] = 10;
	event.record.hook = DF_HOOK_EDGE_OUT;
	event.record.errnum = 1;
	event.record.sample = 100;
	event.record.netns_cookie = 3;
	event.record.caller.netns_inode = 4;
	event.record.caller.parent_tgid = 11;
	strcpy(event.record.caller.parent_comm, "bash");
	event.parent_executable = "/usr/bin/bash";
	strcpy(event.interface, "eth0");
	strcpy(event.ingress, "veth0");
	via->cgroup_id = 78;
	via->tgid = via->parent_tgid = 12;
	via->netns_inode = 4;
	strcpy(via->comm, "app");
	strcpy(event.via_cgroup, "/app.slice");
	event.via_executable = "/usr/bin/app";
	event.facts = event.via_facts = facts;
	return event;
}

static struct facts full_facts(void)
{
	struct facts facts = blank_facts();

	facts.unit = "user@1000.service";
	facts.user_unit = "app.service";
	facts.user = 1000;
	facts.container.runtime = facts.nested.runtime = RUNTIME_CONTAINERD;
	facts.container.id = facts.nested.id = ID;
	facts.container.name = "web";
	facts.container.image = "web:7";
	facts.pod.uid = facts.nested_pod = "11111111-2222-3333-4444-555555555555";
	facts.pod.namespace = "prod";
	facts.pod.name = "web-0";
	return facts;
}

static struct event full_tampering(void)
{
	return (struct event){
		.kind = EVENT_TAMPER,
		.tamper = {.object = "order",
			   .name = "connect4",
			   .what = "a program",
			   .neighbour = true,
			   .program = {.id = 7, .name = "other", .tag = "0011223344556677"}},
	};
}

static struct event full_drift(void)
{
	return (struct event){
		.kind = EVENT_DRIFT,
		.interface = "eth0",
		.drift = {.source = "router-advertisement",
			  .resolver = "2001:db8::53",
			  .router = "fe80::1",
			  .lifetime_s = 600,
			  .path = "/etc/resolv.conf"},
	};
}

/* entry_fields are the fields that events have: none is missing, and none is too much. */
static void test_fields(void **state)
{
	const struct facts facts = full_facts();
	const struct event events[] = {full_violation(&facts), full_tampering(), full_drift()};
	bool seen[FIELDS_MAX] = {false};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		see_fields(&events[i], seen);
	for (size_t i = 0; entry_fields[i]; i++) {
		assert_true(i < FIELDS_MAX);
		if (!seen[i])
			fail_msg("%s is a field of no event", entry_fields[i]);
	}
}

static void test_numbers(void **state)
{
	struct event event = violation();
	struct entry entry;

	(void)state;
	event.record.via.cgroup_id = 78;
	event.record.via.tgid = event.record.via.parent_tgid = 12;
	read_back(&event, &entry);
	assert_int_equal(entry_width(&entry), strlen("dnsfence.via.process.parent.pid"));
	assert_int_equal(entry.time, INT64_C(1795550000250000));
	assert_int_equal(entry_count(&entry), 3);
	entry_done(&entry);
}

static void test_no_entries(void **state)
{
	static const char *const lines[] = {
		"",
		"{",
		"[]",
		"7",
		"{}",
		"{\"@timestamp\":\"2026-11-24T19:53:20Z\"}",
		"{\"@timestamp\":\"yesterday\",\"event\":{\"action\":\"dns-denied\"}}",
		"{\"@timestamp\":7,\"event\":{\"action\":\"dns-denied\"}}",
		"{\"@timestamp\":\"2026-11-24T19:53:20Z\",\"event\":\"dns-denied\"}",
		"{\"@timestamp\":\"2026-11-24T19:53:20Z\",\"event\":{\"action\":\"dns-den",
	};
	struct entry entry;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (entry_parse(lines[i], strlen(lines[i]), &entry) != -EPROTO)
			fail_msg("'%s' is an entry", lines[i]);
}

/* Conditions, with spaces between them; a word before a tilde is an alias. */
static bool event_matches(const struct event *event, const char *conditions)
{
	char text[256];
	struct where where = {0};
	struct problem problem;
	struct entry entry;
	bool matched;

	snprintf(text, sizeof(text), "%s", conditions);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
		char *colon = strchr(word, '~');

		if (colon) {
			*colon = 0;
			assert_int_equal(where_add_alias(&where, word, colon + 1), 0);
		} else {
			assert_int_equal(where_add(&where, word, &problem), 0);
		}
	}
	read_back(event, &entry);
	matched = where_matches(&where, &entry);
	entry_done(&entry);
	where_done(&where);
	return matched;
}

static bool matches(const char *conditions)
{
	struct event event = violation();

	return event_matches(&event, conditions);
}

static void test_where(void **state)
{
	static const struct {
		const char *conditions;
		bool matches;
	} cases[] = {
		{"", true},
		{"process.name=curl", true},
		{"process.name=c*", true},
		{"process.name=cur", false},
		{"process.name=CURL", false},
		{"process.name!=curl", false},
		{"process.name!=dig", true},
		{"process.name=dig process.name=curl", true},
		{"process.name=curl user.name=root", false},
		{"process.name=curl user.name=web", true},
		{"process.name!=dig process.name!=curl", false},
		{"dns.question.name=*.example.ORG", true},
		{"dnsfence.cgroup.path=/system.slice*", true},
		{"dnsfence.count=3", true},
		{"dnsfence.packet=true", true},
		{"event.type=denied", true}, /* an element of a list */
		{"event.type=info", false},
		{"event.type!=denied", false},
		{"source.ip=*", false}, /* it has none */
		{"source.ip=", true},
		{"nowhere.at.all=*", false},
		{"dst~8.8.*", true},
		{"dst~8.8.4.4:53", true},
		{"dst~8.8.4.4:5", false},
		{"process~4711", true},
		{"process~/usr/bin/*", true},
		{"process~wget process~curl", true},
		{"user~1000", true},
		{"user~web", true},
		{"user~root", false},
		{"cgroup~*/web.service policy~default reason~resolver-* action~dns-denied", true},
		{"cgroup~*/web.service policy~other", false},
		{"question~mail.*", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (matches(cases[i].conditions) != cases[i].matches)
			fail_msg("'%s' is wrong", cases[i].conditions);
}

/* As systemd escapes a "-": what the log shows can be asked for as it stands. */
static void test_where_backslash(void **state)
{
	struct event event = violation();

	(void)state;
	snprintf(event.cgroup, sizeof(event.cgroup), "%s", "/system.slice/a\\x2db.service");
	assert_true(event_matches(&event, "cgroup~/system.slice/a\\x2db.service"));
	assert_true(event_matches(&event, "dnsfence.cgroup.path=*/a\\x2d*"));
	assert_false(event_matches(&event, "cgroup~*/ax2db.service"));
}

static void test_where_limits(void **state)
{
	struct event event = violation();
	struct where where = {.since = INT64_C(1795550000250000)};
	struct entry entry;

	(void)state;
	read_back(&event, &entry);
	assert_true(where_matches(&where, &entry));
	where.since++;
	assert_false(where_matches(&where, &entry));
	where = (struct where){.until = INT64_C(1795550000250000)};
	assert_true(where_matches(&where, &entry));
	where.until--;
	assert_false(where_matches(&where, &entry));
	entry_done(&entry);
}

static void test_where_errors(void **state)
{
	static const char *const texts[] = {"", "process.name", "=curl", "!=curl"};
	struct where where = {0};
	struct problem problem;
	const char *nearest;
	struct event event = violation();
	struct entry entry;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(where_add(&where, texts[i], &problem), -EINVAL);
	assert_int_equal(where_add_alias(&where, "nothing", "x"), -ENOENT);
	assert_int_equal(where_add(&where, "user.name=x", &problem), 0);
	assert_int_equal(where_add(&where, "user.nmae=x", &problem), 0);
	read_back(&event, &entry);
	assert_false(where_matches(&where, &entry));
	assert_string_equal(where_unseen(&where, &nearest), "user.nmae");
	assert_string_equal(nearest, "user.name");
	entry_done(&entry);
	where_done(&where);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_of_lookup),  cmocka_unit_test(test_line_of_places),
		cmocka_unit_test(test_line_of_frame),   cmocka_unit_test(test_line_of_no_service),
		cmocka_unit_test(test_line_of_others),  cmocka_unit_test(test_another_day),
		cmocka_unit_test(test_fields),          cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_no_entries),      cmocka_unit_test(test_where),
		cmocka_unit_test(test_where_backslash), cmocka_unit_test(test_where_limits),
		cmocka_unit_test(test_where_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
