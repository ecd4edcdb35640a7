/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What dnsfence top reads: the daemon's events into a model, and its counters from its status, over
 * two connections that never block. When the daemon goes it is tried again every second.
 */
#ifndef DNSFENCE_TOP_FEED_H
#define DNSFENCE_TOP_FEED_H

#include <poll.h>

#include "entry.h"
#include "top_model.h"

#define TOP_FEED_FDS 2

/* Of "status -j"; zeroes and "" before the first answer. */
struct top_counters {
	bool known;
	char fence[16];
	uint64_t verdicts[TOP_VERDICT_MAX];
	double rates[TOP_VERDICT_MAX]; /* between the last two answers */
	uint64_t lost, pending, dropped;
	uint64_t tampered, restored;
	uint64_t generation, uptime, pid;
	int64_t at; /* monotonic microseconds */
};

struct top_feed {
	const char *dir;
	struct top_model *model;
	struct top_counters counters;
	bool connected;
	int error; /* why not: an errno; 0: the daemon has ended */
	unsigned int connections; /* so far */
	uint64_t gone_at; /* seconds since 1970 */
	int events, status; /* descriptors, or -1 */
	int64_t next_try, next_status;
	int64_t status_every; /* microseconds */
	char *line; /* ENTRY_LINE_MAX bytes */
	size_t line_length;
	bool greeted, skipping;
	char *answer; /* of status, so far */
	size_t answer_length;
};

/* 0 or -ENOMEM; top_feed_done() in any case. */
int top_feed_init(struct top_feed *feed, const char *dir, struct top_model *model,
		  int64_t status_every);
void top_feed_done(struct top_feed *feed);

/* To wait on; those that are not there have the descriptor -1. */
void top_feed_poll(const struct top_feed *feed, struct pollfd fds[TOP_FEED_FDS]);
/* Connect if it is time, and read what is there, but no more than a bounded amount. */
void top_feed_step(struct top_feed *feed, int64_t now);

/* One line of the log into the model. */
void top_feed_line(struct top_model *model, const char *line, size_t length);
/* An answer to "status json". 0, or -EPROTO with *counters as it was. */
int top_feed_status(const char *text, size_t length, int64_t now, struct top_counters *counters);

#endif
