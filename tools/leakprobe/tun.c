// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A packet that comes in by a TUN device of the program's own, as from a virtual machine, and
 * that this host forwards (net.ipv4.ip_forward, net.ipv6.conf.all.forwarding).
 */
#include "packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* RFC 2544 and RFC 3849: addresses that are nobody's. The packet comes from the second. */
#define TUN_OWN4 "198.18.53.1"
#define TUN_GUEST4 "198.18.53.2"
#define TUN_OWN6 "2001:db8:53::1"
#define TUN_GUEST6 "2001:db8:53::2"
#define TUN_PREFIX6 64

/* As linux/ipv6.h has it, which cannot be included beside netinet/in.h. */
struct in6_request {
	struct in6_addr address;
	uint32_t prefix;
	int device;
};

static int open_tun(struct probe *p, struct ifreq *ret_device)
{
	struct ifreq device = {.ifr_name = "leakprobe%d", .ifr_flags = IFF_TUN | IFF_NO_PI};

	p->step = "socket";
	p->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (p->fd < 0 || ioctl(p->fd, TUNSETIFF, &device) < 0)
		return -errno;
	*ret_device = device;
	return 0;
}

static int set_address4(int fd, struct ifreq *device)
{
	union endpoint address = {};

	(void)parse_address(TUN_OWN4, 0, &address);
	memcpy(&device->ifr_addr, &address.in, sizeof(address.in));
	if (ioctl(fd, SIOCSIFADDR, device) < 0)
		return -errno;
	(void)parse_address("255.255.255.0", 0, &address);
	memcpy(&device->ifr_netmask, &address.in, sizeof(address.in));
	return ioctl(fd, SIOCSIFNETMASK, device) < 0 ? -errno : 0;
}

static int set_address6(int fd, const struct ifreq *device)
{
	struct in6_request request = {.prefix = TUN_PREFIX6,
				      .device = (int)if_nametoindex(device->ifr_name)};

	(void)inet_pton(AF_INET6, TUN_OWN6, &request.address);
	return ioctl(fd, SIOCSIFADDR, &request) < 0 ? -errno : 0;
}

static int set_up(struct probe *p, struct ifreq *device)
{
	int fd, result;

	p->step = "socket";
	fd = socket(p->to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	result = is_ip4(&p->to) ? set_address4(fd, device) : 0;
	device->ifr_flags = IFF_UP | IFF_RUNNING;
	if (!result && ioctl(fd, SIOCSIFFLAGS, device) < 0)
		result = -errno;
	if (!result && !is_ip4(&p->to))
		result = set_address6(fd, device);
	close(fd);
	return result;
}

static int tun_inject(struct probe *p)
{
	struct packet packet = {};
	union endpoint source = {};
	struct ifreq device;
	int result = open_tun(p, &device) ?: set_up(p, &device);

	if (result)
		return result;
	(void)parse_address(is_ip4(&p->to) ? TUN_GUEST4 : TUN_GUEST6, 0, &source);
	put_ip(&packet, &source, &p->to, IPPROTO_UDP, 8 + p->query_len);
	put_udp(&packet, p, &source, &p->to);
	p->step = "send";
	return write(p->fd, packet.bytes, packet.len) < 0 ? -errno : 0;
}

const struct technique tun_techniques[] = {
	{"tun-inject", FOR_BOTH, NEEDS_ADMIN, tun_inject,
	 "written to a TUN device, forwarded by this host"},
	{},
};
