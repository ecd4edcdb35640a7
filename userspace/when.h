/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Points in time as people write them -> microseconds since 1970, UTC. The forms are those of
 * journalctl --since and of the log itself. Pure: what the clock shows is handed in, the time zone
 * is the process's.
 */
#ifndef DNSFENCE_WHEN_H
#define DNSFENCE_WHEN_H

#include "util.h"

#define WHEN_SECOND INT64_C(1000000) /* in microseconds */
#define WHEN_FORMS                                                                        \
	"\"2026-11-24T19:50:00Z\", \"2026-11-24 19:50\", \"19:50\", \"today\", \"-1h\", " \
	"\"10 min ago\" or \"@1795550000\""

/*
 * 0 with *ret; -EINVAL when the text is no time. What reads as a time lies between the years 1970
 * and 9999. Without a zone it is local.
 */
int when_parse(const char *text, int64_t now, int64_t *ret);

/* An event's @timestamp, which always has its zone: 0, or -EINVAL. */
int when_parse_stamp(const char *text, int64_t *ret);

#endif
