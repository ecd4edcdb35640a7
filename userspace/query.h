/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lookup's destination as people write it. Pure.
 *
 *   8.8.8.8    8.8.8.8:53/udp    [2001:db8::1]:853/tcp    2001:db8::1/dot    10.0.0.7:5300/dns/tcp
 *
 * Behind the address a port, a service, a transport, or none. What is not said follows from what
 * is: the service's port and its first transport, the port's service; with nothing, dns over udp.
 */
#ifndef DNSFENCE_QUERY_H
#define DNSFENCE_QUERY_H

#include "address.h"
#include "bpf/flow.h"
#include "problem.h"

#define QUERY_TEXT_MAX (INET6_ADDRSTRLEN + 24)

struct query {
	struct address address; /* a single one */
	uint16_t port;
	uint8_t protocol; /* IPPROTO_ */
};

/* 0; -EINVAL with *problem set. */
int query_parse(const char *text, struct query *ret, struct problem *problem);
const char *query_format(const struct query *query, char text[QUERY_TEXT_MAX]);

/*
 * What the hooks see of it. 0.0.0.0 and :: are this host's loopback address there, and here.
 */
struct df_flow query_flow(const struct query *query);

#endif
