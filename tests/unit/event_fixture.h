/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records and events that tests begin with, and what is written of them. Behind cmocka.h; tests
 * only. */
#ifndef DNSFENCE_EVENT_FIXTURE_H
#define DNSFENCE_EVENT_FIXTURE_H

#include <netinet/in.h>

#include "userspace/event.h"

static const char question[] = "\7example\3org\0\0\1\0\1";

static inline struct df_event good_record(void)
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

static inline struct event good_event(void)
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

static inline void expect_json(const struct event *event, const char *const *parts,
			       size_t parts_len)
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

#endif
