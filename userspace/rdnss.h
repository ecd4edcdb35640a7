/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resolvers that IPv6 routers advertise (RFC 8106 5.1), as the kernel passes them on: it reads a
 * router advertisement where an interface accepts them (accept_ra) and multicasts the options that
 * are user space's matter to the rtnetlink group RTNLGRP_ND_USEROPT (Linux 2.6.24), each network
 * namespace to its own.
 */
#ifndef DNSFENCE_RDNSS_H
#define DNSFENCE_RDNSS_H

#include "address.h"

#define RDNSS_RESOLVERS_MAX 127 /* an option is 255 units of 8 bytes at most, RFC 4861 4.6 */
#define RDNSS_FOR_EVER UINT32_MAX

struct rdnss {
	uint32_t ifindex;
	uint32_t lifetime_s; /* 0: not to be used any more; RDNSS_FOR_EVER */
	struct address router; /* family 0: not told */
	struct address resolvers[RDNSS_RESOLVERS_MAX];
	size_t length;
};

typedef void (*rdnss_callback)(void *context, const struct rdnss *rdnss);

/* Descriptor of a socket that is readable when something was advertised; -errno. */
int rdnss_open(void);

/* All that waits there. 0; -ENOBUFS when some of it was lost; -errno. */
int rdnss_read(int fd, rdnss_callback callback, void *context);

/* One datagram of the kernel's. What is no RDNSS option, or cut off, is passed over. */
void rdnss_read_datagram(const void *data, size_t size, rdnss_callback callback, void *context);

#endif
