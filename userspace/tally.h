/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many violations each cgroup has been logged with, for as long as the daemon runs. Bounded:
 * where there are more cgroups than places, the one that has been quiet for longest makes room.
 */
#ifndef DNSFENCE_TALLY_H
#define DNSFENCE_TALLY_H

#include "bpf/abi.h"
#include "json.h"

struct tally;

struct tally *tally_new(void);
void tally_free(struct tally *tally);

void tally_add(struct tally *tally, uint64_t cgroup_id, uint8_t verdict, uint64_t count);

/* A list "cgroups" of {id, denied, audited}. */
void tally_write(const struct tally *tally, struct json *to);

#endif
