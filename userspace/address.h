/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IP addresses and prefixes as a configuration or resolv.conf writes them. IPv4-mapped IPv6
 * addresses become IPv4, as the kernel side does (bpf/flow.h).
 */
#ifndef DNSFENCE_ADDRESS_H
#define DNSFENCE_ADDRESS_H

#include "util.h"

#include <netinet/in.h>

#define ADDRESS_TEXT_MAX (INET6_ADDRSTRLEN + 4) /* with a prefix length */

struct address {
	uint8_t family; /* 4 or 6 */
	uint8_t prefix; /* 32 or 128: one address */
	uint8_t bytes[16]; /* network order; IPv4 in the first four, zeroes behind */
};

/*
 * "10.0.0.53", "10.1.0.0/24", "2001:db8::53". 0, or -EINVAL with *ret_problem set to a sentence
 * fragment that says what is wrong; it is valid until the next call.
 */
int address_parse(const char *text, struct address *ret, const char **ret_problem);

bool address_is_single(const struct address *address);
bool address_is_loopback(const struct address *address);
/* Do the first bits of two addresses agree? */
bool address_bits_equal(const uint8_t *a, const uint8_t *b, unsigned int bits);
/* Is narrow inside of wide, or the same? */
bool address_covers(const struct address *wide, const struct address *narrow);
bool address_equal(const struct address *a, const struct address *b);
const char *address_format(const struct address *address, char text[ADDRESS_TEXT_MAX]);

#endif
