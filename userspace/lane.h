/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread that works off a queue of slot numbers, and the knowledge of whether waiting for it
 * makes sense. For catalog.c and process_cache.c; the catalog's mutex guards all of it.
 */
#ifndef DNSFENCE_LANE_H
#define DNSFENCE_LANE_H

#include "util.h"

#include <pthread.h>

enum lane_urgency { LANE_NOW, LANE_LATER, LANE_URGENCIES };

struct lane_queue {
	uint32_t first, last; /* slot + 1; 0: none */
};

struct lane {
	pthread_mutex_t *lock; /* the owner's */
	pthread_cond_t work, done; /* CLOCK_MONOTONIC */
	pthread_t thread;
	bool started, stop, busy, ended;
	bool late; /* somebody waited in vain; until the queue has been worked off */
	struct lane_queue queues[LANE_URGENCIES];
	uint32_t *links; /* by slot: the next one in its queue, + 1 */
	uint8_t *queued; /* by slot: its urgency + 1 */
	int64_t wake; /* CLOCK_MONOTONIC in ns, when idle() wants to be called; 0: never */
	uint64_t readings, waits_in_vain; /* for the owner to count and tell */
	void *context;
	/* With the lock held; may let it go meanwhile. */
	void (*perform)(void *context, struct lane *lane, uint32_t slot);
	/* The same, when the queues are empty: may put slots into them, and says when to wake. */
	void (*idle)(void *context, struct lane *lane);
};

/* The fields from lock and context on are the caller's to set before. 0 or -errno. */
int lane_start(struct lane *lane, uint32_t slots);

/* Ask it to end, with the lock held; then, without it, wait that long. False: it hangs. */
void lane_stop(struct lane *lane);
bool lane_join(struct lane *lane, int wait_ms);
void lane_done(struct lane *lane); /* after a join that worked */

/* With the lock held: */
void lane_queue_slot(struct lane *lane, uint32_t slot, enum lane_urgency urgency);
static inline bool lane_has_slot(const struct lane *lane, uint32_t slot)
{
	return lane->queued[slot] != 0;
}

/* Until deadline, CLOCK_MONOTONIC in ns, something is done: false when it has passed. */
bool lane_wait(struct lane *lane, int64_t deadline);
/* What was waited for did not come: nobody else is to wait. */
void lane_give_up(struct lane *lane);

int64_t lane_now(void);

#endif
