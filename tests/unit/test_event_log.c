// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/event_log.c, event_syslog.c and event_journal.c: what syslog daemons and the journal
 * are sent, read back by the rules of RFC 5424 6 and of the journal's native protocol.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <endian.h>
#include <netinet/in.h>

#include "userspace/event_log.h"

static struct event event_of(enum event_kind kind, uint8_t verdict)
{
	struct event event = {
		.kind = kind,
		.record = {.verdict = verdict,
			   .hook = DF_HOOK_PACKET,
			   .reason = DF_REASON_NOT_SANCTIONED,
			   .family = 4,
			   .protocol = IPPROTO_UDP,
			   .dport = 53,
			   .daddr = {192, 0, 2, 1},
			   .flags = DF_EVENT_CALLER | DF_EVENT_UID | DF_EVENT_PACKET,
			   .caller = {.tgid = 4711, .uid = 0},
			   .policy = "default"},
		.time = {.tv_sec = 1700000000, .tv_nsec = 123456789},
		.count = 3,
		.sequence = 9,
		.has_question = true,
		.question = {.name = "example.org", .type = "A", .class = "IN"},
		.process_name = "dig",
		.tamper = {.object = "link", .name = "packet", .what = "was detached"},
		.drift = {.source = "resolv.conf", .resolver = "192.0.2.1"},
	};

	return event;
}

static void json_of(const struct event *event, struct json *json)
{
	json_reset(json);
	assert_int_equal(event_write_json(event, "host", json), 0);
}

static const char *syslog_of(const struct event *event, const struct syslog_style *style,
			     const char *host)
{
	static char text[8192];
	_cleanup_(json_done) struct json json = {0}, to = {0};

	json_of(event, &json);
	assert_int_equal(event_write_syslog(event, style, host, &json, &to), 0);
	assert_true(to.length < sizeof(text));
	memcpy(text, to.text, to.length);
	text[to.length] = 0;
	assert_null(strchr(text, '\n'));
	return text;
}

static void test_rfc5424(void **state)
{
	const struct syslog_style json = {.facility = 3}, text = {.facility = 16, .text = true};
	struct event event = event_of(EVENT_LOOKUP, DF_VERDICT_DENY);
	char wanted[128];

	(void)state;
	snprintf(wanted, sizeof(wanted),
		 "<28>1 2023-11-14T22:13:20.123456Z host dnsfence %d dns-denied - {\"@timestamp\"",
		 (int)getpid());
	assert_memory_equal(syslog_of(&event, &json, "host"), wanted, strlen(wanted));
	snprintf(wanted, sizeof(wanted),
		 "<132>1 2023-11-14T22:13:20.123456Z - dnsfence %d dns-denied - DENIED dns/udp "
		 "192.0.2.1:53 example.org A by dig[4711]",
		 (int)getpid());
	assert_memory_equal(syslog_of(&event, &text, "a b"), wanted, strlen(wanted));
	assert_non_null(strstr(syslog_of(&event, &text, "h\xc3\xb6st"), "Z - dnsfence"));
	assert_non_null(strstr(syslog_of(&event, &text, ""), "Z - dnsfence"));
}

static void test_local_form(void **state)
{
	const struct syslog_style style = {.facility = 3, .local = true, .text = true};
	struct event event = event_of(EVENT_LOOKUP, DF_VERDICT_AUDIT);
	char month[4], wanted[64];
	int priority, day, hour, minute, second, length = 0;
	const char *text = syslog_of(&event, &style, "host");

	(void)state;
	assert_int_equal(sscanf(text, "<%d>%3s %d %d:%d:%d %n", &priority, month, &day, &hour,
				&minute, &second, &length),
			 6);
	assert_int_equal(priority, 3 * 8 + 5);
	assert_string_equal(month, "Nov");
	snprintf(wanted, sizeof(wanted), "dnsfence[%d]: AUDIT ", (int)getpid());
	assert_memory_equal(text + length, wanted, strlen(wanted));
}

/* The names are those of the JSON, for every kind; worse events have lower severities. */
static void test_classes(void **state)
{
	static const struct {
		enum event_kind kind;
		uint8_t verdict;
		bool restored, neighbour;
		int severity;
	} cases[] = {
		{EVENT_LOOKUP, DF_VERDICT_DENY, .severity = 4},
		{EVENT_LOOKUP, DF_VERDICT_AUDIT, .severity = 5},
		{EVENT_LOOKUP, DF_VERDICT_ALLOW, .severity = 6},
		{EVENT_LOST, .severity = 4},
		{EVENT_TAMPER, .severity = 1},
		{EVENT_TAMPER, .restored = true, .severity = 3},
		{EVENT_TAMPER, .neighbour = true, .severity = 5},
		{EVENT_DRIFT, .severity = 5},
	};
	_cleanup_(json_done) struct json json = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct event event = event_of(cases[i].kind, cases[i].verdict);
		char wanted[64];

		event.tamper.restored = cases[i].restored;
		event.tamper.neighbour = cases[i].neighbour;
		json_of(&event, &json);
		snprintf(wanted, sizeof(wanted), "\"action\":\"%s\"", event_action(&event));
		assert_non_null(memmem(json.text, json.length, wanted, strlen(wanted)));
		assert_int_equal(event_severity(&event), cases[i].severity);
	}
}

/* One field of a datagram of the native protocol; the value, or NULL without such a field. */
static const char *journal_field(const struct json *datagram, const char *name)
{
	static char value[8192];
	const char *at = datagram->text, *end = at + datagram->length, *found = NULL;

	while (at < end) {
		const char *line = memchr(at, '\n', (size_t)(end - at));
		const char *equals = memchr(at, '=', (size_t)(line - at));
		size_t name_length = (size_t)((equals ? equals : line) - at);
		const char *begin = equals ? equals + 1 : line + 1 + sizeof(uint64_t);
		uint64_t length = (uint64_t)(line - begin);

		assert_non_null(line);
		if (!equals) {
			memcpy(&length, line + 1, sizeof(length));
			length = le64toh(length);
			assert_true(begin + length < end);
		}
		assert_int_equal(begin[length], '\n');
		if (name_length == strlen(name) && memcmp(at, name, name_length) == 0) {
			assert_null(found);
			assert_true(length < sizeof(value));
			memcpy(value, begin, length);
			value[length] = 0;
			found = value;
		}
		at = begin + length + 1;
	}
	return found;
}

static void test_journal(void **state)
{
	_cleanup_(json_done) struct json json = {0}, to = {0};
	struct event event = event_of(EVENT_LOOKUP, DF_VERDICT_DENY);
	const struct facts facts = {
		.unit = "",
		.user_unit = "",
		.container = {.runtime = RUNTIME_DOCKER, .id = "3f0c", .name = "web-1"},
		.pod = {.namespace = "", .name = ""},
	};

	(void)state;
	snprintf(event.command, sizeof(event.command), "dig\nMESSAGE=forged");
	json_of(&event, &json);
	assert_int_equal(event_write_journal(&event, &json, &to), 0);
	assert_memory_equal(journal_field(&to, "MESSAGE"), "DENIED dns/udp 192.0.2.1:53 ", 28);
	assert_string_equal(journal_field(&to, "PRIORITY"), "4");
	assert_string_equal(journal_field(&to, "MESSAGE_ID"), "94bc32abb7004e89ba788d43c1c18d47");
	assert_string_equal(journal_field(&to, "SYSLOG_IDENTIFIER"), "dnsfence");
	assert_string_equal(journal_field(&to, "OBJECT_PID"), "4711");
	assert_string_equal(journal_field(&to, "DNSFENCE_RESOLVER"), "192.0.2.1");
	assert_string_equal(journal_field(&to, "DNSFENCE_QUESTION"), "example.org");
	assert_string_equal(journal_field(&to, "DNSFENCE_COUNT"), "3");
	assert_string_equal(journal_field(&to, "DNSFENCE_UID"), "0");
	assert_string_equal(journal_field(&to, "DNSFENCE_CMDLINE"), "dig\nMESSAGE=forged");
	assert_null(journal_field(&to, "DNSFENCE_EXE"));
	assert_null(journal_field(&to, "DNSFENCE_CONTAINER_NAME"));
	assert_memory_equal(journal_field(&to, "DNSFENCE_JSON"), json.text, json.length - 1);
	event.record.service = DF_SERVICE_MAX;
	event.record.dport = 0;
	json_reset(&to);
	assert_int_equal(event_write_journal(&event, &json, &to), 0);
	assert_string_equal(journal_field(&to, "MESSAGE_ID"), "5d0b7f2e8a6c4c1e9b3d14f0a7e52c96");
	event.record.verdict = DF_VERDICT_AUDIT;
	json_reset(&to);
	assert_int_equal(event_write_journal(&event, &json, &to), 0);
	assert_string_equal(journal_field(&to, "MESSAGE_ID"), "a81f6c3d52e94b07b6d0c93e7f418d25");
	event = event_of(EVENT_LOOKUP, DF_VERDICT_DENY);
	event.executable = "/usr/bin/dig";
	event.facts = &facts;
	json_reset(&to);
	assert_int_equal(event_write_journal(&event, &json, &to), 0);
	assert_string_equal(journal_field(&to, "DNSFENCE_EXE"), "/usr/bin/dig");
	assert_string_equal(journal_field(&to, "DNSFENCE_CONTAINER_NAME"), "web-1");
	assert_null(journal_field(&to, "DNSFENCE_POD_NAME"));
	event = event_of(EVENT_LOST, 0);
	json_of(&event, &json);
	json_reset(&to);
	assert_int_equal(event_write_journal(&event, &json, &to), 0);
	assert_string_equal(journal_field(&to, "DNSFENCE_ACTION"), "events-lost");
	assert_null(journal_field(&to, "DNSFENCE_RESOLVER"));
	assert_null(journal_field(&to, "OBJECT_PID"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc5424),
		cmocka_unit_test(test_local_form),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
