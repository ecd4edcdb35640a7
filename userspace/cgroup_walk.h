/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every cgroup there is below one, in steps: the daemon walks beside its other work. Reads
 * directories of cgroupfs and nothing else.
 */
#ifndef DNSFENCE_CGROUP_WALK_H
#define DNSFENCE_CGROUP_WALK_H

#include <dirent.h>
#include <limits.h>

#include "bpf/abi.h"
#include "util.h"

struct cgroup_found {
	uint64_t id;
	const char *path; /* below the mount; until the next step */
	unsigned int level; /* the root is 0 */
};

struct cgroup_walk_frame {
	DIR *dir;
	size_t length; /* of its path */
};

struct cgroup_walk {
	int mount_fd; /* the caller's */
	struct cgroup_walk_frame frames[DF_LEVEL_MAX];
	unsigned int depth; /* frames that are open */
	unsigned int level; /* of what the first frame lists */
	char path[PATH_MAX]; /* of the step at hand, without the slash of the root */
	char top[PATH_MAX];
	const char *rest; /* of top: not visited yet */
	bool begun;
};

/* top: as cgroup_path_of() writes it. cgroup_walk_end() in any case. */
void cgroup_walk_begin(struct cgroup_walk *walk, int mount_fd, const char *top);

/*
 * The next one: 1; 0 when all have been visited; -errno when top is not there. First what is above
 * top, the root before all, then top, then what is below it down to level DF_LEVEL_MAX - 1. What
 * comes and goes meanwhile may be in it or not.
 */
int cgroup_walk_next(struct cgroup_walk *walk, struct cgroup_found *ret);
void cgroup_walk_end(struct cgroup_walk *walk);

#endif
