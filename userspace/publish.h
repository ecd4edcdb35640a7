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
	/* -1: none. Frozen, so nobody can have changed them, but for the subjects' with room. */
	int tables[DF_SEAL_TABLES];
	uint32_t room; /* entries that the subjects' table holds at most; 0: it is frozen */
	uint32_t subjects; /* entries in it */
	uint64_t sum; /* publish_sum() of what should be in it */
	struct df_generation *copy;
};

#define PUBLISH_SUBJECTS 2 /* the subjects' place in tables[] */

void publication_init(struct publication *publication);
void publication_done(struct publication *publication);

/*
 * 0 with *publication replaced; -errno with *problem set. live: subjects will come and go, in a
 * table with room for them.
 */
int publish_policy(struct fence *fence, const struct policy_image *image, bool live,
		   struct publication *publication, struct problem *problem);

/*
 * One entry of the subjects' table of the policy in force: packets see it or do not, there is no
 * half of it. A level that no entry was at before is looked at first. 0; -ENOSPC: there is no room,
 * or the table is frozen, so the policy has to be published anew; another -errno.
 */
int publish_subject(struct fence *fence, struct publication *publication,
		    const struct subject_change *change);

/* Over all entries of a subjects' table, in whatever order. 0 or -errno. */
int publish_sum(int table, uint64_t *ret);

/*
 * The same policy as the next generation, after somebody has written to it or for another cgroup:
 * no packet sees a mixture. 0; -errno with *problem set.
 */
int publish_again(struct fence *fence, struct publication *publication, struct problem *problem);

/* The same policy as the next generation, and with another DF_GEN_ flag. As publish_again(). */
int publish_flag(struct fence *fence, struct publication *publication, uint32_t flag,
		 struct problem *problem);

/*
 * Does a policy in force, other than an exempt one, name this address as a resolver of some
 * service on its own port?
 */
bool publish_names(const struct publication *publication, const struct address *resolver);

/* The outer map of an entry of tables[]. */
enum fence_map publish_outer(unsigned int table);

#endif
