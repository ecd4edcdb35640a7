// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames without an inet socket: AF_PACKET in its variants and AF_XDP. No cgroup hook sees
 * them. They leave by -i towards the link-layer address -m.
 */
#include "packet.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define RING_FRAME 2048
#define RING_BLOCK 4096
#define XDP_FRAME 4096
#define XDP_FRAMES 4u
#define VLAN_OUTER 10
#define VLAN_INNER 20
#define LABEL_OUTER 100
#define LABEL_INNER 200
#define LABEL_BOTTOM 0x100u
#define LABELS_DEEP 17
#define PPPOE_SESSION 1

static bool same_address(const struct sockaddr *a, const union endpoint *b)
{
	if (!a || a->sa_family != b->any.sa_family)
		return false;
	if (is_ip4(b))
		return !memcmp(&((const struct sockaddr_in *)a)->sin_addr, &b->in.sin_addr, 4);
	return !memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr, &b->in6.sin6_addr, 16);
}

/* The device that a datagram to ADDR would leave by is taken to be the one with its source. */
static unsigned int find_device(struct probe *p)
{
	unsigned int index = 0;
	union endpoint source;
	struct ifaddrs *all;

	if (p->device)
		return if_nametoindex(p->device);
	if (find_source(p, &p->to, &source) || getifaddrs(&all) < 0)
		return 0;
	for (const struct ifaddrs *one = all; one && !index; one = one->ifa_next)
		if (same_address(one->ifa_addr, &source))
			index = if_nametoindex(one->ifa_name);
	freeifaddrs(all);
	return index;
}

static uint16_t ethertype(const struct probe *p)
{
	return is_ip4(&p->to) ? ETH_P_IP : ETH_P_IPV6;
}

static int open_packet(struct probe *p, int type)
{
	p->step = "socket";
	p->fd = socket(AF_PACKET, type | SOCK_CLOEXEC, 0);
	return p->fd < 0 ? -errno : 0;
}

static int read_own_lladdr(struct probe *p, unsigned int device, unsigned char ret_lladdr[6])
{
	struct ifreq request = {};

	p->step = "socket";
	if (!if_indextoname(device, request.ifr_name) || ioctl(p->fd, SIOCGIFHWADDR, &request) < 0)
		return -errno;
	memcpy(ret_lladdr, request.ifr_hwaddr.sa_data, 6);
	return 0;
}

static void put_type(struct packet *frame, uint16_t type)
{
	const uint16_t bytes = htons(type);

	put(frame, &bytes, sizeof(bytes));
}

static void put_tag(struct packet *frame, uint16_t type, uint16_t vlan)
{
	put_type(frame, type);
	put_type(frame, vlan);
}

/* An entry of an MPLS label stack, with a lifetime of 64 hops (RFC 3032 2.1). */
static void put_label(struct packet *frame, uint32_t label, uint32_t bottom)
{
	const uint32_t entry = htonl(label << 12 | bottom | 64);

	put(frame, &entry, sizeof(entry));
}

/* All that stands between the addresses of a frame and a datagram of this ethertype and length. */
typedef void (*put_types)(struct packet *frame, uint16_t type, size_t len);

static void put_plain(struct packet *frame, uint16_t type, size_t len)
{
	(void)len;
	put_type(frame, type);
}

static void put_vlan(struct packet *frame, uint16_t type, size_t len)
{
	put_tag(frame, ETH_P_8021Q, VLAN_INNER);
	put_plain(frame, type, len);
}

static void put_qinq(struct packet *frame, uint16_t type, size_t len)
{
	put_tag(frame, ETH_P_8021AD, VLAN_OUTER);
	put_vlan(frame, type, len);
}

/* Under the last label nothing says what is there. */
static void put_labels(struct packet *frame, unsigned int count)
{
	put_type(frame, ETH_P_MPLS_UC);
	for (; count > 1; count--)
		put_label(frame, LABEL_OUTER, 0);
	put_label(frame, LABEL_INNER, LABEL_BOTTOM);
}

static void put_mpls(struct packet *frame, uint16_t type, size_t len)
{
	(void)type;
	(void)len;
	put_labels(frame, 2);
}

static void put_mpls_one(struct packet *frame, uint16_t type, size_t len)
{
	(void)type;
	(void)len;
	put_labels(frame, 1);
}

static void put_mpls_deep(struct packet *frame, uint16_t type, size_t len)
{
	(void)type;
	(void)len;
	put_labels(frame, LABELS_DEEP);
}

static void put_vlan_mpls(struct packet *frame, uint16_t type, size_t len)
{
	put_tag(frame, ETH_P_8021Q, VLAN_INNER);
	put_mpls(frame, type, len);
}

/* 802.3 with a length, LLC and SNAP (RFC 1042). */
static void put_snap(struct packet *frame, uint16_t type, size_t len)
{
	const unsigned char llc[6] = {0xaa, 0xaa, 3};

	put_type(frame, (uint16_t)(sizeof(llc) + sizeof(type) + len));
	put(frame, llc, sizeof(llc));
	put_type(frame, type);
}

/* Needs p->fd, of any kind. */
static int make_frame(struct probe *p, unsigned int device, put_types types,
		      struct packet *ret_frame)
{
	struct packet frame = {}, datagram;
	unsigned char own[6];
	int result = make_datagram(p, &p->to, &datagram) ?: read_own_lladdr(p, device, own);

	if (result)
		return result;
	put(&frame, p->lladdr, 6);
	put(&frame, own, 6);
	types(&frame, ethertype(p), datagram.len);
	put(&frame, datagram.bytes, datagram.len);
	*ret_frame = frame;
	return 0;
}

static struct sockaddr_ll link_address(const struct probe *p, unsigned int device)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ethertype(p)),
		.sll_ifindex = (int)device,
		.sll_halen = 6,
	};

	memcpy(to.sll_addr, p->lladdr, 6);
	return to;
}

static int send_frame(struct probe *p, const struct packet *frame, unsigned int device)
{
	struct sockaddr_ll to = link_address(p, device);

	p->step = "send";
	if (sendto(p->fd, frame->bytes, frame->len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return 0;
}

static int send_typed(struct probe *p, put_types types)
{
	unsigned int device = find_device(p);
	struct packet frame;

	return open_packet(p, SOCK_RAW) ?: make_frame(p, device, types, &frame)
		?: send_frame(p, &frame, device);
}

static int af_packet_raw(struct probe *p)
{
	return send_typed(p, put_plain);
}

static int af_packet_vlan(struct probe *p)
{
	return send_typed(p, put_vlan);
}

static int af_packet_qinq(struct probe *p)
{
	return send_typed(p, put_qinq);
}

static int af_packet_mpls(struct probe *p)
{
	return send_typed(p, put_mpls);
}

static int af_packet_mpls_one(struct probe *p)
{
	return send_typed(p, put_mpls_one);
}

static int af_packet_mpls_deep(struct probe *p)
{
	return send_typed(p, put_mpls_deep);
}

static int af_packet_vlan_mpls(struct probe *p)
{
	return send_typed(p, put_vlan_mpls);
}

static int af_packet_snap(struct probe *p)
{
	return send_typed(p, put_snap);
}

/* In a PPPoE session, as to an access concentrator (RFC 2516 4, RFC 1661 2). */
static int af_packet_pppoe(struct probe *p)
{
	const uint16_t protocol = is_ip4(&p->to) ? 0x0021 : 0x0057;
	unsigned int device = find_device(p);
	struct packet frame = {}, datagram = {};
	unsigned char own[6];
	int result = open_packet(p, SOCK_RAW) ?: make_datagram(p, &p->to, &datagram)
		?: read_own_lladdr(p, device, own);
	const uint16_t header[] = {htons(ETH_P_PPP_SES), htons(0x1100), htons(PPPOE_SESSION),
				   htons((uint16_t)(datagram.len + sizeof(protocol))),
				   htons(protocol)};

	if (result)
		return result;
	put(&frame, p->lladdr, 6);
	put(&frame, own, 6);
	put(&frame, header, sizeof(header));
	put(&frame, datagram.bytes, datagram.len);
	return send_frame(p, &frame, device);
}

/*
 * The first fragment of a datagram that holds no ports, only a destination options header. Behind
 * its end, where Ethernet's padding stands, are those of a harmless datagram.
 */
static int af_packet_padded_fragment(struct probe *p)
{
	const uint16_t ports[4] = {htons(5000), htons(80), htons(sizeof(ports))};
	unsigned int device = find_device(p);
	struct packet fragment = {};
	union endpoint source;
	int result = find_source(p, &p->to, &source);

	if (result)
		return result;
	put_ip6(&fragment, &source, &p->to, IPPROTO_FRAGMENT, 16);
	put_fragment(&fragment, IPPROTO_DSTOPTS, 0, true);
	put_padding(&fragment, IPPROTO_UDP);
	put(&fragment, ports, sizeof(ports));
	return open_packet(p, SOCK_DGRAM) ?: send_frame(p, &fragment, device);
}

static int af_packet_dgram(struct probe *p)
{
	unsigned int device = find_device(p);
	struct packet datagram;

	return make_datagram(p, &p->to, &datagram) ?: open_packet(p, SOCK_DGRAM)
		?: send_frame(p, &datagram, device);
}

static int af_packet_qdisc_bypass(struct probe *p)
{
	unsigned int device = find_device(p);
	struct packet frame;

	return open_packet(p, SOCK_RAW) ?: set_option_int(p, SOL_PACKET, PACKET_QDISC_BYPASS, 1)
		?: make_frame(p, device, put_plain, &frame) ?: send_frame(p, &frame, device);
}

static int af_packet_vnet_hdr(struct probe *p)
{
	const struct virtio_net_hdr none = {};
	unsigned int device = find_device(p);
	struct packet frame, whole = {};
	int result = open_packet(p, SOCK_RAW) ?: set_option_int(p, SOL_PACKET, PACKET_VNET_HDR, 1)
		?: make_frame(p, device, put_plain, &frame);

	if (result)
		return result;
	put(&whole, &none, sizeof(none));
	put(&whole, frame.bytes, frame.len);
	return send_frame(p, &whole, device);
}

static int bind_frames(struct probe *p, unsigned int device)
{
	struct sockaddr_ll to = link_address(p, device);

	p->step = "socket";
	return bind(p->fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

/* One frame in a ring shared with the kernel, TPACKET_V2; an empty send() starts it. */
static int af_packet_tx_ring(struct probe *p)
{
	const struct tpacket_req ring = {.tp_block_size = RING_BLOCK,
					 .tp_block_nr = 1,
					 .tp_frame_size = RING_FRAME,
					 .tp_frame_nr = RING_BLOCK / RING_FRAME};
	unsigned int device = find_device(p);
	struct tpacket2_hdr *slot;
	struct packet frame;
	int result = open_packet(p, SOCK_RAW)
		?: set_option_int(p, SOL_PACKET, PACKET_VERSION, TPACKET_V2)
		?: set_option(p, SOL_PACKET, PACKET_TX_RING, &ring, sizeof(ring))
		?: bind_frames(p, device) ?: make_frame(p, device, put_plain, &frame);

	if (result)
		return result;
	slot = mmap(NULL, RING_BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd, 0);
	if (slot == MAP_FAILED)
		return -errno;
	memcpy((unsigned char *)slot + TPACKET2_HDRLEN - sizeof(struct sockaddr_ll), frame.bytes,
	       frame.len);
	slot->tp_len = (uint32_t)frame.len;
	__atomic_store_n(&slot->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
	p->step = "send";
	result = send(p->fd, NULL, 0, 0) < 0 ? -errno : 0;
	munmap(slot, RING_BLOCK);
	return result;
}

/* Memory of the program's own, registered with its four rings, of which only TX is used. */
static int register_memory(struct probe *p, void *memory)
{
	const struct xdp_umem_reg registration = {
		.addr = (uintptr_t)memory, .len = XDP_FRAMES * XDP_FRAME, .chunk_size = XDP_FRAME};
	const int entries = (int)XDP_FRAMES;

	return set_option(p, SOL_XDP, XDP_UMEM_REG, &registration, sizeof(registration))
		?: set_option_int(p, SOL_XDP, XDP_UMEM_FILL_RING, entries)
		?: set_option_int(p, SOL_XDP, XDP_UMEM_COMPLETION_RING, entries)
		?: set_option_int(p, SOL_XDP, XDP_TX_RING, entries);
}

static int bind_queue(struct probe *p, unsigned int device)
{
	const struct sockaddr_xdp queue = {
		.sxdp_family = AF_XDP, .sxdp_flags = XDP_COPY, .sxdp_ifindex = device};

	p->step = "socket";
	return bind(p->fd, (const struct sockaddr *)&queue, sizeof(queue)) < 0 ? -errno : 0;
}

static int send_queued(struct probe *p, size_t frame_len)
{
	struct xdp_mmap_offsets offsets;
	socklen_t len = sizeof(offsets);
	unsigned char *ring;
	size_t ring_len;
	int result = 0;

	p->step = "socket";
	if (getsockopt(p->fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &len) < 0)
		return -errno;
	ring_len = offsets.tx.desc + XDP_FRAMES * sizeof(struct xdp_desc);
	ring = mmap(NULL, ring_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, p->fd,
		    XDP_PGOFF_TX_RING);
	if (ring == MAP_FAILED)
		return -errno;
	*(struct xdp_desc *)(ring + offsets.tx.desc) =
		(struct xdp_desc){.len = (uint32_t)frame_len};
	__atomic_store_n((uint32_t *)(ring + offsets.tx.producer), 1, __ATOMIC_RELEASE);
	p->step = "send";
	if (sendto(p->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0)
		result = -errno;
	munmap(ring, ring_len);
	return result;
}

static int af_xdp(struct probe *p)
{
	unsigned int device = find_device(p);
	struct packet frame;
	void *memory;
	int result = open_packet(p, SOCK_DGRAM) ?: make_frame(p, device, put_plain, &frame);

	if (result)
		return result;
	close(p->fd);
	p->step = "socket";
	p->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (p->fd < 0)
		return -errno;
	memory = mmap(NULL, XDP_FRAMES * XDP_FRAME, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	memcpy(memory, frame.bytes, frame.len);
	return register_memory(p, memory) ?: bind_queue(p, device) ?: send_queued(p, frame.len);
}

const struct technique frame_techniques[] = {
	{"af-packet-raw", FOR_BOTH, NEEDS_RAW, af_packet_raw, "AF_PACKET, own Ethernet header"},
	{"af-packet-dgram", FOR_BOTH, NEEDS_RAW, af_packet_dgram, "AF_PACKET, own IP header"},
	{"af-packet-vlan", FOR_BOTH, NEEDS_RAW, af_packet_vlan, "AF_PACKET, 802.1Q tag 20"},
	{"af-packet-qinq", FOR_BOTH, NEEDS_RAW, af_packet_qinq,
	 "AF_PACKET, 802.1ad tag 10, 802.1Q tag 20"},
	{"af-packet-mpls", FOR_BOTH, NEEDS_RAW, af_packet_mpls, "AF_PACKET, two MPLS labels"},
	{"af-packet-mpls-one", FOR_BOTH, NEEDS_RAW, af_packet_mpls_one,
	 "AF_PACKET, the MPLS label 200"},
	{"af-packet-mpls-deep", FOR_BOTH, NEEDS_RAW, af_packet_mpls_deep,
	 "AF_PACKET, 17 MPLS labels"},
	{"af-packet-vlan-mpls", FOR_BOTH, NEEDS_RAW, af_packet_vlan_mpls,
	 "AF_PACKET, 802.1Q tag 20, two MPLS labels"},
	{"af-packet-snap", FOR_BOTH, NEEDS_RAW, af_packet_snap,
	 "AF_PACKET, 802.3 with LLC and SNAP"},
	{"af-packet-pppoe", FOR_BOTH, NEEDS_RAW, af_packet_pppoe, "AF_PACKET, in a PPPoE session"},
	{"af-packet-padded-fragment", FOR_6, NEEDS_RAW, af_packet_padded_fragment,
	 "AF_PACKET, a fragment before the ports, others behind its end"},
	{"af-packet-qdisc-bypass", FOR_BOTH, NEEDS_RAW, af_packet_qdisc_bypass,
	 "AF_PACKET with PACKET_QDISC_BYPASS: past tc egress"},
	{"af-packet-vnet-hdr", FOR_BOTH, NEEDS_RAW, af_packet_vnet_hdr,
	 "AF_PACKET with PACKET_VNET_HDR"},
	{"af-packet-tx-ring", FOR_BOTH, NEEDS_RAW, af_packet_tx_ring,
	 "AF_PACKET with a shared ring, TPACKET_V2"},
	{"af-xdp", FOR_BOTH, NEEDS_RAW, af_xdp, "AF_XDP in copy mode: past tc egress"},
	{},
};
