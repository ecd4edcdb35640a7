/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line of the log, read back: its fields by their names in dnsfence-events(7), and the readable
 * forms of it. What event_json.c writes, and only that, is known by name here; fields that a
 * later version adds are found and shown all the same.
 */
#ifndef DNSFENCE_ENTRY_H
#define DNSFENCE_ENTRY_H

#include "util.h"

struct json_t; /* jansson's; its header and json.h do not go together */

#define ENTRY_LINE_MAX (64 * 1024) /* longer lines are no events */
#define ENTRY_TEXT_MAX 1280 /* of a field's value, with its end */

struct entry {
	struct json_t *root;
	int64_t time; /* microseconds since 1970 */
	const char *action; /* event.action */
};

/*
 * 0 with *ret, to be freed by entry_done(); -EPROTO: the line is no JSON object with a time and an
 * action. The line need not end with a newline.
 */
int entry_parse(const char *line, size_t length, struct entry *ret);
void entry_done(struct entry *entry);

/* "process.name" -> its value, NULL: it has none. It lives as long as the entry. */
const struct json_t *entry_find(const struct entry *entry, const char *field);
/* The text of a field, "" without one: strings as they are, numbers and booleans as JSON has them.
 */
const char *entry_text(const struct entry *entry, const char *field, char to[ENTRY_TEXT_MAX]);
/* The same for a value found; "" for objects and lists. */
const char *entry_value_text(const struct json_t *value, char to[ENTRY_TEXT_MAX]);
uint64_t entry_number(const struct entry *entry, const char *field);
/* "10.0.0.1:53", "[2001:db8::1]:53"; "?" without an address. side: "source" or "destination". */
void entry_endpoint(const struct entry *entry, const char *side, char *to, size_t size);
/* How many lookups it stands for. */
uint64_t entry_count(const struct entry *entry);

/* The names of the fields that this version writes, for suggestions and completion; ends with NULL.
 */
extern const char *const entry_fields[];

/*
 * One readable line without a newline, what event_write_line() makes of the same event; with the
 * date where it is not of the day of `now`. Printable whatever the entry holds.
 */
void entry_write_line(const struct entry *entry, int64_t now, bool color, char *to, size_t size);

/* All fields, one a line, aligned: show() gets each of them, its value printable. */
void entry_each(const struct entry *entry,
		void (*show)(void *context, const char *field, const char *value), void *context);
/* The length of the longest field's name. */
size_t entry_width(const struct entry *entry);

#endif
