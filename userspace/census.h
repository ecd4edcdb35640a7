/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of cgroups: the fenced one, what is above it and all below it, and for each of them the
 * policies that match it. Filled by a walk (cgroup_walk.h) and kept by whoever hears of cgroups
 * that come and go (live.c). Ids are the kernel's, 64 bits, and no id is ever given twice: kernfs
 * counts them up and keeps the overflow of the lower half in the upper one (fs/kernfs/dir.c,
 * __kernfs_new_node(), id_highbits, since Linux 5.5).
 */
#ifndef DNSFENCE_CENSUS_H
#define DNSFENCE_CENSUS_H

#include "cgroup_walk.h"
#include "subjects.h"

struct census_cgroup;

/* Whoever can tell what the runtimes' files say, catalog.c or the files themselves. */
struct facts_source {
	/*
	 * 0, or -EAGAIN for a part of them, with a reference in *ret; any other -errno: they are
	 * not known now.
	 */
	int (*read)(void *context, const struct census_cgroup *cgroup,
		    const struct identity *identity, uint32_t owner, struct facts **ret);
	void *context;
};

struct census_cgroup {
	uint64_t id;
	char *path; /* below the mount */
	unsigned int level;
	uint32_t round; /* the last walk that met it */
	bool of_facts; /* what some policy says of it depends on facts */
	bool waiting; /* and they are not known yet */
	unsigned int tries;
	uint64_t due; /* when to ask again, in live.c's ticks */
};

struct census {
	const struct config *config; /* the caller's */
	int mount_fd; /* the caller's */
	struct facts_source facts; /* .read NULL: nothing is known of any */
	struct census_cgroup **list; /* by id */
	size_t length;
	uint32_t round;
};

void census_init(struct census *census, const struct config *config, int mount_fd);
void census_done(struct census *census);

struct census_cgroup *census_find(const struct census *census, uint64_t id);
/* That one, as it is met in this round, made if it is new; NULL for want of memory. */
struct census_cgroup *census_meet(struct census *census, const struct cgroup_found *found,
				  bool *ret_new);
void census_remove(struct census *census, uint64_t id);

/*
 * Append the subjects of all policies that are for this cgroup. ret_unknown: as in
 * subjects_add_cgroup(). 0 or -ENOMEM.
 */
int census_judge(const struct census *census, struct census_cgroup *cgroup,
		 struct subject_list *list, struct rank_set *ret_unknown);

/* All there are below top, judged at once. 0, -ENOMEM, or -errno when top is not there. */
int census_fill(struct census *census, const char *top, struct subject_list *list);

#endif
