/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fence in the kernel: open and load the programs, take over maps that an earlier instance
 * has pinned, hand out descriptors. The only file that sees the skeleton; links are attach.c's
 * matter, the policy is publish.c's.
 */
#ifndef DNSFENCE_LOADER_H
#define DNSFENCE_LOADER_H

#include "bpf/abi.h"
#include "pins.h"
#include "probe.h"

struct dnsfence_bpf;

enum fence_map {
	FENCE_RESOLVERS,
	FENCE_PREFIXES,
	FENCE_SUBJECTS,
	FENCE_ORIGINS,
	FENCE_OWNERS,
	FENCE_COUNTERS,
	FENCE_LOG_STATE,
	FENCE_FOLDS,
	FENCE_EVENTS,
	FENCE_GLOBALS,
	FENCE_EDGES,
	FENCE_SEAL,
	FENCE_ASKERS,
	FENCE_CLIENTS,
	FENCE_MAP_MAX,
};

_Static_assert(FENCE_MAP_MAX <= DF_SEAL_MAPS, "df_seal.map_pins");

/* For an interface: which way, and whether its frames begin with an Ethernet header. */
enum edge_program {
	EDGE_PROGRAM_ETHERNET_IN,
	EDGE_PROGRAM_ETHERNET_OUT,
	EDGE_PROGRAM_IP_IN,
	EDGE_PROGRAM_IP_OUT,
	EDGE_PROGRAM_MAX,
};

struct fence {
	struct dnsfence_bpf *object;
	struct kernel_features features;
	int maps[FENCE_MAP_MAX]; /* owned by object */
	int programs[DF_HOOK_CGROUP_MAX];
	int edge_programs[EDGE_PROGRAM_MAX];
	int flush; /* dnsfence_flush */
	uint64_t cgroup_id; /* of the fenced cgroup; what is published next has it */
	uint32_t cgroup_level; /* the root is 0 */
	bool adopted; /* the maps were pinned already */
	bool replaced; /* what is pinned has another layout, and goes in fence_pin_maps() */
	/* .bss, mapped: what the programs read on every packet. */
	void *globals;
	uint32_t *active;
	struct df_generation *generations;
};

struct fence_options {
	const struct kernel_features *features; /* from fence_probe() */
	const struct pins *pins; /* prepared, to take maps over from; NULL: from nowhere */
	uint64_t cgroup_id; /* of the fenced cgroup */
	uint32_t cgroup_level; /* the root is 0 */
	uint32_t ring_bytes; /* a power of two; a ring taken over keeps its size */
	bool learns; /* audited datagrams are told of at their call, too */
};

/* May this process load programs, and what can they do here? 0; -errno with *problem set. */
int fence_probe(struct kernel_features *ret, struct problem *problem);

/* Tell programs that are not loaded yet what this kernel can do. */
void fence_configure(struct dnsfence_bpf *object, const struct kernel_features *features);

/*
 * Load. Nothing is attached, pinned or unpinned and no policy is changed by that. 0; -errno with
 * *problem set. fence_close() gives everything back but the pins.
 */
int fence_open(const struct fence_options *options, struct fence *ret, struct problem *problem);
void fence_close(struct fence *fence);

/*
 * Load the packet program once more, beside one that is in force, to ask it (BPF_PROG_TEST_RUN):
 * over the same tables, pinned[] from fence_open_pinned(), but with counters, log and globals of
 * its own, so that asking leaves no trace. *ret->generations is empty and the caller's to fill.
 */
int fence_open_beside(const int pinned[FENCE_MAP_MAX], const struct kernel_features *features,
		      struct fence *ret, struct problem *problem);

/*
 * Pin maps that were not taken over, in the place of others, once their programs are attached: an
 * upgrade that fails before leaves what was pinned, and its counters, as they were.
 */
int fence_pin_maps(const struct fence *fence, const struct pins *pins, struct problem *problem);

/*
 * Only the pinned maps, for reading: no program is loaded. maps[] are descriptors of the caller,
 * -1 where there is no pin. -ENOENT when nothing is pinned.
 */
int fence_open_pinned(const struct pins *pins, int maps[FENCE_MAP_MAX], struct problem *problem);
/* The pinned map of fenced interfaces alone; -1 without one. */
int fence_open_edges(const struct pins *pins);
void fence_close_pinned(int maps[FENCE_MAP_MAX]);

/* By which name it is pinned. */
const char *fence_map_name(enum fence_map map);

/* Put a map's pin back, in place of whatever has its name now. 0; -errno with *problem set. */
int fence_pin_map(const struct fence *fence, const struct pins *pins, enum fence_map map,
		  struct problem *problem);

/* What the programs read on every packet, copied through FENCE_GLOBALS. */
struct fence_globals {
	uint32_t active;
	struct df_generation generations[DF_GENERATIONS];
};

int fence_read_globals(int globals, struct fence_globals *ret);

#endif
