/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which entries of the log are wanted: conditions on their fields. Conditions on the same field are
 * alternatives, those on different fields must all hold; FIELD!=GLOB must hold in any case.
 */
#ifndef DNSFENCE_WHERE_H
#define DNSFENCE_WHERE_H

#include "entry.h"
#include "problem.h"

struct condition {
	char *field; /* or the name of an alias, in `fields` */
	char *glob;
	bool negated;
	bool seen; /* an entry had such a field */
	const char *const *fields; /* any of them; NULL: `field` */
};

struct where {
	struct condition *list;
	size_t length;
	int64_t since, until; /* microseconds since 1970; from, and up to with it. 0: no limit */
};

/* "destination.ip=10.*", "user.name!=root". 0; -EINVAL with *problem set, -ENOMEM. */
int where_add(struct where *where, const char *text, struct problem *problem);
/* alias: dst, process, user, cgroup, policy, question, reason, action. */
int where_add_alias(struct where *where, const char *alias, const char *glob);
void where_done(struct where *where);

/*
 * A glob is that of fnmatch(3); '*' matches '/' and '.', too, and a backslash is one character like
 * others, for names that systemd or the question's decoder escapes. Questions are compared without
 * regard to case. A field that is missing matches the empty glob only; a list matches by any of its
 * elements.
 */
bool where_matches(struct where *where, const struct entry *entry);

/* The field of a condition that no entry had so far, and a known one like it; NULL: there is none.
 */
const char *where_unseen(const struct where *where, const char **ret_nearest);

#endif
