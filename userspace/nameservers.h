/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nameservers of a resolv.conf(5). */
#ifndef DNSFENCE_NAMESERVERS_H
#define DNSFENCE_NAMESERVERS_H

#include "address.h"

#define NAMESERVERS_MAX 32

struct nameserver {
	struct address address;
	bool zone; /* was written with one */
};

struct nameservers {
	struct nameserver list[NAMESERVERS_MAX]; /* each once, in the order of the file */
	size_t length;
};

/* One address, perhaps with a zone; what is none, or more than there is room for, is left out. */
void nameservers_add(struct nameservers *servers, const char *text);

/* The "nameserver ADDRESS" lines of a file. 0 or -errno. */
int nameservers_read(const char *path, struct nameservers *servers);

/* resolv.conf(5): without a nameserver line the local machine's is used. */
void nameservers_add_local(struct nameservers *servers);

#endif
