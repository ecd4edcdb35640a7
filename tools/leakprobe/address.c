// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Addresses of both families in one union.
 */
#include "probe.h"

#include <arpa/inet.h>
#include <string.h>

bool is_ip4(const union endpoint *address)
{
	return address->any.sa_family == AF_INET;
}

socklen_t address_len(const union endpoint *address)
{
	return address->any.sa_family == AF_INET ? sizeof(address->in) : sizeof(address->in6);
}

void set_port(union endpoint *address, uint16_t port)
{
	if (is_ip4(address))
		address->in.sin_port = htons(port);
	else
		address->in6.sin6_port = htons(port);
}

uint16_t port_of(const union endpoint *address)
{
	return ntohs(is_ip4(address) ? address->in.sin_port : address->in6.sin6_port);
}

bool parse_address(const char *text, uint16_t port, union endpoint *ret_address)
{
	union endpoint address = {};

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

union endpoint map_ip4(const union endpoint *address)
{
	union endpoint mapped = {};

	mapped.in6.sin6_family = AF_INET6;
	mapped.in6.sin6_port = address->in.sin_port;
	mapped.in6.sin6_addr.s6_addr[10] = 0xff;
	mapped.in6.sin6_addr.s6_addr[11] = 0xff;
	memcpy(mapped.in6.sin6_addr.s6_addr + 12, &address->in.sin_addr, 4);
	return mapped;
}

union endpoint with_port(const union endpoint *address, uint16_t port)
{
	union endpoint copy = *address;

	set_port(&copy, port);
	return copy;
}
