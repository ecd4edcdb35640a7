/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of leakprobe share: one probe, the steps that techniques are made of, and the
 * row that a technique is. Every step names itself in probe.step and returns 0 or -errno, so
 * that a technique reads as the list of its system calls, joined by ?:.
 */
#ifndef LEAKPROBE_PROBE_H
#define LEAKPROBE_PROBE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define DISCARD_PORT 9
#define QUERY_MAX 320 /* header 12, name 255, type and class 4, and room */

#define FOR_4 1u
#define FOR_6 2u
#define FOR_BOTH (FOR_4 | FOR_6)

union endpoint {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct probe {
	union endpoint to; /* ADDR and PORT */
	union endpoint other; /* -f, or the same as to */
	const char *name;
	const char *step; /* the system call group that runs now; after a failure: that failed */
	int fd;
	int inherited; /* -c: a socket to use instead of a new one, or -1 */
	const char *device; /* -i, or NULL */
	unsigned char lladdr[6]; /* -m: the next hop's */
	unsigned int chain;
	unsigned int timeout_ms;
	uint16_t source_port; /* -s, or 0 */
	bool unique;
	size_t query_len;
	/* As TCP sends it: two bytes of length, then the message (RFC 1035 4.2.2). */
	unsigned char query[2 + QUERY_MAX];
};

/* What a technique takes beside a user account. */
enum privilege { NEEDS_NOTHING, NEEDS_RAW, NEEDS_ADMIN, NEEDS_BIND };

struct technique {
	const char *name;
	unsigned int families; /* of ADDR */
	enum privilege privilege;
	int (*run)(struct probe *p);
	const char *help;
};

/* One file each; the last row has no name. */
extern const struct technique udp_techniques[], tcp_techniques[], data_techniques[],
	uring_techniques[], trick_techniques[], options_techniques[], raw_techniques[],
	frame_techniques[], tun_techniques[];

/* techniques.c: those tables. */
extern const struct technique *const technique_tables[];
extern const size_t technique_tables_len;
const struct technique *find_technique(const char *name); /* NULL: there is none */

/* calls.c */
int open_socket(struct probe *p, int family, int type, int protocol);
int open_udp(struct probe *p);
int open_tcp(struct probe *p);
int set_option(struct probe *p, int level, int option, const void *value, size_t len);
int set_option_int(struct probe *p, int level, int option, int value);
int connect_to(struct probe *p, const union endpoint *to);
/* to: NULL on a connected socket. */
int send_bytes(struct probe *p, const void *bytes, size_t len, int flags, const union endpoint *to);
int send_query(struct probe *p, const union endpoint *to);
int send_stream(struct probe *p);
/* One control message beside the query. */
int send_control(struct probe *p, const union endpoint *to, int level, int type, const void *data,
		 size_t len);
/* This host's address towards another. */
int find_source(struct probe *p, const union endpoint *to, union endpoint *ret_source);

/* address.c */
bool is_ip4(const union endpoint *address);
socklen_t address_len(const union endpoint *address);
uint16_t port_of(const union endpoint *address);
void set_port(union endpoint *address, uint16_t port);
union endpoint with_port(const union endpoint *address, uint16_t port);
bool parse_address(const char *text, uint16_t port, union endpoint *ret_address);
/* ::ffff:a.b.c.d (RFC 4291 2.5.5.2). */
union endpoint map_ip4(const union endpoint *address);

/* query.c: serial > 0 makes the name unique; false: it is no domain name. */
bool make_query(struct probe *p, unsigned long serial);

/* hold.c: connect, let the caller change the world, send. */
struct hold;
const struct hold *find_hold(const char *name);
/* 0, -errno, or 1 when nobody told it to go on; *ret_started: when it last began to send. */
int run_hold(struct probe *p, const struct hold *hold, unsigned long repeat, uint64_t *ret_started);
uint64_t now_us(void);

#endif
