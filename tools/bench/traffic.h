/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The traffic that is timed, and what must become of it. See traffic.c. */
#ifndef BENCH_TRAFFIC_H
#define BENCH_TRAFFIC_H

#include "bench.h"

#define RESOLVER_SANCTIONED "127.77.0.53"
#define RESOLVER_FORBIDDEN "127.99.0.53"
#define PLAIN_SERVER "127.88.0.1"
#define PLAIN_PORT 5300

/* Both ends of everything, in one thread. */
struct traffic {
	int udp, udp_connected, dns_connected; /* clients; .udp is never connected */
	int blocked_tcp; /* for connect() calls that are denied */
	int plain_server, dns_server, forbidden_server; /* UDP */
	int plain_listener, dns_listener, forbidden_listener; /* TCP */
};

/* Sockets of the calling thread's cgroup and network namespace. 0 or -errno. */
int traffic_open(struct traffic *ret_traffic);
void traffic_close(struct traffic *traffic);

/*
 * Does each kind of traffic get the verdict that the arm promises? NULL, or what was wrong.
 * patience_ms: how long a dropped TCP connection is watched before it counts as dropped.
 */
const char *traffic_check(const struct traffic *traffic, const struct arm *arm, int patience_ms);

bool traffic_applies(enum measure measure, const struct arm *arm);

/* Median over batches of the time of one operation, ns; NAN when one failed (see errno). */
double traffic_measure(const struct traffic *traffic, enum measure measure);

#endif
