// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

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
		PROBE(BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT, probe_packet_cgroup) &&
		PROBE(BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT, probe_packet_task);
	ret->set_retval =
		PROBE(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT, probe_set_retval);
	return 0;
}
