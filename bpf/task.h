/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who runs now, read from the task itself. The helpers name the thread, and this kernel's or
 * that one's cgroup_skb programs may not call them; a task can be read by all of them since 5.8,
 * needs BTF and CAP_PERFMON. The few fields needed, relocated by CO-RE, instead of vmlinux.h.
 */
#ifndef DNSFENCE_TASK_H
#define DNSFENCE_TASK_H

#include <bpf/bpf_core_read.h>

#include "maps.h"

#define TASK_CORE __attribute__((preserve_access_index))

struct ns_common {
	unsigned int inum;
} TASK_CORE;

struct net {
	struct ns_common ns;
} TASK_CORE;

struct nsproxy {
	struct net *net_ns;
} TASK_CORE;

typedef struct {
	unsigned int val;
} kuid_t;

struct cred {
	kuid_t uid;
} TASK_CORE;

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
} TASK_CORE;

struct dentry;

struct path {
	struct dentry *dentry;
} TASK_CORE;

struct fs_struct {
	struct path root;
} TASK_CORE;

struct task_struct {
	int tgid;
	struct mm_struct *mm;
	char comm[16];
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct cred *cred;
	struct nsproxy *nsproxy;
	struct fs_struct *fs;
} TASK_CORE;

static __always_inline __u32 task_current_uid(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return BPF_CORE_READ(task, cred, uid.val); /* kuid: as the initial user namespace has it */
}

/*
 * Its root directory, by an address that says nothing but who has the same one: also across mount
 * namespaces, as those of systemd's services, and never a container's and its host's.
 */
static __always_inline __u64 task_current_root(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return (__u64)(unsigned long)BPF_CORE_READ(task, fs, root.dentry);
}

/* The process, not the thread: its leader's name is what ps shows. */
static __always_inline void task_identify(struct df_caller *caller)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct task_struct *parent = BPF_CORE_READ(leader, real_parent, group_leader);

	caller->tgid = BPF_CORE_READ(leader, tgid);
	caller->uid = BPF_CORE_READ(task, cred, uid.val);
	caller->netns_inode = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	caller->parent_tgid = BPF_CORE_READ(parent, tgid);
	BPF_CORE_READ_INTO(&caller->comm, leader, comm);
	BPF_CORE_READ_INTO(&caller->parent_comm, parent, comm);
}

/*
 * The beginning of the arguments, as /proc/PID/cmdline shows them, and not a byte of the
 * environment behind them. Zeroes where nothing can be read without waiting for a page.
 */
static __always_inline void task_read_command(__u8 *to)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	unsigned long start = BPF_CORE_READ(task, mm, arg_start);
	unsigned long length = BPF_CORE_READ(task, mm, arg_end) - start;

	__builtin_memset(to, 0, DF_COMMAND_MAX);
	if (length > DF_COMMAND_MAX)
		length = DF_COMMAND_MAX;
	if (start)
		(void)bpf_probe_read_user(to, (__u32)length, (const void *)start);
}

#endif
