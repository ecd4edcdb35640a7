// SPDX-License-Identifier: GPL-2.0-or-later
#include "lesson.h"

#include <ctype.h>

#include "bpf/abi.h"
#include "event.h"
#include "learner.h"

#define SUBJECTS_MAX 4096
#define RESOLVERS_MAX 4096 /* of one subject */

struct lesson *lesson_new(void)
{
	return calloc(1, sizeof(struct lesson));
}

void lesson_free(struct lesson *lesson)
{
	for (size_t i = 0; lesson && i < lesson->length; i++) {
		free(lesson->list[i]->asked);
		free(lesson->list[i]->name);
		free(lesson->list[i]);
	}
	if (lesson) {
		free(lesson->gone.asked);
		free(lesson->list);
	}
	free(lesson);
}

/* Who it is -------------------------------------------------------------------------------------
 */

/* Policies name no deeper one; what is below a cgroup has that one's policy. */
static void cut_depth(char *path)
{
	for (unsigned int level = 0; *path; path++)
		if (*path == '/' && ++level == DF_LEVEL_MAX)
			*path = 0;
}

/* As the pattern will be: what that cannot tell apart is one subject. */
static void blur(struct learner *learner)
{
	char *name = learner->name;
	const size_t length = strlen(name);

	if (learner->kind == SUBJECT_CGROUP && !isalnum((unsigned char)name[length - 1]))
		name[length - 1] = '?'; /* see write_cgroup() */
	event_make_printable(name);
	for (; (name = strpbrk(name, "*[]")); name++)
		*name = '?';
}

/*
 * The closest name that a policy can match; without facts the cgroup itself. 0 with ret->name
 * allocated, or -ENOMEM.
 */
static int learner_of(const struct lesson_use *use, struct learner *ret)
{
	const struct facts *facts = use->facts;
	const char *namespace = "", *name = "";

	*ret = (struct learner){.user = IDENTITY_NO_USER};
	if (facts && facts->pod.name[0] && facts->owner == 0) {
		ret->kind = SUBJECT_POD;
		namespace = facts->pod.namespace;
		name = facts->pod.name;
	} else if (facts && facts->container.name[0] && facts->owner != IDENTITY_NO_USER) {
		ret->kind = SUBJECT_CONTAINER;
		name = facts->container.name;
		ret->user = facts->owner ? facts->owner : IDENTITY_NO_USER;
	} else if (facts && facts->user_unit[0]) {
		ret->kind = SUBJECT_USER_UNIT;
		name = facts->user_unit;
		ret->user = facts->user;
	} else if (facts && facts->unit[0]) {
		ret->kind = SUBJECT_UNIT;
		name = facts->unit;
	} else if (use->cgroup[0] && !util_streq(use->cgroup, "/")) {
		ret->kind = SUBJECT_CGROUP;
		name = use->cgroup;
	}
	if (asprintf(&ret->name, ret->kind == SUBJECT_POD ? "%s/%s" : "%s%s", namespace, name) < 0)
		return -ENOMEM;
	if (ret->kind == SUBJECT_CGROUP)
		cut_depth(ret->name);
	blur(ret);
	return 0;
}

static struct learner *lesson_learner(struct lesson *lesson, const struct lesson_use *use)
{
	struct learner *fresh, who;

	if (learner_of(use, &who) < 0)
		return NULL;
	for (size_t i = 0; i < lesson->length; i++) {
		struct learner *at = lesson->list[i];

		if (at->kind == who.kind && at->user == who.user &&
		    util_streq(at->name, who.name)) {
			free(who.name);
			return at;
		}
	}
	fresh = lesson->length < SUBJECTS_MAX ? malloc(sizeof(*fresh)) : NULL;
	if (!fresh || !ARRAY_APPEND(lesson->list, lesson->length)) {
		free(who.name);
		free(fresh);
		return NULL;
	}
	*fresh = who;
	lesson->list[lesson->length - 1] = fresh;
	return fresh;
}

static struct asked *learner_asked(struct learner *learner, const struct address *resolver)
{
	struct asked *asked;

	for (size_t i = 0; i < learner->length; i++)
		if (address_equal(&learner->asked[i].resolver, resolver))
			return &learner->asked[i];
	if (learner->length == RESOLVERS_MAX)
		return NULL;
	asked = ARRAY_APPEND(learner->asked, learner->length);
	if (asked)
		asked->resolver = *resolver;
	return asked;
}

static void asked_name(struct asked *asked, const char *process)
{
	if (!process[0])
		return;
	for (int i = 0; i < LEARNER_PROCESSES_MAX; i++) {
		if (util_streq(asked->processes[i], process))
			return;
		if (!asked->processes[i][0]) {
			(void)snprintf(asked->processes[i], sizeof(asked->processes[i]), "%s",
				       process);
			event_make_printable(asked->processes[i]);
			return;
		}
	}
}

uint64_t asked_count(const struct asked *asked)
{
	return asked->seen[LESSON_CONNECTION] +
	       MAX(asked->seen[LESSON_DATAGRAM], asked->seen[LESSON_DATAGRAM_CALL]);
}

static void lesson_count(struct lesson *lesson, struct learner *learner, uint64_t count)
{
	lesson->count += count;
	learner->count += count;
}

int lesson_add(struct lesson *lesson, const struct lesson_use *use)
{
	struct learner *learner = use->cgroup ? lesson_learner(lesson, use) : &lesson->gone;
	struct asked *asked;
	/* Of what is counted only: nobody keeps what could be compared. */
	const uint64_t once = use->sight == LESSON_DATAGRAM_CALL ? 0 : use->count;
	uint64_t known;

	if (!learner) {
		lesson->count += once;
		lesson->crowded += once;
		return lesson->length == SUBJECTS_MAX ? 0 : -ENOMEM;
	}
	asked = learner_asked(learner, &use->resolver);
	if (!asked) {
		lesson_count(lesson, learner, once);
		learner->crowded += once;
		return learner->length == RESOLVERS_MAX ? 0 : -ENOMEM;
	}
	known = asked_count(asked);
	asked->seen[use->sight] += use->count;
	lesson_count(lesson, learner, asked_count(asked) - known);
	asked->services |= 1u << use->service;
	asked_name(asked, use->process);
	return 0;
}
