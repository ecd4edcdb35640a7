/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was asked of whom, and the least policy that allows it, as a file to start from. Pure: no
 * kernel, no clock. What looks like a leak is left out and said, unless it is accepted.
 */
#ifndef DNSFENCE_LESSON_H
#define DNSFENCE_LESSON_H

#include "address.h"
#include "facts.h"
#include "nameservers.h"

struct lesson;

/*
 * Where a lookup was seen. A datagram that leaves is seen twice, one that a fence beside refuses at
 * its call only there: the greater number counts. A connected socket calls once and sends often.
 */
enum lesson_sight { LESSON_CONNECTION, LESSON_DATAGRAM, LESSON_DATAGRAM_CALL, LESSON_SIGHT_MAX };

/* Lookups that somebody has tried. */
struct lesson_use {
	const struct facts *facts; /* NULL: nothing is known of the cgroup */
	const char *cgroup; /* "": the fenced one, so everybody's; NULL: nobody can name it */
	const char *process; /* "" */
	struct address resolver;
	uint8_t service; /* enum df_service, below DF_SERVICE_MAX */
	enum lesson_sight sight;
	uint64_t count;
};

struct lesson *lesson_new(void);
void lesson_free(struct lesson *lesson);

/* 0 or -ENOMEM. What is more than 4,096 subjects or resolvers of one of them is only counted. */
int lesson_add(struct lesson *lesson, const struct lesson_use *use);

struct lesson_totals {
	uint64_t lookups;
	size_t subjects, resolvers;
	size_t left_out; /* resolvers that looked like a leak, by subject */
	size_t crowded; /* subjects that are left out, for they asked least and more have no room */
	uint64_t crowded_lookups; /* theirs, and those of more subjects and resolvers than fit */
	uint64_t gone; /* lookups of cgroups that nobody can name, which are left out */
};

/*
 * The policy as a commented file that a configuration's limits allow. system: what this host's own
 * settings name; a public address that is not among them looks like a leak.
 */
void lesson_write(const struct lesson *lesson, const struct nameservers *system, bool accept,
		  FILE *to, struct lesson_totals *ret);

#endif
