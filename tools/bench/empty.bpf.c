// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs that allow everything and look at nothing: what a hook costs before a policy does.
 * The benchmark's reference; never part of dnsfence.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("cgroup_skb/egress")
int empty_packet(struct __sk_buff *skb)
{
	(void)skb;
	return 1;
}

SEC("cgroup/connect4")
int empty_connect4(struct bpf_sock_addr *ctx)
{
	(void)ctx;
	return 1;
}

SEC("tc")
int empty_tc(struct __sk_buff *skb)
{
	(void)skb;
	return -1; /* TC_ACT_UNSPEC: the next filter, as dnsfence's own */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
