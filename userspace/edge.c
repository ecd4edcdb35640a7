// SPDX-License-Identifier: GPL-2.0-or-later
#include "edge.h"

#include <bpf/bpf.h>
#include <net/if_arp.h>

#include "filter.h"

/* A look at one costs two lists of filters from the kernel, some 60 us. */
#define EDGE_VERIFY_MAX 64

struct edge {
	const struct fence *fence;
	struct edge_config config;
	bool sweeping; /* what is found of ours and not wanted goes */
	uint32_t handle;
	struct links *links;
	struct edge_state *states;
	size_t states_length;
	size_t verify_next; /* where edge_verify() goes on */
};

#ifndef ARPHRD_IP6GRE
#define ARPHRD_IP6GRE 823 /* linux/if_arp.h, 3.7; it cannot stand beside net/if.h */
#endif

/* Frames that begin with the IP header: tunnels and point-to-point links. */
static bool type_is_ip(unsigned int type)
{
	static const unsigned int types[] = {
		ARPHRD_NONE,    ARPHRD_PPP,   ARPHRD_TUNNEL, ARPHRD_SIT,
		ARPHRD_TUNNEL6, ARPHRD_IPGRE, ARPHRD_IP6GRE, ARPHRD_RAWIP,
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i] == type)
			return true;
	return false;
}

bool edge_reads_type(unsigned int type, bool *ret_ethernet)
{
	*ret_ethernet = type == ARPHRD_ETHER || type == ARPHRD_LOOPBACK;
	return *ret_ethernet || type_is_ip(type);
}

/* CAN, netlink monitors and the like: nothing of what they carry is IP. */
static bool type_is_alien(unsigned int type)
{
	bool ethernet;

	return !edge_reads_type(type, &ethernet) && type != ARPHRD_INFINIBAND &&
	       type != ARPHRD_IEEE1394 && type != ARPHRD_FDDI;
}

/* By its kind: where frames come from that no socket of this host has sent. */
static uint32_t kind_sides(const struct link_info *link)
{
	static const struct {
		const char *kind;
		uint32_t sides;
	} kinds[] = {
		{"veth", EDGE_SIDE_IN}, {"bridge", 0}, /* its ports are fenced */
	};

	if (link->loopback || type_is_alien(link->type))
		return 0;
	if (util_streq(link->kind, "tun")) /* a tap leads to a machine, a tun both ways */
		return link->type == ARPHRD_ETHER ? EDGE_SIDE_IN : EDGE_SIDE_IN | EDGE_SIDE_OUT;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (util_streq(link->kind, kinds[i].kind))
			return kinds[i].sides;
	return EDGE_SIDE_OUT;
}

uint32_t edge_sides(const struct edge_config *config, const struct link_info *link)
{
	bool uplink = words_match(&config->uplinks, link->name);

	if (config->mode == EDGE_OFF || (config->mode == EDGE_NAMED && !uplink &&
					 !words_match(&config->interfaces, link->name)))
		return 0;
	if (uplink)
		return EDGE_SIDE_OUT;
	/* Whoever names a bridge or loopback wants what the host sends into it. */
	return kind_sides(link) ?: config->mode == EDGE_NAMED ? EDGE_SIDE_OUT : 0;
}

#define PROBLEM_BUSY                                                          \
	"somebody's ingress queueing discipline is there; put clsact in its " \
	"place, which has that side, too"

static void problem_of_type(unsigned int type, char ret[EDGE_PROBLEM_MAX])
{
	snprintf(ret, EDGE_PROBLEM_MAX, "its frames (ARPHRD type %u) cannot be read", type);
}

/* What can be told of an interface without touching it. */
struct edge_check {
	const struct edge_config *config;
	edge_found found;
	void *context;
};

static void edge_check_link(void *context, const struct link_info *link, bool gone)
{
	const struct edge_check *check = context;
	uint32_t sides = gone ? 0 : edge_sides(check->config, link);
	char problem[EDGE_PROBLEM_MAX] = {0};
	bool ethernet;

	if (!sides)
		return;
	if (!edge_reads_type(link->type, &ethernet))
		problem_of_type(link->type, problem);
	else if ((sides & EDGE_SIDE_OUT) && link_has_ingress(link->ifindex))
		snprintf(problem, sizeof(problem), PROBLEM_BUSY);
	if (problem[0])
		check->found(check->context, link->name, problem);
}

int edge_check(const struct edge_config *config, edge_found found, void *context,
	       struct problem *problem)
{
	struct edge_check check = {config, found, context};
	struct links *links = links_new(edge_check_link, &check, problem);

	if (!links)
		return -EIO;
	links_each(links);
	links_free(links);
	return 0;
}

static struct edge_state *edge_find(struct edge *edge, uint32_t ifindex)
{
	for (size_t i = 0; i < edge->states_length; i++)
		if (edge->states[i].ifindex == ifindex)
			return &edge->states[i];
	return NULL;
}

static void edge_forget(struct edge *edge, struct edge_state *state)
{
	(void)bpf_map_delete_elem(edge->fence->maps[FENCE_EDGES], &state->ifindex);
	*state = edge->states[--edge->states_length];
}

static int edge_program(const struct edge *edge, bool ethernet, uint32_t side)
{
	if (side == EDGE_SIDE_IN)
		return edge->fence
			->edge_programs[ethernet ? EDGE_PROGRAM_ETHERNET_IN : EDGE_PROGRAM_IP_IN];
	return edge->fence
		->edge_programs[ethernet ? EDGE_PROGRAM_ETHERNET_OUT : EDGE_PROGRAM_IP_OUT];
}

/* What of an interface's wanted sides is not fenced yet. */
static void edge_fence_sides(struct edge *edge, struct edge_state *state,
			     const struct link_info *link)
{
	struct filter filter = {.ifindex = state->ifindex, .handle = edge->handle};

	state->problem[0] = 0;
	if (!edge_reads_type(link->type, &state->ethernet)) {
		problem_of_type(link->type, state->problem);
		return;
	}
	for (uint32_t side = EDGE_SIDE_IN; side <= EDGE_SIDE_OUT; side <<= 1) {
		int r = 0;

		filter.ingress = side == EDGE_SIDE_IN;
		filter.program = edge_program(edge, state->ethernet, side);
		if ((state->sides & side) && !(state->fenced & side))
			r = filter_put(&filter, edge->fence->maps[FENCE_EDGES]);
		else if (!(state->sides & side) && (state->fenced & side))
			(void)filter_take(&filter);
		else
			continue;
		state->fenced = (state->fenced & ~side) | (r == 0 ? state->sides & side : 0);
		state->priority = MAX(state->priority, filter.priority);
		if (r < 0)
			snprintf(state->problem, sizeof(state->problem), "%s",
				 r == -EBUSY ? PROBLEM_BUSY : strerror(-r));
	}
}

/* A problem that was told and is there still need not be told again. */
static void edge_fence(struct edge *edge, struct edge_state *state, const struct link_info *link)
{
	char before[EDGE_PROBLEM_MAX];

	memcpy(before, state->problem, sizeof(before));
	edge_fence_sides(edge, state, link);
	state->told &= util_streq(before, state->problem);
}

/* Both of our filters of an interface, and what they hung on. */
static int edge_clear(uint32_t ifindex, uint32_t handle, int edges)
{
	int error = 0;

	for (int side = 0; side < 2; side++) {
		struct filter filter = {.ifindex = ifindex, .handle = handle, .ingress = side == 0};
		int r = filter_take(&filter);

		error = r < 0 ? r : error;
	}
	filter_drop_hook(ifindex, edges);
	return error;
}

static void edge_on_link(void *context, const struct link_info *link, bool gone)
{
	struct edge *edge = context;
	struct edge_state *state = edge_find(edge, link->ifindex);
	uint32_t sides = gone ? 0 : edge_sides(&edge->config, link);

	if (gone && state)
		edge_forget(edge, state);
	if (gone)
		return;
	if (!state && !sides) {
		if (edge->sweeping)
			(void)edge_clear(link->ifindex, edge->handle,
					 edge->fence->maps[FENCE_EDGES]);
		return;
	}
	if (!state) {
		state = ARRAY_APPEND(edge->states, edge->states_length);
		if (!state)
			return;
		state->ifindex = link->ifindex;
	}
	snprintf(state->name, sizeof(state->name), "%s", link->name);
	state->sides = sides;
	edge_fence(edge, state, link);
	if (sides)
		return;
	filter_drop_hook(state->ifindex, edge->fence->maps[FENCE_EDGES]);
	edge_forget(edge, state);
}

int edge_apply(struct edge *edge, const struct edge_config *config)
{
	struct edge_config fresh = {.mode = config->mode};

	if (words_copy(&config->interfaces, &fresh.interfaces) < 0 ||
	    words_copy(&config->uplinks, &fresh.uplinks) < 0) {
		words_done(&fresh.interfaces);
		return -ENOMEM;
	}
	words_done(&edge->config.interfaces);
	words_done(&edge->config.uplinks);
	edge->config = fresh;
	links_each(edge->links);
	return 0;
}

int edge_new(const struct fence *fence, const struct edge_config *config, const char *owner,
	     struct edge **ret, struct problem *problem)
{
	struct edge *edge = calloc(1, sizeof(*edge));
	int r;

	if (!edge)
		return problem_set(problem, ENOMEM, "out of memory");
	edge->fence = fence;
	edge->handle = filter_handle(owner);
	edge->links = links_new(edge_on_link, edge, problem);
	edge->sweeping = true;
	r = edge->links ? edge_apply(edge, config) : -EIO;
	edge->sweeping = false;
	if (r < 0) {
		edge_free(edge);
		return r == -ENOMEM ? problem_set(problem, ENOMEM, "out of memory") : r;
	}
	*ret = edge;
	return 0;
}

void edge_free(struct edge *edge)
{
	if (!edge)
		return;
	links_free(edge->links);
	words_done(&edge->config.interfaces);
	words_done(&edge->config.uplinks);
	free(edge->states);
	free(edge);
}

int edge_fd(const struct edge *edge)
{
	return links_fd(edge->links);
}

int edge_read(struct edge *edge)
{
	char name[IF_NAMESIZE];
	int r = links_read(edge->links);

	for (size_t i = edge->states_length; r > 0 && i > 0; i--)
		if (!if_indextoname(edge->states[i - 1].ifindex, name))
			edge_forget(edge, &edge->states[i - 1]);
	return r;
}

/* Those of a state's filters that are not there any more, or not ours. */
static void state_verify(const struct edge *edge, struct edge_state *state,
			 struct edge_findings *findings)
{
	for (uint32_t side = EDGE_SIDE_IN; side <= EDGE_SIDE_OUT; side <<= 1) {
		struct filter filter = {.ifindex = state->ifindex,
					.handle = edge->handle,
					.ingress = side == EDGE_SIDE_IN,
					.program = edge_program(edge, state->ethernet, side)};

		if (!(state->fenced & side))
			continue;
		if (!filter_is_there(&filter))
			findings->missing++;
		else if (!filter_is_ours(&filter))
			findings->replaced++;
		else
			continue;
		state->fenced &= ~side;
	}
}

struct edge_findings edge_verify(struct edge *edge)
{
	struct edge_findings findings = {0};
	bool open = false;
	char name[IF_NAMESIZE];

	for (size_t i = MIN(edge->states_length, (size_t)EDGE_VERIFY_MAX); i > 0; i--) {
		struct edge_state *state;

		/* Downwards: what is forgotten is replaced by one that was looked at already. */
		if (!edge->verify_next || edge->verify_next > edge->states_length)
			edge->verify_next = edge->states_length;
		state = &edge->states[--edge->verify_next];
		if (!if_indextoname(state->ifindex, name)) { /* gone, and nobody has said so yet */
			edge_forget(edge, state);
			if (!edge->states_length)
				break;
			continue;
		}
		state_verify(edge, state, &findings);
		open |= state->fenced != state->sides;
	}
	if (open) /* also what could not be fenced before */
		links_each(edge->links);
	return findings;
}

const struct edge_state *edge_next_untold(struct edge *edge)
{
	for (size_t i = 0; i < edge->states_length; i++) {
		struct edge_state *state = &edge->states[i];

		if (!state->problem[0] || state->told)
			continue;
		state->told = true;
		return state;
	}
	return NULL;
}

size_t edge_states(const struct edge *edge, const struct edge_state **ret)
{
	*ret = edge ? edge->states : NULL;
	return edge ? edge->states_length : 0;
}

static void state_look(struct edge_state *state, uint32_t handle)
{
	for (uint32_t side = EDGE_SIDE_IN; side <= EDGE_SIDE_OUT; side <<= 1) {
		struct filter filter = {.ifindex = state->ifindex,
					.handle = handle,
					.ingress = side == EDGE_SIDE_IN};

		if (!filter_is_there(&filter))
			continue;
		state->fenced |= side;
		state->priority = MAX(state->priority, filter.priority);
	}
	state->sides = state->fenced;
	if (!if_indextoname(state->ifindex, state->name))
		snprintf(state->name, sizeof(state->name), "?");
}

size_t edge_states_pinned(int edges, const char *owner, struct edge_state **ret)
{
	uint32_t ifindex, *previous = NULL;
	struct edge_state *states = NULL;
	size_t length = 0;

	while (edges >= 0 && bpf_map_get_next_key(edges, previous, &ifindex) == 0) {
		struct edge_state *state = ARRAY_APPEND(states, length);

		previous = &ifindex;
		if (!state)
			break;
		state->ifindex = ifindex;
		state_look(state, filter_handle(owner));
	}
	*ret = states;
	return length;
}

struct removal {
	int edges;
	uint32_t handle;
	int error;
};

static void edge_remove_link(void *context, const struct link_info *link, bool gone)
{
	struct removal *removal = context;
	int r = gone ? 0 : edge_clear(link->ifindex, removal->handle, removal->edges);

	removal->error = r < 0 ? r : removal->error;
}

/* An index means another interface in another network namespace. */
static int edge_refuse_elsewhere(int edges, struct problem *problem)
{
	uint32_t ifindex, *previous = NULL;
	struct df_edge edge;

	while (edges >= 0 && bpf_map_get_next_key(edges, previous, &ifindex) == 0) {
		previous = &ifindex;
		if (bpf_map_lookup_elem(edges, &ifindex, &edge) == 0 &&
		    edge.netns_inode != filter_netns())
			return problem_set(
				problem, EXDEV,
				"the tc filters are in the network namespace net:[%u], this is "
				"another; run this there (nsenter --net)",
				edge.netns_inode);
	}
	return 0;
}

int edge_remove(int edges, const char *owner, struct problem *problem)
{
	struct removal removal = {.edges = edges, .handle = filter_handle(owner)};
	int r = edge_refuse_elsewhere(edges, problem);
	struct links *links;

	if (r < 0)
		return r;
	links = links_new(edge_remove_link, &removal, problem);
	if (!links)
		return -EIO;
	links_each(links);
	links_free(links);
	return removal.error < 0
		       ? problem_set(problem, -removal.error, "cannot take a tc filter away: %s",
				     strerror(-removal.error))
		       : 0;
}
