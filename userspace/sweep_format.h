/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a sweep found, in words and in JSON. Only text: who prints it is the commands' matter.
 */
#ifndef DNSFENCE_SWEEP_FORMAT_H
#define DNSFENCE_SWEEP_FORMAT_H

#include "json.h"
#include "sweep.h"

#define SWEEP_LINE_MAX 2048

/* One readable line without a newline, of a socket or of what could not be looked at. */
const char *sweep_write_line(const struct sweep_record *record, char to[SWEEP_LINE_MAX]);

/* One object, into a list. */
void sweep_write_json(const struct sweep_record *record, struct json *to);

/* Members of an object: what the totals say. */
void sweep_write_totals(const struct sweep_totals *totals, struct json *to);

/*
 * Sentences for the log, each at most SWEEP_LINE_MAX bytes; NULL when there is nothing to say.
 * _done: what was closed, or would have been; _missed: what is open still, or was not looked at.
 */
const char *sweep_say_done(const struct sweep_totals *totals, char to[SWEEP_LINE_MAX]);
const char *sweep_say_missed(const struct sweep_totals *totals, char to[SWEEP_LINE_MAX]);

#endif
