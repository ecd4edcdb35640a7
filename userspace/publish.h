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

struct publish_result {
	uint64_t generation;
	size_t entries; /* in all tables */
	double fill_ms; /* creating and filling them */
};

/* 0; -errno with *problem set. *ret may be NULL. */
int publish_policy(struct fence *fence, const struct policy_image *image,
		   struct publish_result *ret, struct problem *problem);

#endif
