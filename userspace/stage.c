// SPDX-License-Identifier: GPL-2.0-or-later
#include "stage.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/route.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#define FRAME_BYTES (64 * 1024 + 64)
#define TAP_BYTES (4 << 20) /* what waits between two readings */
#define MARK_PROTOCOL 0x88b5 /* local experimental Ethertype, IEEE 802 */
#define MARK_WAIT_MS 2000
#define BACKLOG 1024 /* connections that nobody accepts */

/* Locally administered, as IEEE 802 has it. */
static const uint8_t near_lladdr[6] = {0x02, 0xdf, 0, 0, 0, 1};
const uint8_t stage_far_lladdr[6] = {0x02, 0xdf, 0, 0, 0, 2};

/* Ports of the far end that answer a TCP handshake. */
static const uint16_t listening[] = {9, 53, 853};

struct stage {
	int home, near, far; /* network namespaces */
	int tap; /* at the far device */
	int mark; /* sends frames at the near end */
	char far_device[IF_NAMESIZE];
	uint32_t far_ifindex;
	int listeners[ARRAY_LEN(listening)];
	uint32_t marks; /* sent so far */
	uint8_t frame[FRAME_BYTES];
};

struct mark {
	struct ethhdr head;
	char text[16];
	uint32_t number;
	uint8_t padding[24]; /* to the 60 bytes of a frame */
};

static const char mark_text[16] = "dnsfence mark";

static int namespace_open(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int namespace_enter(int fd)
{
	return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

/* The caller is in it afterwards. */
static int namespace_new(int *ret)
{
	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	*ret = namespace_open();
	return MIN(*ret, 0);
}

/* libnl's errors are its own; what it was that failed says more. */
static int route_socket(struct nl_sock **ret)
{
	*ret = nl_socket_alloc();
	if (!*ret)
		return -ENOMEM;
	return nl_connect(*ret, NETLINK_ROUTE) < 0 ? -EIO : 0;
}

static void link_set_lladdr(struct rtnl_link *link, const uint8_t lladdr[6])
{
	struct nl_addr *address = nl_addr_build(AF_LLC, lladdr, 6);

	if (address)
		rtnl_link_set_addr(link, address);
	nl_addr_put(address);
}

static int make_pair(struct nl_sock *socket, const struct stage *stage)
{
	struct rtnl_link *near_end = rtnl_link_veth_alloc(), *far_end;
	int r;

	if (!near_end)
		return -ENOMEM;
	far_end = rtnl_link_veth_get_peer(near_end);
	rtnl_link_set_name(near_end, STAGE_DEVICE);
	rtnl_link_set_name(far_end, stage->far_device);
	link_set_lladdr(near_end, near_lladdr);
	link_set_lladdr(far_end, stage_far_lladdr);
	rtnl_link_set_ns_fd(far_end, stage->far);
	r = rtnl_link_add(socket, near_end, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_link_put(far_end);
	rtnl_link_put(near_end);
	return r < 0 ? -EIO : 0;
}

static int link_up(struct nl_sock *socket, const char *name)
{
	struct rtnl_link *change = rtnl_link_alloc(), *link = NULL;
	int r = change ? rtnl_link_get_kernel(socket, 0, name, &link) : -NLE_NOMEM;

	if (r >= 0) {
		rtnl_link_set_flags(change, IFF_UP);
		r = rtnl_link_change(socket, link, change, 0);
	}
	rtnl_link_put(link);
	rtnl_link_put(change);
	return r < 0 ? -EIO : 0;
}

static int add_address(struct nl_sock *socket, unsigned int ifindex, const char *text)
{
	struct rtnl_addr *address = rtnl_addr_alloc();
	struct nl_addr *local = NULL;
	int r = address ? nl_addr_parse(text, AF_UNSPEC, &local) : -NLE_NOMEM;

	if (r >= 0) {
		rtnl_addr_set_ifindex(address, (int)ifindex);
		r = rtnl_addr_set_local(address, local);
		rtnl_addr_set_flags(address, IFA_F_NODAD);
	}
	if (r >= 0)
		r = rtnl_addr_add(socket, address, 0);
	nl_addr_put(local);
	rtnl_addr_put(address);
	return r < 0 ? -EIO : 0;
}

/* Everything is on this link. */
static int add_default_route(struct nl_sock *socket, unsigned int ifindex, int family)
{
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	struct nl_addr *all = NULL;
	int r = route && hop ? nl_addr_parse("default", family, &all) : -NLE_NOMEM;

	if (r < 0) {
		rtnl_route_nh_free(hop);
		rtnl_route_put(route);
		return -ENOMEM;
	}
	rtnl_route_set_family(route, (uint8_t)family);
	(void)rtnl_route_set_dst(route, all);
	rtnl_route_set_scope(route, RT_SCOPE_LINK);
	rtnl_route_nh_set_ifindex(hop, (int)ifindex);
	rtnl_route_add_nexthop(route, hop); /* owns it now */
	r = rtnl_route_add(socket, route, 0);
	nl_addr_put(all);
	rtnl_route_put(route);
	return r < 0 ? -EIO : 0;
}

static bool has_ipv6(void)
{
	return access("/proc/net/if_inet6", F_OK) == 0;
}

/* In the namespace of one end. addresses: up to a NULL. */
static int set_up_end(const char *device, const char *const *addresses)
{
	struct nl_sock *socket;
	unsigned int ifindex = if_nametoindex(device);
	int r = route_socket(&socket);

	if (r >= 0)
		r = link_up(socket, "lo");
	if (r >= 0)
		r = link_up(socket, device);
	for (; r >= 0 && *addresses; addresses++)
		if (!strchr(*addresses, ':') || has_ipv6())
			r = add_address(socket, ifindex, *addresses);
	if (r >= 0)
		r = add_default_route(socket, ifindex, AF_INET);
	if (r >= 0 && has_ipv6())
		r = add_default_route(socket, ifindex, AF_INET6);
	nl_socket_free(socket);
	return r;
}

/* A handshake is answered by the kernel; what follows stays in the socket. */
static int listen_on(uint16_t port)
{
	struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	const bool both = has_ipv6();
	_cleanup_close_ int fd =
		socket(both ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 ||
	    bind(fd, both ? (struct sockaddr *)&any6 : (struct sockaddr *)&any4,
		 both ? sizeof(any6) : sizeof(any4)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int open_tap(uint32_t ifindex)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = (int)ifindex};
	const int size = TAP_BYTES;
	_cleanup_close_ int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* The far end's in any case. */
static bool address_is_ours(const char *text)
{
	static const char *const ours[] = {STAGE_TARGET4, STAGE_OTHER4, STAGE_TARGET6,
					   STAGE_OTHER6};

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (util_streq(ours[i], text))
			return true;
	return false;
}

static int set_up_far(struct stage *stage, const struct stage_plan *plan)
{
	const char *addresses[7] = {STAGE_TARGET4 "/24", STAGE_OTHER4 "/24", STAGE_TARGET6 "/64",
				    STAGE_OTHER6 "/64"};
	size_t length = 4;
	int r;

	if (plan->target4 && !address_is_ours(plan->target4))
		addresses[length++] = plan->target4;
	if (plan->target6 && !address_is_ours(plan->target6))
		addresses[length++] = plan->target6;
	r = set_up_end(stage->far_device, addresses);
	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(listening); i++)
		r = stage->listeners[i] = listen_on(listening[i]);
	return MIN(r, 0);
}

/* It is this host's: nothing but the device itself is touched. */
static int set_up_far_at_home(const struct stage *stage)
{
	struct nl_sock *socket;
	int r = route_socket(&socket);

	if (r >= 0)
		r = link_up(socket, stage->far_device);
	nl_socket_free(socket);
	return r;
}

static int set_up_near(struct stage *stage)
{
	const char *const addresses[] = {STAGE_NEAR4 "/24", STAGE_NEAR6 "/64", NULL};
	struct sockaddr_ll at = {.sll_family = AF_PACKET};
	int r = set_up_end(STAGE_DEVICE, addresses);

	if (r < 0)
		return r;
	at.sll_ifindex = (int)if_nametoindex(STAGE_DEVICE);
	stage->mark = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* 0: it receives nothing */
	if (stage->mark < 0 || bind(stage->mark, (struct sockaddr *)&at, sizeof(at)) < 0)
		return -errno;
	return 0;
}

static int namespaces_make(struct stage *stage, bool at_home)
{
	int r;

	if (at_home) {
		stage->far = fcntl(stage->home, F_DUPFD_CLOEXEC, 0);
		r = stage->far < 0 ? -errno : 0;
	} else {
		r = namespace_new(&stage->far);
	}
	return r < 0 ? r : namespace_new(&stage->near);
}

/* Leaves this process in whichever of the namespaces the last step was. */
static int stage_build(struct stage *stage, const struct stage_plan *plan)
{
	struct nl_sock *socket = NULL;
	int r = namespaces_make(stage, plan->at_home);

	if (r >= 0)
		r = route_socket(&socket);
	if (r >= 0)
		r = make_pair(socket, stage);
	nl_socket_free(socket);
	if (r >= 0)
		r = namespace_enter(stage->far);
	if (r >= 0)
		r = plan->at_home ? set_up_far_at_home(stage) : set_up_far(stage, plan);
	if (r >= 0) {
		stage->far_ifindex = if_nametoindex(stage->far_device);
		r = stage->tap = open_tap(stage->far_ifindex);
	}
	if (r >= 0)
		r = namespace_enter(stage->near);
	if (r >= 0)
		r = set_up_near(stage);
	return r;
}

int stage_open(const struct stage_plan *plan, struct stage **ret, struct problem *problem)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	int r, back = 0;

	if (!stage)
		return problem_set(problem, ENOMEM, "out of memory");
	(void)snprintf(stage->far_device, sizeof(stage->far_device), "dfleak%u",
		       (unsigned int)getpid());
	stage->near = stage->far = stage->tap = stage->mark = -1;
	for (size_t i = 0; i < ARRAY_LEN(stage->listeners); i++)
		stage->listeners[i] = -1;
	r = stage->home = namespace_open();
	if (r >= 0) {
		r = stage_build(stage, plan);
		back = namespace_enter(stage->home);
	}
	if (r >= 0)
		r = back;
	if (r < 0) {
		stage_close(stage);
		return problem_set(problem, -r,
				   "cannot make a network of two namespaces and a veth pair to try "
				   "in: %s%s",
				   strerror(-r), r == -EPERM ? "; run as root" : "");
	}
	*ret = stage;
	return 0;
}

void stage_close(struct stage *stage)
{
	if (!stage)
		return;
	for (size_t i = 0; i < ARRAY_LEN(stage->listeners); i++)
		util_closep(&stage->listeners[i]);
	util_closep(&stage->mark);
	util_closep(&stage->tap);
	util_closep(&stage->near);
	util_closep(&stage->far);
	util_closep(&stage->home);
	free(stage);
}

int stage_enter(const struct stage *stage)
{
	return namespace_enter(stage->near);
}

uint32_t stage_far_ifindex(const struct stage *stage)
{
	return stage->far_ifindex;
}

static bool frame_is_mark(const struct stage_frame *frame, const struct mark *mark)
{
	return frame->length >= sizeof(*mark) && memcmp(frame->bytes, mark, sizeof(*mark)) == 0;
}

/* 1 when the mark has come. */
static int tap_read(struct stage *stage, const struct mark *mark, stage_callback callback,
		    void *context)
{
	for (;;) {
		struct sockaddr_ll from = {0};
		socklen_t size = sizeof(from);
		ssize_t length = recvfrom(stage->tap, stage->frame, sizeof(stage->frame), 0,
					  (struct sockaddr *)&from, &size);
		struct stage_frame frame = {stage->frame, (size_t)MAX(length, 0)};

		if (length < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (from.sll_pkttype == PACKET_OUTGOING) /* the far end's own */
			continue;
		if (frame_is_mark(&frame, mark))
			return 1;
		callback(context, &frame);
	}
}

/* A veth pair delivers in order. */
int stage_collect(struct stage *stage, stage_callback callback, void *context)
{
	struct mark mark = {.head.h_proto = htons(MARK_PROTOCOL), .number = ++stage->marks};
	struct pollfd wait = {.fd = stage->tap, .events = POLLIN};
	int r = 0;

	memcpy(mark.head.h_dest, stage_far_lladdr, sizeof(mark.head.h_dest));
	memcpy(mark.head.h_source, near_lladdr, sizeof(mark.head.h_source));
	memcpy(mark.text, mark_text, sizeof(mark.text));
	if (send(stage->mark, &mark, sizeof(mark), 0) < 0)
		return -errno;
	while (r == 0) {
		r = poll(&wait, 1, MARK_WAIT_MS);
		if (r <= 0)
			return r < 0 ? -errno : -ETIMEDOUT;
		r = tap_read(stage, &mark, callback, context);
	}
	return MIN(r, 0);
}
