/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The name of a unit, container or pod -> the cgroup that it lives in now: one walk through the
 * hierarchy, and the runtimes' files where the path does not tell. For commands, which may wait.
 */
#ifndef DNSFENCE_RESIDENT_H
#define DNSFENCE_RESIDENT_H

#include "config.h"
#include "problem.h"

enum resident_kind {
	RESIDENT_UNIT, /* "nginx.service"; "nginx" is that, too */
	RESIDENT_USER_UNIT, /* of a user's own manager */
	RESIDENT_CONTAINER, /* its name, or the beginning of its id */
	RESIDENT_POD, /* "NAMESPACE/NAME", "NAME" or its uid */
};

struct resident_request {
	enum resident_kind kind;
	const char *name;
	uint32_t uid; /* RESIDENT_USER_UNIT: whose; IDENTITY_NO_USER: anybody's */
	const struct runtime_roots *roots; /* NULL: the distributions' own places */
};

struct resident {
	char path[1024]; /* below the mount */
	char what[192]; /* for people: "container web" */
	uint32_t user; /* whose manager it is below; IDENTITY_NO_USER */
};

/* 0; -ENOENT when there is none, -EINVAL when there are several, with *problem set; -ENOMEM. */
int resident_find(const struct resident_request *request, const char *mount, struct resident *ret,
		  struct problem *problem);

#endif
