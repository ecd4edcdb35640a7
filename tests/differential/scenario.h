/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configurations that packets are judged by, and which policy of each is this process's. Texts
 * go the same way as a user's: read, resolved, compiled.
 */
#ifndef DNSFENCE_TEST_SCENARIO_H
#define DNSFENCE_TEST_SCENARIO_H

#include "userspace/policy.h"

struct scenario {
	const char *name;
	const char *policy; /* the one that has to decide */
	const char *before; /* of the shared list of resolvers; keys of one line each */
	const char *policies; /* "%s" stands for this process's cgroup */
};

extern const struct scenario scenarios[];
extern const size_t scenarios_length;

/* A scenario that was read. */
struct reading {
	const struct scenario *scenario;
	struct config config;
	struct policy_image image;
	size_t rank;
};

/* 0; -errno after the reasons went to standard error. */
int scenario_read(const struct scenario *scenario, struct reading *ret);
void reading_done(struct reading *reading);

#endif
