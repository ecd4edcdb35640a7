// SPDX-License-Identifier: GPL-2.0-or-later
#include "process_cache.h"

#define MS_NS 1000000ll
#define SECOND_NS 1000000000ll
#define BELIEVED_NS (10 * SECOND_NS) /* how long what was read is believed, */
#define FRESH_NS (2 * SECOND_NS) /* and how long before it is read again */
#define GONE_NS SECOND_NS /* the same for one that was not there */
#define STARTED_GRAIN_NS (20 * MS_NS) /* of a process' start time: a clock tick, rounded */

struct process {
	struct ancestry *ancestry;
	int64_t read_at;
	uint32_t pid; /* 0: free */
	char comm[16];
	bool pending; /* nobody has looked yet */
	bool gone; /* it was not there */
	bool held;
};

static void process_read(void *context, struct lane *lane, uint32_t slot)
{
	struct process_cache *cache = context;
	struct process *process = &cache->list[slot];
	struct ancestry *ancestry = NULL;
	uint32_t pid = process->pid;

	process->held = true;
	lane->readings++;
	pthread_mutex_unlock(lane->lock);
	(void)cache->read(cache->context, pid, &ancestry);
	pthread_mutex_lock(lane->lock);
	process->held = false;
	process->read_at = lane_now();
	process->pending = false;
	process->gone = !ancestry;
	if (!ancestry) /* what was read while it lived is kept until it is too old */
		return;
	ancestry_unref(process->ancestry);
	process->ancestry = ancestry;
}

static void process_rest(void *context, struct lane *lane)
{
	(void)context;
	(void)lane;
}

static uint32_t process_slot(const struct process_cache *cache, uint32_t pid)
{
	return (uint32_t)((pid * 0x9e3779b97f4a7c15u) >> 32) % cache->size;
}

static bool process_is(const struct process *process, uint32_t pid, const char *comm)
{
	return process->pid == pid && strncmp(process->comm, comm, sizeof(process->comm)) == 0;
}

static void process_set(struct process_cache *cache, struct process *process, uint32_t pid,
			const char *comm)
{
	if (!process->pid)
		cache->used++;
	ancestry_unref(process->ancestry);
	*process = (struct process){.pid = pid, .pending = true};
	memcpy(process->comm, comm, strnlen(comm, sizeof(process->comm)));
}

/* In its slot, being read or read. NULL: the slot is being read for another one. */
static struct process *process_get(struct process_cache *cache, uint32_t pid, const char *comm)
{
	struct lane *lane = &cache->lane;
	uint32_t slot = process_slot(cache, pid);
	struct process *process = &cache->list[slot];
	int64_t age = lane_now() - process->read_at;

	if (process_is(process, pid, comm) && !process->pending &&
	    age < (process->gone && !process->ancestry ? GONE_NS : BELIEVED_NS)) {
		if (age > FRESH_NS && !process->held && !process->gone)
			lane_queue_slot(lane, slot, LANE_LATER);
		return process;
	}
	if (process_is(process, pid, comm) && process->pending)
		return process;
	if (process->held || lane_has_slot(lane, slot))
		return NULL;
	process_set(cache, process, pid, comm);
	lane_queue_slot(lane, slot, LANE_NOW);
	return process;
}

static void process_wait(struct process_cache *cache, struct process *process, uint32_t pid,
			 const char *comm, int wait_ms)
{
	struct lane *lane = &cache->lane;
	int64_t deadline = lane_now() + wait_ms * MS_NS;

	while (process_is(process, pid, comm) && process->pending && !lane->late)
		if (!lane_wait(lane, deadline) && process->pending) {
			lane_give_up(lane);
			return;
		}
}

struct ancestry *process_cache_ask(struct process_cache *cache, uint32_t pid, const char *comm,
				   int64_t when_ns, int wait_ms)
{
	struct process *process = pid ? process_get(cache, pid, comm) : NULL;

	if (process && process->pending && wait_ms > 0)
		process_wait(cache, process, pid, comm, wait_ms);
	if (process && process_is(process, pid, comm) && process->ancestry &&
	    (!when_ns || process->ancestry->started <= when_ns + STARTED_GRAIN_NS))
		return ancestry_ref(process->ancestry);
	return NULL;
}

int process_cache_start(struct process_cache *cache, pthread_mutex_t *lock)
{
	cache->list = calloc(cache->size, sizeof(*cache->list));
	if (!cache->list)
		return -ENOMEM;
	cache->lane.lock = lock;
	cache->lane.context = cache;
	cache->lane.perform = process_read;
	cache->lane.idle = process_rest;
	return lane_start(&cache->lane, cache->size);
}

void process_cache_done(struct process_cache *cache)
{
	lane_done(&cache->lane);
	for (uint32_t i = 0; cache->list && i < cache->size; i++)
		ancestry_unref(cache->list[i].ancestry);
	free(cache->list);
}
