/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One tc filter of ours at one side of one interface: put there, looked for, taken away. It goes
 * before all filters of other people, and replaces nothing but an older one of the same owner.
 */
#ifndef DNSFENCE_FILTER_H
#define DNSFENCE_FILTER_H

#include "util.h"

struct filter {
	uint32_t ifindex;
	bool ingress;
	uint32_t handle; /* from filter_handle() */
	int program; /* to put there */
	unsigned int priority; /* where it is; 0: nowhere */
};

/* This process's network namespace, as /proc/self/ns/net shows it. */
uint32_t filter_netns(void);

/* Names the owner of a filter: of all instances' pin directories this one. */
uint32_t filter_handle(const char *owner);

/*
 * Put it there, or another program in its place without a moment between. edges: a map that
 * remembers a queueing discipline made for it. 0 with .priority set; -errno, -EBUSY when somebody's
 * ingress queueing discipline is where clsact would have to be.
 */
int filter_put(struct filter *filter, int edges);
bool filter_is_there(struct filter *filter);
/* Of one that is there: is .program what runs in it? */
bool filter_is_ours(const struct filter *filter);

/* Take it away. 0 also when there is none. */
int filter_take(struct filter *filter);

/* The queueing discipline goes, too, if edges says that it is ours and nobody's filter is left. */
void filter_drop_hook(uint32_t ifindex, int edges);

#endif
