// SPDX-License-Identifier: GPL-2.0-or-later
#include "denial.h"

#include "bpf/service.h"

struct refusal {
	const struct df_generation *generation;
	const struct judgement *judgement;
	const struct df_flow *flow;
	const struct denial_surroundings *surroundings;
};

static int refusal_errno(const struct refusal *refusal)
{
	const struct df_generation *generation = refusal->generation;

	if (refusal->judgement->rank >= generation->policies_len ||
	    !refusal->surroundings->features->set_retval)
		return EPERM;
	return generation->policies[refusal->judgement->rank & (DF_POLICY_MAX - 1)].errnum;
}

/* A forwarder's lookup waits for its packet, which tells for whom it is. */
static bool refusal_forwards(const struct refusal *refusal)
{
	const struct df_generation *generation = refusal->generation;
	uint32_t rank = refusal->judgement->rank;

	return rank < generation->policies_len &&
	       (generation->policies[rank & (DF_POLICY_MAX - 1)].flags &
		(DF_POLICY_FORWARDS | DF_POLICY_TRANSLATED)) == DF_POLICY_FORWARDS;
}

/* Is a UDP lookup whose errno is EPERM refused at this call already? Why; NULL: its packet is. */
static const char *refusal_at_call(const struct refusal *refusal, bool connects)
{
	uint32_t flags = refusal->generation->flags;

	if (refusal_errno(refusal) != EPERM)
		return "on_deny asks for another errno than EPERM";
	if ((connects || !(flags & DF_GEN_CALLS)) && refusal_forwards(refusal))
		return NULL;
	if (flags & DF_GEN_TRANSLATED)
		return "a resolver of the policy is marked translated";
	if (!refusal->surroundings->features->packet_cgroup && (flags & DF_GEN_SEVERAL))
		return "this kernel's packets do not tell their sender's cgroup";
	if (connects)
		return flags & DF_GEN_DEFER ? NULL : "";
	return flags & DF_GEN_CALLS ? "hooks: all, or this host's IPsec" : NULL;
}

static enum df_hook refusal_hook(const struct refusal *refusal, bool connects)
{
	bool four = refusal->flow->family == 4;

	if (connects)
		return four ? DF_HOOK_CONNECT4 : DF_HOOK_CONNECT6;
	return four ? DF_HOOK_SENDMSG4 : DF_HOOK_SENDMSG6;
}

static bool refusal_attached(const struct refusal *refusal, bool connects)
{
	return refusal->surroundings->attached[refusal_hook(refusal, connects)];
}

static struct denial denial_tcp(const struct refusal *refusal)
{
	struct denial denial = {.call = "connect()", .hook = DF_HOOK_PACKET};

	if (!refusal_attached(refusal, true)) {
		denial.why = "the hook at connect() is not attached: the handshake waits until it "
			     "times out";
		return denial;
	}
	denial.hook = refusal_hook(refusal, true);
	denial.errnum = refusal_errno(refusal);
	denial.fails = denial.call;
	return denial;
}

static struct denial denial_udp(const struct refusal *refusal, bool connects)
{
	struct denial denial = {.call = connects ? "connect()" : "sendto()"};
	const char *why = refusal_at_call(refusal, connects);

	if (why && refusal_attached(refusal, connects)) {
		denial.hook = refusal_hook(refusal, connects);
		denial.errnum = refusal_errno(refusal);
		denial.fails = denial.call;
		denial.why = *why ? why : NULL;
		return denial;
	}
	denial.hook = DF_HOOK_PACKET;
	denial.errnum = EPERM;
	denial.fails = connects ? "send()" : "sendto()";
	if (connects && !why)
		denial.why = refusal_forwards(refusal) ? "the policy forwards for others"
						       : "deny_at: packet";
	return denial;
}

/* Nothing fails; TCP is written down where it connects, all else where its packet passes. */
static size_t denial_audit(const struct refusal *refusal, struct denial *ret)
{
	bool at_call = refusal->flow->protocol == PROTO_TCP && refusal_attached(refusal, true);

	*ret = (struct denial){
		.call = refusal->flow->protocol == PROTO_TCP ? "connect()" : "send()",
		.hook = at_call ? refusal_hook(refusal, true) : DF_HOOK_PACKET,
	};
	return 1;
}

size_t denial_of(const struct df_generation *generation, const struct judgement *judgement,
		 const struct df_flow *flow, const struct denial_surroundings *surroundings,
		 struct denial ret[DENIALS_MAX])
{
	const struct refusal refusal = {generation, judgement, flow, surroundings};

	if (judgement->verdict == DF_VERDICT_AUDIT)
		return denial_audit(&refusal, ret);
	if (judgement->verdict != DF_VERDICT_DENY)
		return 0;
	switch (flow->protocol) {
	case PROTO_TCP:
		ret[0] = denial_tcp(&refusal);
		return 1;
	case PROTO_UDP:
		ret[0] = denial_udp(&refusal, true);
		ret[1] = denial_udp(&refusal, false);
		return 2;
	default: /* no hook at the call sees UDP-Lite, SCTP or DCCP */
		ret[0] = (struct denial){.call = "send()",
					 .hook = DF_HOOK_PACKET,
					 .errnum = EPERM,
					 .fails = "send()"};
		return 1;
	}
}

/* Those that a configuration can choose, see schema.c. */
const char *denial_errno_name(int errnum)
{
	switch (errnum) {
	case EPERM:
		return "EPERM";
	case ECONNREFUSED:
		return "ECONNREFUSED";
	case EHOSTUNREACH:
		return "EHOSTUNREACH";
	default:
		return "";
	}
}
