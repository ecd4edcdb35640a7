/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nameservers of a resolv.conf(5), and those that systemd and its like write down. */
#ifndef DNSFENCE_NAMESERVERS_H
#define DNSFENCE_NAMESERVERS_H

#include "address.h"

#define NAMESERVERS_MAX 32

struct nameserver {
	struct address address;
	uint16_t port;
	bool zone; /* was written with one */
};

struct nameservers {
	struct nameserver list[NAMESERVERS_MAX]; /* each once, in the order of the file */
	size_t length;
};

/* One address, perhaps with a zone; what is none, or more than there is room for, is left out. */
void nameservers_add(struct nameservers *servers, const char *text);

/*
 * A server as systemd writes it, and others that extend it: 192.0.2.1:53%eth0#dns.example,
 * [2001:db8::1]:53, with all but the address optional; no port where IPv6 has no brackets; the zone
 * within the brackets, too. -EINVAL: it is none, or more than one address.
 */
int nameserver_parse(const char *text, struct nameserver *ret);

/* The same, added; its port does not tell it from another. */
void nameservers_add_systemd(struct nameservers *servers, const char *text);

/* The "nameserver ADDRESS" lines of a file. 0 or -errno. */
int nameservers_read(const char *path, struct nameservers *servers);

/* resolv.conf(5): without a nameserver line the local machine's is used. */
void nameservers_add_local(struct nameservers *servers);

#endif
