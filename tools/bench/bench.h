/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plain data in which the benchmark's files meet: what is measured, in which arms, and the
 * numbers. bench.c owns the tables, traffic.c fills one number at a time, report.c reads them.
 */
#ifndef BENCH_H
#define BENCH_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/* Measures: enumerator, name in JSON, column heading, batches of a slice, operations a batch. */
#define MEASURES(X)                                                  \
	X(UDP, "udp", "non-DNS UDP", 16, 32)                         \
	X(DNS, "dns", "allowed DNS", 16, 32)                         \
	X(UDP_CONNECTED, "udp_connected", "connected UDP", 16, 32)   \
	X(DNS_CONNECTED, "dns_connected", "connected DNS", 16, 32)   \
	X(TCP, "tcp", "TCP cycle", 16, 8)                            \
	X(BLOCKED_SENDTO, "blocked_sendto", "blocked sendto", 8, 16) \
	X(BLOCKED_CONNECT, "blocked_connect", "blocked connect", 8, 16)

enum measure {
#define X(id, name, title, batches, operations) MEASURE_##id,
	MEASURES(X)
#undef X
		MEASURE_MAX,
};

#define MEASURE_ABSOLUTE MEASURE_BLOCKED_SENDTO /* from here on no difference makes sense */

/* What a TCP connection to a forbidden resolver meets. */
enum tcp_fate {
	TCP_OPENS,
	TCP_DENIED, /* EPERM at once */
	TCP_DROPPED, /* its SYN gets lost, connect() would wait */
};

enum programs {
	PROGRAMS_NONE,
	PROGRAMS_EMPTY,
	PROGRAMS_SMALL, /* dnsfence, one policy, 10 resolvers */
	PROGRAMS_LAST, /* the same, the one that is asked listed last */
	PROGRAMS_SEVERAL, /* dnsfence, three policies with cgroup subjects */
	PROGRAMS_LARGE, /* dnsfence, one policy, 100,000 resolvers, likewise */
	PROGRAMS_MAX,
};

enum only {
	ONLY_ALL,
	ONLY_PACKET,
	ONLY_CONNECT,
};

/* One way to run the machine. The id names it for `run` and in JSON. */
struct arm {
	const char *id;
	const char *title;
	enum programs programs;
	enum only only;
	bool elsewhere; /* attached to another cgroup than the traffic's */
	bool blocks_udp;
	enum tcp_fate tcp;

	int netns; /* -1: this arm is left out */
	double *values[MEASURE_MAX]; /* ns, one a round; NAN: not measured in this arm */
};

enum arm_id {
	ARM_NONE,
	ARM_NONE_AGAIN,
	ARM_BYSTANDER,
	ARM_EMPTY_PACKET,
	ARM_EMPTY_CONNECT,
	ARM_DNSFENCE,
	ARM_DNSFENCE_PACKET,
	ARM_DNSFENCE_CONNECT,
	ARM_DNSFENCE_LAST,
	ARM_DNSFENCE_SEVERAL,
	ARM_DNSFENCE_LARGE,
	ARM_EMPTY_TC,
	ARM_EDGE,
	ARM_NFT,
	ARM_IPTABLES,
	ARM_MAX,
};

/* BPF_PROG_TEST_RUN of the packet program, ns a run: how it scales, not what it costs. */
struct scaling {
	double dns_small; /* the one that is asked listed last, as in large */
	double dns_large;
	double plain_small;
	double plain_large;
};

#define NOTES_MAX 32

struct results {
	struct arm *arms; /* ARM_MAX of them */
	int rounds;
	double seconds;
	int cpu;
	int links_before; /* cgroup links of other people, anywhere on the host */
	int links_after;
	bool has_scaling;
	struct scaling scaling;
	const char *notes[NOTES_MAX]; /* "key=value" that the caller measured, for the report */
	size_t notes_len;
};

#endif
