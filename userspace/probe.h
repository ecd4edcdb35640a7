/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the running kernel's BPF can do, found out by loading programs of a few instructions:
 * version numbers and generic feature probes have both been wrong.
 */
#ifndef DNSFENCE_PROBE_H
#define DNSFENCE_PROBE_H

#include "util.h"

struct kernel_features {
	bool packet_task; /* cgroup_skb may read the running task */
	bool packet_cgroup; /* cgroup_skb may walk the ancestors of its cgroup, 6.12 */
	bool sockopt; /* cgroup_sockopt programs can tell the caller's cgroup */
	bool set_retval; /* sock_addr may choose the errno, 5.18 */
};

/* 0, or -EPERM without the privilege to load anything, -errno when BPF is missing. */
int probe_kernel(struct kernel_features *ret);

#endif
