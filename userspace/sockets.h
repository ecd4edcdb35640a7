/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's list of sockets (sock_diag) in the caller's network namespace, and SOCK_DESTROY.
 * The only file that sees libmnl. What the kernel answers is checked before it is used, and
 * judged elsewhere.
 */
#ifndef DNSFENCE_SOCKETS_H
#define DNSFENCE_SOCKETS_H

#include "util.h"

#include <linux/inet_diag.h>

/* One list that the kernel keeps: a transport of a family. */
struct socket_table {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint16_t protocol; /* IPPROTO_ */
	const char *name; /* as in "udp" */
	const char *option; /* of the kernel's configuration, which brings it */
	bool optional; /* many kernels have none */
	bool ends; /* with CONFIG_INET_DIAG_DESTROY the kernel can end its sockets */
};

extern const struct socket_table socket_tables[];
extern const size_t socket_tables_length;

struct socket_entry {
	const struct socket_table *table;
	struct inet_diag_sockid id; /* addresses and ports in network order */
	uint64_t cgroup_id; /* of the cgroup that made it; 0: not told */
	uint32_t inode; /* 0: no descriptor refers to it */
	uint32_t uid; /* of its owner, in our user namespace */
	uint8_t state; /* TCP_; a connected UDP socket is TCP_ESTABLISHED */
};

/* Not zero ends the list: -errno, handed through. */
typedef int (*socket_handler)(void *context, const struct socket_entry *entry);

struct sockets;

/* A connection to the kernel; it stays in the network namespace it was made in. 0 or -errno. */
int sockets_open(struct sockets **ret);
void sockets_close(struct sockets *sockets);

/*
 * Everything in one table that has a peer or listens. 0; -ENOENT when the kernel keeps no such
 * table, -EPROTO for an answer that cannot be read, any other -errno.
 */
int sockets_list(struct sockets *sockets, const struct socket_table *table, socket_handler handler,
		 void *context);

/*
 * End it: whoever uses it gets ECONNABORTED. 0; -ENOENT when it has gone meanwhile, -EOPNOTSUPP
 * for a table without .ends and a kernel without CONFIG_INET_DIAG_DESTROY.
 */
int sockets_destroy(struct sockets *sockets, const struct socket_entry *entry);

/*
 * One datagram of an answer, which may be cut off or odd. 1: more datagrams follow; 0: that was
 * the end; -errno as the kernel or the handler says, -EPROTO when it cannot be read. Public for
 * the tests and the fuzzer.
 */
int sockets_read_answer(const void *data, size_t length, const struct socket_table *table,
			uint32_t sequence, uint32_t port, socket_handler handler, void *context);

const char *sockets_state_name(uint8_t state);

#endif
