/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one verdict: struct df_flow + a policy -> struct df_decision. No context access and no
 * helper, so the host compiler tests the very same code. The includer provides the table:
 *
 *   __u32 *resolver_exact(gen, const struct df_resolver_key *)
 *   __u32 *resolver_prefix(gen, const struct df_resolver_prefix_key *)
 *
 * returning the entry's mask, or NULL.
 *
 * Order of the checks; the first that applies decides:
 *   1. ports that can be read, and are not fenced  -> pass
 *   2. no policy                                  -> deny  no-policy
 *   3. resolvers: any                             -> allow exempt
 *   4. ports that cannot be read                  -> deny  truncated-header, header-chain,
 *                                                          fragment, ipsec
 *   5. an address that may not be the real target -> deny  routing-header, source-route, tunnel
 *   6. a service's port over SCTP or DCCP         -> deny  transport
 *   7. the resolver is in the policy's scope      -> allow sanctioned
 *   8. a service's port                           -> deny  resolver-not-sanctioned
 *   9. another policy's resolver with own port    -> deny  resolver-not-sanctioned
 *  10. that port, but nobody's resolver           -> pass
 *
 * Worked examples, policy with resolver 10.0.0.53 and services dns, dot, doq:
 *   UDP 10.0.0.53:53 allow; UDP 8.8.8.8:53 deny; TCP 8.8.8.8:443 pass; UDP 10.0.0.53:53 under a
 *   segment routing header deny; SCTP 10.0.0.53:53 deny; later fragment of UDP to anywhere deny.
 */
#ifndef DNSFENCE_VERDICT_H
#define DNSFENCE_VERDICT_H

#include "abi.h"
#include "flow.h"
#include "opaque.h"
#include "service.h"

struct df_decision {
	__u8 verdict;
	__u8 reason;
	__u8 service; /* DF_SERVICE_MAX: none, or a resolver's own port */
	__u8 translated; /* the resolver is behind this host's NAT */
	__u32 policy; /* rank */
};

static __always_inline __u64 decision_pack(const struct df_decision *decision)
{
	return (__u64)decision->policy << 32 | (__u64)decision->translated << 24 |
	       decision->service << 16 | decision->reason << 8 | decision->verdict;
}

static __always_inline struct df_decision decision_unpack(__u64 packed)
{
	return (struct df_decision){
		.policy = packed >> 32,
		.translated = (__u8)(packed >> 24),
		.service = (__u8)(packed >> 16),
		.reason = (__u8)(packed >> 8),
		.verdict = (__u8)packed,
	};
}

static __always_inline int port_is_fenced(const struct df_generation *generation, __u16 port)
{
	return (generation->ports[index_below(port >> 6, DF_PORT_WORDS)] >> (port & 63)) & 1;
}

/*
 * May what leaves this source port be a server's answer by its DNS header? What leaves a DoQ server
 * is QUIC, and its bytes are none.
 */
static __always_inline int port_may_answer(const struct df_generation *generation,
					   const struct df_flow *flow)
{
	return port_is_fenced(generation, flow->sport) &&
	       service_of(flow->sport, protocol_bit(flow->protocol), 1u << DF_SERVICE_DOQ) ==
		       DF_SERVICE_MAX;
}

enum grant {
	GRANT_NONE,
	GRANT_LISTED,
	GRANT_TRANSLATED, /* and reached through this host's NAT */
};

static __always_inline __u32 grant_of(const __u32 *mask, __u32 wanted)
{
	if (!mask || !(*mask & wanted))
		return GRANT_NONE;
	return *mask & DF_RESOLVER_TRANSLATED(wanted) ? GRANT_TRANSLATED : GRANT_LISTED;
}

static __always_inline int near_is_target(const struct df_near_resolver *near,
					  const struct df_flow *flow)
{
	const __u64 *addr = (const __u64 *)flow->daddr;

	return near->addr[0] == addr[0] && near->addr[1] == addr[1] && near->family == flow->family;
}

/* The same answer as the table's for the first resolvers of a policy, at a fraction of its cost. */
static __always_inline __u32 near_grant(const struct df_flow *flow, const struct df_policy *policy,
					__u32 wanted)
{
	for (int i = 0; i < DF_NEAR_MAX; i++)
		if (near_is_target(&policy->near[i], flow))
			return grant_of(&policy->near[i].mask, wanted);
	return GRANT_NONE;
}

/* What a scope grants the flow's target on a port (0: the services' own). */
static __always_inline __u32 resolver_grant(__u32 gen, const struct df_flow *flow, __u32 scope,
					    __u16 port, __u32 wanted, int prefixes)
{
	struct df_resolver_prefix_key prefix = {};
	__u32 grant;

	prefix.key.scope = scope;
	prefix.key.port = port;
	prefix.key.family = flow->family;
	__builtin_memcpy(prefix.key.addr, flow->daddr, sizeof(prefix.key.addr));

	grant = grant_of(resolver_exact(gen, &prefix.key), wanted);
	if (grant != GRANT_NONE || !prefixes)
		return grant;
	prefix.prefixlen = DF_PREFIX_BASE + (flow->family == 4 ? 32 : 128);
	return grant_of(resolver_prefix(gen, &prefix), wanted);
}

static __always_inline __u32 decide_structure(const struct df_flow *flow)
{
	if (flow->flags & FLOW_TRUNCATED)
		return DF_REASON_TRUNCATED;
	if (flow->flags & FLOW_CHAIN)
		return DF_REASON_HEADER_CHAIN;
	if (flow->flags & FLOW_LATER_FRAGMENT)
		return DF_REASON_FRAGMENT;
	if ((flow->flags & (FLOW_SEALED | FLOW_PORTS)) == FLOW_SEALED)
		return DF_REASON_IPSEC;
	return DF_REASON_NONE;
}

static __always_inline __u32 decide_disguise(const struct df_flow *flow)
{
	if (flow->flags & FLOW_ROUTING)
		return DF_REASON_ROUTING_HEADER;
	if (flow->flags & FLOW_SOURCE_ROUTE)
		return DF_REASON_SOURCE_ROUTE;
	if (flow->flags & FLOW_TUNNEL)
		return DF_REASON_TUNNEL;
	return DF_REASON_NONE;
}

/* Reason for a flow to a fenced port; NONE: it is nobody's resolver. *ret_grant: see above. */
static __always_inline __u32 decide_resolver(const struct df_flow *flow,
					     const struct df_generation *generation,
					     const struct df_policy *policy, __u32 gen,
					     __u32 service, __u32 *ret_grant)
{
	__u32 protocols = protocol_bit(flow->protocol);
	int prefixes = !!(policy->flags & DF_POLICY_PREFIXES);

	if (service != DF_SERVICE_MAX) {
		if (!protocols)
			return DF_REASON_TRANSPORT;
		protocols = DF_SERVICE_MASK(service, protocols);
		*ret_grant = near_grant(flow, policy, protocols);
		if (!*ret_grant)
			*ret_grant =
				resolver_grant(gen, flow, policy->scope, 0, protocols, prefixes);
		return *ret_grant ? DF_REASON_SANCTIONED : DF_REASON_NOT_SANCTIONED;
	}
	*ret_grant = resolver_grant(gen, flow, policy->scope, flow->dport, protocols, prefixes);
	if (*ret_grant)
		return DF_REASON_SANCTIONED;
	if (resolver_grant(gen, flow, DF_SCOPE_ENDPOINTS, flow->dport, protocols,
			   !!(generation->flags & DF_GEN_ENDPOINT_PREFIXES)))
		return DF_REASON_NOT_SANCTIONED;
	return DF_REASON_NONE;
}

static __always_inline __u32 decide_reason(const struct df_flow *flow,
					   const struct df_generation *generation,
					   const struct df_policy *policy, __u32 gen, __u32 service,
					   __u32 *ret_grant)
{
	__u32 reason = decide_structure(flow);

	if (reason == DF_REASON_NONE &&
	    (!(flow->flags & FLOW_PORTS) || !port_is_fenced(generation, flow->dport)))
		return DF_REASON_NONE;
	if (!(policy->flags & DF_POLICY_VALID))
		return DF_REASON_NO_POLICY;
	if (policy->flags & DF_POLICY_EXEMPT)
		return DF_REASON_EXEMPT;
	if (reason == DF_REASON_NONE)
		reason = decide_disguise(flow);
	if (reason != DF_REASON_NONE)
		return reason;
	return decide_resolver(flow, generation, policy, gen, service, ret_grant);
}

/* gen: which of the two tables generation is; it only travels to resolver_*(). */
static __always_inline struct df_decision decide(const struct df_flow *flow,
						 const struct df_generation *generation,
						 const struct df_policy *policy, __u32 gen)
{
	struct df_decision decision = {.service = DF_SERVICE_MAX};
	__u32 service = DF_SERVICE_MAX, grant = GRANT_NONE;

	if (flow->flags & FLOW_PORTS)
		service =
			service_of(flow->dport, protocol_bit(flow->protocol), generation->services);
	decision.service = (__u8)service;
	decision.reason = (__u8)decide_reason(flow, generation, policy, gen, service, &grant);
	decision.translated = grant == GRANT_TRANSLATED;

	switch (decision.reason) {
	case DF_REASON_NONE:
		decision.verdict = DF_VERDICT_PASS;
		break;
	case DF_REASON_SANCTIONED:
	case DF_REASON_EXEMPT:
	case DF_REASON_ANSWER:
		decision.verdict = DF_VERDICT_ALLOW;
		break;
	default:
		decision.verdict =
			policy->flags & DF_POLICY_AUDIT ? DF_VERDICT_AUDIT : DF_VERDICT_DENY;
	}
	return decision;
}

/* Of the caller's and the socket's decision the stricter one. */
static __always_inline int verdict_is_stricter(__u32 a, __u32 b)
{
	/* pass < allow < audit < deny */
	__u32 rank_a = a == DF_VERDICT_DENY ? 4 : a;
	__u32 rank_b = b == DF_VERDICT_DENY ? 4 : b;

	return rank_a > rank_b;
}

#endif
