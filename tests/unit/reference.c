// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The headers of a packet, first listed one by one, then looked at. Clarity before speed: every
 * question is asked of the whole list again.
 */
#include "reference.h"

#include <string.h>

#define HEADERS_MAX 12 /* the fence's own bound, the last one included */
#define IP_HEADERS_MAX 2

/* A row of the IANA registry of protocol numbers, as far as it matters here. */
enum kind { KIND_OTHER, KIND_IPV4, KIND_IPV6, KIND_TRANSPORT, KIND_EXTENSION, KIND_FRAGMENT };

struct registry_row {
	int number;
	enum kind kind;
	const char *where;
};

static const struct registry_row registry[] = {
	{0, KIND_EXTENSION, "hop-by-hop options, RFC 8200 4.3"},
	{4, KIND_IPV4, "IPv4 encapsulation, RFC 2003"},
	{6, KIND_TRANSPORT, "TCP, RFC 9293"},
	{17, KIND_TRANSPORT, "UDP, RFC 768"},
	{33, KIND_TRANSPORT, "DCCP, RFC 4340"},
	{41, KIND_IPV6, "IPv6 encapsulation, RFC 2473"},
	{43, KIND_EXTENSION, "routing header, RFC 8200 4.4"},
	{44, KIND_FRAGMENT, "fragment header, RFC 8200 4.5"},
	{51, KIND_EXTENSION, "authentication header, RFC 4302"},
	{60, KIND_EXTENSION, "destination options, RFC 8200 4.6"},
	{132, KIND_TRANSPORT, "SCTP, RFC 9260"},
	{135, KIND_EXTENSION, "mobility header, RFC 6275"},
	{136, KIND_TRANSPORT, "UDP-Lite, RFC 3828"},
	{139, KIND_EXTENSION, "host identity protocol, RFC 7401"},
	{140, KIND_EXTENSION, "shim6, RFC 5533"},
};

/* A header's place. What it announces behind itself is only known once it could be read. */
struct header {
	int number;
	enum kind kind;
	size_t at;
	bool readable;
	size_t size;
	int next;
	unsigned int fragment_offset; /* in units of 8 bytes */
};

struct reading {
	const uint8_t *packet;
	size_t length;
	struct header headers[HEADERS_MAX];
	size_t count;
};

static enum kind kind_of(int number)
{
	for (size_t i = 0; i < sizeof(registry) / sizeof(registry[0]); i++)
		if (registry[i].number == number)
			return registry[i].kind;
	return KIND_OTHER;
}

static bool is_there(const struct reading *reading, size_t at, size_t size)
{
	return at + size <= reading->length;
}

static unsigned int number_at(const struct reading *reading, size_t at)
{
	return reading->packet[at] * 256u + reading->packet[at + 1];
}

/* RFC 791 3.1: version, IHL in words of 4 bytes, 13 bits of fragment offset, protocol. */
static void read_ipv4(const struct reading *reading, struct header *header)
{
	const uint8_t *bytes = reading->packet + header->at;

	if (!is_there(reading, header->at, 20))
		return;
	if (bytes[0] / 16 != 4 || bytes[0] % 16 < 5)
		return;
	header->readable = true;
	header->size = bytes[0] % 16 * 4u;
	header->fragment_offset = number_at(reading, header->at + 6) % 8192;
	header->next = bytes[9];
}

/* RFC 8200 3. */
static void read_ipv6(const struct reading *reading, struct header *header)
{
	const uint8_t *bytes = reading->packet + header->at;

	if (!is_there(reading, header->at, 40) || bytes[0] / 16 != 6)
		return;
	header->readable = true;
	header->size = 40;
	header->next = bytes[6];
}

/* RFC 8200 4 counts 8 bytes beyond the first 8; RFC 4302 2.2 counts words of 4, minus 2. */
static void read_extension(const struct reading *reading, struct header *header)
{
	const uint8_t *bytes = reading->packet + header->at;

	if (!is_there(reading, header->at, 8))
		return;
	header->readable = true;
	header->next = bytes[0];
	if (header->number == 51)
		header->size = 4 * (bytes[1] + (size_t)2);
	else
		header->size = 8 + 8 * (size_t)bytes[1];
}

/* RFC 8200 4.5: 13 bits of offset, two reserved, one flag. */
static void read_fragment(const struct reading *reading, struct header *header)
{
	if (!is_there(reading, header->at, 8))
		return;
	header->readable = true;
	header->next = reading->packet[header->at];
	header->size = 8;
	header->fragment_offset = number_at(reading, header->at + 2) / 8;
}

static void read_header(const struct reading *reading, struct header *header)
{
	switch (header->kind) {
	case KIND_IPV4:
		read_ipv4(reading, header);
		break;
	case KIND_IPV6:
		read_ipv6(reading, header);
		break;
	case KIND_EXTENSION:
		read_extension(reading, header);
		break;
	case KIND_FRAGMENT:
		read_fragment(reading, header);
		break;
	case KIND_TRANSPORT:
		header->readable = is_there(reading, header->at, 4);
		break;
	case KIND_OTHER:
		break;
	}
}

static bool is_last(const struct header *header)
{
	return header->kind == KIND_TRANSPORT || header->kind == KIND_OTHER || !header->readable ||
	       header->fragment_offset;
}

static size_t count_ip(const struct reading *reading)
{
	size_t count = 0;

	for (size_t i = 0; i < reading->count; i++)
		count += reading->headers[i].kind == KIND_IPV4 ||
			 reading->headers[i].kind == KIND_IPV6;
	return count;
}

/* The list of headers. false: there is one more than may be. */
static bool list_headers(struct reading *reading, int number)
{
	size_t at = 0;

	for (;;) {
		enum kind kind = kind_of(number);
		struct header *header;

		if (reading->count == HEADERS_MAX)
			return false;
		if ((kind == KIND_IPV4 || kind == KIND_IPV6) && count_ip(reading) == IP_HEADERS_MAX)
			return false;
		header = &reading->headers[reading->count++];
		*header = (struct header){.number = number, .kind = kind, .at = at};
		read_header(reading, header);
		if (is_last(header))
			return true;
		number = header->next;
		at += header->size;
	}
}

/* Are there RFC 791 options 131 or 137, before the end of list and anything malformed? */
static bool has_source_route(const struct reading *reading, const struct header *ip)
{
	size_t end = ip->at + ip->size, at = ip->at + 20;

	if (end > reading->length)
		end = reading->length;
	while (at < end) {
		int type = reading->packet[at];

		if (type == 131 || type == 137)
			return true;
		if (type == 0)
			return false;
		if (type == 1) {
			at += 1;
			continue;
		}
		if (at + 1 >= end || reading->packet[at + 1] < 2)
			return false;
		at += reading->packet[at + 1];
	}
	return false;
}

static void look_at_ip(const struct reading *reading, const struct header *header,
		       struct reference *ret)
{
	const uint8_t *bytes = reading->packet + header->at;

	memset(ret->source, 0, sizeof(ret->source));
	memset(ret->destination, 0, sizeof(ret->destination));
	ret->ip_at = header->at;
	if (header->kind == KIND_IPV4) {
		ret->family = 4;
		memcpy(ret->source, bytes + 12, 4);
		memcpy(ret->destination, bytes + 16, 4);
		ret->source_route |= has_source_route(reading, header);
	} else {
		ret->family = 6;
		memcpy(ret->source, bytes + 8, 16);
		memcpy(ret->destination, bytes + 24, 16);
	}
}

/*
 * A fragment that is not the first: what is in it begins somewhere else. RFC 791 3.2 puts only
 * fragments of the same protocol together; RFC 8200 4.5 asks the first one alone.
 */
static void look_at_later_fragment(const struct header *header, struct reference *ret)
{
	ret->protocol = header->next;
	ret->later_fragment = ret->family == 6 || kind_of(header->next) != KIND_OTHER;
}

static void look_at_transport(const struct reading *reading, const struct header *header,
			      struct reference *ret)
{
	ret->protocol = header->number;
	ret->transport_at = header->at;
	if (!header->readable) {
		ret->cut_short = true;
		return;
	}
	ret->has_ports = true;
	ret->source_port = number_at(reading, header->at);
	ret->destination_port = number_at(reading, header->at + 2);
}

static void look_at_header(const struct reading *reading, const struct header *header,
			   struct reference *ret)
{
	if (header->kind == KIND_TRANSPORT) {
		look_at_transport(reading, header, ret);
	} else if (header->kind == KIND_OTHER) {
		ret->protocol = header->number;
		ret->transport_at = header->at;
	} else if (!header->readable) {
		ret->cut_short = true;
	} else {
		if (header->kind == KIND_IPV4 || header->kind == KIND_IPV6)
			look_at_ip(reading, header, ret);
		if (header->number == 43)
			ret->routing_header = true;
	}
}

void reference_read(const uint8_t *packet, size_t length, struct reference *ret)
{
	struct reading reading = {.packet = packet, .length = length};
	bool is_six = length && packet[0] / 16 == 6;
	const struct header *last;

	*ret = (struct reference){0};
	ret->too_many = !list_headers(&reading, is_six ? 41 : 4);
	for (size_t i = 0; i < reading.count; i++)
		look_at_header(&reading, &reading.headers[i], ret);
	ret->tunnel = count_ip(&reading) > 1;
	last = &reading.headers[reading.count - 1];
	/* The data of a fragment counts as a header, too. */
	if (last->fragment_offset && reading.count == HEADERS_MAX)
		ret->too_many = true;
	else if (last->fragment_offset)
		look_at_later_fragment(last, ret);
}
