// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any bytes as a line of the log, for events and top. What is taken for an event
 * is shown without anything that a terminal would obey, and counted once or not at all.
 */
#include <stdlib.h>

#include "userspace/top_feed.h"
#include "userspace/when.h"
#include "userspace/where.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			abort();
}

static void expect_field(void *context, const char *field, const char *value)
{
	(void)context;
	expect_printable(field);
	expect_printable(value);
}

static void show(const struct entry *entry)
{
	struct where where = {0};
	struct problem problem;
	char line[8400];

	if (where_add(&where, "event.action=*", &problem) < 0 ||
	    where_add_alias(&where, "dst", "1*") < 0)
		abort();
	(void)where_matches(&where, entry);
	where_done(&where);
	entry_write_line(entry, 0, false, line, sizeof(line));
	expect_printable(line);
	entry_each(entry, expect_field, NULL);
}

static void count(const char *line, size_t size)
{
	struct top_model model;
	struct top_view view;

	if (top_model_init(&model, 2, 0) < 0)
		abort();
	top_feed_line(&model, line, size);
	if (top_model_view(&model, TOP_QUESTION, TOP_BY_NAME, false, "", &view) < 0)
		abort();
	if (view.length + model.notices + model.broken + (model.lost > 0) > 1)
		abort();
	for (size_t i = 0; i < view.length; i++)
		expect_printable(view.rows[i].key);
	top_view_done(&view);
	top_model_done(&model);
}

/* As it is, and inside what makes any object an event. */
static void read_line(const char *line, size_t size)
{
	struct entry entry;

	if (entry_parse(line, size, &entry) == 0) {
		show(&entry);
		entry_done(&entry);
	}
	count(line, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct top_counters counters = {0};
	char text[2048], copy[1024];
	int64_t when;
	int length;

	read_line((const char *)data, size);
	(void)top_feed_status((const char *)data, size, 1, &counters);
	snprintf(copy, sizeof(copy), "%.*s", (int)MIN(size, sizeof(copy) - 1), (const char *)data);
	(void)when_parse(copy, 1795550000 * WHEN_SECOND, &when);
	length = snprintf(text, sizeof(text),
			  "{\"@timestamp\":\"2026-11-24T19:53:20Z\",\"event\":{\"action\":"
			  "\"dns-denied\"},%s}",
			  copy);
	read_line(text, (size_t)length);
	return 0;
}
