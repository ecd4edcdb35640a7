/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is the fence what it should be? Reads what is there into the same structure that says what
 * should be, and compares the two. Changes nothing: enforce.c mends, guard.c reports.
 */
#ifndef DNSFENCE_WATCH_H
#define DNSFENCE_WATCH_H

#include "attach.h"

/* What can be found: enumerator, its name in events, what happened, how it is mended. */
#define WATCH_KINDS(X)                                                                        \
	X(CGROUP, "cgroup", "the fenced cgroup has gone", CGROUP)                             \
	X(LINK, "link", "was detached from the cgroup", ATTACH)                               \
	X(PROGRAM, "program", "another program was put into the link", ATTACH)                \
	X(LINK_PIN, "pin", "the link's pin was removed or replaced", PIN)                     \
	X(MAP_PIN, "pin", "the map's pin was removed or replaced", PIN)                       \
	X(TABLE, "table", "another map was put in the place of a policy's", PUBLISH)          \
	X(ENTRIES, "entries", "whom policies are for was changed", PUBLISH)                   \
	X(ACTIVE, "active", "the word that chooses the policy in force was changed", PUBLISH) \
	X(GENERATION, "generation", "the policy in force was written to", PUBLISH)

enum watch_kind {
#define X(id, object, what, mend) WATCH_##id,
	WATCH_KINDS(X)
#undef X
		WATCH_KIND_MAX,
};

/* In the order in which enforce_mend() is to be asked: a pin is of a link that is attached. */
enum watch_mend {
	WATCH_MEND_CGROUP,
	WATCH_MEND_ATTACH,
	WATCH_MEND_PUBLISH,
	WATCH_MEND_PIN,
	WATCH_MEND_MAX,
};

struct watch_finding {
	enum watch_kind kind;
	unsigned int index; /* a hook, a map, a table; 0 where there is only one */
};

#define WATCH_FINDINGS_MAX (3 * DF_HOOK_CGROUP_MAX + FENCE_MAP_MAX + DF_SEAL_TABLES + 4)

struct watch_findings {
	size_t length;
	struct watch_finding list[WATCH_FINDINGS_MAX];
};

struct watch_source {
	const struct pins *pins; /* NULL: nothing is pinned */
	const struct attachments *attached; /* NULL: as the pins have it */
	const int *maps; /* [FENCE_MAP_MAX], -1: none */
	uint32_t active;
	const struct df_generation *generations; /* NULL: not known, taken for right */
	int cgroup_fd;
	int subjects; /* the subjects' table in force; -1: as the outer map has it */
};

/* What is there. What cannot be told is taken from `should`. */
void watch_read(const struct df_seal *should, const struct watch_source *source,
		struct df_seal *ret);

void watch_compare(const struct df_seal *should, const struct df_seal *is,
		   struct watch_findings *ret);

uint64_t watch_checksum(const struct df_generation *generation);
uint32_t watch_map_id(int fd); /* 0: that is no map */

const char *watch_object(enum watch_kind kind);
const char *watch_what(enum watch_kind kind);
enum watch_mend watch_mend_of(enum watch_kind kind);
/* Which one: a hook's or a map's name, or empty. */
const char *watch_name(const struct watch_finding *finding);

#endif
