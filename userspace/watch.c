// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "publish.h"

static const struct {
	const char *object;
	const char *what;
	enum watch_mend mend;
} kinds[WATCH_KIND_MAX] = {
#define X(id, object, what, mend) [WATCH_##id] = {object, what, WATCH_MEND_##mend},
	WATCH_KINDS(X)
#undef X
};

const char *watch_object(enum watch_kind kind)
{
	return kind < WATCH_KIND_MAX ? kinds[kind].object : "?";
}

const char *watch_what(enum watch_kind kind)
{
	return kind < WATCH_KIND_MAX ? kinds[kind].what : "?";
}

enum watch_mend watch_mend_of(enum watch_kind kind)
{
	return kinds[kind].mend;
}

const char *watch_name(const struct watch_finding *finding)
{
	switch (finding->kind) {
	case WATCH_LINK:
	case WATCH_PROGRAM:
	case WATCH_LINK_PIN:
		return hook_name(finding->index);
	case WATCH_MAP_PIN:
		return fence_map_name(finding->index);
	case WATCH_ENTRIES:
		return fence_map_name(FENCE_SUBJECTS);
	case WATCH_TABLE:
		return fence_map_name(publish_outer(finding->index));
	default:
		return "";
	}
}

/* Two rounds of multiplication and shift a word: some microseconds for the whole structure. */
uint64_t watch_checksum(const struct df_generation *generation)
{
	const uint64_t *words = (const uint64_t *)generation;
	uint64_t hash = 0;

	for (size_t i = 0; i < sizeof(*generation) / sizeof(*words); i++) {
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
	}
	return hash;
}

uint32_t watch_map_id(int fd)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 ? info.id : 0;
}

/* The descriptor outlives the cgroup; the kernel finds no such cgroup for it then. */
static bool watch_cgroup_lives(int cgroup_fd)
{
	uint32_t ids[ATTACH_ORDER_MAX];

	return attach_effective(cgroup_fd, DF_HOOK_PACKET, ids) != -ENOENT;
}

static void read_links(const struct df_seal *should, const struct watch_source *source,
		       struct df_seal *ret)
{
	for (unsigned int hook = 0; hook < DF_HOOK_CGROUP_MAX; hook++) {
		struct link_state pinned = {0}, link = {0};

		if (source->pins) {
			(void)attach_inspect(source->pins, hook, &pinned);
			ret->link_pins[hook] = pinned.link_id;
		}
		if (source->attached)
			attach_describe(source->attached->links[hook], &link);
		else if (pinned.link_id == should->links[hook])
			link = pinned;
		else
			continue; /* its name is gone, and with it nobody knows it any more */
		ret->links[hook] = link.attached ? link.link_id : 0;
		ret->programs[hook] = link.program_id;
	}
}

static void read_map_pins(const struct watch_source *source, struct df_seal *ret)
{
	char path[PATH_MAX];

	for (int map = 0; source->pins && map < FENCE_MAP_MAX; map++) {
		_cleanup_close_ int fd =
			bpf_obj_get(pins_path(path, source->pins->maps, fence_map_name(map)));

		ret->map_pins[map] = watch_map_id(fd);
	}
}

/* From user space an outer map's entry reads as the inner map's id. */
static void read_tables(const struct df_seal *should, const struct watch_source *source,
			struct df_seal *ret)
{
	for (unsigned int i = 0; i < DF_SEAL_TABLES; i++) {
		int outer = source->maps[publish_outer(i)];

		if (outer >= 0 && bpf_map_lookup_elem(outer, &should->slot, &ret->tables[i]) < 0)
			ret->tables[i] = 0;
	}
}

/* Of a table that is not frozen. By its id only root of the initial user namespace may open it. */
static void read_entries(const struct df_seal *should, const struct watch_source *source,
			 struct df_seal *ret)
{
	uint32_t id = should->tables[PUBLISH_SUBJECTS];
	_cleanup_close_ int opened = -1;
	int table = source->subjects;
	uint64_t sum;

	if (!should->entries)
		return;
	if (table < 0 && ret->tables[PUBLISH_SUBJECTS] == id)
		table = opened = bpf_map_get_fd_by_id(id);
	if (table >= 0 && publish_sum(table, &sum) == 0)
		ret->entries = sum;
}

void watch_read(const struct df_seal *should, const struct watch_source *source,
		struct df_seal *ret)
{
	struct df_seal is = *should;

	if (!watch_cgroup_lives(source->cgroup_fd))
		is.cgroup_id = 0;
	read_links(should, source, &is);
	read_map_pins(source, &is);
	read_tables(should, source, &is);
	read_entries(should, source, &is);
	if (source->generations) {
		is.slot = source->active;
		is.checksum = watch_checksum(&source->generations[should->slot & 1]);
	}
	*ret = is;
}

static void add(struct watch_findings *findings, enum watch_kind kind, unsigned int index)
{
	if (findings->length < WATCH_FINDINGS_MAX)
		findings->list[findings->length++] = (struct watch_finding){kind, index};
}

/* A link that was detached is made anew, whatever program and name the old one has. */
static void compare_hook(const struct df_seal *should, const struct df_seal *is, unsigned int hook,
			 struct watch_findings *ret)
{
	if (!should->links[hook])
		return;
	if (is->links[hook] != should->links[hook]) {
		add(ret, WATCH_LINK, hook);
		return;
	}
	if (is->programs[hook] != should->programs[hook])
		add(ret, WATCH_PROGRAM, hook);
	if (is->link_pins[hook] != should->link_pins[hook])
		add(ret, WATCH_LINK_PIN, hook);
}

void watch_compare(const struct df_seal *should, const struct df_seal *is,
		   struct watch_findings *ret)
{
	ret->length = 0;
	if (is->cgroup_id != should->cgroup_id) {
		add(ret, WATCH_CGROUP, 0);
		return; /* its links went with it */
	}
	for (unsigned int hook = 0; hook < DF_HOOK_CGROUP_MAX; hook++)
		compare_hook(should, is, hook, ret);
	for (unsigned int map = 0; map < FENCE_MAP_MAX; map++)
		if (is->map_pins[map] != should->map_pins[map])
			add(ret, WATCH_MAP_PIN, map);
	for (unsigned int i = 0; i < DF_SEAL_TABLES; i++)
		if (is->tables[i] != should->tables[i])
			add(ret, WATCH_TABLE, i);
	if (is->entries != should->entries)
		add(ret, WATCH_ENTRIES, 0);
	if (is->slot != should->slot)
		add(ret, WATCH_ACTIVE, 0);
	if (is->checksum != should->checksum)
		add(ret, WATCH_GENERATION, 0);
}
