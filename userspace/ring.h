/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ring buffer's reader: takes records in bounded batches, checks them, states losses, keeps
 * the accounts in log_state, and hands every event to one function.
 */
#ifndef DNSFENCE_RING_H
#define DNSFENCE_RING_H

#include "event.h"
#include "loader.h"

struct ring;

struct ring_handler {
	void *context;
	/* Gets each event, checked but not enriched; it may fill the rest in place. */
	void (*event)(void *context, struct event *event);
	/* The batch is over: what the events became must be written before it is accounted. */
	void (*flush)(void *context);
};

/* NULL with errno on failure. The fence must outlive the ring. */
struct ring *ring_new(const struct fence *fence, const struct ring_handler *handler);
void ring_free(struct ring *ring);

int ring_fd(const struct ring *ring); /* readable: there is something */

/* Take one batch. The number of records taken; there may be more when it is RING_BATCH. */
#define RING_BATCH 1024
int ring_consume(struct ring *ring);

/* An event of the daemon's own takes its place in the sequence and goes the same way. */
void ring_emit(struct ring *ring, struct event *event);

/*
 * Have the kernel report the repeats it holds back, and in the first seconds find out what an
 * earlier daemon took from the ring and did not live to log. Call about once a second.
 */
void ring_tick(struct ring *ring);

#endif
