// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Targets and sources that are not what they look like: address families that lie, IPv4 by way
 * of IPv6 sockets, sockets that change their peer, sources and devices chosen by hand.
 */
#include "probe.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#ifndef IP_UNICAST_IF
#define IP_UNICAST_IF 50
#endif

static int v4mapped_udp_connect(struct probe *p)
{
	union endpoint mapped = map_ip4(&p->to);

	return open_socket(p, AF_INET6, SOCK_DGRAM, 0) ?: connect_to(p, &mapped)
		?: send_query(p, NULL);
}

static int v4mapped_udp_sendto(struct probe *p)
{
	union endpoint mapped = map_ip4(&p->to);

	return open_socket(p, AF_INET6, SOCK_DGRAM, 0) ?: send_query(p, &mapped);
}

static int v4mapped_tcp(struct probe *p)
{
	union endpoint mapped = map_ip4(&p->to);

	return open_socket(p, AF_INET6, SOCK_STREAM, 0) ?: connect_to(p, &mapped) ?: send_stream(p);
}

static int sin_on_in6(struct probe *p)
{
	return open_socket(p, AF_INET6, SOCK_DGRAM, 0) ?: send_query(p, &p->to);
}

/* The socket becomes an IPv4 one after its connect() (RFC 3542's predecessor, still there). */
static int v4mapped_addrform(struct probe *p)
{
	union endpoint mapped = map_ip4(&p->to);

	return open_socket(p, AF_INET6, SOCK_DGRAM, 0) ?: connect_to(p, &mapped)
		?: set_option_int(p, IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET)
		?: send_query(p, NULL);
}

/* Linux takes AF_UNSPEC in a sockaddr_in for AF_INET. */
static int udp_family_0(struct probe *p)
{
	union endpoint nameless = p->to;

	nameless.any.sa_family = AF_UNSPEC;
	return open_udp(p) ?: send_bytes(p, p->query + 2, p->query_len, 0, &nameless);
}

/* AF_UNSPEC: no peer any more. */
static int disconnect(struct probe *p)
{
	struct sockaddr_in6 nobody = {.sin6_family = AF_UNSPEC};

	p->step = "connect";
	return connect(p->fd, (struct sockaddr *)&nobody, sizeof(nobody)) < 0 ? -errno : 0;
}

/* The port is the same at -f. */
static int connect_to_other(struct probe *p)
{
	union endpoint other = with_port(&p->other, port_of(&p->to));

	return connect_to(p, &other);
}

static int udp_reconnect(struct probe *p)
{
	return open_udp(p) ?: connect_to_other(p) ?: send_query(p, NULL) ?: disconnect(p)
		?: connect_to(p, &p->to) ?: send_query(p, NULL);
}

static int udp_disconnect_sendto(struct probe *p)
{
	return open_udp(p) ?: connect_to_other(p) ?: disconnect(p) ?: send_query(p, &p->to);
}

static int tcp_reconnect(struct probe *p)
{
	return open_tcp(p) ?: connect_to_other(p) ?: send_stream(p) ?: disconnect(p)
		?: connect_to(p, &p->to) ?: send_stream(p);
}

/* A listener gives up listening and connects. */
static int tcp_from_listener(struct probe *p)
{
	int result = open_tcp(p);

	if (result)
		return result;
	p->step = "socket";
	if (listen(p->fd, 1) < 0 || shutdown(p->fd, SHUT_RDWR) < 0)
		return -errno;
	return connect_to(p, &p->to) ?: send_stream(p);
}

static unsigned int device_index(const struct probe *p)
{
	return p->device ? if_nametoindex(p->device) : 0;
}

/* Source address and device by control message, the target by sendmsg(): -f is the source. */
static int udp_pktinfo_source(struct probe *p)
{
	struct in6_pktinfo info6 = {.ipi6_addr = p->other.in6.sin6_addr,
				    .ipi6_ifindex = device_index(p)};
	struct in_pktinfo info4 = {.ipi_spec_dst = p->other.in.sin_addr,
				   .ipi_ifindex = (int)device_index(p)};

	if (is_ip4(&p->to))
		return open_udp(p)
			       ?: send_control(p, &p->to, IPPROTO_IP, IP_PKTINFO, &info4,
					       sizeof(info4));
	return open_udp(p)
		       ?: send_control(p, &p->to, IPPROTO_IPV6, IPV6_PKTINFO, &info6,
				       sizeof(info6));
}

static int udp_bindtodevice(struct probe *p)
{
	const char *device = p->device ?: "lo";

	return open_udp(p)
		?: set_option(p, SOL_SOCKET, SO_BINDTODEVICE, device, strlen(device) + 1)
		?: send_query(p, &p->to);
}

static int udp_unicast_if(struct probe *p)
{
	uint32_t index = htonl(device_index(p));

	if (is_ip4(&p->to))
		return open_udp(p)
			?: set_option(p, IPPROTO_IP, IP_UNICAST_IF, &index, sizeof(index))
			?: send_query(p, &p->to);
	return open_udp(p)
		?: set_option(p, IPPROTO_IPV6, IPV6_UNICAST_IF, &index, sizeof(index))
		?: send_query(p, &p->to);
}

static int bind_to(struct probe *p, const union endpoint *to)
{
	union endpoint local = with_port(to, 0);

	p->step = "socket";
	return bind(p->fd, &local.any, address_len(&local)) < 0 ? -errno : 0;
}

/* From an address that this host does not have; over IPv4 sending it takes IP_TRANSPARENT. */
static int udp_freebind(struct probe *p)
{
	return open_udp(p) ?: set_option_int(p, IPPROTO_IPV6, IPV6_FREEBIND, 1) ?: bind_to(p, &p->other)
		?: send_query(p, &p->to);
}

static int udp_transparent(struct probe *p)
{
	int level = is_ip4(&p->to) ? IPPROTO_IP : IPPROTO_IPV6;
	int option = is_ip4(&p->to) ? IP_TRANSPARENT : IPV6_TRANSPARENT;

	return open_udp(p) ?: set_option_int(p, level, option, 1) ?: bind_to(p, &p->other)
		?: send_query(p, &p->to);
}

static int udp_broadcast(struct probe *p)
{
	return open_udp(p) ?: set_option_int(p, SOL_SOCKET, SO_BROADCAST, 1)
		?: send_query(p, &p->to);
}

static int udp_broadcast_connect(struct probe *p)
{
	return open_udp(p) ?: set_option_int(p, SOL_SOCKET, SO_BROADCAST, 1)
		?: connect_to(p, &p->to) ?: send_query(p, NULL);
}

static int set_multicast_device(struct probe *p)
{
	struct ip_mreqn device = {.imr_ifindex = (int)device_index(p)};

	if (is_ip4(&p->to))
		return set_option(p, IPPROTO_IP, IP_MULTICAST_IF, &device, sizeof(device));
	return set_option_int(p, IPPROTO_IPV6, IPV6_MULTICAST_IF, device.imr_ifindex);
}

static int udp_multicast(struct probe *p)
{
	return open_udp(p) ?: set_multicast_device(p) ?: send_query(p, &p->to);
}

static int udp_multicast_connect(struct probe *p)
{
	return open_udp(p) ?: set_multicast_device(p) ?: connect_to(p, &p->to)
		?: send_query(p, NULL);
}

const struct technique trick_techniques[] = {
	{"v4mapped-udp-connect", FOR_4, NEEDS_NOTHING, v4mapped_udp_connect,
	 "connect() to ::ffff:ADDR, send()"},
	{"v4mapped-udp-sendto", FOR_4, NEEDS_NOTHING, v4mapped_udp_sendto, "sendto() ::ffff:ADDR"},
	{"v4mapped-tcp", FOR_4, NEEDS_NOTHING, v4mapped_tcp,
	 "TCP: connect() to ::ffff:ADDR, send()"},
	{"v4mapped-addrform", FOR_4, NEEDS_NOTHING, v4mapped_addrform,
	 "connect() to ::ffff:ADDR, IPV6_ADDRFORM makes it AF_INET, send()"},
	{"sin-on-in6", FOR_4, NEEDS_NOTHING, sin_on_in6,
	 "sendto() of a sockaddr_in on an AF_INET6 socket"},
	{"udp-family-0", FOR_4, NEEDS_NOTHING, udp_family_0, "sendto() with sin_family AF_UNSPEC"},
	{"udp-reconnect", FOR_BOTH, NEEDS_NOTHING, udp_reconnect,
	 "connected to -f and used; connect(AF_UNSPEC), connect() to ADDR, send()"},
	{"udp-disconnect-sendto", FOR_BOTH, NEEDS_NOTHING, udp_disconnect_sendto,
	 "connected to -f; connect(AF_UNSPEC), sendto() ADDR"},
	{"tcp-reconnect", FOR_BOTH, NEEDS_NOTHING, tcp_reconnect,
	 "TCP to -f; connect(AF_UNSPEC), connect() to ADDR, send()"},
	{"tcp-from-listener", FOR_BOTH, NEEDS_NOTHING, tcp_from_listener,
	 "listen(), shutdown(), connect(), send()"},
	{"udp-pktinfo-source", FOR_BOTH, NEEDS_NOTHING, udp_pktinfo_source,
	 "PKTINFO chooses source -f and device -i"},
	{"udp-bindtodevice", FOR_BOTH, NEEDS_NOTHING, udp_bindtodevice,
	 "SO_BINDTODEVICE -i, sendto()"},
	{"udp-unicast-if", FOR_BOTH, NEEDS_NOTHING, udp_unicast_if,
	 "IP_UNICAST_IF, IPV6_UNICAST_IF -i, sendto()"},
	{"udp-freebind", FOR_6, NEEDS_NOTHING, udp_freebind, "IPV6_FREEBIND: source -f, sendto()"},
	{"udp-transparent", FOR_BOTH, NEEDS_RAW, udp_transparent,
	 "IP_TRANSPARENT, IPV6_TRANSPARENT: source -f, sendto()"},
	{"udp-broadcast", FOR_4, NEEDS_NOTHING, udp_broadcast, "SO_BROADCAST, sendto()"},
	{"udp-broadcast-connect", FOR_4, NEEDS_NOTHING, udp_broadcast_connect,
	 "SO_BROADCAST, connect(), send()"},
	{"udp-multicast", FOR_BOTH, NEEDS_NOTHING, udp_multicast,
	 "IP_MULTICAST_IF -i, sendto() a group"},
	{"udp-multicast-connect", FOR_BOTH, NEEDS_NOTHING, udp_multicast_connect,
	 "IP_MULTICAST_IF -i, connect() to a group, send()"},
	{},
};
