/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second opinion on the verdict: a packet and a configuration as a person would read both, to
 * compare bpf/verdict.h and userspace/policy.c with. It looks at the resolvers as the file lists
 * them, one by one; there is no table, no mask and no code of the fence in it. Tests only.
 */
#ifndef DNSFENCE_TEST_JUDGE_H
#define DNSFENCE_TEST_JUDGE_H

#include "userspace/config.h"

#include "reference.h"

/* As events print them. */
struct judgement {
	const char *verdict; /* "pass", "allow", "deny", "audit" */
	const char *reason;
};

/* The list alone: what decide() has to say. policy is an index into config->policies. */
struct judgement judge_list(const struct config *config, size_t policy, const uint8_t *packet,
			    size_t length);

/*
 * What the packet hook has to say of it when no system call is known: a server's answers pass, too.
 */
struct judgement judge_packet(const struct config *config, size_t policy, const uint8_t *packet,
			      size_t length);

#endif
