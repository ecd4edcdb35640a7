/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the line for machines (event_json.c) and the line for people (event_line.c) have in common.
 */
#ifndef DNSFENCE_EVENT_FORMAT_H
#define DNSFENCE_EVENT_FORMAT_H

#include <arpa/inet.h>

#include "event.h"

/* How a lookup's verdict is called. */
struct lookup_words {
	const char *action, *heading, *color, *mode;
};

const struct lookup_words *event_lookup_words(const struct event *event);

/* An address of the record, of its family; "" for none. */
const char *event_format_ip(const struct df_event *record, const uint8_t *bytes,
			    char text[INET6_ADDRSTRLEN]);

/* Is there one to name? The port tells, and not every record has one. */
bool event_has_service(const struct df_event *record);

/* Of drift: "router-advertisement by fe80::1 at eth0", "resolv.conf". */
void event_format_proposer(const struct event *event, char *to, size_t size);

#endif
