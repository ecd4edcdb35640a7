/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second reading of a packet's headers, slow and written from the RFCs alone, to compare
 * bpf/flow.h with. It shares no code and no constant with the kernel side. Tests only.
 */
#ifndef DNSFENCE_TEST_REFERENCE_H
#define DNSFENCE_TEST_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reference {
	int family; /* of the innermost IP header that could be read: 4, 6, or 0 for none */
	uint8_t source[16]; /* of that header; IPv4 in the first four bytes */
	uint8_t destination[16];
	size_t ip_at; /* where that header begins */
	int protocol; /* of what stands behind all headers; 0 when the reading ended before */
	size_t transport_at;
	bool has_ports;
	unsigned int source_port, destination_port;
	bool routing_header;
	bool source_route;
	bool tunnel; /* an IP header announces another one */
	bool later_fragment; /* of something that has ports or may lead to some */
	bool cut_short; /* a header that had to be read is not all there */
	bool too_many; /* more than twelve headers, or more than two of IP */
};

void reference_read(const uint8_t *packet, size_t length, struct reference *ret);

#endif
