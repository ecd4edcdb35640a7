/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who it was: /proc, the cgroup tree and /etc/passwd -> the words of a struct event. Best effort:
 * what has gone by the time the event is read stays blank. Never asks the name service switch:
 * that may look names up, which is what is being blocked.
 */
#ifndef DNSFENCE_ENRICH_H
#define DNSFENCE_ENRICH_H

#include "event.h"

struct enricher;

/* mount: of cgroup2. NULL for want of memory. */
struct enricher *enricher_new(const char *mount);
void enricher_free(struct enricher *enricher);

/* Fill everything in *event that record does not say itself. */
void enrich_event(struct enricher *enricher, struct event *event);

#endif
