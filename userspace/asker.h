/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "--cgroup", "--pid", "--unit", "--container", "--user" and the like of explain -> who would ask,
 * as this host knows it now.
 */
#ifndef DNSFENCE_ASKER_H
#define DNSFENCE_ASKER_H

#include "explain.h"
#include "problem.h"

/* All NULL: this process. Of the first six one at most. */
struct asker_request {
	const char *cgroup; /* path below the mount */
	const char *pid;
	const char *unit, *user_unit, *container, *pod; /* see resident.h */
	const char *user; /* name or uid; with one of the above it replaces that one's user */
	const struct runtime_roots *roots; /* as in resident.h */
};

/*
 * mount: of cgroup2; scope: the fenced cgroup, below it. 0; -EINVAL or -ENOENT with *problem set.
 */
int asker_find(const struct asker_request *request, const char *mount, const char *scope,
	       struct asker *ret, struct problem *problem);

#endif
