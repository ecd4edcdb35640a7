// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sends one DNS query by a chosen technique and says what the system calls answered: which ways
 * out of a host are open, and what an application sees where one is closed. Every technique is
 * a row of techniques[] and a function that reads as the list of its system calls. Nothing here
 * waits for an answer, and nothing knows of dnsfence: the far end or a packet counter says
 * whether the query arrived.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 /* linux/udp.h, 4.18 */
#endif
#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30 /* linux/tcp.h, 4.11 */
#endif
#ifndef IPPROTO_UDPLITE
#define IPPROTO_UDPLITE 136
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262 /* linux/in.h, 5.6 */
#endif

#define DEFAULT_NAME "leak.dnsfence.test"
#define DISCARD_PORT 9
#define FRAGMENT_ID 0x2d53
#define QUERY_MAX 320 /* header 12, name 255, type and class 4, and room */
#define PACKET_MAX 4096
#define DATAGRAM_MAX 65507 /* the largest UDP payload over IPv4 */
#define CHAIN_MAX 100
#define INHERITED_MAX 16

#define FOR_4 1u
#define FOR_6 2u
#define FOR_BOTH (FOR_4 | FOR_6)

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct probe {
	union address to; /* ADDR and PORT */
	union address other; /* -f, or the same as to */
	const char *name;
	const char *step; /* the system call group that runs now; after a failure: that failed */
	int fd;
	int inherited; /* -c: a socket to use instead of a new one, or -1 */
	unsigned int chain;
	unsigned int timeout_ms;
	uint16_t source_port; /* -s, or 0 */
	bool unique;
	size_t query_len;
	/* As TCP sends it: two bytes of length, then the message (RFC 1035 4.2.2). */
	unsigned char query[2 + QUERY_MAX];
};

struct packet {
	size_t len;
	unsigned char bytes[PACKET_MAX];
};

/* System calls: each says its step, returns 0 or -errno. */

/* -s: the port is all that is bound; raw sockets have none. */
static int bind_source_port(struct probe *p, int family, int type)
{
	union address local = {.any.sa_family = (sa_family_t)family};
	socklen_t len = family == AF_INET ? sizeof(local.in) : sizeof(local.in6);
	int one = 1;

	if (!p->source_port || type == SOCK_RAW || p->inherited >= 0)
		return 0;
	if (family == AF_INET)
		local.in.sin_port = htons(p->source_port);
	else
		local.in6.sin6_port = htons(p->source_port);
	if (setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(p->fd, &local.any, len) < 0)
		return -errno;
	return 0;
}

static int open_socket(struct probe *p, int family, int type, int protocol)
{
	struct timeval timeout = {.tv_sec = p->timeout_ms / 1000,
				  .tv_usec = p->timeout_ms % 1000 * 1000};

	p->step = "socket";
	if (p->fd >= 0)
		close(p->fd);
	p->fd = p->inherited >= 0 ? dup(p->inherited)
				  : socket(family, type | SOCK_CLOEXEC, protocol);
	if (p->fd < 0)
		return -errno;
	/* Also bounds a connect() whose segments somebody drops: EINPROGRESS. */
	if (setsockopt(p->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
		return -errno;
	return bind_source_port(p, family, type);
}

static int set_option(struct probe *p, int level, int option, const void *value, size_t len)
{
	p->step = "socket";
	return setsockopt(p->fd, level, option, value, (socklen_t)len) < 0 ? -errno : 0;
}

static int set_option_int(struct probe *p, int level, int option, int value)
{
	return set_option(p, level, option, &value, sizeof(value));
}

static socklen_t address_len(const union address *address)
{
	return address->any.sa_family == AF_INET ? sizeof(address->in) : sizeof(address->in6);
}

static int connect_to(struct probe *p, const union address *to)
{
	p->step = "connect";
	return connect(p->fd, &to->any, address_len(to)) < 0 ? -errno : 0;
}

/* to: NULL on a connected socket. */
static int send_bytes(struct probe *p, const void *bytes, size_t len, int flags,
		      const union address *to)
{
	p->step = "send";
	if (sendto(p->fd, bytes, len, flags | MSG_NOSIGNAL, to ? &to->any : NULL,
		   to ? address_len(to) : 0) < 0)
		return -errno;
	return 0;
}

static int send_query(struct probe *p, const union address *to)
{
	return send_bytes(p, p->query + 2, p->query_len, 0, to);
}

static int send_stream(struct probe *p)
{
	return send_bytes(p, p->query, p->query_len + 2, 0, NULL);
}

/* One control message beside the query. */
static int send_control(struct probe *p, const union address *to, int level, int type,
			const void *data, size_t len)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(64)];
	} control = {};
	struct iovec iov = {.iov_base = p->query + 2, .iov_len = p->query_len};
	struct msghdr message = {
		.msg_name = to ? (void *)to : NULL,
		.msg_namelen = to ? address_len(to) : 0,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(len),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = level;
	header->cmsg_type = type;
	header->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(header), data, len);
	p->step = "send";
	return sendmsg(p->fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Addresses. */

static bool is_ip4(const union address *address)
{
	return address->any.sa_family == AF_INET;
}

static void set_port(union address *address, uint16_t port)
{
	if (is_ip4(address))
		address->in.sin_port = htons(port);
	else
		address->in6.sin6_port = htons(port);
}

static uint16_t port_of(const union address *address)
{
	return ntohs(is_ip4(address) ? address->in.sin_port : address->in6.sin6_port);
}

static bool parse_address(const char *text, uint16_t port, union address *ret_address)
{
	union address address = {};

	if (inet_pton(AF_INET, text, &address.in.sin_addr) == 1)
		address.in.sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &address.in6.sin6_addr) == 1)
		address.in6.sin6_family = AF_INET6;
	else
		return false;
	set_port(&address, port);
	*ret_address = address;
	return true;
}

/* ::ffff:a.b.c.d (RFC 4291 2.5.5.2). */
static union address map_ip4(const union address *address)
{
	union address mapped = {};

	mapped.in6.sin6_family = AF_INET6;
	mapped.in6.sin6_port = address->in.sin_port;
	mapped.in6.sin6_addr.s6_addr[10] = 0xff;
	mapped.in6.sin6_addr.s6_addr[11] = 0xff;
	memcpy(mapped.in6.sin6_addr.s6_addr + 12, &address->in.sin_addr, 4);
	return mapped;
}

static union address with_port(const union address *address, uint16_t port)
{
	union address copy = *address;

	set_port(&copy, port);
	return copy;
}

/* This host's address towards another; connect() of a UDP socket sends nothing. */
static int find_source(struct probe *p, const union address *to, union address *ret_source)
{
	union address source, target = with_port(to, DISCARD_PORT);
	socklen_t len = sizeof(source);
	int fd, result = 0;

	p->step = "socket";
	fd = socket(to->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, &target.any, address_len(&target)) < 0 ||
	    getsockname(fd, &source.any, &len) < 0)
		result = -errno;
	close(fd);
	if (!result)
		*ret_source = source;
	return result;
}

/* Packets made by hand. */

static void put(struct packet *packet, const void *bytes, size_t len)
{
	if (len > sizeof(packet->bytes) - packet->len)
		len = sizeof(packet->bytes) - packet->len;
	memcpy(packet->bytes + packet->len, bytes, len);
	packet->len += len;
}

static uint32_t sum_words(const void *bytes, size_t len, uint32_t sum)
{
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? byte[i] : (uint32_t)byte[i] << 8;
	return sum;
}

static uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* With a checksum over IPv6, where it is mandatory (RFC 8200 8.1). */
static void put_udp(struct packet *packet, const struct probe *p, const union address *source,
		    const union address *to)
{
	size_t len = sizeof(struct udphdr) + p->query_len;
	struct udphdr udp = {.uh_sport = htons(40053),
			     .uh_dport = htons(port_of(to)),
			     .uh_ulen = htons((uint16_t)len)};
	uint32_t sum = (uint32_t)(IPPROTO_UDP + len);

	if (!is_ip4(to)) {
		sum = sum_words(&source->in6.sin6_addr, 16, sum);
		sum = sum_words(&to->in6.sin6_addr, 16, sum);
		sum = sum_words(&udp, sizeof(udp), sum);
		udp.uh_sum = sum_fold(sum_words(p->query + 2, p->query_len, sum));
	}
	put(packet, &udp, sizeof(udp));
	put(packet, p->query + 2, p->query_len);
}

/* fragment: offset in units of 8 bytes and IP_MF, host order. */
static void put_ip4(struct packet *packet, const union address *source, const union address *to,
		    uint8_t protocol, size_t payload, uint16_t fragment)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)(sizeof(ip) + payload)),
		.id = htons(FRAGMENT_ID),
		.frag_off = htons(fragment),
		.ttl = 64,
		.protocol = protocol,
		.saddr = source->in.sin_addr.s_addr,
		.daddr = to->in.sin_addr.s_addr,
	};

	ip.check = sum_fold(sum_words(&ip, sizeof(ip), 0));
	put(packet, &ip, sizeof(ip));
}

static void put_ip6(struct packet *packet, const union address *source, const union address *to,
		    uint8_t next, size_t payload)
{
	struct ip6_hdr ip = {
		.ip6_flow = htonl(6u << 28),
		.ip6_plen = htons((uint16_t)payload),
		.ip6_nxt = next,
		.ip6_hlim = 64,
		.ip6_src = source->in6.sin6_addr,
		.ip6_dst = to->in6.sin6_addr,
	};

	put(packet, &ip, sizeof(ip));
}

/* fragment: offset in units of 8 bytes; more: not the last. */
static void put_fragment(struct packet *packet, uint8_t next, uint16_t fragment, bool more)
{
	struct ip6_frag header = {
		.ip6f_nxt = next,
		.ip6f_offlg = htons((uint16_t)(fragment << 3 | more)),
		.ip6f_ident = htonl(FRAGMENT_ID),
	};

	put(packet, &header, sizeof(header));
}

/* Eight bytes of nothing: a destination or hop-by-hop options header with one PadN. */
static void put_padding(struct packet *packet, uint8_t next)
{
	const unsigned char header[8] = {next, 0, IP6OPT_PADN, 4};

	put(packet, header, sizeof(header));
}

static void put_ip(struct packet *packet, const union address *source, const union address *to,
		   uint8_t protocol, size_t payload)
{
	if (is_ip4(to))
		put_ip4(packet, source, to, protocol, payload, 0);
	else
		put_ip6(packet, source, to, protocol, payload);
}

/* A whole UDP datagram with its IP header. */
static int make_datagram(struct probe *p, const union address *to, struct packet *ret_packet)
{
	struct packet packet = {};
	union address source;
	int result = find_source(p, to, &source);

	if (result)
		return result;
	put_ip(&packet, &source, to, IPPROTO_UDP, sizeof(struct udphdr) + p->query_len);
	put_udp(&packet, p, &source, to);
	*ret_packet = packet;
	return 0;
}

/* packet includes its IP header; it is routed by the address in to, not by the header. */
static int send_raw(struct probe *p, const struct packet *packet, const union address *to)
{
	union address target = with_port(to, 0); /* IPv6 takes it for a protocol */

	return open_socket(p, to->any.sa_family, SOCK_RAW, IPPROTO_RAW)
		       ?: send_bytes(p, packet->bytes, packet->len, 0, &target);
}

/* Techniques on ordinary sockets. */

static int open_udp(struct probe *p)
{
	return open_socket(p, p->to.any.sa_family, SOCK_DGRAM, IPPROTO_UDP);
}

static int open_tcp(struct probe *p)
{
	return open_socket(p, p->to.any.sa_family, SOCK_STREAM, IPPROTO_TCP);
}

static int udp_connect(struct probe *p)
{
	return open_udp(p) ?: connect_to(p, &p->to) ?: send_query(p, NULL);
}

static int udp_sendto(struct probe *p)
{
	return open_udp(p) ?: send_query(p, &p->to);
}

static int udp_sendmsg(struct probe *p)
{
	struct iovec iov = {.iov_base = p->query + 2, .iov_len = p->query_len};
	struct msghdr message = {.msg_name = &p->to,
				 .msg_namelen = address_len(&p->to),
				 .msg_iov = &iov,
				 .msg_iovlen = 1};
	int result = open_udp(p);

	if (result)
		return result;
	p->step = "send";
	return sendmsg(p->fd, &message, 0) < 0 ? -errno : 0;
}

static int udp_sendmmsg(struct probe *p)
{
	struct iovec iov = {.iov_base = p->query + 2, .iov_len = p->query_len};
	struct mmsghdr messages[2] = {};
	int result = open_udp(p);

	if (result)
		return result;
	for (int i = 0; i < 2; i++)
		messages[i].msg_hdr = (struct msghdr){.msg_name = &p->to,
						      .msg_namelen = address_len(&p->to),
						      .msg_iov = &iov,
						      .msg_iovlen = 1};
	p->step = "send";
	return sendmmsg(p->fd, messages, 2, 0) < 0 ? -errno : 0;
}

static int udp_connect_sendto_elsewhere(struct probe *p)
{
	union address elsewhere = with_port(&p->other, DISCARD_PORT);

	return open_udp(p) ?: connect_to(p, &elsewhere) ?: send_query(p, &p->to);
}

static int udp_cmsg_tos(struct probe *p)
{
	int level = is_ip4(&p->to) ? IPPROTO_IP : IPPROTO_IPV6;
	int type = is_ip4(&p->to) ? IP_TOS : IPV6_TCLASS;
	int value = IPTOS_LOWDELAY;

	return open_udp(p) ?: connect_to(p, &p->to)
		?: send_control(p, NULL, level, type, &value, sizeof(value));
}

static int udp_cmsg_pktinfo(struct probe *p)
{
	struct in6_pktinfo info6 = {};
	struct in_pktinfo info4 = {};
	int result = open_udp(p);

	if (result)
		return result;
	if (is_ip4(&p->to))
		return send_control(p, &p->to, IPPROTO_IP, IP_PKTINFO, &info4, sizeof(info4));
	return send_control(p, &p->to, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof(info6));
}

static int udp_any(struct probe *p)
{
	union address any = {.any.sa_family = p->to.any.sa_family};

	set_port(&any, port_of(&p->to));
	return open_udp(p) ?: send_query(p, &any);
}

static int udp_big(struct probe *p)
{
	static unsigned char datagram[DATAGRAM_MAX];

	memcpy(datagram, p->query + 2, p->query_len);
	return open_udp(p)
		?: set_option_int(p, SOL_SOCKET, SO_SNDBUF, 4 * DATAGRAM_MAX)
		?: send_bytes(p, datagram, sizeof(datagram), 0, &p->to);
}

static int udp_gso(struct probe *p)
{
	unsigned char datagrams[4 * QUERY_MAX];
	int segment = (int)p->query_len;

	for (int i = 0; i < 4; i++)
		memcpy(datagrams + i * segment, p->query + 2, p->query_len);
	return open_udp(p) ?: set_option_int(p, IPPROTO_UDP, UDP_SEGMENT, segment)
		?: send_bytes(p, datagrams, 4 * p->query_len, 0, &p->to);
}

static int udp_cork(struct probe *p)
{
	size_t half = p->query_len / 2;

	return open_udp(p) ?: connect_to(p, &p->to)
		?: send_bytes(p, p->query + 2, half, MSG_MORE, NULL)
		?: send_bytes(p, p->query + 2 + half, p->query_len - half, 0, NULL);
}

/* A datagram begun towards ADDR; the socket is then connected to -f, and the datagram ended. */
static int udp_cork_connect(struct probe *p)
{
	union address other = with_port(&p->other, port_of(&p->to));
	size_t half = p->query_len / 2;

	return open_udp(p) ?: send_bytes(p, p->query + 2, half, MSG_MORE, &p->to)
		?: connect_to(p, &other)
		?: send_bytes(p, p->query + 2 + half, p->query_len - half, 0, NULL);
}

/* From the port that it asks, as a server answers: connected to -f, but sent to ADDR. */
static int udp_same_port_elsewhere(struct probe *p)
{
	union address other = with_port(&p->other, port_of(&p->to));

	p->source_port = port_of(&p->to);
	return open_udp(p) ?: connect_to(p, &other) ?: send_query(p, &p->to);
}

static int udplite_connect(struct probe *p)
{
	return open_socket(p, p->to.any.sa_family, SOCK_DGRAM, IPPROTO_UDPLITE)
		?: connect_to(p, &p->to) ?: send_query(p, NULL);
}

static int source_port_53(struct probe *p)
{
	p->source_port = 53;
	return open_udp(p) ?: send_query(p, &p->to);
}

static int tcp_connect(struct probe *p)
{
	return open_tcp(p) ?: connect_to(p, &p->to) ?: send_stream(p);
}

static int tcp_tfo(struct probe *p)
{
	return open_tcp(p) ?: send_bytes(p, p->query, p->query_len + 2, MSG_FASTOPEN, &p->to);
}

static int tcp_tfo_connect(struct probe *p)
{
	return open_tcp(p) ?: set_option_int(p, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
		?: connect_to(p, &p->to) ?: send_stream(p);
}

static int mptcp_connect(struct probe *p)
{
	return open_socket(p, p->to.any.sa_family, SOCK_STREAM, IPPROTO_MPTCP)
		?: connect_to(p, &p->to) ?: send_stream(p);
}

static int v4mapped_udp_connect(struct probe *p)
{
	union address mapped = map_ip4(&p->to);

	return open_socket(p, AF_INET6, SOCK_DGRAM, 0) ?: connect_to(p, &mapped)
		?: send_query(p, NULL);
}

static int v4mapped_udp_sendto(struct probe *p)
{
	union address mapped = map_ip4(&p->to);

	return open_socket(p, AF_INET6, SOCK_DGRAM, 0) ?: send_query(p, &mapped);
}

static int v4mapped_tcp(struct probe *p)
{
	union address mapped = map_ip4(&p->to);

	return open_socket(p, AF_INET6, SOCK_STREAM, 0) ?: connect_to(p, &mapped) ?: send_stream(p);
}

static int sin_on_in6(struct probe *p)
{
	return open_socket(p, AF_INET6, SOCK_DGRAM, 0) ?: send_query(p, &p->to);
}

/* Options and extension headers on ordinary sockets. */

static int ip4_options(struct probe *p)
{
	const unsigned char options[4] = {IPOPT_NOOP, IPOPT_NOOP, IPOPT_NOOP, IPOPT_EOL};

	return open_udp(p) ?: set_option(p, IPPROTO_IP, IP_OPTIONS, options, sizeof(options))
		?: send_query(p, &p->to);
}

/* ADDR is the first hop, which the packet is addressed to; the call names the final address. */
static int ip4_lsrr(struct probe *p)
{
	unsigned char options[8] = {IPOPT_LSRR, 7, IPOPT_MINOFF};
	union address final = with_port(&p->other, port_of(&p->to));

	memcpy(options + 3, &p->to.in.sin_addr, 4);
	return open_udp(p) ?: set_option(p, IPPROTO_IP, IP_OPTIONS, options, sizeof(options))
		?: send_query(p, &final);
}

static int send_padded(struct probe *p, int option)
{
	const unsigned char header[8] = {0, 0, IP6OPT_PADN, 4};

	return open_udp(p) ?: set_option(p, IPPROTO_IPV6, option, header, sizeof(header))
		?: send_query(p, &p->to);
}

static int ip6_hopopts(struct probe *p)
{
	return send_padded(p, IPV6_HOPOPTS);
}

static int ip6_dstopts(struct probe *p)
{
	return send_padded(p, IPV6_DSTOPTS);
}

/* Two segments (RFC 8754 2): ADDR first; the kernel fills in the final one from the call. */
static int set_segments(struct probe *p)
{
	struct {
		struct ip6_rthdr rthdr;
		uint8_t last_entry;
		uint8_t flags;
		uint16_t tag;
		struct in6_addr segments[2];
	} header = {
		.rthdr = {.ip6r_len = 4, .ip6r_type = 4, .ip6r_segleft = 1},
		.last_entry = 1,
	};

	header.segments[1] = p->to.in6.sin6_addr;
	return set_option(p, IPPROTO_IPV6, IPV6_RTHDR, &header, sizeof(header));
}

static int ip6_routing(struct probe *p)
{
	union address final = with_port(&p->other, port_of(&p->to));

	return open_udp(p) ?: set_segments(p) ?: send_query(p, &final);
}

static int ip6_routing_tcp(struct probe *p)
{
	union address final = with_port(&p->other, port_of(&p->to));

	return open_tcp(p) ?: set_segments(p) ?: connect_to(p, &final) ?: send_stream(p);
}

/* Raw sockets. */

static int raw_udp(struct probe *p)
{
	union address source, target = with_port(&p->to, 0);
	struct packet packet = {};
	int result = find_source(p, &p->to, &source);

	if (result)
		return result;
	put_udp(&packet, p, &source, &p->to);
	return open_socket(p, p->to.any.sa_family, SOCK_RAW, IPPROTO_UDP)
		       ?: send_bytes(p, packet.bytes, packet.len, 0, &target);
}

static int raw_hdrincl(struct probe *p)
{
	struct packet packet;

	return make_datagram(p, &p->to, &packet) ?: send_raw(p, &packet, &p->to);
}

static int raw_hdrincl_lying(struct probe *p)
{
	struct packet packet;

	return make_datagram(p, &p->to, &packet) ?: send_raw(p, &packet, &p->other);
}

/*
 * A datagram in two pieces. Over IPv6 the first holds only a destination options header, so
 * that the ports are in the second.
 */
static int make_fragments(struct probe *p, struct packet *ret_first, struct packet *ret_later)
{
	struct packet body = {}, first = {}, later = {};
	const size_t cut = is_ip4(&p->to) ? 16 : 8;
	union address source;
	int result = find_source(p, &p->to, &source);

	if (result)
		return result;
	if (is_ip4(&p->to)) {
		put_udp(&body, p, &source, &p->to);
		put_ip4(&first, &source, &p->to, IPPROTO_UDP, cut, IP_MF);
		put_ip4(&later, &source, &p->to, IPPROTO_UDP, body.len - cut, cut / 8);
	} else {
		put_padding(&body, IPPROTO_UDP);
		put_udp(&body, p, &source, &p->to);
		put_ip6(&first, &source, &p->to, IPPROTO_FRAGMENT, 8 + cut);
		put_fragment(&first, IPPROTO_DSTOPTS, 0, true);
		put_ip6(&later, &source, &p->to, IPPROTO_FRAGMENT, 8 + body.len - cut);
		put_fragment(&later, IPPROTO_DSTOPTS, cut / 8, false);
	}
	put(&first, body.bytes, cut);
	put(&later, body.bytes + cut, body.len - cut);
	*ret_first = first;
	*ret_later = later;
	return 0;
}

static int raw_fragment_first(struct probe *p)
{
	struct packet first, later;

	return make_fragments(p, &first, &later) ?: send_raw(p, &first, &p->to);
}

static int raw_fragment_later(struct probe *p)
{
	struct packet first, later;

	return make_fragments(p, &first, &later) ?: send_raw(p, &later, &p->to);
}

static int raw_fragments(struct probe *p)
{
	return raw_fragment_first(p) ?: raw_fragment_later(p);
}

static int ip6_atomic_fragment(struct probe *p)
{
	struct packet packet = {}, body = {};
	union address source;
	int result = find_source(p, &p->to, &source);

	if (result)
		return result;
	put_udp(&body, p, &source, &p->to);
	put_ip6(&packet, &source, &p->to, IPPROTO_FRAGMENT, 8 + body.len);
	put_fragment(&packet, IPPROTO_UDP, 0, false);
	put(&packet, body.bytes, body.len);
	return send_raw(p, &packet, &p->to);
}

static int ip6_dstopts_chain(struct probe *p)
{
	struct packet packet = {}, body = {};
	union address source;
	int result = find_source(p, &p->to, &source);

	if (result)
		return result;
	for (unsigned int left = p->chain; left > 0; left--)
		put_padding(&body, left > 1 ? IPPROTO_DSTOPTS : IPPROTO_UDP);
	put_udp(&body, p, &source, &p->to);
	put_ip6(&packet, &source, &p->to, p->chain ? IPPROTO_DSTOPTS : IPPROTO_UDP, body.len);
	put(&packet, body.bytes, body.len);
	return send_raw(p, &packet, &p->to);
}

/* A datagram to -f inside one to ADDR; the kernel adds the outer header. */
static int ipip(struct probe *p)
{
	union address inner = with_port(&p->other, port_of(&p->to));
	union address outer = with_port(&p->to, 0);
	int protocol = is_ip4(&inner) ? IPPROTO_IPIP : IPPROTO_IPV6;
	struct packet packet;

	return make_datagram(p, &inner, &packet)
		?: open_socket(p, outer.any.sa_family, SOCK_RAW, protocol)
		?: send_bytes(p, packet.bytes, packet.len, 0, &outer);
}

static const struct technique {
	const char *name;
	unsigned int families; /* of ADDR */
	int (*run)(struct probe *p);
	const char *help;
} techniques[] = {
	{"udp-connect", FOR_BOTH, udp_connect, "connect(), send()"},
	{"udp-sendto", FOR_BOTH, udp_sendto, "sendto()"},
	{"udp-sendmsg", FOR_BOTH, udp_sendmsg, "sendmsg() with an address"},
	{"udp-sendmmsg", FOR_BOTH, udp_sendmmsg, "two messages in one sendmmsg()"},
	{"udp-connect-sendto-elsewhere", FOR_BOTH, udp_connect_sendto_elsewhere,
	 "connected to port 9 of -f, sendto() ADDR"},
	{"udp-cmsg-tos", FOR_BOTH, udp_cmsg_tos, "connected, sendmsg() with IP_TOS or IPV6_TCLASS"},
	{"udp-cmsg-pktinfo", FOR_BOTH, udp_cmsg_pktinfo, "sendmsg() with an address and PKTINFO"},
	{"udp-any", FOR_BOTH, udp_any, "sendto() 0.0.0.0 or ::, which mean this host"},
	{"udp-big", FOR_BOTH, udp_big, "a datagram of 65507 bytes"},
	{"udp-gso", FOR_BOTH, udp_gso, "four queries in one send by UDP_SEGMENT"},
	{"udp-cork", FOR_BOTH, udp_cork, "one query by two sends, MSG_MORE"},
	{"udp-cork-connect", FOR_BOTH, udp_cork_connect,
	 "sendto() ADDR with MSG_MORE, connect() to -f, send() the rest"},
	{"udp-same-port-elsewhere", FOR_BOTH, udp_same_port_elsewhere,
	 "from source port PORT, connected to -f: sendto() ADDR"},
	{"udplite-connect", FOR_BOTH, udplite_connect, "UDP-Lite: connect(), send()"},
	{"source-port-53", FOR_BOTH, source_port_53, "bind() to port 53, sendto()"},
	{"tcp-connect", FOR_BOTH, tcp_connect, "TCP: connect(), send()"},
	{"tcp-tfo", FOR_BOTH, tcp_tfo, "TCP Fast Open: sendto() with MSG_FASTOPEN"},
	{"tcp-tfo-connect", FOR_BOTH, tcp_tfo_connect, "TCP_FASTOPEN_CONNECT, connect(), send()"},
	{"mptcp-connect", FOR_BOTH, mptcp_connect, "Multipath TCP: connect(), send()"},
	{"v4mapped-udp-connect", FOR_4, v4mapped_udp_connect, "connect() to ::ffff:ADDR, send()"},
	{"v4mapped-udp-sendto", FOR_4, v4mapped_udp_sendto, "sendto() ::ffff:ADDR"},
	{"v4mapped-tcp", FOR_4, v4mapped_tcp, "TCP: connect() to ::ffff:ADDR, send()"},
	{"sin-on-in6", FOR_4, sin_on_in6, "sendto() of a sockaddr_in on an AF_INET6 socket"},
	{"ip4-options", FOR_4, ip4_options, "IP_OPTIONS of NOPs"},
	{"ip4-lsrr", FOR_4, ip4_lsrr, "loose source route: ADDR is the hop, -f the target"},
	{"ip6-hopopts", FOR_6, ip6_hopopts, "IPV6_HOPOPTS"},
	{"ip6-dstopts", FOR_6, ip6_dstopts, "IPV6_DSTOPTS"},
	{"ip6-routing", FOR_6, ip6_routing,
	 "segment routing header: ADDR is the hop, -f the target"},
	{"ip6-routing-tcp", FOR_6, ip6_routing_tcp, "the same over TCP"},
	{"raw-udp", FOR_BOTH, raw_udp, "raw socket, own UDP header"},
	{"raw-hdrincl", FOR_BOTH, raw_hdrincl, "raw socket, own IP header"},
	{"raw-hdrincl-lying", FOR_BOTH, raw_hdrincl_lying, "IP header says ADDR, sendto() says -f"},
	{"raw-fragment-first", FOR_BOTH, raw_fragment_first, "the first half of a datagram"},
	{"raw-fragment-later", FOR_BOTH, raw_fragment_later, "the second half of a datagram"},
	{"raw-fragments", FOR_BOTH, raw_fragments, "both halves"},
	{"ip6-atomic-fragment", FOR_6, ip6_atomic_fragment, "fragment header on a whole datagram"},
	{"ip6-dstopts-chain", FOR_6, ip6_dstopts_chain, "-x destination options headers"},
	{"ipip", FOR_BOTH, ipip, "a datagram to -f inside one to ADDR, protocol 4 or 41"},
};

#define TECHNIQUES_LEN (sizeof(techniques) / sizeof(techniques[0]))

static const struct technique *find_technique(const char *name)
{
	for (size_t i = 0; i < TECHNIQUES_LEN; i++)
		if (!strcmp(techniques[i].name, name))
			return &techniques[i];
	return NULL;
}

/* The query. */

/* Text of labels to wire format; serial > 0 adds a first label that makes the name unique. */
static bool put_name(struct packet *message, const char *name, unsigned long serial)
{
	char text[256];
	int written = serial ? snprintf(text, sizeof(text), "q%lu.%s", serial, name)
			     : snprintf(text, sizeof(text), "%s", name);
	char *rest = text, *label;

	if (written < 0 || written >= 254)
		return false;
	while ((label = strsep(&rest, ".")) && *label) {
		size_t len = strlen(label);
		unsigned char prefix = (unsigned char)len;

		if (len > 63)
			return false;
		put(message, &prefix, 1);
		put(message, label, len);
	}
	put(message, "", 1);
	return !rest; /* a trailing dot may stand, two may not */
}

static bool make_query(struct probe *p, unsigned long serial)
{
	/* RFC 1035 4.1.1: id, recursion desired, one question. */
	const unsigned char header[12] = {0xdf, 0x35, 1, 0, 0, 1};
	const unsigned char type_class[4] = {0, 1, 0, 1};
	struct packet message = {};

	put(&message, header, sizeof(header));
	if (!put_name(&message, p->name, serial))
		return false;
	put(&message, type_class, sizeof(type_class));
	p->query_len = message.len;
	p->query[0] = (unsigned char)(message.len >> 8);
	p->query[1] = (unsigned char)message.len;
	memcpy(p->query + 2, message.bytes, message.len);
	return true;
}

/* The command line. */

struct options {
	struct probe probe;
	const char *verb, *address;
	unsigned long repeat;
	int inherited[INHERITED_MAX];
	unsigned int inherited_len;
};

static void print_usage(FILE *to)
{
	fputs("usage: leakprobe -l\n"
	      "       leakprobe TECHNIQUE ADDR [PORT] [options]\n"
	      "       leakprobe hold-udp|hold-tcp|hold-tcp-listen ADDR [PORT] [options]\n"
	      "Send one DNS query for an A record by a technique and print\n"
	      "  technique addr port errno=NAME step=socket|connect|send|none elapsed_us=N\n"
	      "hold-udp and hold-tcp connect, print \"ready\", and send after a line on stdin;\n"
	      "hold-tcp-listen listens on the connection's own port before it sends.\n"
	      "\n"
	      "  -l        list the techniques\n"
	      "  -n NAME   name to ask for (default " DEFAULT_NAME ")\n"
	      "  -f ADDR   second address, for techniques that need one (default ADDR)\n"
	      "  -r COUNT  do it COUNT times; the line then ends with count=N failed=N\n"
	      "            and tells of the first failure\n"
	      "  -u        with -r: another name each time\n"
	      "  -c FD     use the inherited socket FD; again: do it on each\n"
	      "  -s PORT   bind() the source port first (not on raw sockets)\n"
	      "  -x COUNT  extension headers of ip6-dstopts-chain (default 7)\n"
	      "  -t MS     bound of a connect() or send() (default 3000), then EINPROGRESS\n"
	      "  -h        this text\n"
	      "\n"
	      "exit status: 0 every system call succeeded, 1 one failed, 2 usage\n",
	      to);
}

static void print_techniques(void)
{
	for (size_t i = 0; i < TECHNIQUES_LEN; i++)
		printf("%-29s %-4s %s\n", techniques[i].name,
		       techniques[i].families == FOR_4   ? "4"
		       : techniques[i].families == FOR_6 ? "6"
							 : "4 6",
		       techniques[i].help);
}

static bool parse_number(const char *text, unsigned long max, unsigned long *ret_number)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || number > max)
		return false;
	*ret_number = number;
	return true;
}

static bool parse_option(struct options *options, int option, const char *value)
{
	unsigned long number = 0;

	switch (option) {
	case 'n':
		options->probe.name = value;
		return true;
	case 'f':
		return parse_address(value, 0, &options->probe.other);
	case 'u':
		options->probe.unique = true;
		return true;
	case 'r':
		return parse_number(value, UINT32_MAX, &options->repeat) && options->repeat;
	case 'c':
		if (!parse_number(value, INT32_MAX, &number) ||
		    options->inherited_len == INHERITED_MAX)
			return false;
		options->inherited[options->inherited_len++] = (int)number;
		return true;
	case 's':
		if (!parse_number(value, UINT16_MAX, &number))
			return false;
		options->probe.source_port = (uint16_t)number;
		return true;
	case 'x':
		if (!parse_number(value, CHAIN_MAX, &number))
			return false;
		options->probe.chain = (unsigned int)number;
		return true;
	case 't':
		if (!parse_number(value, 3600000, &number))
			return false;
		options->probe.timeout_ms = (unsigned int)number;
		return true;
	}
	return false;
}

/* TECHNIQUE ADDR [PORT]. */
static bool parse_operands(struct options *options, char **operands, int len)
{
	unsigned long port = 53;
	struct probe *p = &options->probe;

	if (len < 2 || len > 3 || (len == 3 && !parse_number(operands[2], UINT16_MAX, &port)))
		return false;
	options->verb = operands[0];
	options->address = operands[1];
	if (!parse_address(operands[1], (uint16_t)port, &p->to))
		return false;
	if (!p->other.any.sa_family)
		p->other = p->to;
	return true;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void print_result(const struct options *options, int error, const char *step,
			 uint64_t elapsed)
{
	const char *name = error ? strerrorname_np(error) : "0";

	printf("%s %s %u errno=%s step=%s elapsed_us=%" PRIu64, options->verb, options->address,
	       port_of(&options->probe.to), name ? name : "unknown", error ? step : "none",
	       elapsed);
}

/* Once for each inherited socket, or once on a socket of its own. 0 or the first errno. */
static int run_once(struct options *options, const struct technique *technique)
{
	struct probe *p = &options->probe;
	unsigned int i = 0;
	int result;

	do {
		p->inherited = i < options->inherited_len ? options->inherited[i] : -1;
		result = technique->run(p);
		if (p->fd >= 0)
			close(p->fd);
		p->fd = -1;
	} while (!result && ++i < options->inherited_len);
	return -result;
}

static int run_technique(struct options *options, const struct technique *technique)
{
	unsigned long failed = 0;
	const char *step = "none";
	uint64_t started = now_us();
	int first = 0;

	for (unsigned long i = 0; i < options->repeat; i++) {
		int error;

		if (options->probe.unique && !make_query(&options->probe, i + 1))
			return 2;
		error = run_once(options, technique);
		if (error && !failed++) {
			first = error;
			step = options->probe.step;
		}
	}
	print_result(options, first, step, now_us() - started);
	if (options->repeat > 1)
		printf(" count=%lu failed=%lu", options->repeat, failed);
	putchar('\n');
	return failed ? 1 : 0;
}

/* A listener on the connection's own port: its segments then look like a server's. */
static int listen_beside(struct probe *p)
{
	union address local;
	socklen_t len = sizeof(local);
	int fd, one = 1;

	p->step = "socket";
	fd = socket(p->to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || getsockname(p->fd, &local.any, &len) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, &local.any, len) < 0 || listen(fd, 1) < 0)
		return -errno;
	return 0; /* open until the program ends */
}

static int hold_send_udp(struct probe *p)
{
	return send_query(p, NULL);
}

static int hold_send_beside(struct probe *p)
{
	return listen_beside(p) ?: send_stream(p);
}

static const struct hold {
	const char *name;
	int (*open)(struct probe *p);
	int (*send)(struct probe *p);
} holds[] = {
	{"hold-udp", open_udp, hold_send_udp},
	{"hold-tcp", open_tcp, send_stream},
	{"hold-tcp-listen", open_tcp, hold_send_beside},
};

static const struct hold *find_hold(const char *name)
{
	for (size_t i = 0; i < sizeof(holds) / sizeof(holds[0]); i++)
		if (!strcmp(holds[i].name, name))
			return &holds[i];
	return NULL;
}

/* Connect, let the caller change the world, send. */
static int run_hold(struct options *options, const struct hold *hold)
{
	struct probe *p = &options->probe;
	uint64_t started = now_us();
	char line[256];
	int result = hold->open(p) ?: set_option_int(p, SOL_SOCKET, SO_REUSEADDR, 1)
		?: connect_to(p, &p->to);

	for (unsigned long i = 0; !result && i < options->repeat; i++) {
		puts("ready");
		fflush(stdout);
		if (!fgets(line, sizeof(line), stdin))
			return 1;
		started = now_us();
		result = hold->send(p);
	}
	print_result(options, -result, p->step, now_us() - started);
	putchar('\n');
	return result ? 1 : 0;
}

static int usage_error(const char *text, const char *word)
{
	fprintf(stderr, "leakprobe: %s%s\n", text, word);
	return 2;
}

static int run(struct options *options)
{
	unsigned int family = is_ip4(&options->probe.to) ? FOR_4 : FOR_6;
	const struct hold *hold = find_hold(options->verb);
	const struct technique *technique;

	if (!make_query(&options->probe, 0))
		return usage_error("no domain name: ", options->probe.name);
	if (hold)
		return run_hold(options, hold);
	technique = find_technique(options->verb);
	if (!technique)
		return usage_error("no such technique (leakprobe -l lists them): ", options->verb);
	if (!(technique->families & family))
		return usage_error("the technique does not know this family: ", options->address);
	return run_technique(options, technique);
}

int main(int argc, char **argv)
{
	struct options options = {
		.probe = {.name = DEFAULT_NAME,
			  .step = "none",
			  .fd = -1,
			  .inherited = -1,
			  .chain = 7,
			  .timeout_ms = 3000},
		.repeat = 1,
	};
	int option;

	while ((option = getopt(argc, argv, "ln:f:r:uc:s:x:t:h")) != -1) {
		if (option == 'l' || option == 'h') {
			if (option == 'l')
				print_techniques();
			else
				print_usage(stdout);
			return 0;
		}
		if (!parse_option(&options, option, optarg)) {
			print_usage(stderr);
			return 2;
		}
	}
	if (!parse_operands(&options, argv + optind, argc - optind)) {
		print_usage(stderr);
		return 2;
	}
	return run(&options);
}
