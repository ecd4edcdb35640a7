/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fence that is closed, for reading: the policy in force as an image, which hooks are attached
 * around which cgroup, and what the loaded packet program says of a lookup.
 *
 * The program is asked by BPF_PROG_TEST_RUN, in a second copy of it that shares the tables of the
 * policy and has counters, log and globals of its own: asking is no violation, and nobody's log may
 * say so. That the copy is the same program, its tag tells, which the kernel makes of the
 * instructions. Nobody's socket is behind such a packet but one that the kernel makes in the cgroup
 * of the process that asks. So the program finds the policy itself for this process alone; of
 * everybody else it is told which policy is theirs, as the table of subjects has it.
 */
#ifndef DNSFENCE_INFORCE_H
#define DNSFENCE_INFORCE_H

#include "denial.h"
#include "explain.h"
#include "loader.h"

struct inforce {
	struct pins pins;
	const char *mount; /* of cgroup2 */
	struct policy_image image; /* .generation.id counts */
	struct denial_surroundings surroundings;
	struct kernel_features features;
	char *scope; /* the fenced cgroup, below the mount */
	int maps[FENCE_MAP_MAX]; /* pinned */
	struct fence beside;
	const char *program_why; /* why the program cannot be asked; NULL: it can */
	char why[sizeof(((struct problem *)0)->text)];
	uint32_t slot; /* which of the generations it is */
};

/* 0; -ENOTSUP when no fence is closed, or another -errno, with *problem set. */
int inforce_open(const char *pin_dir, const char *mount, struct inforce *ret,
		 struct problem *problem);
void inforce_done(struct inforce *inforce);

/* The policy that is in force by now. 0; -errno with *problem set. */
int inforce_refresh(struct inforce *inforce, struct problem *problem);

/* What the program says. */
struct inforce_answer {
	uint8_t verdict;
	uint8_t reason;
	bool walked; /* it has found the policy itself */
};

/*
 * 0 or -errno; -EAGAIN when another policy has been published since it was read. Not when
 * inforce->program_why is set.
 */
int inforce_ask(const struct inforce *inforce, const struct asker *asker, const struct query *query,
		uint32_t rank, struct inforce_answer *ret);

#endif
