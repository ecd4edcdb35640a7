/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is who, remembered: cgroups with their facts, processes with their ancestry. What has to be
 * read is read by threads of the catalog's own, because a file system or /proc may not answer;
 * whoever asks waits as long as he says and no longer.
 *
 * Three threads, so that a user who makes his home directory hang (FUSE) delays the facts of
 * users' containers and no others: one reads the system's files, one the users', one /proc.
 * Once somebody has waited for a thread in vain, nobody waits for it again until it has done all
 * that it was asked for; it catches up on its own.
 *
 * Locking: one mutex guards everything in struct catalog and is never held while anything is
 * read. Answers are counted references to what never changes, so they need no lock.
 * Any thread may call any function, but catalog_free() only the last one.
 */
#ifndef DNSFENCE_CATALOG_H
#define DNSFENCE_CATALOG_H

#include "ancestry.h"
#include "runtimes.h"

#define CATALOG_CGROUPS 4096
#define CATALOG_PROCESSES 1024
#define CATALOG_BYTES (8u << 20) /* of facts; beyond that the least used ones go */

struct catalog;

/* Those left 0 have the standard. The functions are for tests, which make them hang. */
struct catalog_options {
	const struct runtime_roots *roots; /* copied */
	int mount_fd; /* of the cgroup2 mount; stays the caller's, and open */
	uint32_t cgroups, processes;
	size_t bytes;
	void *context;
	uint32_t (*owner)(void *context, int mount_fd, const char *path,
			  const struct identity *identity);
	int (*read)(void *context, struct runtimes *runtimes, const struct identity *identity,
		    const char *path, uint32_t owner, struct facts **ret,
		    struct runtimes_problem *problem);
	bool (*changed)(void *context, struct runtimes *runtimes, const struct facts *facts);
	int (*read_process)(void *context, uint32_t pid, struct ancestry **ret);
	void (*report)(void *context, const char *text); /* log_warning() */
};

int catalog_new(const struct catalog_options *options, struct catalog **ret);

/* A thread that hangs is left behind, with what it needs, after half a second. */
void catalog_free(struct catalog *catalog);

/*
 * The facts of a cgroup, with a reference of the caller's: 0 when they are complete; -EAGAIN when
 * they are what is known so far, at least what the path says (catalog_changes() tells when there
 * is more); -ENOENT, and no facts, when the cgroup is not known and no path is given; -ENOMEM.
 * Waits at most wait_ms for a first reading. cgroup ids are not used again by the kernel, so a
 * path is only looked at when the id is new. What is older than a second is looked at again
 * behind the caller's back.
 */
int catalog_ask(struct catalog *catalog, uint64_t cgroup_id, const char *path, int wait_ms,
		struct facts **ret);

/* The cgroup has gone; events that come late still get what is known, until the place is needed. */
void catalog_forget(struct catalog *catalog, uint64_t cgroup_id);

/* Look at all files again: once a second, to notice what was renamed. */
void catalog_recheck(struct catalog *catalog);

/*
 * An eventfd, readable when facts have come or changed. Then: the ids of those cgroups, at most
 * max; *ret_lost: more than could be kept, so any cgroup may have. Returns how many.
 */
int catalog_fd(const struct catalog *catalog);
size_t catalog_changes(struct catalog *catalog, uint64_t *ids, size_t max, bool *ret_lost);

/*
 * What is known of the process with that pid and, as the kernel recorded it, that name of a thread
 * (a number may be used again, but hardly with the same name within ten seconds). when_ns: when it
 * was seen, CLOCK_BOOTTIME, or 0; a process that started later is another one. Always 0 with a
 * reference, blank when there is nothing to tell; or -ENOMEM.
 */
int catalog_ask_process(struct catalog *catalog, uint32_t pid, const char *comm, int64_t when_ns,
			int wait_ms, struct ancestry **ret);

struct catalog_counts {
	uint32_t cgroups, processes; /* remembered */
	size_t bytes; /* of facts */
	uint64_t readings, waits_in_vain, evicted, broken;
	bool late[3]; /* threads that somebody waited for in vain: system, users, processes */
};

void catalog_count(struct catalog *catalog, struct catalog_counts *ret);

#endif
