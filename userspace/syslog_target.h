/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where syslog messages go, as a configuration writes it, and the numbers of RFC 5424.
 */
#ifndef DNSFENCE_SYSLOG_TARGET_H
#define DNSFENCE_SYSLOG_TARGET_H

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

enum syslog_transport {
	SYSLOG_LOCAL, /* /dev/log, in the form of syslog(3) */
	SYSLOG_UNIX, /* datagrams to a path */
	SYSLOG_UDP, /* RFC 5426 */
	SYSLOG_TCP, /* RFC 6587 3.4.1, octet counting */
};

struct syslog_target {
	char *text; /* as written */
	int transport; /* enum syslog_transport */
	struct address address; /* UDP and TCP */
	uint16_t port;
	const char *path; /* the others: within text, or a constant */
};

/*
 * "local", "unix:/run/log", "udp:192.0.2.1:514", "tcp:[2001:db8::1]:601". 0, or -EINVAL with
 * *ret_problem set to a sentence fragment that says what is wrong; -ENOMEM likewise.
 */
int syslog_target_parse(const char *text, struct syslog_target *ret, const char **ret_problem);
void syslog_target_done(struct syslog_target *target);

#endif
