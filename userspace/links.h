/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * This network namespace's interfaces, followed as they come, change and go, by libnl's link cache.
 * The only file that sees libnl; it knows nothing of what an interface is wanted for.
 */
#ifndef DNSFENCE_LINKS_H
#define DNSFENCE_LINKS_H

#include <net/if.h>

#include "problem.h"
#include "util.h"

struct link_info {
	uint32_t ifindex;
	char name[IF_NAMESIZE];
	char kind[24]; /* IFLA_INFO_KIND: veth, tun, bridge, ...; empty: hardware, or loopback */
	unsigned int type; /* ARPHRD_ */
	bool loopback;
};

struct links;

/* gone: it is no more; of the rest only ifindex and name count then. */
typedef void (*links_callback)(void *context, const struct link_info *link, bool gone);

/* Nothing is called back before links_each() or links_read(). NULL with *problem set. */
struct links *links_new(links_callback callback, void *context, struct problem *problem);
void links_free(struct links *links);

/* Readable when there is something for links_read(). Changes when that had to start anew. */
int links_fd(const struct links *links);

/*
 * Calls back for whatever has changed. 0; 1 after notifications were lost: the list was read anew
 * and called back as a whole, and what has gone meanwhile was not; -errno when that failed, too.
 */
int links_read(struct links *links);

/* Calls back for every interface there is. */
void links_each(struct links *links);

/*
 * The priority of the bpf filter with this handle at a side of the interface, of several the first
 * to run; 0 when there is none.
 */
unsigned int link_find_filter(uint32_t ifindex, bool ingress, uint32_t handle);

/* Is it clsact that hangs there, and not the older ingress, which has no way out? */
bool link_has_clsact(uint32_t ifindex);
/* The older one? */
bool link_has_ingress(uint32_t ifindex);

/* Does any tc filter hang on the interface's clsact, or can that not be told? */
bool link_has_filters(uint32_t ifindex);

#endif
