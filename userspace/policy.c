// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy.h"

#include "bpf/service.h"
#include "policy_subjects.h"

void policy_image_done(struct policy_image *image)
{
	free(image->exact);
	free(image->prefixes);
	free(image->subjects);
	free(image->origins);
	*image = (struct policy_image){0};
}

static bool policy_has_set(const struct policy_config *policy, const char *name)
{
	for (size_t i = 0; i < policy->sets_length; i++)
		if (util_streq(policy->sets[i], name))
			return true;
	return false;
}

/* The same sets, in whatever order and however often, are the same scope. */
static bool policy_same_sets(const struct policy_config *a, const struct policy_config *b)
{
	for (size_t i = 0; i < a->sets_length; i++)
		if (!policy_has_set(b, a->sets[i]))
			return false;
	for (size_t i = 0; i < b->sets_length; i++)
		if (!policy_has_set(a, b->sets[i]))
			return false;
	return true;
}

/* The scope of each policy: that of the first one with the same resolvers, from 1. */
static uint32_t policy_scope(const struct config *config, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (policy_same_sets(&config->policies[i], &config->policies[index]))
			return (uint32_t)i + 1;
	return (uint32_t)index + 1;
}

static void port_fence(struct df_generation *generation, uint16_t port)
{
	generation->ports[port >> 6] |= 1ull << (port & 63);
}

static void policy_fence_services(const struct config *config, struct df_generation *generation)
{
	generation->services = config->services;
#define X(id, name, port, protocols, source)            \
	if (config->services & (1u << DF_SERVICE_##id)) \
		port_fence(generation, port);
	DF_SERVICES(X)
#undef X
}

/* For the services' own ports: which of them, over which transports. */
static uint32_t resolver_service_mask(const struct config *config, const struct resolver *resolver)
{
	uint32_t services = resolver->services ? resolver->services : config->services;
	uint32_t only = resolver->protocols ? resolver->protocols : DF_PROTO_UDP | DF_PROTO_TCP;
	uint32_t mask = 0;

	for (uint32_t service = 0; service < DF_SERVICE_MAX; service++)
		if (services & (1u << service))
			mask |= DF_SERVICE_MASK(service, service_protocols(service) & only);
	return mask;
}

/* The transports of a resolver with a port of its own. */
static uint32_t resolver_port_protocols(const struct resolver *resolver)
{
	uint32_t only = resolver->protocols ? resolver->protocols : DF_PROTO_UDP | DF_PROTO_TCP;

	for (uint32_t service = 0; service < DF_SERVICE_MAX; service++)
		if (resolver->services & (1u << service))
			return service_protocols(service) & only;
	return only;
}

int policy_resolver_masks(const struct config *config, const struct resolver *resolver,
			  struct resolver_mask ret[RESOLVER_MASKS_MAX])
{
	uint32_t protocols, own = 0, mask = 0;
	int length = 0;

	if (!resolver->port) {
		ret[0] = (struct resolver_mask){0, resolver_service_mask(config, resolver)};
		return 1;
	}
	protocols = resolver_port_protocols(resolver);
	for (uint32_t bit = DF_PROTO_UDP; bit <= DF_PROTO_TCP; bit <<= 1) {
		uint32_t service = service_of(resolver->port, bit, config->services);

		if (!(protocols & bit))
			continue;
		if (service < DF_SERVICE_MAX)
			mask |= DF_SERVICE_MASK(service, bit);
		else
			own |= bit;
	}
	if (mask)
		ret[length++] = (struct resolver_mask){0, mask};
	if (own)
		ret[length++] = (struct resolver_mask){resolver->port, own};
	return length;
}

struct resolver_list {
	struct policy_resolver *list;
	size_t length;
};

static int resolver_add(struct resolver_list *to, const struct resolver *resolver, uint32_t scope,
			uint16_t port, uint32_t mask)
{
	struct policy_resolver *entry = ARRAY_APPEND(to->list, to->length);

	if (!entry)
		return -ENOMEM;
	entry->key.scope = scope;
	entry->key.port = port;
	entry->key.family = resolver->address.family;
	memcpy(entry->key.addr, resolver->address.bytes, sizeof(entry->key.addr));
	entry->prefix = resolver->address.prefix;
	entry->mask = mask | (resolver->translated ? DF_RESOLVER_TRANSLATED(mask) : 0);
	return 0;
}

struct compiler {
	const struct config *config;
	struct policy_image *image;
	struct resolver_list exact, prefixes;
};

static struct resolver_list *compiler_table(struct compiler *compiler,
					    const struct resolver *resolver)
{
	return address_is_single(&resolver->address) ? &compiler->exact : &compiler->prefixes;
}

/* A port of its own is fenced for everybody else at that address, too. */
static int compiler_add_endpoint(struct compiler *compiler, const struct resolver *resolver,
				 uint32_t protocols)
{
	struct df_generation *generation = &compiler->image->generation;

	port_fence(generation, resolver->port);
	if (!address_is_single(&resolver->address))
		generation->flags |= DF_GEN_ENDPOINT_PREFIXES;
	return resolver_add(compiler_table(compiler, resolver), resolver, DF_SCOPE_ENDPOINTS,
			    resolver->port, protocols);
}

static int compiler_add_resolver(struct compiler *compiler, const struct resolver *resolver,
				 uint32_t scope)
{
	struct resolver_mask masks[RESOLVER_MASKS_MAX];
	int length = policy_resolver_masks(compiler->config, resolver, masks);

	for (int i = 0; i < length; i++) {
		if (resolver_add(compiler_table(compiler, resolver), resolver, scope, masks[i].port,
				 masks[i].mask) < 0)
			return -ENOMEM;
		if (masks[i].port && compiler_add_endpoint(compiler, resolver, masks[i].mask) < 0)
			return -ENOMEM;
	}
	return 0;
}

/*
 * A forwarder's address before this host's NAT, for recognising who asks it: the first ones of the
 * file. Whoever asks another one is not remembered; the verdict is the same.
 */
static void generation_add_translated(struct df_generation *generation,
				      const struct address *address)
{
	if (!address_is_single(address))
		return;
	for (int i = 0; i < DF_NEAR_MAX; i++) {
		struct df_near_resolver *near = &generation->translated[i];

		if (near->family == address->family &&
		    memcmp(near->addr, address->bytes, sizeof(near->addr)) == 0)
			return;
		if (near->family)
			continue;
		memcpy(near->addr, address->bytes, sizeof(near->addr));
		near->family = address->family;
		return;
	}
}

static int compiler_add_set(struct compiler *compiler, const struct resolver_set *set,
			    uint32_t scope, uint32_t *flags)
{
	for (size_t i = 0; i < set->length; i++) {
		const struct resolver *resolver = &set->resolvers[i];

		if (!address_is_single(&resolver->address))
			*flags |= DF_POLICY_PREFIXES;
		if (resolver->translated) {
			compiler->image->generation.flags |= DF_GEN_TRANSLATED;
			*flags |= DF_POLICY_TRANSLATED;
			generation_add_translated(&compiler->image->generation, &resolver->address);
		}
		if (compiler_add_resolver(compiler, resolver, scope) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int compiler_add_policy(struct compiler *compiler, size_t index)
{
	const struct config *config = compiler->config;
	const struct policy_config *from = &config->policies[index];
	struct df_generation *generation = &compiler->image->generation;
	struct df_policy *to = &generation->policies[index];
	int mode = from->mode == MODE_INHERIT ? config->mode : from->mode;

	to->flags = DF_POLICY_VALID;
	to->scope = policy_scope(config, index);
	to->errnum = from->on_deny ? from->on_deny : config->on_deny;
	snprintf(to->name, sizeof(to->name), "%s", from->name);
	if (from->any)
		to->flags |= DF_POLICY_EXEMPT;
	if (mode == MODE_AUDIT)
		to->flags |= DF_POLICY_AUDIT;
	if (from->forwards) {
		to->flags |= DF_POLICY_FORWARDS;
		generation->flags |= DF_GEN_FORWARDS;
	}
	if (to->errnum != EPERM)
		generation->flags |= DF_GEN_ERRNO;
	if (!from->has_match)
		generation->default_policy = (uint32_t)index;
	if (from->match.users.words.length) /* whether such a cgroup is there yet or not */
		generation->flags |= DF_GEN_USERS;
	if (from->any)
		return 0;
	if (to->scope != index + 1) { /* filled already */
		to->flags |= generation->policies[to->scope - 1].flags &
			     (DF_POLICY_PREFIXES | DF_POLICY_TRANSLATED);
		return 0;
	}
	for (size_t i = 0; i < from->sets_length; i++)
		if (compiler_add_set(compiler, config_find_set(config, from->sets[i]), to->scope,
				     &to->flags) < 0)
			return -ENOMEM;
	return 0;
}

/* Scope, port, family, address, then width: a prefix comes right after those that cover it. */
static int resolver_compare(const void *left, const void *right)
{
	const struct policy_resolver *a = left, *b = right;
	int order = memcmp(&a->key, &b->key, sizeof(a->key));

	if (order)
		return order;
	return a->prefix < b->prefix ? -1 : a->prefix > b->prefix;
}

/* Sort and merge equal keys. */
static void resolver_list_finish(struct resolver_list *list)
{
	size_t kept = 0;

	if (!list->length)
		return;
	qsort(list->list, list->length, sizeof(*list->list), resolver_compare);
	for (size_t i = 1; i < list->length; i++) {
		if (resolver_compare(&list->list[kept], &list->list[i]) == 0)
			list->list[kept].mask |= list->list[i].mask;
		else
			list->list[++kept] = list->list[i];
	}
	list->length = kept + 1;
}

static bool resolver_covers(const struct policy_resolver *wide,
			    const struct policy_resolver *narrow)
{
	return wide->prefix <= narrow->prefix && wide->key.scope == narrow->key.scope &&
	       wide->key.port == narrow->key.port && wide->key.family == narrow->key.family &&
	       address_bits_equal(wide->key.addr, narrow->key.addr, wide->prefix);
}

/*
 * The trie answers with the longest match only, but what a wider prefix grants holds inside it,
 * too. In the sorted list the covering prefixes of an entry form a chain that ends right before
 * it: each keeps its nearest one.
 */
static int resolver_list_inherit(struct resolver_list *list)
{
	_cleanup_free_ size_t *chain = calloc(list->length + 1, sizeof(*chain));
	size_t depth = 0;

	if (!chain)
		return -ENOMEM;
	for (size_t i = 0; i < list->length; i++) {
		while (depth && !resolver_covers(&list->list[chain[depth - 1]], &list->list[i]))
			depth--;
		if (depth)
			list->list[i].mask |= list->list[chain[depth - 1]].mask;
		chain[depth++] = i;
	}
	return 0;
}

void policy_image_sort(struct policy_image *image)
{
	if (image->exact_length)
		qsort(image->exact, image->exact_length, sizeof(*image->exact), resolver_compare);
	if (image->prefixes_length)
		qsort(image->prefixes, image->prefixes_length, sizeof(*image->prefixes),
		      resolver_compare);
	policy_subjects_sort(image);
}

static bool near_holds(const struct df_policy *policy, const struct policy_resolver *entry)
{
	for (int i = 0; i < DF_NEAR_MAX; i++)
		if (policy->near[i].family == entry->key.family &&
		    memcmp(policy->near[i].addr, entry->key.addr, sizeof(entry->key.addr)) == 0)
			return true;
	return false;
}

/* A copy of the table's entry beside the policy, if it has one and there is room. */
static void policy_add_near(struct df_policy *policy, const struct resolver_list *exact,
			    const struct resolver *resolver)
{
	struct policy_resolver wanted = {
		.key = {.scope = policy->scope, .family = resolver->address.family},
		.prefix = resolver->address.prefix};
	const struct policy_resolver *entry;

	memcpy(wanted.key.addr, resolver->address.bytes, sizeof(wanted.key.addr));
	entry = bsearch(&wanted, exact->list, exact->length, sizeof(*exact->list),
			resolver_compare);
	if (!entry || near_holds(policy, entry))
		return;
	for (int i = 0; i < DF_NEAR_MAX; i++) {
		struct df_near_resolver *near = &policy->near[i];

		if (near->family)
			continue;
		memcpy(near->addr, entry->key.addr, sizeof(near->addr));
		near->family = entry->key.family;
		near->mask = entry->mask;
		return;
	}
}

/* In the order of the file: who lists several resolvers names the usual one first. */
static void compiler_fill_near(struct compiler *compiler, size_t index)
{
	const struct policy_config *from = &compiler->config->policies[index];
	struct df_policy *to = &compiler->image->generation.policies[index];

	for (size_t i = 0; i < from->sets_length; i++) {
		const struct resolver_set *set = config_find_set(compiler->config, from->sets[i]);

		for (size_t j = 0; j < set->length && !to->near[DF_NEAR_MAX - 1].family; j++)
			policy_add_near(to, &compiler->exact, &set->resolvers[j]);
	}
}

static int compiler_run(struct compiler *compiler, const struct subject *subjects,
			size_t subjects_length)
{
	struct df_generation *generation = &compiler->image->generation;
	int r;

	policy_fence_services(compiler->config, generation);
	if (compiler->config->deny_at == DENY_AT_PACKET)
		generation->flags |= DF_GEN_DEFER;
	if (compiler->config->hooks == HOOKS_ALL)
		generation->flags |= DF_GEN_CALLS;
	generation->sample = (uint32_t)compiler->config->events_allowed;
	if (generation->sample)
		generation->flags |= DF_GEN_SAMPLES;
	generation->policies_len = (uint32_t)compiler->config->policies_length;
	if (generation->policies_len > 1)
		generation->flags |= DF_GEN_SEVERAL;
	for (size_t i = 0; i < compiler->config->policies_length; i++)
		if (compiler_add_policy(compiler, i) < 0)
			return -ENOMEM;
	r = policy_subjects_set(compiler->image, subjects, subjects_length);
	if (r < 0)
		return r;
	resolver_list_finish(&compiler->exact);
	resolver_list_finish(&compiler->prefixes);
	for (size_t i = 0; compiler->exact.length && i < compiler->config->policies_length; i++)
		compiler_fill_near(compiler, i);
	return resolver_list_inherit(&compiler->prefixes);
}

int policy_compile(const struct config *config, const struct subject *subjects,
		   size_t subjects_length, struct policy_image *ret)
{
	struct policy_image image = {0};
	struct compiler compiler = {.config = config, .image = &image};
	int r;

	r = compiler_run(&compiler, subjects, subjects_length);
	image.exact = compiler.exact.list;
	image.exact_length = compiler.exact.length;
	image.prefixes = compiler.prefixes.list;
	image.prefixes_length = compiler.prefixes.length;
	if (r < 0) {
		policy_image_done(&image);
		return r;
	}
	*ret = image;
	return 0;
}
