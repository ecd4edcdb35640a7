/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resolvers that the network or a tool proposes and that no policy sanctions: routers'
 * advertisements, resolv.conf, what systemd-resolved, systemd-networkd and NetworkManager have
 * been given. Each is told once, for as long as it is proposed. What is proposed when this begins
 * is not told: it is no change.
 */
#ifndef DNSFENCE_DRIFT_H
#define DNSFENCE_DRIFT_H

#include "event.h"

struct drift;

struct drift_handler {
	void *context;
	/* Does some policy name this address as a resolver? */
	bool (*sanctioned)(void *context, const struct address *resolver);
	void (*report)(void *context, struct event *event);
};

/* root: where the host's files are, "" for the host's own. NULL for want of memory. */
struct drift *drift_new(const char *root, const struct drift_handler *handler);
void drift_free(struct drift *drift);

int drift_fd(const struct drift *drift); /* readable: call drift_read(); -1: none */
void drift_read(struct drift *drift);
/* Look at the files. Call about once a second. */
void drift_tick(struct drift *drift);

/* Once the routers' advertisements are read, for tests: what an advertisement means. */
struct rdnss;
void drift_advertised(struct drift *drift, const struct rdnss *rdnss);

#endif
