/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * At which hook a lookup is refused, and what its caller is told: the rules of bpf/socket.bpf.c,
 * call_errno(), for people who want to know beforehand. Pure.
 */
#ifndef DNSFENCE_DENIAL_H
#define DNSFENCE_DENIAL_H

#include "bpf/abi.h"
#include "judge.h"
#include "probe.h"

/* What the answer depends on beside the policy. */
struct denial_surroundings {
	const struct kernel_features *features;
	bool attached[DF_HOOK_CGROUP_MAX]; /* or will be */
};

struct denial {
	const char *call; /* "connect()", "sendto()" */
	enum df_hook hook; /* that refuses it, or writes it down where the policy only audits */
	int errnum; /* positive; 0: none */
	const char *fails; /* the call that fails with it; NULL: none does */
	const char *why; /* something people would not expect; NULL: nothing */
};

#define DENIALS_MAX 2

/*
 * Every way in which a program would ask, and where that ends. How many of *ret are filled; 0 when
 * nothing refuses the lookup or writes it down.
 */
size_t denial_of(const struct df_generation *generation, const struct judgement *judgement,
		 const struct df_flow *flow, const struct denial_surroundings *surroundings,
		 struct denial ret[DENIALS_MAX]);

/* "EPERM"; empty for what no configuration can choose. */
const char *denial_errno_name(int errnum);

#endif
