// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any bytes as a record of the ring buffer. What is accepted must be safe to
 * print, in both forms, however odd its fields are.
 */
#include <stdlib.h>

#include "userspace/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_both(const struct event *event)
{
	static struct json json;
	char line[256];
	size_t length = event_write_line(event, true, line, sizeof(line));

	if (!length || length > sizeof(line) || line[length - 1] != '\n')
		abort();
	json_reset(&json);
	if (event_write_json(event, "host", &json) < 0 || json.text[json.length - 1] != '\n' ||
	    memchr(json.text, '\n', json.length - 1))
		abort();
}

/* The same bytes as names of files and of containers: what facts_pack() lets through. */
static void fuzz_facts(struct event *event, const uint8_t *data, size_t size)
{
	char path[256], executable[64];
	struct facts_draft draft;
	struct identity identity;
	struct facts *facts;

	(void)snprintf(path, sizeof(path), "%.*s", (int)MIN(size, sizeof(path) - 1),
		       (const char *)data);
	(void)snprintf(executable, sizeof(executable), "%s", event->process_name);
	identity_of_path(path, &identity);
	facts_draft_init(&draft, &identity, path);
	(void)fact_text((const char *)data, MIN(size, 40), draft.name, sizeof(draft.name));
	(void)fact_text((const char *)data, MIN(size, 20), draft.image, sizeof(draft.image));
	(void)fact_text((const char *)data, MIN(size, 10), draft.pod_name, sizeof(draft.pod_name));
	if (facts_pack(&draft, &facts) < 0)
		return;
	event->facts = facts;
	event->executable = event->parent_executable = event->via_executable = executable;
	write_both(event);
	facts_unref(facts);
	facts_draft_done(&draft);
}

static void fuzz_record(const uint8_t *data, size_t size)
{
	struct event event = {.kind = EVENT_LOOKUP};
	struct df_event *record = &event.record;
	const char *problem;

	if (event_check_record(data, size, record, &problem) < 0)
		return;
	if (record->verdict >= DF_VERDICT_MAX || record->reason >= DF_REASON_MAX ||
	    record->hook >= DF_HOOK_MAX || record->question_len > sizeof(record->question))
		abort();
	event.count = record->count;
	event.has_question =
		question_decode(record->question, record->question_len, &event.question) == 0;
	/* The beginning of the record stands for the names that enrichment would read. */
	memcpy(event.process_name, data, sizeof(event.process_name) - 1);
	memcpy(event.cgroup, data, DF_EVENT_HEAD_SIZE);
	memcpy(event.via_cgroup, data, DF_EVENT_HEAD_SIZE);
	write_both(&event);
	fuzz_facts(&event, data, size);
}

/* As it is; and, so that more gets past the first checks, with a size and version that fit. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct df_event record = {0};

	fuzz_record(data, size);
	memcpy(&record, data, MIN(size, sizeof(record)));
	record.size = sizeof(record);
	record.abi = DF_ABI_VERSION;
	record.question_len %= sizeof(record.question) + 1;
	record.via.comm[sizeof(record.via.comm) - 1] = 0;
	fuzz_record((const uint8_t *)&record, sizeof(record));
	return 0;
}
