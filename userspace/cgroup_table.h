/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cgroups that the catalog remembers, found by id; bounded by how many and by the bytes of
 * their facts. What nobody has asked for makes room first, what is being read or waits for it
 * never. Knows no threads: catalog.c holds its lock around every call, and decides what is read.
 */
#ifndef DNSFENCE_CGROUP_TABLE_H
#define DNSFENCE_CGROUP_TABLE_H

#include "facts.h"

enum reading_state {
	READING_FIRST, /* nobody has looked yet: worth waiting for */
	READING_AGAIN, /* something is missing: tried again when due */
	READING_COMPLETE,
};

struct cgroup {
	uint64_t id; /* 0: free */
	struct facts *facts;
	int64_t due, checked; /* CLOCK_MONOTONIC in ns */
	uint32_t next; /* in its bucket, slot + 1 */
	uint8_t state, tries, lane;
	bool used; /* since the hand has passed */
	bool held; /* a thread is reading it */
	bool gone;
	bool of_user; /* below a user's own manager, or given to one */
};

struct cgroup_table {
	struct cgroup *list; /* a place is its cgroup's as long as that is busy */
	uint32_t *buckets;
	uint32_t size, length, hand; /* slots, those ever used; the clock's hand among them */
	uint32_t used, of_users;
	size_t bytes, bytes_max; /* of facts */
	uint64_t evicted;
	void *context;
	bool (*is_busy)(void *context, const struct cgroup *cgroup); /* not to be evicted */
};

/* With size, bytes_max, is_busy and its context set. 0 or -ENOMEM; to be done in either case. */
int cgroup_table_init(struct cgroup_table *table);
void cgroup_table_done(struct cgroup_table *table);

/* NULL: not remembered. */
struct cgroup *cgroup_table_find(struct cgroup_table *table, uint64_t id);

/*
 * A cgroup that is not there yet, with a reference of its own to the facts. NULL: no room now.
 * Users, who make as many as they like, have a quarter of it.
 */
struct cgroup *cgroup_table_add(struct cgroup_table *table, uint64_t id, struct facts *facts,
				bool of_user);

/* It is a user's, as is known now. false: they have no room, and it is there no more. */
bool cgroup_table_give(struct cgroup_table *table, struct cgroup *cgroup);

/* Other facts, whose reference is taken. May evict, this cgroup, too, unless it is busy. */
void cgroup_table_set_facts(struct cgroup_table *table, struct cgroup *cgroup, struct facts *facts);

uint32_t cgroup_table_slot(const struct cgroup_table *table, const struct cgroup *cgroup);

#endif
