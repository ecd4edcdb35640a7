/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the matches of a configuration name on this host: users -> uids, interfaces -> indices, and
 * for one cgroup at a time, which policies are for it (match.c). The cgroups come from census.c.
 */
#ifndef DNSFENCE_SUBJECTS_H
#define DNSFENCE_SUBJECTS_H

#include "config.h"
#include "match.h"
#include "policy.h"

struct subject_list {
	struct subject *list;
	size_t length;
};

/*
 * Find the users' uids, once: the name service may wait, and later rounds run in the daemon's loop.
 * A user that nobody knows is an error in *diagnostics, and so is, if strict, a cgroup without a
 * glob that does not exist; otherwise that is a warning.
 */
void subjects_find_users(struct config *config, struct diagnostics *diagnostics);
void subjects_find_paths(const struct config *config, int mount_fd, const char *mount, bool strict,
			 struct diagnostics *diagnostics);

/* These append to the list; 0 or -ENOMEM. Policies of users in whatever cgroup: */
int subjects_add_users(const struct config *config, struct subject_list *list);
/* Interfaces and sources of frames; names that nothing has yet match nothing yet: */
int subjects_add_frames(const struct config *config, struct subject_list *list);
/*
 * All policies whose match begins at this cgroup. The bits of *ret_unknown are those of policies
 * that only facts can tell of, and there are none.
 */
int subjects_add_cgroup(const struct config *config, uint64_t id, const struct match_cgroup *cgroup,
			struct subject_list *list, struct rank_set *ret_unknown);

/* Does a policy speak of cgroups, of interfaces: of what comes and goes? */
bool subjects_have_cgroups(const struct config *config);
bool subjects_have_interfaces(const struct config *config);
/* Only then are facts asked for. */
bool subjects_need_facts(const struct config *config);

/* Those of `from` behind the others. 0 or -ENOMEM. */
int subjects_append(struct subject_list *to, const struct subject_list *from);
bool subjects_equal(const struct subject_list *a, const struct subject_list *b);
void subjects_done(struct subject_list *list);

/* A user's name or uid -> uid, by the name service. 0 or -ENOENT. */
int subjects_find_user(const char *text, uint32_t *ret);

#endif
