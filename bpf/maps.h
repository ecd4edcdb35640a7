/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every map and every global, once. The hook files are linked into one object, hence.
 *
 * Policy lives twice: generations[] in .bss, and behind each outer array two inner maps. A
 * program reads `active` once and stays with that generation; the controller fills the other
 * one and flips the word (userspace/publish.c).
 */
#ifndef DNSFENCE_MAPS_H
#define DNSFENCE_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "opaque.h"

/* What the running kernel's helpers can do; probed by loading (userspace/probe.c). */
const volatile __u32 kernel_packet_task = 0; /* cgroup_skb may read the running task */
const volatile __u32 kernel_packet_cgroup = 0; /* and walk its cgroup's ancestors, 6.12 */
const volatile __u32 kernel_sockopt_cgroup = 0; /* cgroup_sockopt may walk them, 6.1 */
const volatile __u32 kernel_set_retval = 0; /* bpf_set_retval, 5.18 */
const volatile __u32 kernel_connect_unix = 0; /* connect() to unix sockets has a hook, 6.7 */

/* Of the fenced cgroup, the root is 0; which one it is a generation says. */
const volatile __u32 fence_level = 0;

/* Audited datagrams are told of at their call, too, where a fence beside may refuse them: learn's.
 */
const volatile __u32 fence_learns = 0;

/* The host's own network namespace, for resolvers behind this host's NAT. */
const volatile __u64 host_netns_cookie = 0;

/* Random, of this load: nobody else can make a question that has another's hash. */
const volatile __u64 question_key[2] = {};

volatile __u32 active = 0; /* which of the two generations, 0 or 1 */
struct df_generation generations[DF_GENERATIONS] = {};
__u32 flush_next = 0; /* first slot of the next dnsfence_flush run */

/* Sizes, not types: clang 14 leaves types that only an inner map names out of the BTF. */
struct resolver_exact_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct df_resolver_key));
	__uint(value_size, sizeof(__u32));
};

struct resolver_prefix_inner {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct df_resolver_prefix_key));
	__uint(value_size, sizeof(__u32));
};

struct subject_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct df_subject_key));
	__uint(value_size, sizeof(__u32));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, DF_GENERATIONS);
	__type(key, __u32);
	__array(values, struct resolver_exact_inner);
} resolvers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, DF_GENERATIONS);
	__type(key, __u32);
	__array(values, struct resolver_prefix_inner);
} prefixes SEC(".maps");

struct origin_inner {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct df_origin_key));
	__uint(value_size, sizeof(__u32));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, DF_GENERATIONS);
	__type(key, __u32);
	__array(values, struct subject_inner);
} subjects SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, DF_GENERATIONS);
	__type(key, __u32);
	__array(values, struct origin_inner);
} origins SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct df_owner);
} owners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct df_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct df_log_state);
} log_state SEC(".maps");

/* The interfaces that the controller has put filters on, by index; no program reads it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DF_EDGES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct df_edge);
} edges SEC(".maps");

/* What the fence consisted of when it was whole; no program reads it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct df_seal);
} seal SEC(".maps");

/* Who has sent which question, while some policy forwards; by the question's hash. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, DF_ASKERS_MAX);
	__type(key, __u64);
	__type(value, struct df_asker);
} askers SEC(".maps");

/* Who has connected to systemd-resolved's unix socket, while some policy forwards; see client.h. */
struct client_slot {
	struct bpf_spin_lock lock;
	__u32 pad;
	struct df_via last;
	__u64 last_root; /* its root directory, as the kernel's address of it */
	__u64 last_ns; /* CLOCK_MONOTONIC; 0: nobody has */
	__u64 others_ns; /* when, at the latest, anybody else did */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct client_slot);
} clients SEC(".maps");

/* A violation and how often it came again since it was last reported. */
struct fold_slot {
	struct bpf_spin_lock lock;
	__u32 pending;
	__u64 since; /* CLOCK_MONOTONIC of the first; 0: free */
	__u64 head[DF_EVENT_HEAD_SIZE / 8]; /* struct df_event without its question */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DF_FOLD_SLOTS);
	__type(key, __u32);
	__type(value, struct fold_slot);
} folds SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20); /* bytes; the controller may choose another size */
} events SEC(".maps");

static __always_inline const struct df_policy *
generation_policy(const struct df_generation *generation, __u32 rank)
{
	return &generation->policies[index_below(rank, DF_POLICY_MAX)];
}

static __always_inline __u32 *resolver_exact(__u32 gen, const struct df_resolver_key *key)
{
	void *inner = bpf_map_lookup_elem(&resolvers, &gen);

	return inner ? bpf_map_lookup_elem(inner, key) : NULL;
}

static __always_inline __u32 *resolver_prefix(__u32 gen, const struct df_resolver_prefix_key *key)
{
	void *inner = bpf_map_lookup_elem(&prefixes, &gen);

	return inner ? bpf_map_lookup_elem(inner, key) : NULL;
}

#endif
