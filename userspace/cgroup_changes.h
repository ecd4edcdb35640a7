/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which cgroups' facts have come or changed, until somebody asks: ids, bounded, and a descriptor
 * that is readable while there are any. Knows no threads: catalog.c holds its lock around every
 * call.
 */
#ifndef DNSFENCE_CGROUP_CHANGES_H
#define DNSFENCE_CGROUP_CHANGES_H

#include "util.h"

#define CGROUP_CHANGES_MAX 1024

struct cgroup_changes {
	uint64_t ids[CGROUP_CHANGES_MAX];
	size_t length;
	bool lost; /* there were more */
	int fd; /* an eventfd */
};

/* 0 or -errno; to be done in either case. */
int cgroup_changes_init(struct cgroup_changes *changes);
void cgroup_changes_done(struct cgroup_changes *changes);

void cgroup_changes_add(struct cgroup_changes *changes, uint64_t id);

/* As catalog_changes(). */
size_t cgroup_changes_take(struct cgroup_changes *changes, uint64_t *ids, size_t max,
			   bool *ret_lost);

#endif
