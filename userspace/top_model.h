/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What dnsfence top shows: events added up by subject, resolver, question, process and policy, all
 * at once, so that another grouping needs no new start. Pure: knows neither the daemon nor the
 * screen; times are handed in.
 *
 * Memory is bounded. A table holds as many rows as top_model_init() was told; a new key then takes
 * the place of the row with the smallest total, of those the one that has been quiet longest. What
 * that row had counted stays in the sums and in the table's `others`, so nothing adds up wrong; a
 * key that comes back begins at zero.
 */
#ifndef DNSFENCE_TOP_MODEL_H
#define DNSFENCE_TOP_MODEL_H

#include "util.h"

#define TOP_ROWS_MAX 4096 /* of each table, by default */
#define TOP_KEY_MAX 320
#define TOP_EVENT_MAX 8192 /* bytes of a longer event are not kept */

enum top_grouping {
	TOP_SUBJECT,
	TOP_RESOLVER,
	TOP_QUESTION,
	TOP_PROCESS,
	TOP_POLICY,
	TOP_GROUPING_MAX,
};

enum top_verdict { TOP_DENIED, TOP_AUDITED, TOP_ALLOWED, TOP_VERDICT_MAX };

enum top_order {
	TOP_BY_RATE,
	TOP_BY_TOTAL,
	TOP_BY_DENIED,
	TOP_BY_AUDITED,
	TOP_BY_ALLOWED,
	TOP_BY_LAST,
	TOP_BY_NAME,
	TOP_ORDER_MAX,
};

/* "subject"; "rate": as --by and --sort have them. */
extern const char *const top_grouping_names[TOP_GROUPING_MAX];
extern const char *const top_order_names[TOP_ORDER_MAX];

/* An event as the model wants it; not kept. */
struct top_sample {
	const char *keys[TOP_GROUPING_MAX];
	enum top_verdict verdict;
	uint64_t count;
	bool estimated; /* count is a sample, scaled */
	int64_t time; /* microseconds since 1970 */
	const char *detail; /* what else a row says of its latest event */
	const char *line; /* the whole event */
	size_t line_length;
};

/* The latest event of some rows, shared by them. */
struct top_event {
	unsigned int references;
	size_t line_length; /* 0: too long to be kept */
	char detail[TOP_KEY_MAX];
	char line[]; /* terminated */
};

struct top_row {
	char key[TOP_KEY_MAX];
	uint64_t counts[TOP_VERDICT_MAX];
	uint64_t total;
	bool estimated; /* some of it is samples, scaled */
	double rate; /* a second, between the last two calls of top_model_measure() */
	int64_t last; /* the latest event's time */
	struct top_event *event; /* NULL: memory was short */
};

struct top_table;

struct top_model {
	struct top_table *tables[TOP_GROUPING_MAX];
	size_t rows_max;
	uint64_t counts[TOP_VERDICT_MAX]; /* all there were */
	uint64_t measured[TOP_VERDICT_MAX];
	double rates[TOP_VERDICT_MAX];
	bool estimated; /* allowed lookups are samples, scaled */
	uint64_t lost; /* violations that events-lost spoke of */
	uint64_t notices; /* events that are about no lookup: tamper, resolver-drift */
	uint64_t broken; /* lines that were no events */
	int64_t since; /* of the last measurement; monotonic microseconds */
};

/* Rows of one table, copied: they stay as they are while the model goes on. */
struct top_view {
	struct top_row *rows;
	size_t length;
	size_t hidden; /* rows that the filter left out */
	uint64_t evicted; /* rows that gave way */
	uint64_t others[TOP_VERDICT_MAX]; /* what these had counted */
};

/* 0 or -ENOMEM; top_model_done() in any case. now: any monotonic clock's microseconds. */
int top_model_init(struct top_model *model, size_t rows_max, int64_t now);
void top_model_done(struct top_model *model);
/* Forget all rows and counts. */
void top_model_clear(struct top_model *model, int64_t now);

/* 0; -ENOMEM: the sums have it, not every table. */
int top_model_add(struct top_model *model, const struct top_sample *sample);

/* The rates since the last call. */
void top_model_measure(struct top_model *model, int64_t now);

/*
 * The rows of a grouping, sorted, the highest first (names: the first one first). filter: text that
 * the key or the latest event's detail holds, in any case; "" or NULL: all. 0 or -ENOMEM, *ret as
 * it was.
 */
int top_model_view(const struct top_model *model, enum top_grouping grouping, enum top_order order,
		   bool reverse, const char *filter, struct top_view *ret);
void top_view_done(struct top_view *view);

/* -EINVAL: there is none by that name. */
int top_grouping_find(const char *name, enum top_grouping *ret);
int top_order_find(const char *name, enum top_order *ret);

#endif
