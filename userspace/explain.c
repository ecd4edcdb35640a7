// SPDX-License-Identifier: GPL-2.0-or-later
#include "explain.h"

#include "bpf/service.h"

const struct policy_config *explain_policy(const struct explain_request *request, uint32_t rank)
{
	return request->config && rank < request->config->policies_length
		       ? &request->config->policies[rank]
		       : NULL;
}

const char *explain_policy_name(const struct explain_request *request, uint32_t rank)
{
	return rank < DF_POLICY_MAX ? request->image->generation.policies[rank].name : "";
}

static int claim_compare(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	/* Of one policy's entries the nearest is shown first. */
	return a->level > b->level ? -1 : a->level < b->level;
}

static void claim_add(const struct policy_image *image, uint64_t cgroup_id, uint32_t uid,
		      struct claim claim, struct explanation *to)
{
	const uint32_t *rank = judge_subject(image, cgroup_id, uid);

	if (!rank || to->claims_length == CLAIMS_MAX)
		return;
	claim.rank = *rank;
	to->claims[to->claims_length++] = claim;
}

static void explain_claims(const struct explain_request *request, struct explanation *to)
{
	const struct policy_image *image = request->image;
	const struct asker *asker = request->asker;

	to->claims[to->claims_length++] = (struct claim){.rank = image->generation.default_policy};
	if (asker->uid != DF_UID_ANY)
		claim_add(image, 0, asker->uid, (struct claim){.by_user = true}, to);
	for (unsigned int level = 0; level < asker->levels; level++) {
		uint64_t id = asker->ancestors[level];

		claim_add(image, id, DF_UID_ANY, (struct claim){.by_cgroup = true, .level = level},
			  to);
		if (asker->uid != DF_UID_ANY)
			claim_add(
				image, id, asker->uid,
				(struct claim){.by_cgroup = true, .by_user = true, .level = level},
				to);
	}
	qsort(to->claims, to->claims_length, sizeof(*to->claims), claim_compare);
}

/* Does this line of the configuration sanction the flow? */
static bool line_grants(const struct config *config, const struct resolver *resolver,
			const struct df_flow *flow)
{
	uint32_t protocols = protocol_bit(flow->protocol);
	uint32_t service = service_of(flow->dport, protocols, config->services);
	uint16_t port = service < DF_SERVICE_MAX ? 0 : flow->dport;
	uint32_t wanted = port ? protocols : DF_SERVICE_MASK(service, protocols);
	struct resolver_mask masks[RESOLVER_MASKS_MAX];
	int length;

	if (!protocols || resolver->address.family != flow->family ||
	    !address_bits_equal(resolver->address.bytes, flow->daddr, resolver->address.prefix))
		return false;
	length = policy_resolver_masks(config, resolver, masks);
	for (int i = 0; i < length; i++)
		if (masks[i].port == port && (masks[i].mask & wanted))
			return true;
	return false;
}

static struct grant_line set_line(const struct config *config, const struct resolver_set *set,
				  const struct df_flow *flow)
{
	for (size_t i = 0; i < set->length; i++)
		if (line_grants(config, &set->resolvers[i], flow))
			return (struct grant_line){set, &set->resolvers[i]};
	return (struct grant_line){0};
}

/* The first line of a policy that sanctions the flow, in the order in which it names its sets. */
static struct grant_line policy_line(const struct explain_request *request, uint32_t rank,
				     const struct df_flow *flow)
{
	const struct policy_config *policy = explain_policy(request, rank);
	struct grant_line line = {0};

	for (size_t i = 0; policy && !line.set && i < policy->sets_length; i++)
		line = set_line(request->config, config_find_set(request->config, policy->sets[i]),
				flow);
	return line;
}

static void near_add(struct explanation *to, const struct near_miss *near)
{
	for (size_t i = 0; i < to->near_length; i++)
		if (to->near[i].kind == near->kind && to->near[i].port == near->port &&
		    to->near[i].protocol == near->protocol && to->near[i].rank == near->rank &&
		    to->near[i].line.set == near->line.set)
			return;
	if (to->near_length == NEAR_MAX)
		to->near_more = true;
	else
		to->near[to->near_length++] = *near;
}

static bool sanctions(const struct explain_request *request, const struct df_flow *flow,
		      uint32_t rank)
{
	return judge_flow(request->image, flow, rank).reason == DF_REASON_SANCTIONED;
}

/* The same address on another port or over the other transport, if that is sanctioned. */
static void near_try(const struct explain_request *request, const struct df_flow *flow,
		     uint16_t port, uint8_t protocol, struct explanation *to)
{
	uint32_t rank = to->judgement.rank;
	struct df_flow other = *flow;
	struct near_miss near = {.kind = NEAR_OTHER_WAY, .port = port, .protocol = protocol};

	other.dport = port;
	other.protocol = protocol;
	if (!sanctions(request, &other, rank))
		return;
	near.service =
		service_of(port, protocol_bit(protocol), request->image->generation.services);
	near.rank = rank;
	near.line = policy_line(request, rank, &other);
	near_add(to, &near);
}

static void near_try_both(const struct explain_request *request, const struct df_flow *flow,
			  uint16_t port, struct explanation *to)
{
	near_try(request, flow, port, PROTO_UDP, to);
	near_try(request, flow, port, PROTO_TCP, to);
}

static void near_own_ports(const struct explain_request *request, const struct df_flow *flow,
			   const struct policy_resolver *list, size_t length,
			   struct explanation *to)
{
	uint32_t scope = request->image->generation.policies[to->judgement.rank].scope;

	for (size_t i = 0; i < length; i++)
		if (list[i].key.scope == scope && list[i].key.port &&
		    list[i].key.family == flow->family &&
		    address_bits_equal(list[i].key.addr, flow->daddr, list[i].prefix))
			near_try_both(request, flow, list[i].key.port, to);
}

static void near_other_ways(const struct explain_request *request, const struct df_flow *flow,
			    struct explanation *to)
{
	const struct policy_image *image = request->image;

#define X(id, name, port, bits, source) near_try_both(request, flow, port, to);
	DF_SERVICES(X)
#undef X
	near_own_ports(request, flow, image->exact, image->exact_length, to);
	near_own_ports(request, flow, image->prefixes, image->prefixes_length, to);
}

static void near_other_policies(const struct explain_request *request, const struct df_flow *flow,
				struct explanation *to)
{
	for (uint32_t rank = 0; rank < request->image->generation.policies_len; rank++) {
		struct near_miss near = {.kind = NEAR_OTHER_POLICY, .rank = rank};

		if (rank == to->judgement.rank || !sanctions(request, flow, rank))
			continue;
		near.line = policy_line(request, rank, flow);
		near_add(to, &near);
	}
}

static bool set_is_named(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->policies_length; i++)
		for (size_t j = 0; j < config->policies[i].sets_length; j++)
			if (util_streq(config->policies[i].sets[j], name))
				return true;
	return false;
}

static void near_unused_sets(const struct explain_request *request, const struct df_flow *flow,
			     struct explanation *to)
{
	const struct config *config = request->config;

	for (size_t i = 0; config && i < config->sets_length; i++) {
		struct near_miss near = {.kind = NEAR_UNUSED_SET};

		if (set_is_named(config, config->sets[i].name))
			continue;
		near.line = set_line(config, &config->sets[i], flow);
		if (near.line.set)
			near_add(to, &near);
	}
}

/* Let through only because `services` leaves the port's service out. */
static void near_unfenced(const struct explain_request *request, const struct df_flow *flow,
			  struct explanation *to)
{
	uint32_t unfenced = ~request->image->generation.services;
	uint32_t service = service_of(flow->dport, protocol_bit(flow->protocol), unfenced);
	struct near_miss near = {.kind = NEAR_UNFENCED,
				 .service = service,
				 .port = flow->dport,
				 .protocol = flow->protocol};

	if (service < DF_SERVICE_MAX && protocol_bit(flow->protocol))
		near_add(to, &near);
}

static void explain_near(const struct explain_request *request, const struct df_flow *flow,
			 struct explanation *to)
{
	bool pass = to->judgement.verdict == DF_VERDICT_PASS;

	if (pass)
		near_unfenced(request, flow, to);
	if (to->judgement.reason == DF_REASON_NOT_SANCTIONED ||
	    (pass && judge_fences(request->image, flow->dport)))
		near_other_ways(request, flow, to);
	if (to->judgement.reason != DF_REASON_NOT_SANCTIONED)
		return;
	near_other_policies(request, flow, to);
	near_unused_sets(request, flow, to);
}

void explain(const struct explain_request *request, const struct query *query,
	     struct explanation *ret)
{
	const struct df_flow flow = query_flow(query);

	*ret = (struct explanation){.query = *query};
	if (request->asker->outside) {
		ret->judgement = (struct judgement){.verdict = DF_VERDICT_PASS,
						    .service = DF_SERVICE_MAX,
						    .rank = DF_POLICY_MAX};
		return;
	}
	explain_claims(request, ret);
	ret->judgement = judge_flow(request->image, &flow, ret->claims[0].rank);
	if (ret->judgement.reason == DF_REASON_SANCTIONED)
		ret->line = policy_line(request, ret->judgement.rank, &flow);
	ret->denials_length = denial_of(&request->image->generation, &ret->judgement, &flow,
					request->surroundings, ret->denials);
	explain_near(request, &flow, ret);
}
