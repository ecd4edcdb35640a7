/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "Did you mean": how far a word is from one that is known. For keys of the configuration, commands
 * and options alike.
 */
#ifndef DNSFENCE_SUGGEST_H
#define DNSFENCE_SUGGEST_H

#include "util.h"

/* The best so far. */
struct suggestion {
	const char *word; /* what was written */
	const char *nearest; /* NULL: nothing is near */
	unsigned int distance; /* of it; none farther than that counts */
};

void suggestion_begin(struct suggestion *suggestion, const char *word);
/* One that is known. */
void suggestion_offer(struct suggestion *suggestion, const char *known);

#endif
