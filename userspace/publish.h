/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy image -> maps. Fills the generation that no packet reads, flips one word, waits until
 * no program still reads the other one, and frees that. A failure before the flip changes
 * nothing.
 */
#ifndef DNSFENCE_PUBLISH_H
#define DNSFENCE_PUBLISH_H

#include "loader.h"
#include "policy.h"

/* What is in force, and all that it takes to put it back. */
struct publication {
	uint64_t generation; /* 0: nothing was published yet */
	size_t entries; /* in all tables */
	double fill_ms; /* creating and filling them */
	uint32_t slot;
	int tables[DF_SEAL_TABLES]; /* -1: none; frozen, so nobody can have changed them */
	struct df_generation *copy;
};

void publication_init(struct publication *publication);
void publication_done(struct publication *publication);

/* 0 with *publication replaced; -errno with *problem set. */
int publish_policy(struct fence *fence, const struct policy_image *image,
		   struct publication *publication, struct problem *problem);

/*
 * The same policy as the next generation, after somebody has written to it or for another cgroup:
 * no packet sees a mixture. 0; -errno with *problem set.
 */
int publish_again(struct fence *fence, struct publication *publication, struct problem *problem);

/*
 * Does a policy in force, other than an exempt one, name this address as a resolver of some
 * service on its own port?
 */
bool publish_names(const struct publication *publication, const struct address *resolver);

/* The outer map of an entry of tables[]. */
enum fence_map publish_outer(unsigned int table);

#endif
