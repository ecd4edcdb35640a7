/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One walk through /proc: which process holds a socket, and which network namespaces there are.
 * Best effort: processes come and go meanwhile. Knows nothing of DNS or netlink.
 */
#ifndef DNSFENCE_OWNERS_H
#define DNSFENCE_OWNERS_H

#include "util.h"

#define OWNERS_MAX (1u << 20) /* sockets that are remembered: 16 MB */

struct socket_owner {
	uint64_t inode;
	uint32_t pid;
};

struct netns {
	uint64_t inode; /* as /proc/PID/ns/net shows it */
	int fd; /* -1: see error */
	int error; /* positive errno of opening it */
};

struct owners {
	struct socket_owner *sockets; /* sorted by inode, then pid */
	size_t sockets_length;
	struct netns *namespaces;
	size_t namespaces_length;
};

/*
 * The namespaces of every thread, those that a descriptor or a mount (as in /run/netns) keeps
 * alive, and the sockets of every process. 0 or -errno.
 */
int owners_read(struct owners *ret);
void owners_done(struct owners *owners);

/* The process with the lowest id that holds the socket; 0 when nobody is known to. */
uint32_t owners_find(const struct owners *owners, uint64_t inode);

/* Its cgroup, a path below the cgroup2 mount; empty when it has gone. */
void owners_process_cgroup(uint32_t pid, char *path, size_t size);

/* Its name as `ps` shows it; empty when it has gone. */
void owners_process_name(uint32_t pid, char *name, size_t size);

/* Its real user id. 0 or -ESRCH. */
int owners_process_user(uint32_t pid, uint32_t *ret);

#endif
