// SPDX-License-Identifier: GPL-2.0-or-later
#include "links.h"

#include <linux/pkt_sched.h>
#include <netlink/cache.h>
#include <netlink/netlink.h>
#include <netlink/route/classifier.h>
#include <netlink/route/link.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/tc.h>
#include <sys/socket.h>

/* Some hundred containers that start at once are two notifications of 1.5 KiB each. */
#define LINKS_BUFFER (4 << 20)

struct links {
	struct nl_sock *socket;
	struct nl_cache_mngr *manager;
	struct nl_cache *cache; /* the manager's */
	links_callback callback;
	void *context;
};

static void link_describe(struct rtnl_link *link, struct link_info *ret)
{
	const char *name = rtnl_link_get_name(link), *kind = rtnl_link_get_type(link);

	*ret = (struct link_info){
		.ifindex = (uint32_t)rtnl_link_get_ifindex(link),
		.type = rtnl_link_get_arptype(link),
		.loopback = rtnl_link_get_flags(link) & IFF_LOOPBACK,
	};
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name ? name : "");
	(void)snprintf(ret->kind, sizeof(ret->kind), "%s", kind ? kind : "");
}

/*
 * libnl keeps an object for each family that speaks of an interface: a bridge of its port, IPv6 of
 * everything. Those know no kind; a bridge itself is of AF_BRIDGE, too, and does.
 */
static bool link_is_aspect(struct rtnl_link *link)
{
	return rtnl_link_get_family(link) != AF_UNSPEC && !rtnl_link_get_type(link);
}

static void links_on_change(struct nl_cache *cache, struct nl_object *object, int action,
			    void *data)
{
	struct links *links = data;
	struct link_info link;

	(void)cache;
	if (link_is_aspect((struct rtnl_link *)object))
		return;
	link_describe((struct rtnl_link *)object, &link);
	links->callback(links->context, &link, action == NL_ACT_DEL);
}

static void links_call(struct nl_object *object, void *data)
{
	links_on_change(NULL, object, NL_ACT_NEW, data);
}

void links_each(struct links *links)
{
	if (links->cache)
		nl_cache_foreach(links->cache, links_call, links);
}

static void links_close(struct links *links)
{
	nl_cache_mngr_free(links->manager);
	nl_socket_free(links->socket);
	links->manager = NULL;
	links->socket = NULL;
	links->cache = NULL;
}

/* Past the limit for everybody, where we may; else what the limit leaves. */
static void links_set_buffer(struct nl_sock *socket)
{
	const int size = LINKS_BUFFER;

	if (setsockopt(nl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) <
	    0)
		(void)nl_socket_set_buffer_size(socket, LINKS_BUFFER, 0);
}

/* 0 or one of libnl's negative errors. */
static int links_open(struct links *links)
{
	int r;

	links->socket = nl_socket_alloc();
	if (!links->socket)
		return -NLE_NOMEM;
	r = nl_cache_mngr_alloc(links->socket, NETLINK_ROUTE, NL_AUTO_PROVIDE, &links->manager);
	if (r >= 0)
		links_set_buffer(links->socket);
	if (r >= 0)
		r = nl_cache_mngr_add(links->manager, "route/link", links_on_change, links,
				      &links->cache);
	if (r < 0)
		links_close(links);
	return r;
}

struct links *links_new(links_callback callback, void *context, struct problem *problem)
{
	struct links *links = calloc(1, sizeof(*links));
	int r;

	if (!links) {
		(void)problem_set(problem, ENOMEM, "out of memory");
		return NULL;
	}
	links->callback = callback;
	links->context = context;
	r = links_open(links);
	if (r >= 0)
		return links;
	(void)problem_set(problem, EIO, "cannot list this host's interfaces: %s", nl_geterror(r));
	free(links);
	return NULL;
}

void links_free(struct links *links)
{
	if (!links)
		return;
	links_close(links);
	free(links);
}

int links_fd(const struct links *links)
{
	return links->manager ? nl_cache_mngr_get_fd(links->manager) : -1;
}

int links_read(struct links *links)
{
	if (links->manager && nl_cache_mngr_data_ready(links->manager) >= 0)
		return 0;
	links_close(links);
	if (links_open(links) < 0)
		return -EIO;
	links_each(links);
	return 1;
}

/* clsact and ingress stand at the same place. */
static bool link_has_qdisc(uint32_t ifindex, const char *wanted)
{
	struct nl_sock *socket = nl_socket_alloc();
	struct nl_cache *cache = NULL;
	bool found = false;

	if (socket && nl_connect(socket, NETLINK_ROUTE) >= 0 &&
	    rtnl_qdisc_alloc_cache(socket, &cache) >= 0) {
		struct rtnl_qdisc *qdisc =
			rtnl_qdisc_get_by_parent(cache, (int)ifindex, TC_H_CLSACT);
		const char *kind = qdisc ? rtnl_tc_get_kind(TC_CAST(qdisc)) : NULL;

		found = kind && util_streq(kind, wanted);
		rtnl_qdisc_put(qdisc);
	}
	nl_cache_free(cache);
	nl_socket_free(socket);
	return found;
}

bool link_has_clsact(uint32_t ifindex)
{
	return link_has_qdisc(ifindex, "clsact");
}

bool link_has_ingress(uint32_t ifindex)
{
	return link_has_qdisc(ifindex, "ingress");
}

/* The filters at one side of an interface's clsact; NULL when they cannot be listed. */
static struct nl_cache *side_filters(uint32_t ifindex, bool ingress)
{
	const uint32_t side = ingress ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS;
	struct nl_sock *socket = nl_socket_alloc();
	struct nl_cache *cache = NULL;

	if (!socket || nl_connect(socket, NETLINK_ROUTE) < 0 ||
	    rtnl_cls_alloc_cache(socket, (int)ifindex, TC_H_MAKE(TC_H_CLSACT, side), &cache) < 0)
		cache = NULL;
	nl_socket_free(socket);
	return cache;
}

unsigned int link_find_filter(uint32_t ifindex, bool ingress, uint32_t handle)
{
	struct nl_cache *cache = side_filters(ifindex, ingress);
	unsigned int priority = 0;

	if (!cache)
		return 0;
	for (struct nl_object *at = nl_cache_get_first(cache); at; at = nl_cache_get_next(at)) {
		const char *kind = rtnl_tc_get_kind(TC_CAST(at));
		unsigned int found = rtnl_cls_get_prio((struct rtnl_cls *)at);

		if (rtnl_tc_get_handle(TC_CAST(at)) == handle && kind && util_streq(kind, "bpf"))
			priority = priority ? MIN(priority, found) : found;
	}
	nl_cache_free(cache);
	return priority;
}

bool link_has_filters(uint32_t ifindex)
{
	bool found = false;

	for (int side = 0; side < 2; side++) {
		struct nl_cache *cache = side_filters(ifindex, side == 0);

		found |= !cache || nl_cache_nitems(cache) > 0;
		nl_cache_free(cache);
	}
	return found;
}
