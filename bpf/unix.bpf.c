// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * connect() to a unix socket (Linux 6.7): nothing is judged here and nothing ever refused. Who
 * connects to systemd-resolved is remembered, to be named where its lookup is blocked. Attached
 * only while some policy forwards; the fence does not depend on it.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "client.h"
#include "maps.h"
#include "opaque.h"
#include "task.h"

#define UNIX_ALLOW 1
#define UNIX_PATH 2 /* where the path begins, struct sockaddr_un */
#define UNIX_PATH_LEN 108 /* UNIX_PATH_MAX, linux/un.h */
#define UNIX_PATH_ROOM 128 /* more than that, a power of two, for the verifier */

/* What the context is in the kernel; the part of it that programs see has no path. */
struct bpf_sock_addr_kern {
	void *uaddr; /* struct sockaddr, in kernel memory */
	__u32 uaddrlen;
} TASK_CORE;

/*
 * The end of /run/systemd/resolve/io.systemd.Resolve, and of the links to it: other names for the
 * same socket count, too (/var/run, /run/varlink/registry). Five words.
 */
#define RESOLVED_SOCKET "/io.systemd.Resolve"

union resolved_socket {
	char text[sizeof(RESOLVED_SOCKET)];
	__u32 words[5];
};

_Static_assert(sizeof(union resolved_socket) == sizeof(RESOLVED_SOCKET), "whole words");

static __always_inline int path_is_resolved(const char *end)
{
	const union resolved_socket wanted = {.text = RESOLVED_SOCKET};
	union resolved_socket is = {};
	__u32 differs = 0;

	/* Without the zero: it need not be there. */
	if (bpf_probe_read_kernel(is.text, sizeof(is) - 1, end) < 0)
		return 0;
#pragma unroll
	for (int i = 0; i < 5; i++)
		differs |= is.words[i] ^ wanted.words[i];
	return !differs;
}

/* The path ends with its zero or the address, whichever comes first. */
static __always_inline int call_is_to_resolved(struct bpf_sock_addr *ctx)
{
	struct bpf_sock_addr_kern *call = (struct bpf_sock_addr_kern *)ctx;
	const char *path = (const char *)BPF_CORE_READ(call, uaddr) + UNIX_PATH;
	__u32 room = BPF_CORE_READ(call, uaddrlen) - UNIX_PATH;
	char text[UNIX_PATH_ROOM];
	long length;

	if (room < sizeof(RESOLVED_SOCKET) - 1 || room > UNIX_PATH_LEN)
		return 0;
	length = bpf_probe_read_kernel_str(text, index_below(room + 1, UNIX_PATH_ROOM), path);
	if (length < (long)sizeof(RESOLVED_SOCKET))
		return 0;
	return path_is_resolved(path + length - sizeof(RESOLVED_SOCKET));
}

SEC("cgroup/connect_unix")
int dnsfence_connect_unix(struct bpf_sock_addr *ctx)
{
	struct df_caller caller;
	struct df_via who = {};

	if (!call_is_to_resolved(ctx))
		return UNIX_ALLOW;
	task_identify(&caller);
	via_set_process(&who, &caller);
	who.cgroup_id = bpf_get_current_cgroup_id();
	clients_note_connection(&who, task_current_root(), bpf_ktime_get_ns());
	return UNIX_ALLOW;
}
