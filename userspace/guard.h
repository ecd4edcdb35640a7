/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's watch over its own fence: once a second watch.c compares, enforce.c mends, and
 * each finding becomes one event. Programs of others that begin to run after ours become one
 * too: they can turn the errno of a call back into success, though not the packet's verdict.
 */
#ifndef DNSFENCE_GUARD_H
#define DNSFENCE_GUARD_H

#include "enforce.h"
#include "ring.h"

struct guard_neighbours {
	size_t length;
	uint32_t ids[ATTACH_ORDER_MAX];
};

struct guard {
	struct enforcement *enforcement;
	struct ring *ring;
	uint64_t tampered; /* findings so far */
	uint64_t restored; /* of those */
	uint32_t open[WATCH_KIND_MAX]; /* bit per index: told, but not mended yet */
	struct guard_neighbours after[DF_HOOK_CGROUP_MAX]; /* told */
	struct event event;
};

/* What enforce_start() found of the time before becomes events at once. */
void guard_init(struct guard *guard, struct enforcement *enforcement, struct ring *ring);

void guard_tick(struct guard *guard);

/* Likewise of the tc filters, which put themselves back: edge_verify(). */
void guard_check_edge(struct guard *guard);

#endif
