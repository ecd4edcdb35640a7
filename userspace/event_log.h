/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events in the forms of other logs: syslog and the journal. sinks.c calls; where the text goes
 * it does not know.
 */
#ifndef DNSFENCE_EVENT_LOG_H
#define DNSFENCE_EVENT_LOG_H

#include "event.h"

/* Severity as syslog(3) and the journal number it: 1 alert to 6 informational. */
int event_severity(const struct event *event);
/* As event.action in the JSON. */
const char *event_action(const struct event *event);

struct syslog_style {
	int facility;
	bool local; /* as syslog(3) writes to /dev/log; otherwise RFC 5424 */
	bool text; /* the readable line; otherwise the JSON */
};

/*
 * One message, without a newline or a count in front. json: the event's line, newline and all.
 * The text is in *to; 0 or -ENOMEM.
 */
int event_write_syslog(const struct event *event, const struct syslog_style *style,
		       const char *host, const struct json *json, struct json *to);

/* One datagram of the journal's native protocol, likewise. */
int event_write_journal(const struct event *event, const struct json *json, struct json *to);

#endif
