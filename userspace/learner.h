/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a lesson holds, for the two files that make one: lesson.c collects, lesson_write.c makes a
 * policy of it. Nobody else looks inside.
 */
#ifndef DNSFENCE_LEARNER_H
#define DNSFENCE_LEARNER_H

#include "lesson.h"

#define LEARNER_PROCESSES_MAX 3 /* named beside a resolver */

enum subject_kind {
	SUBJECT_EVERYBODY,
	SUBJECT_CGROUP,
	SUBJECT_UNIT,
	SUBJECT_USER_UNIT,
	SUBJECT_CONTAINER,
	SUBJECT_POD
};

struct asked {
	struct address resolver;
	uint32_t services; /* bits */
	uint64_t seen[LESSON_SIGHT_MAX];
	char processes[LEARNER_PROCESSES_MAX][32];
};

struct learner {
	enum subject_kind kind;
	char *name; /* of a pod "NAMESPACE/NAME"; "?" for what a pattern takes for any byte */
	uint32_t user; /* whose container or unit; IDENTITY_NO_USER */
	struct asked *asked;
	size_t length;
	uint64_t count;
	uint64_t crowded; /* of those, the ones that went to more resolvers than are kept */
};

struct lesson {
	struct learner **list;
	size_t length;
	uint64_t count;
	uint64_t crowded; /* of those, the ones of more subjects than are kept */
	struct learner gone; /* all that nobody can name */
};

uint64_t asked_count(const struct asked *asked);

#endif
