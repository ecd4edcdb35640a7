/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the matches of a configuration name on this host now: cgroup paths and globs -> cgroup
 * ids, user names -> uids.
 */
#ifndef DNSFENCE_SUBJECTS_H
#define DNSFENCE_SUBJECTS_H

#include "config.h"
#include "policy.h"

struct subject_list {
	struct subject *list;
	size_t length;
	bool follows; /* some cgroup is named: resolving again later may give another list */
};

/*
 * Resolve all matches below the cgroup2 mount. 0, or -EINVAL with errors in *diagnostics: a user
 * nobody knows, or, if strict, a cgroup path that does not exist; otherwise that is a warning. A
 * glob may match nothing. uids are kept in the configuration.
 */
int subjects_resolve(struct config *config, const char *mount, bool strict,
		     struct subject_list *ret, struct diagnostics *diagnostics);
bool subjects_equal(const struct subject_list *a, const struct subject_list *b);
void subjects_done(struct subject_list *list);

/* A user's name or uid -> uid, by the name service. 0 or -ENOENT. */
int subjects_find_user(const char *text, uint32_t *ret);

#endif
