// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Cgroups as they come and go: two raw tracepoints tell the daemon through a ring of its own, so
 * that it hears of a cgroup before mkdir() returns. An object of its own, never pinned: it
 * enforces nothing, and goes with the daemon that listens. The kernel holds cgroup_mutex at both
 * (cgroup_mkdir(), cgroup_destroy_locked()), so they never run at the same time.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "abi.h"
#include "atomic.h"
#include "opaque.h"

#define FOLLOW_CORE __attribute__((preserve_access_index))

struct kernfs_node {
	const char *name;
	__u64 id;
} FOLLOW_CORE;

struct cgroup;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
} FOLLOW_CORE;

struct cgroup_root {
	int hierarchy_id;
} FOLLOW_CORE;

struct cgroup {
	struct cgroup_subsys_state self;
	int level;
	struct kernfs_node *kn;
	struct cgroup_root *root;
} FOLLOW_CORE;

/* The fenced cgroup: what is elsewhere is nobody's matter. */
const volatile __u64 scope_cgroup = 0;
const volatile __u32 scope_level = 0;

__u64 lost = 0; /* changes that found the ring full */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} changes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct df_cgroup_change);
} scratch SEC(".maps");

/* In the default hierarchy, below the fenced cgroup, and not deeper than a policy may name. */
static __always_inline int is_followed(struct cgroup *cgroup, int level)
{
	struct cgroup_subsys_state *css = &cgroup->self;
	int up = level - (int)scope_level;

	if (up < 1 || level >= DF_LEVEL_MAX || BPF_CORE_READ(cgroup, root, hierarchy_id) != 0)
		return 0;
	for (int i = 0; i < DF_LEVEL_MAX && i < up; i++)
		css = BPF_CORE_READ(css, parent);
	return BPF_CORE_READ(css, cgroup, kn, id) == scope_cgroup;
}

static __always_inline int tell(struct cgroup *cgroup, __u32 gone)
{
	__u32 zero = 0, size = __builtin_offsetof(struct df_cgroup_change, name);
	struct df_cgroup_change *change = bpf_map_lookup_elem(&scratch, &zero);
	int level = BPF_CORE_READ(cgroup, level);
	long length = 0;

	if (!change || !is_followed(cgroup, level))
		return 0;
	change->id = BPF_CORE_READ(cgroup, kn, id);
	change->parent = BPF_CORE_READ(cgroup, self.parent, cgroup, kn, id);
	change->gone = gone;
	change->level = (__u32)level;
	if (!gone)
		length = bpf_probe_read_kernel_str(change->name, DF_CGROUP_NAME_MAX,
						   BPF_CORE_READ(cgroup, kn, name));
	if (length > 0)
		size += index_below((__u32)length, DF_CGROUP_NAME_ROOM);
	if (bpf_ringbuf_output(&changes, change, size, 0) < 0)
		atomic_add(&lost, 1);
	return 0;
}

SEC("raw_tp/cgroup_mkdir")
int dnsfence_came(struct bpf_raw_tracepoint_args *ctx)
{
	return tell((struct cgroup *)ctx->args[0], 0);
}

SEC("raw_tp/cgroup_rmdir")
int dnsfence_went(struct bpf_raw_tracepoint_args *ctx)
{
	return tell((struct cgroup *)ctx->args[0], 1);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
