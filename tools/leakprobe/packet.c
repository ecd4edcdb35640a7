// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Headers of IP and UDP, with their checksums.
 */
#include "packet.h"

#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#define FRAGMENT_ID 0x2d53

void put(struct packet *packet, const void *bytes, size_t len)
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

static uint32_t sum_pseudo_header(const union endpoint *source, const union endpoint *to,
				  uint8_t protocol, size_t len)
{
	uint32_t sum = (uint32_t)(protocol + len);

	if (is_ip4(to))
		return sum_words(&to->in.sin_addr, 4, sum_words(&source->in.sin_addr, 4, sum));
	return sum_words(&to->in6.sin6_addr, 16, sum_words(&source->in6.sin6_addr, 16, sum));
}

/* With a checksum over IPv6, where it is mandatory (RFC 8200 8.1). */
void put_udp(struct packet *packet, const struct probe *p, const union endpoint *source,
	     const union endpoint *to)
{
	size_t len = sizeof(struct udphdr) + p->query_len;
	struct udphdr udp = {.uh_sport = htons(40053),
			     .uh_dport = htons(port_of(to)),
			     .uh_ulen = htons((uint16_t)len)};
	uint32_t sum;

	if (!is_ip4(to)) {
		sum = sum_pseudo_header(source, to, IPPROTO_UDP, len);
		sum = sum_words(&udp, sizeof(udp), sum);
		udp.uh_sum = sum_fold(sum_words(p->query + 2, p->query_len, sum));
	}
	put(packet, &udp, sizeof(udp));
	put(packet, p->query + 2, p->query_len);
}

void put_tcp(struct packet *packet, const struct probe *p, const union endpoint *source,
	     const union endpoint *to, uint8_t flags)
{
	size_t payload = p->query_len + 2;
	struct tcphdr tcp = {.th_sport = htons(40053),
			     .th_dport = htons(port_of(to)),
			     .th_seq = htonl(1),
			     .th_off = 5,
			     .th_flags = flags,
			     .th_win = htons(1024)};
	uint32_t sum = sum_pseudo_header(source, to, IPPROTO_TCP, sizeof(tcp) + payload);

	sum = sum_words(&tcp, sizeof(tcp), sum);
	tcp.th_sum = sum_fold(sum_words(p->query, payload, sum));
	put(packet, &tcp, sizeof(tcp));
	put(packet, p->query, payload);
}

void put_segments(struct packet *packet, uint8_t next, const union endpoint *first,
		  const union endpoint *last)
{
	/* next, length, type, segments left, last entry, flags, tag */
	const unsigned char header[8] = {next, 4, 4, 1, 1};

	put(packet, header, sizeof(header));
	put(packet, &last->in6.sin6_addr, 16);
	put(packet, &first->in6.sin6_addr, 16);
}

void put_ah(struct packet *packet, uint8_t next)
{
	const unsigned char header[24] = {next, 4, [7] = 1, [11] = 1};

	put(packet, header, sizeof(header));
}

void put_ip4(struct packet *packet, const union endpoint *source, const union endpoint *to,
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

void put_ip6(struct packet *packet, const union endpoint *source, const union endpoint *to,
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

void put_fragment(struct packet *packet, uint8_t next, uint16_t fragment, bool more)
{
	struct ip6_frag header = {
		.ip6f_nxt = next,
		.ip6f_offlg = htons((uint16_t)(fragment << 3 | more)),
		.ip6f_ident = htonl(FRAGMENT_ID),
	};

	put(packet, &header, sizeof(header));
}

void put_padding(struct packet *packet, uint8_t next)
{
	const unsigned char header[8] = {next, 0, IP6OPT_PADN, 4};

	put(packet, header, sizeof(header));
}

void put_ip(struct packet *packet, const union endpoint *source, const union endpoint *to,
	    uint8_t protocol, size_t payload)
{
	if (is_ip4(to))
		put_ip4(packet, source, to, protocol, payload, 0);
	else
		put_ip6(packet, source, to, protocol, payload);
}

int make_datagram(struct probe *p, const union endpoint *to, struct packet *ret_packet)
{
	struct packet packet = {};
	union endpoint source;
	int result = find_source(p, to, &source);

	if (result)
		return result;
	put_ip(&packet, &source, to, IPPROTO_UDP, sizeof(struct udphdr) + p->query_len);
	put_udp(&packet, p, &source, to);
	*ret_packet = packet;
	return 0;
}

int send_raw(struct probe *p, const struct packet *packet, const union endpoint *to)
{
	union endpoint target = with_port(to, 0); /* IPv6 takes it for a protocol */

	return open_socket(p, to->any.sa_family, SOCK_RAW, IPPROTO_RAW)
		       ?: send_bytes(p, packet->bytes, packet->len, 0, &target);
}
