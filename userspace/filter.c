// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>

#include "bpf/abi.h"
#include "links.h"

/*
 * Filters run by priority, lowest first, and of one priority the newest first. Other kinds of
 * filters than bpf cannot share ours, hence the way up.
 */
#define PRIORITY_MAX 8
#define HANDLE_BASE 0xdf000000u

uint32_t filter_handle(const char *owner)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *owner; owner++)
		hash = (hash ^ (unsigned char)*owner) * 16777619u;
	return HANDLE_BASE | (hash & 0xffffffu);
}

uint32_t filter_netns(void)
{
	struct stat st;

	return stat("/proc/thread-self/ns/net", &st) < 0 ? 0 : (uint32_t)st.st_ino;
}

static struct bpf_tc_hook filter_hook(const struct filter *filter)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = (int)filter->ifindex,
		.attach_point = filter->ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS,
	};
}

/* The clsact queueing discipline that filters hang on; whether it is ours is remembered. */
static int filter_make_hook(uint32_t ifindex, int edges)
{
	struct bpf_tc_hook hook = {.sz = sizeof(hook),
				   .ifindex = (int)ifindex,
				   .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS};
	struct df_edge edge = {0};
	int r = bpf_tc_hook_create(&hook);

	if (r < 0 && r != -EEXIST)
		return r;
	(void)bpf_map_lookup_elem(edges, &ifindex, &edge);
	edge.netns_inode = filter_netns();
	edge.flags |= r == 0 ? DF_EDGE_QDISC : 0;
	return bpf_map_update_elem(edges, &ifindex, &edge, BPF_ANY) < 0 ? -errno : 0;
}

bool filter_is_there(struct filter *filter)
{
	filter->priority = link_find_filter(filter->ifindex, filter->ingress, filter->handle);
	return filter->priority != 0;
}

bool filter_is_ours(const struct filter *filter)
{
	struct bpf_tc_hook hook = filter_hook(filter);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = filter->handle, .priority = filter->priority);
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	/* A classic program has no id. */
	return bpf_tc_query(&hook, &options) == 0 &&
	       bpf_obj_get_info_by_fd(filter->program, &info, &size) == 0 &&
	       options.prog_id == info.id;
}

static int filter_put_at(const struct filter *filter, unsigned int priority)
{
	struct bpf_tc_hook hook = filter_hook(filter);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = filter->handle, .priority = priority,
		    .prog_fd = filter->program, .flags = BPF_TC_F_REPLACE);

	return bpf_tc_attach(&hook, &options);
}

int filter_put(struct filter *filter, int edges)
{
	int r = filter_make_hook(filter->ifindex, edges);

	if (r < 0)
		return r;
	if (!filter->ingress && !link_has_clsact(filter->ifindex))
		return -EBUSY; /* the kernel would hang it on the way in */
	if (filter_is_there(filter))
		return filter_put_at(filter, filter->priority);
	for (unsigned int priority = 1; priority <= PRIORITY_MAX; priority++) {
		r = filter_put_at(filter, priority);
		if (r == -EINVAL || r == -EEXIST) /* another kind of filter is there */
			continue;
		filter->priority = r == 0 ? priority : 0;
		return r;
	}
	return r;
}

int filter_take(struct filter *filter)
{
	struct bpf_tc_hook hook = filter_hook(filter);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = filter->handle);
	int r;

	if (!filter_is_there(filter))
		return 0;
	options.priority = filter->priority;
	r = bpf_tc_detach(&hook, &options);
	return r == -ENODEV || r == -ENOENT ? 0 : r; /* gone meanwhile */
}

void filter_drop_hook(uint32_t ifindex, int edges)
{
	struct bpf_tc_hook hook = {.sz = sizeof(hook),
				   .ifindex = (int)ifindex,
				   .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS};
	struct df_edge edge;

	if (edges < 0 || bpf_map_lookup_elem(edges, &ifindex, &edge) < 0)
		return;
	(void)bpf_map_delete_elem(edges, &ifindex);
	if ((edge.flags & DF_EDGE_QDISC) && edge.netns_inode == filter_netns() &&
	    !link_has_filters(ifindex))
		(void)bpf_tc_hook_destroy(&hook);
}
