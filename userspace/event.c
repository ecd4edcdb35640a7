// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel sends is checked here, and its enums get their names. */
#include "event.h"

#include "attach.h"

static const char *const verdict_names[DF_VERDICT_MAX] = {
#define X(id, name) [DF_VERDICT_##id] = name,
	DF_VERDICTS(X)
#undef X
};

static const struct {
	const char *name;
	const char *text;
} reasons[DF_REASON_MAX] = {
#define X(id, name, text) [DF_REASON_##id] = {name, text},
	DF_REASONS(X)
#undef X
};

static const char *const service_names[DF_SERVICE_MAX] = {
#define X(id, name, port, protocols, source) [DF_SERVICE_##id] = name,
	DF_SERVICES(X)
#undef X
};

const char *event_verdict_name(unsigned int verdict)
{
	return verdict < DF_VERDICT_MAX ? verdict_names[verdict] : "?";
}

const char *event_reason_name(unsigned int reason)
{
	return reason < DF_REASON_MAX ? reasons[reason].name : "?";
}

const char *event_reason_text(unsigned int reason)
{
	return reason < DF_REASON_MAX ? reasons[reason].text : "?";
}

/* A resolver with a port of its own speaks plain DNS as far as anybody can tell. */
const char *event_service_name(unsigned int service)
{
	return service < DF_SERVICE_MAX ? service_names[service] : "dns";
}

const char *event_via_basis(const struct df_event *record)
{
	return record->flags & DF_EVENT_CONNECTED ? "connection" : "question";
}

static const char *record_problem(const struct df_event *record)
{
	if (record->hook >= DF_HOOK_MAX)
		return "unknown hook";
	if (record->verdict == DF_VERDICT_PASS || record->verdict >= DF_VERDICT_MAX)
		return "no verdict that is logged";
	if ((record->verdict == DF_VERDICT_ALLOW) != (record->sample != 0))
		return "sampled and a violation, or neither";
	if (record->reason >= DF_REASON_MAX)
		return "unknown reason";
	if (record->service > DF_SERVICE_MAX)
		return "unknown service";
	if (record->family != 0 && record->family != 4 && record->family != 6)
		return "unknown address family";
	if (!record->count)
		return "counts nothing";
	if (!memchr(record->caller.comm, 0, sizeof(record->caller.comm)) ||
	    !memchr(record->caller.parent_comm, 0, sizeof(record->caller.parent_comm)) ||
	    !memchr(record->via.comm, 0, sizeof(record->via.comm)) ||
	    !memchr(record->policy, 0, sizeof(record->policy)))
		return "unterminated name";
	return NULL;
}

bool event_record_is_violation(const void *data, size_t size)
{
	struct df_event record = {0};

	memcpy(&record, data, MIN(size, sizeof(record)));
	return record.verdict != DF_VERDICT_ALLOW;
}

uint64_t event_violations(const struct event *event)
{
	if (event->kind == EVENT_LOOKUP && event->record.verdict == DF_VERDICT_ALLOW)
		return 0;
	return event->count;
}

int event_check_record(const void *data, size_t size, struct df_event *ret,
		       const char **ret_problem)
{
	struct df_event record = {0};
	const char *problem;

	*ret_problem = "wrong size";
	if (size < DF_EVENT_HEAD_SIZE)
		return -EPROTO;
	memcpy(&record, data, MIN(size, sizeof(record)));
	if (record.size < DF_EVENT_CALL_SIZE) /* padding of the ring */
		memset(record.command, 0, sizeof(record.command));
	if (record.abi != DF_ABI_VERSION) {
		*ret_problem = "of another version";
		return -EPROTO;
	}
	/* The ring rounds sizes up to eight bytes. */
	if ((record.size != DF_EVENT_HEAD_SIZE && record.size != DF_EVENT_CALL_SIZE &&
	     record.size != sizeof(record)) ||
	    size < record.size || size > ((size_t)record.size + 7) / 8 * 8)
		return -EPROTO;
	if (record.question_len > (record.size == sizeof(record) ? DF_QUESTION_MAX : 0)) {
		*ret_problem = "question past the end";
		return -EPROTO;
	}
	problem = record_problem(&record);
	if (problem) {
		*ret_problem = problem;
		return -EPROTO;
	}
	*ret = record;
	return 0;
}
