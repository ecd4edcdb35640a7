// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An event in the journal's native protocol, https://systemd.io/JOURNAL_NATIVE_PROTOCOL/: a field
 * a line, and those whose value has a newline with its length. The message ids are explained by
 * packaging/dnsfence.catalog.
 */
#include <arpa/inet.h>
#include <endian.h>

#include "attach.h"
#include "event_format.h"
#include "event_log.h"

#define JOURNAL_LINE_MAX 4096
#define JOURNAL_CLOCK 9 /* "04:42:31 " in front of the readable line */

static const char id_denied[] = "94bc32abb7004e89ba788d43c1c18d47";
static const char id_audited[] = "ee97e4f6ab594136927a561c46fc5355";
static const char id_allowed[] = "c6d1a8f0b7e94d0d9a3f5be27c41608e";
static const char id_hidden_denied[] = "5d0b7f2e8a6c4c1e9b3d14f0a7e52c96";
static const char id_hidden_audited[] = "a81f6c3d52e94b07b6d0c93e7f418d25";
static const char id_lost[] = "377c50bf91e24a76aba9c54c4c6cfa12";
static const char id_tamper[] = "3c07ad5fcb45444ab484730f06404427";
static const char id_drift[] = "73162c572dad4a6288180263862cd026";
static const char id_beside[] = "f9501b35bc934c27b93386ce4a1fa5e6";

static const char *journal_id(const struct event *event)
{
	switch (event->kind) {
	case EVENT_LOST:
		return id_lost;
	case EVENT_TAMPER:
		return event->tamper.neighbour ? id_beside : id_tamper;
	case EVENT_DRIFT:
		return id_drift;
	case EVENT_LOOKUP:
		break;
	}
	if (event->record.verdict == DF_VERDICT_ALLOW)
		return id_allowed;
	if (!event_has_service(&event->record)) /* then there may be no resolver, either */
		return event->record.verdict == DF_VERDICT_DENY ? id_hidden_denied
								: id_hidden_audited;
	return event->record.verdict == DF_VERDICT_DENY ? id_denied : id_audited;
}

static void field_n(struct json *to, const char *name, const char *value, size_t length)
{
	const uint64_t size = htole64(length);

	if (!length)
		return;
	json_text(to, name, strlen(name));
	if (memchr(value, '\n', length)) {
		json_text(to, "\n", 1);
		json_text(to, (const char *)&size, sizeof(size));
	} else {
		json_text(to, "=", 1);
	}
	json_text(to, value, length);
	json_text(to, "\n", 1);
}

/* value NULL: not known. */
static void field(struct json *to, const char *name, const char *value)
{
	if (value)
		field_n(to, name, value, strlen(value));
}

static void field_number(struct json *to, const char *name, uint64_t value)
{
	char text[24];

	if (!value)
		return;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	field(to, name, text);
}

static void write_message(const struct event *event, struct json *to)
{
	char line[JOURNAL_LINE_MAX];
	size_t length = event_write_line(event, false, line, sizeof(line));

	if (length > JOURNAL_CLOCK + 1)
		field_n(to, "MESSAGE", line + JOURNAL_CLOCK, length - JOURNAL_CLOCK - 1);
}

static void write_drift(const struct event *event, struct json *to)
{
	field(to, "DNSFENCE_RESOLVER", event->drift.resolver);
	field(to, "DNSFENCE_INTERFACE", event->interface);
}

static void write_facts(const struct facts *facts, struct json *to)
{
	if (!facts)
		return;
	field(to, "DNSFENCE_UNIT", facts->unit);
	field(to, "DNSFENCE_USER_UNIT", facts->user_unit);
	field(to, "DNSFENCE_CONTAINER_ID", facts->container.id);
	field(to, "DNSFENCE_CONTAINER_NAME", facts->container.name);
	field(to, "DNSFENCE_POD_NAMESPACE", facts->pod.namespace);
	field(to, "DNSFENCE_POD_NAME", facts->pod.name);
}

/* OBJECT_PID: the journal itself adds the unit and more of the culprit, if it still runs. */
static void write_culprit(const struct event *event, struct json *to)
{
	const struct df_event *record = &event->record;
	char uid[16];

	if (record->flags & DF_EVENT_CALLER) {
		field_number(to, "OBJECT_PID", record->caller.tgid);
		field_number(to, "DNSFENCE_PID", record->caller.tgid);
		field(to, "DNSFENCE_COMM", event->process_name);
		field(to, "DNSFENCE_EXE", event->executable);
		field(to, "DNSFENCE_CMDLINE", event->command);
	}
	if (record->flags & DF_EVENT_UID) {
		snprintf(uid, sizeof(uid), "%u", record->caller.uid);
		field(to, "DNSFENCE_UID", uid);
		field(to, "DNSFENCE_USER", event->user);
	}
	field(to, "DNSFENCE_CGROUP", event->cgroup);
	write_facts(event->facts, to);
	field(to, "DNSFENCE_INTERFACE", event->interface);
}

static void write_lookup(const struct event *event, struct json *to)
{
	const struct df_event *record = &event->record;
	char ip[INET6_ADDRSTRLEN];

	field(to, "DNSFENCE_REASON", event_reason_name(record->reason));
	field(to, "DNSFENCE_HOOK", hook_name(record->hook));
	field(to, "DNSFENCE_VERDICT", event_verdict_name(record->verdict));
	field(to, "DNSFENCE_POLICY", record->policy);
	field_number(to, "DNSFENCE_SAMPLE", record->sample);
	if (event_has_service(record))
		field(to, "DNSFENCE_SERVICE", event_service_name(record->service));
	if (record->family &&
	    inet_ntop(record->family == 6 ? AF_INET6 : AF_INET, record->daddr, ip, sizeof(ip)))
		field(to, "DNSFENCE_RESOLVER", ip);
	field_number(to, "DNSFENCE_PORT", record->dport);
	if (event->has_question) {
		field(to, "DNSFENCE_QUESTION", event->question.name);
		field(to, "DNSFENCE_QUESTION_TYPE", event->question.type);
	}
	write_culprit(event, to);
}

int event_write_journal(const struct event *event, const struct json *json, struct json *to)
{
	write_message(event, to);
	field_number(to, "PRIORITY", (uint64_t)event_severity(event));
	field(to, "MESSAGE_ID", journal_id(event));
	field(to, "SYSLOG_IDENTIFIER", "dnsfence");
	field(to, "DNSFENCE_ACTION", event_action(event));
	field_number(to, "DNSFENCE_SEQUENCE", event->sequence);
	field_number(to, "DNSFENCE_COUNT", event->count);
	if (event->kind == EVENT_LOOKUP)
		write_lookup(event, to);
	else if (event->kind == EVENT_DRIFT)
		write_drift(event, to);
	/* Whole, for those who would rather read one field. */
	field_n(to, "DNSFENCE_JSON", json->text, json->length ? json->length - 1 : 0);
	return to->failed ? -ENOMEM : 0;
}
