// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/socket.h>

#include "bpf/abi.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* asm-generic/socket.h, 5.14 */
#endif

#define FEATURE(field) .offset = offsetof(struct kernel_features, field)

const struct kernel_feature kernel_feature_table[] = {
	{"packet-task", "5.8", FEATURE(packet_task),
	 .what = "the packet hook reads which process sends",
	 .instead = "sendmsg4/6 are attached and record who sends"},
	{"packet-cgroup", "6.12", FEATURE(packet_cgroup), .needed_by = DF_GEN_SEVERAL,
	 .what = "the packet hook judges the sender's cgroup, too",
	 .instead =
		 "sendmsg4/6 are attached and judge the sender; a packet is judged by the cgroup "
		 "that made its socket and by who connected it"},
	{"connect-unix", "6.7", FEATURE(connect_unix), .needed_by = DF_GEN_FORWARDS,
	 .what = "an event names who has connected to systemd-resolved, as nss-resolve does",
	 .instead = "of systemd-resolved's clients only those that ask its stub are named"},
	{"sockopt-cgroup", "6.1", FEATURE(sockopt_cgroup), .needed_by = KERNEL_NEEDED_AT_EDGE,
	 .refuses = true,
	 .what = "setsockopt() that sends past the edge is judged by the caller's policy",
	 .instead =
		 "it is refused to everybody, also in audit mode, as there are several policies"},
	{"errno", "5.18", FEATURE(set_retval), .needed_by = DF_GEN_ERRNO, .refuses = true,
	 .what = "on_deny chooses the errno",
	 .instead = "on_deny is eperm: connect4/6 and packet deny with EPERM"},
	{"netns-cookie", "5.14", FEATURE(netns_cookie), .needed_by = DF_GEN_TRANSLATED,
	 .refuses = true, .what = "a packet is known to be from the daemon's network namespace",
	 .instead = "`translated` resolvers are refused: packet denies what this host's NAT has "
		    "redirected"},
	{0},
};

bool kernel_has(const struct kernel_features *features, const struct kernel_feature *feature)
{
	return *(const bool *)((const char *)features + feature->offset);
}

uint32_t kernel_needs(uint32_t generation_flags, bool edge)
{
	return generation_flags |
	       (edge && (generation_flags & DF_GEN_SEVERAL) ? KERNEL_NEEDED_AT_EDGE : 0);
}

bool kernel_feature_is_needed(const struct kernel_feature *feature, uint32_t needs)
{
	return !feature->needed_by || (feature->needed_by & needs);
}

#define INSN(op, dst, src, offset, value)    \
	((struct bpf_insn){.code = (op),     \
			   .dst_reg = (dst), \
			   .src_reg = (src), \
			   .off = (offset),  \
			   .imm = (value)})
#define CALL(helper) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define MOV(dst, value) INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value)
#define COPY(dst, src) INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define ADD(dst, value) INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, value)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static const struct bpf_insn probe_nothing[] = {MOV(BPF_REG_0, 1), EXIT};

/* What bpf/task.h needs. */
static const struct bpf_insn probe_packet_task[] = {
	CALL(BPF_FUNC_get_current_task),
	COPY(BPF_REG_3, BPF_REG_0),
	COPY(BPF_REG_1, BPF_REG_10),
	ADD(BPF_REG_1, -8),
	MOV(BPF_REG_2, 8),
	CALL(BPF_FUNC_probe_read_kernel),
	MOV(BPF_REG_0, 1),
	EXIT,
};

static const struct bpf_insn probe_packet_cgroup[] = {
	MOV(BPF_REG_1, 0),
	CALL(BPF_FUNC_get_current_ancestor_cgroup_id),
	MOV(BPF_REG_0, 1),
	EXIT,
};

static const struct bpf_insn probe_set_retval[] = {
	MOV(BPF_REG_1, 0),
	CALL(BPF_FUNC_set_retval),
	MOV(BPF_REG_0, 1),
	EXIT,
};

static int probe_load(enum bpf_prog_type type, enum bpf_attach_type attach,
		      const struct bpf_insn *insns, size_t length)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach);
	int fd = bpf_prog_load(type, "dnsfence_probe", "Dual BSD/GPL", insns, length, &options);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

uint64_t probe_netns_cookie(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) < 0)
		return 0;
	return cookie;
}

#define PROBE(type, attach, insns) (probe_load(type, attach, insns, ARRAY_LEN(insns)) == 0)

int probe_kernel(struct kernel_features *ret)
{
	int r = probe_load(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, probe_nothing,
			   ARRAY_LEN(probe_nothing));

	if (r < 0)
		return r;
	ret->packet_task =
		PROBE(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, probe_packet_task);
	ret->packet_cgroup =
		PROBE(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, probe_packet_cgroup);
	ret->sockopt =
		PROBE(BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT, probe_packet_task);
	ret->sockopt_cgroup =
		PROBE(BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT, probe_packet_cgroup);
	ret->connect_unix =
		PROBE(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, DF_ATTACH_UNIX_CONNECT, probe_packet_task);
	ret->set_retval =
		PROBE(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT, probe_set_retval);
	ret->netns_cookie = probe_netns_cookie() != 0;
	return 0;
}
