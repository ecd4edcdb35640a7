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

/* Gets each event, checked but not enriched; it may fill the rest in place. */
typedef void (*ring_handler)(void *context, struct event *event);

/* NULL with errno on failure. The fence must outlive the ring. */
struct ring *ring_new(const struct fence *fence, ring_handler handler, void *context);
void ring_free(struct ring *ring);

int ring_fd(const struct ring *ring); /* readable: there is something */

/* Take one batch. The number of records taken; there may be more when it is RING_BATCH. */
#define RING_BATCH 1024
int ring_consume(struct ring *ring);

/* Have the kernel report the repeats it holds back. Call about once a second. */
void ring_flush(struct ring *ring);

#endif
