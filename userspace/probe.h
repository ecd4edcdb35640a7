/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the running kernel's BPF can do, found out by loading programs of a few instructions:
 * version numbers and generic feature probes have both been wrong. And for people, what happens
 * where it cannot: which layer takes over, or what stays refused.
 */
#ifndef DNSFENCE_PROBE_H
#define DNSFENCE_PROBE_H

#include "util.h"

struct kernel_features {
	bool packet_task; /* cgroup_skb may read the running task */
	bool packet_cgroup; /* cgroup_skb may walk the ancestors of its cgroup, 6.12 */
	bool sockopt; /* cgroup_sockopt programs may read the running task */
	bool sockopt_cgroup; /* and walk its cgroup's ancestors, 6.1 */
	bool set_retval; /* sock_addr may choose the errno, 5.18 */
	bool connect_unix; /* connect() to unix sockets has a hook, 6.7 */
	bool netns_cookie; /* user space can learn its own, 5.14 */
};

/* One of them, for people. */
struct kernel_feature {
	const char *name;
	const char *since; /* Linux version */
	size_t offset; /* of its bool in struct kernel_features */
	uint32_t needed_by; /* of kernel_needs(), any; 0: all policies do */
	bool refuses; /* without it such a policy is not met as written, on the closed side */
	const char *what; /* is possible with it */
	const char *instead; /* without it */
};

/* Ends with a NULL name. */
extern const struct kernel_feature kernel_feature_table[];

bool kernel_has(const struct kernel_features *features, const struct kernel_feature *feature);

/* Beside DF_GEN_ flags: interfaces are fenced, and there are several policies. */
#define KERNEL_NEEDED_AT_EDGE (1u << 31)

/* The flags of a policy: DF_GEN_ of the generation, and whether interfaces are fenced. */
uint32_t kernel_needs(uint32_t generation_flags, bool edge);

/* needs: from kernel_needs(). */
bool kernel_feature_is_needed(const struct kernel_feature *feature, uint32_t needs);

/* Of this process's network namespace; 0 where the kernel does not tell. */
uint64_t probe_netns_cookie(void);

/* 0, or -EPERM without the privilege to load anything, -errno when BPF is missing. */
int probe_kernel(struct kernel_features *ret);

#endif
