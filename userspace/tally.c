// SPDX-License-Identifier: GPL-2.0-or-later
#include "tally.h"

#define TALLY_SETS 1024
#define TALLY_WAYS 8

struct place {
	uint64_t cgroup_id; /* 0: free */
	uint64_t denied, audited;
	uint64_t turn; /* of the last violation */
};

struct tally {
	uint64_t turn;
	struct place places[TALLY_SETS][TALLY_WAYS];
};

struct tally *tally_new(void)
{
	return calloc(1, sizeof(struct tally)); /* pages that nothing is written to cost nothing */
}

void tally_free(struct tally *tally)
{
	free(tally);
}

static struct place *tally_place(struct tally *tally, uint64_t cgroup_id)
{
	struct place *set = tally->places[cgroup_id % TALLY_SETS], *oldest = set;

	for (struct place *at = set; at < set + TALLY_WAYS; at++) {
		if (at->cgroup_id == cgroup_id)
			return at;
		if (at->turn < oldest->turn)
			oldest = at;
	}
	*oldest = (struct place){.cgroup_id = cgroup_id};
	return oldest;
}

void tally_add(struct tally *tally, uint64_t cgroup_id, uint8_t verdict, uint64_t count)
{
	struct place *place;

	if (!cgroup_id || !count)
		return;
	place = tally_place(tally, cgroup_id);
	place->turn = ++tally->turn;
	if (verdict == DF_VERDICT_DENY)
		place->denied += count;
	else
		place->audited += count;
}

void tally_write(const struct tally *tally, struct json *to)
{
	json_list(to, "cgroups");
	for (size_t set = 0; set < TALLY_SETS; set++)
		for (const struct place *at = tally->places[set];
		     at < tally->places[set] + TALLY_WAYS; at++) {
			if (!at->cgroup_id)
				continue;
			json_open(to, NULL);
			json_uint(to, "id", at->cgroup_id);
			json_uint(to, "denied", at->denied);
			json_uint(to, "audited", at->audited);
			json_close(to);
		}
	json_list_end(to);
}
