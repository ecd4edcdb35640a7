// SPDX-License-Identifier: GPL-2.0-or-later
/* What syslog and the journal want to know of any event: how bad it is, and what it is called. */
#include "event_log.h"

struct event_class {
	const char *action;
	int severity; /* of RFC 5424 6.2.1 */
};

static const struct event_class class_denied = {"dns-denied", 4};
static const struct event_class class_audited = {"dns-audited", 5};
static const struct event_class class_allowed = {"dns-allowed", 6};
static const struct event_class class_lost = {"events-lost", 4};
static const struct event_class class_open = {"tamper", 1};
static const struct event_class class_restored = {"tamper", 3};
static const struct event_class class_beside = {"tamper", 5};
static const struct event_class class_drift = {"resolver-drift", 5};

static const struct event_class *event_class(const struct event *event)
{
	switch (event->kind) {
	case EVENT_LOST:
		return &class_lost;
	case EVENT_TAMPER:
		if (event->tamper.neighbour)
			return &class_beside;
		return event->tamper.restored ? &class_restored : &class_open;
	case EVENT_DRIFT:
		return &class_drift;
	case EVENT_LOOKUP:
		break;
	}
	if (event->record.verdict == DF_VERDICT_ALLOW)
		return &class_allowed;
	return event->record.verdict == DF_VERDICT_DENY ? &class_denied : &class_audited;
}

int event_severity(const struct event *event)
{
	return event_class(event)->severity;
}

const char *event_action(const struct event *event)
{
	return event_class(event)->action;
}
