/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is a policy for this cgroup? Pure: a match of the configuration against what is known of one
 * cgroup, no file and no clock. subjects.c and census.c ask it for every cgroup there is.
 *
 * A name counts only if the one who could choose it may decide the policy. Units count by their
 * place alone (identity.h). Containers and pods count where nobody but root makes cgroups, and
 * below a user's manager, or in a directory that a user was given, only for a policy that names
 * that user. Facts that are not known match nothing.
 */
#ifndef DNSFENCE_MATCH_H
#define DNSFENCE_MATCH_H

#include "config.h"
#include "facts.h"
#include "identity.h"

/* One cgroup, as far as it is known. */
struct match_cgroup {
	const char *path; /* below the mount, as cgroup_path_of() writes it */
	const struct identity *identity;
	const struct facts *facts; /* NULL: not known, or not yet */
	/* Who may have named the container or the pod: 0 is root; IDENTITY_NO_USER: several may. */
	uint32_t owner;
};

#define MATCH_NEVER (-1)

/*
 * The level of the path at which the match begins to hold, with all below it: an entry belongs to
 * the cgroup whose own level that is. Or MATCH_NEVER. *ret_unknown: it would begin there, but that
 * depends on facts, and they are not known.
 */
int match_level(const struct match *match, const struct match_cgroup *cgroup, bool *ret_unknown);

/* Does it speak of cgroups at all? Not of a user in any of them, nor of frames. */
bool match_names_cgroups(const struct match *match);

/* Does it speak of what only the runtimes' files say? */
bool match_needs_facts(const struct match *match);

#endif
