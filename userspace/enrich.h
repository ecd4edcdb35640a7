/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who it was: the catalog and /etc/passwd -> the words of a struct event. Best effort: what has
 * gone by the time the event is read, or does not come in time, stays blank. Never asks the name
 * service switch: that may look names up, which is what is being blocked.
 */
#ifndef DNSFENCE_ENRICH_H
#define DNSFENCE_ENRICH_H

#include "catalog.h"
#include "event.h"

struct enricher;

/* mount: of cgroup2; mount_fd, its directory, and the catalog stay the caller's. NULL: no memory.
 */
struct enricher *enricher_new(const char *mount, int mount_fd, struct catalog *catalog);
void enricher_free(struct enricher *enricher);

/* Another one from now on; the one before is not touched any more. */
void enricher_set_catalog(struct enricher *enricher, struct catalog *catalog);

/*
 * Fill everything in *event that record does not say itself; what it points to then stays until
 * the next call. Waits for the catalog, at most a twentieth of the time and 20 ms at a time: who
 * reads the ring must not be held up by a file system, nor by very many short-lived processes.
 */
void enrich_event(struct enricher *enricher, struct event *event);

#endif
