/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy in force, kept in step with the cgroups there are: news from follow.c, facts that the
 * catalog has learned, and a walk through the whole tree every so often become single entries of
 * the subjects' table. Runs in the daemon's loop and reads no file of a runtime's; until a cgroup
 * has an entry of its own it has its parent's policy.
 */
#ifndef DNSFENCE_LIVE_H
#define DNSFENCE_LIVE_H

#include "catalog.h"
#include "enforce.h"
#include "follow.h"

struct live;

struct live_counts {
	const char *way; /* in which cgroups are followed; NULL: no policy speaks of them */
	size_t cgroups;
	uint32_t entries, room;
	uint64_t lost; /* times that news was lost */
	uint64_t walks; /* through the whole tree that have ended */
};

/*
 * prepared and enforcement are the daemon's and stay where they are. NULL for want of memory. What
 * happened since prepare() has walked is found by the first walk.
 */
struct live *live_new(struct prepared *prepared, struct enforcement *enforcement,
		      struct catalog *catalog, const char *cgroup);
void live_free(struct live *live);

/* What prepare() asks on a reload: the catalog, without waiting. */
struct facts_source live_facts(struct catalog *catalog);

/* Another policy is in force, *prepared another, and the catalog may be. */
void live_reload(struct live *live, struct catalog *catalog);

/* Readable when there is news of cgroups; -1: there never is. */
int live_fd(const struct live *live);
void live_read(struct live *live);

/* When the catalog's descriptor is readable. */
void live_read_facts(struct live *live);

/* Once a second. true: live_fd() is another descriptor now. */
bool live_tick(struct live *live);

/* A part of a walk, if one is under way: true while there is more of it. */
bool live_work(struct live *live);

void live_count(const struct live *live, struct live_counts *ret);

#endif
