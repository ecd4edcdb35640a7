/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of BPF programs that can be attached to a cgroup and detached again. See programs.c. */
#ifndef BENCH_PROGRAMS_H
#define BENCH_PROGRAMS_H

#include <stddef.h>
#include <linux/bpf.h>

#include "bench.h"

#define PROGRAM_SET_MAX 16

struct program {
	int fd;
	enum bpf_attach_type attach;
};

struct program_set {
	struct program programs[PROGRAM_SET_MAX];
	size_t length;
};

struct link_set {
	int fds[PROGRAM_SET_MAX];
	size_t length;
};

/*
 * Pin, in the bpffs directory to, the program behind each cgroup link pinned below from. Returns
 * how many, or -errno.
 */
int programs_hold(const char *from, const char *to);

/* What programs_hold() left in dir. 0 or -errno. */
int programs_open(const char *dir, struct program_set *ret_set);

/* 0 or -errno; on failure nothing stays attached. */
int programs_attach(const struct program_set *set, enum only only, int cgroup,
		    struct link_set *ret_links);
void programs_detach(struct link_set *links);

/* Programs that act on sockets of the cgroup, its ancestors' included. Count or -errno. */
int programs_effective(int cgroup);

/* Cgroup links on the whole host. Count or -errno. */
int programs_links(void);

/* BPF_PROG_TEST_RUN of the set's packet program on a UDP query to dst:port; *ret_ns a run. */
int programs_test_run(const struct program_set *set, const char *dst, unsigned short port,
		      double *ret_ns);

#endif
