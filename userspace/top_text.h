/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines that dnsfence top shows on the screen and prints with --batch, without newlines; and
 * the object that -j prints.
 */
#ifndef DNSFENCE_TOP_TEXT_H
#define DNSFENCE_TOP_TEXT_H

#include "top_feed.h"

struct top_settings {
	enum top_grouping grouping;
	enum top_order order;
	bool reverse;
	char filter[128];
	unsigned int delay; /* seconds */
	size_t rows; /* of a printed table, at most */
};

/* Whether the daemon is there, and the fence closed. now: seconds since 1970. */
void top_write_state(const struct top_feed *feed, uint64_t now, char *to, size_t size);
/* What the kernel has counted, allowed lookups too; "" before that is known. */
void top_write_counters(const struct top_feed *feed, char *to, size_t size);
/* What was seen as events, and what was not. */
void top_write_seen(const struct top_feed *feed, char *to, size_t size);
/* How the rows are chosen, and how many there are. */
void top_write_choice(const struct top_settings *settings, const struct top_view *view, char *to,
		      size_t size);
/* width: columns of the key; what is left is the detail's. now: microseconds since 1970. */
void top_write_heading(const struct top_settings *settings, int width, char *to, size_t size);
void top_write_row(const struct top_row *row, int width, int64_t now, char *to, size_t size);

/* One object, compact, to be freed; NULL for want of memory. now: microseconds since 1970. */
char *top_write_json(const struct top_feed *feed, const struct top_settings *settings,
		     const struct top_view *view, int64_t now);

#endif
