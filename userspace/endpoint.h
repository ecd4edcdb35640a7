/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets that a configuration names: of syslog daemons, and of the metrics. Addresses only, never
 * the name of a host.
 */
#ifndef DNSFENCE_ENDPOINT_H
#define DNSFENCE_ENDPOINT_H

#include "address.h"

/* RFC 5424 6.2.1, without those that are the kernel's and others' own. */
#define SYSLOG_FACILITIES(X) \
	X("user", 1)         \
	X("daemon", 3)       \
	X("auth", 4)         \
	X("authpriv", 10)    \
	X("local0", 16)      \
	X("local1", 17)      \
	X("local2", 18)      \
	X("local3", 19)      \
	X("local4", 20)      \
	X("local5", 21)      \
	X("local6", 22)      \
	X("local7", 23)

#define SYSLOG_FACILITY_DAEMON 3

enum endpoint_kind {
	ENDPOINT_LOCAL, /* /dev/log, in the form of syslog(3) */
	ENDPOINT_UNIX, /* a path */
	ENDPOINT_UDP, /* RFC 5426 */
	ENDPOINT_TCP, /* RFC 6587 3.4.1, octet counting */
};

struct endpoint_config {
	char *text; /* as written */
	int kind; /* enum endpoint_kind */
	struct address address; /* UDP and TCP */
	uint16_t port;
	const char *path; /* the others: within text, or a constant */
};

/*
 * "local", "unix:/run/log", "udp:192.0.2.1:514", "tcp:[2001:db8::1]:601". 0, or -EINVAL with
 * *ret_problem set to a sentence fragment that says what is wrong; -ENOMEM likewise.
 */
int endpoint_parse_syslog(const char *text, struct endpoint_config *ret, const char **ret_problem);

/* "unix:/run/metrics", "127.0.0.1:9753", "[::1]:9753": loopback only. Likewise. */
int endpoint_parse_listen(const char *text, struct endpoint_config *ret, const char **ret_problem);

void endpoint_done(struct endpoint_config *endpoint);

/* For bind() and connect() of UDP and TCP: the address's length. */
socklen_t endpoint_address(const struct endpoint_config *endpoint, struct sockaddr_storage *ret);

/*
 * Listen at a path, 0660, in place of a socket that nobody listens at any more; never of another's
 * or of anything else. A non-blocking descriptor, or -errno.
 */
int endpoint_listen_unix(const char *path);
/* At an address of TCP. */
int endpoint_listen_tcp(const struct endpoint_config *endpoint);

#endif
