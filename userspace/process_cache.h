/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes that the catalog remembers, each with its ancestry, and the thread that reads
 * them. For catalog.c, whose mutex guards all of it. Knows nothing of cgroups.
 */
#ifndef DNSFENCE_PROCESS_CACHE_H
#define DNSFENCE_PROCESS_CACHE_H

#include "ancestry.h"
#include "lane.h"

struct process;

struct process_cache {
	uint32_t size; /* places */
	uint32_t used; /* those ever used */
	void *context;
	int (*read)(void *context, uint32_t pid, struct ancestry **ret); /* as ancestry_read() */
	struct lane lane;
	struct process *list; /* direct-mapped: a collision costs one more reading */
};

/* With size, read and its context set. 0 or -errno; to be done in either case. */
int process_cache_start(struct process_cache *cache, pthread_mutex_t *lock);
void process_cache_done(struct process_cache *cache); /* after its lane has ended */

/*
 * With the lock held: as catalog_ask_process(), with a reference. NULL: nothing is known, at least
 * not within wait_ms. Lets go of the lock while it waits.
 */
struct ancestry *process_cache_ask(struct process_cache *cache, uint32_t pid, const char *comm,
				   int64_t when_ns, int wait_ms);

#endif
