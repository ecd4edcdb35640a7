// SPDX-License-Identifier: GPL-2.0-or-later
#include "address.h"

#include <arpa/inet.h>
#include <ctype.h>

static char address_problem[256];

static int address_fail(const char **ret_problem, const char *format, const char *text)
{
	snprintf(address_problem, sizeof(address_problem), format, text);
	*ret_problem = address_problem;
	return -EINVAL;
}

static bool address_has_host_bits(const struct address *address)
{
	unsigned int bits = address->family == 4 ? 32 : 128;

	for (unsigned int bit = address->prefix; bit < bits; bit++)
		if (address->bytes[bit / 8] & (0x80 >> bit % 8))
			return true;
	return false;
}

static void address_clear_host_bits(struct address *address)
{
	unsigned int bits = address->family == 4 ? 32 : 128;

	for (unsigned int bit = address->prefix; bit < bits; bit++)
		address->bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

/* ::ffff:a.b.c.d, or a prefix of at least 96 bits of it -> IPv4. */
static void address_unmap(struct address *address)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	if (address->family != 6 || address->prefix < 96 ||
	    memcmp(address->bytes, mapped, sizeof(mapped)) != 0)
		return;
	memmove(address->bytes, address->bytes + 12, 4);
	memset(address->bytes + 4, 0, 12);
	address->family = 4;
	address->prefix -= 96;
}

/* 1 to 3 digits without a leading zero, at most max; -1 otherwise. */
static int address_parse_prefix(const char *text, int max)
{
	int value = 0;

	if (!isdigit((unsigned char)text[0]) || (text[0] == '0' && text[1]) || strlen(text) > 3)
		return -1;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text))
			return -1;
		value = value * 10 + (*text - '0');
	}
	return value <= max ? value : -1;
}

int address_parse(const char *text, struct address *ret, const char **ret_problem)
{
	struct address address = {.family = strchr(text, ':') ? 6 : 4};
	int bits = address.family == 4 ? 32 : 128, prefix = bits;
	char plain[INET6_ADDRSTRLEN], network[ADDRESS_TEXT_MAX];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);

	if (strchr(text, '%'))
		return address_fail(ret_problem,
				    "'%.60s' has a zone; leave it out: the address is then "
				    "sanctioned on every link",
				    text);
	if (length >= sizeof(plain))
		return address_fail(ret_problem, "'%.60s' is not an IP address", text);
	memcpy(plain, text, length);
	plain[length] = 0;
	if (inet_pton(address.family == 4 ? AF_INET : AF_INET6, plain, address.bytes) != 1)
		return address_fail(ret_problem,
				    "'%.60s' is not an IP address (names are not looked up; "
				    "a port is written {address: ADDRESS, port: PORT})",
				    text);
	if (slash)
		prefix = address_parse_prefix(slash + 1, bits);
	if (prefix < 0)
		return address_fail(ret_problem, "'%.60s' has no valid prefix length", text);
	address.prefix = (uint8_t)prefix;
	if (address_has_host_bits(&address)) {
		address_clear_host_bits(&address);
		address_format(&address, network);
		snprintf(address_problem, sizeof(address_problem),
			 "'%.60s' has host bits set; the network is %s", text, network);
		*ret_problem = address_problem;
		return -EINVAL;
	}
	address_unmap(&address);
	*ret = address;
	return 0;
}

bool address_is_single(const struct address *address)
{
	return address->prefix == (address->family == 4 ? 32 : 128);
}

bool address_is_loopback(const struct address *address)
{
	static const uint8_t loopback6[16] = {[15] = 1};

	if (address->family == 4)
		return address->bytes[0] == 127;
	return memcmp(address->bytes, loopback6, sizeof(loopback6)) == 0;
}

bool address_bits_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int bytes = bits / 8, rest = bits % 8;

	return memcmp(a, b, bytes) == 0 && (!rest || !((a[bytes] ^ b[bytes]) >> (8 - rest)));
}

bool address_covers(const struct address *wide, const struct address *narrow)
{
	return wide->family == narrow->family && wide->prefix <= narrow->prefix &&
	       address_bits_equal(wide->bytes, narrow->bytes, wide->prefix);
}

bool address_equal(const struct address *a, const struct address *b)
{
	return a->family == b->family && a->prefix == b->prefix &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

const char *address_format(const struct address *address, char text[ADDRESS_TEXT_MAX])
{
	char plain[INET6_ADDRSTRLEN] = "?";

	inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->bytes, plain, sizeof(plain));
	if (address_is_single(address))
		snprintf(text, ADDRESS_TEXT_MAX, "%s", plain);
	else
		snprintf(text, ADDRESS_TEXT_MAX, "%s/%u", plain, address->prefix);
	return text;
}
