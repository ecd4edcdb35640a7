// SPDX-License-Identifier: GPL-2.0-or-later
#include "seal.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/stat.h>

#include "log.h"

static void seal_write(const struct enforcement *enforcement, const struct df_seal *seal)
{
	uint32_t zero = 0;

	if (bpf_map_update_elem(enforcement->fence.maps[FENCE_SEAL], &zero, seal, BPF_ANY) < 0)
		log_debug("cannot write the seal: %s", strerror(errno));
}

/* Killed from here on, the next daemon must not take a half-made change for tampering. */
void seal_break(const struct enforcement *enforcement)
{
	seal_write(enforcement, &(struct df_seal){0});
}

static void seal_hook(const struct enforcement *enforcement, unsigned int hook,
		      const struct df_seal *before, struct df_seal *seal)
{
	struct link_state link;

	attach_describe(enforcement->attachments.links[hook], &link);
	if (link.attached) {
		seal->links[hook] = link.link_id;
		seal->programs[hook] = attach_program_id(enforcement->fence.programs[hook]);
		seal->link_pins[hook] = enforcement->pins ? link.link_id : 0;
	} else if (enforcement->plan.why[hook]) {
		/* It should be there and is not: that stays a finding. */
		seal->links[hook] = before->links[hook];
	}
}

/* From what we hold, never from what others could have written. */
void seal_put(struct enforcement *enforcement)
{
	const struct publication *published = &enforcement->published;
	struct df_seal seal = {
		.abi = DF_ABI_VERSION,
		.slot = published->slot,
	};
	struct stat st;

	if (!published->generation)
		return;
	seal.checksum = watch_checksum(published->copy);
	seal.entries = published->room ? published->sum : 0;
	if (fstat(enforcement->cgroup_fd, &st) == 0)
		seal.cgroup_id = st.st_ino;
	for (unsigned int i = 0; i < DF_SEAL_TABLES; i++)
		seal.tables[i] = watch_map_id(published->tables[i]);
	for (unsigned int hook = 0; hook < DF_HOOK_CGROUP_MAX; hook++)
		seal_hook(enforcement, hook, &enforcement->seal, &seal);
	for (int map = 0; enforcement->pins && map < FENCE_MAP_MAX; map++)
		seal.map_pins[map] = watch_map_id(enforcement->fence.maps[map]);
	enforcement->seal = seal;
	seal_write(enforcement, &seal);
}

void seal_put_subjects(struct enforcement *enforcement)
{
	enforcement->seal.checksum = watch_checksum(enforcement->published.copy);
	enforcement->seal.entries = enforcement->published.sum;
	seal_write(enforcement, &enforcement->seal);
}

/* The seal of the last daemon or load; false: there is none, or it was not done. */
static bool seal_read(int map, struct df_seal *ret)
{
	uint32_t zero = 0;

	return map >= 0 && bpf_map_lookup_elem(map, &zero, ret) == 0 && ret->abi == DF_ABI_VERSION;
}

/* What was done to the pinned fence since it was sealed: before anything of it is touched. */
void seal_look_back(struct enforcement *enforcement)
{
	_cleanup_free_ struct fence_globals *globals = calloc(1, sizeof(*globals));
	struct problem ignored = {{0}};
	int maps[FENCE_MAP_MAX];
	struct df_seal should, is;
	struct stat st;

	if (!globals || fence_open_pinned(enforcement->pins, maps, &ignored) < 0)
		return;
	if (seal_read(maps[FENCE_SEAL], &should) && fstat(enforcement->cgroup_fd, &st) == 0 &&
	    st.st_ino == should.cgroup_id) {
		struct watch_source source = {
			.pins = enforcement->pins,
			.maps = maps,
			.cgroup_fd = enforcement->cgroup_fd,
			.subjects = -1,
		};

		if (fence_read_globals(maps[FENCE_GLOBALS], globals) == 0) {
			source.active = globals->active;
			source.generations = globals->generations;
		}
		watch_read(&should, &source, &is);
		watch_compare(&should, &is, &enforcement->before);
	}
	fence_close_pinned(maps);
}
