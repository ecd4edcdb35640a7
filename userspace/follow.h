/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * News of cgroups below the fenced one: which have come, which have gone. Only news: live.c keeps
 * the list, and walks the tree when some were lost. Two ways, tried in this order:
 *  - raw tracepoints (bpf/follow.bpf.c), the only other file with a skeleton beside loader.c;
 *  - inotify on every cgroup's directory, where tracepoints cannot be attached.
 * Without either there is no news, and the walks are all there is.
 */
#ifndef DNSFENCE_FOLLOW_H
#define DNSFENCE_FOLLOW_H

#include "cgroup_walk.h"
#include "config.h"

struct follow_handler {
	void *context;
	/* A cgroup of that name in that parent. */
	void (*came)(void *context, uint64_t id, uint64_t parent, const char *name);
	void (*went)(void *context, uint64_t id);
};

struct follower;

struct follow_options {
	enum follow_way way; /* the first one to try */
	int mount_fd; /* the caller's */
	const char *mount;
	const char *cgroup; /* the fenced one */
};

/* NULL for want of memory only. */
struct follower *follower_new(const struct follow_options *options,
			      const struct follow_handler *handler);
void follower_free(struct follower *follower);

enum follow_way follower_way(const struct follower *follower);
const char *follow_way_name(enum follow_way way);

/* Readable when there is news; -1: there never is. */
int follower_fd(const struct follower *follower);

/* Hand on all news. True when some were lost since the last time. */
bool follower_read(struct follower *follower);

/*
 * For inotify, which has to be told each cgroup there is: `fresh` is one that live.c has met in
 * another way, or by news. What was made in it before is in the directory by then.
 */
void follower_meet(struct follower *follower, uint64_t id, const char *path);
void follower_forget(struct follower *follower, uint64_t id);

#endif
