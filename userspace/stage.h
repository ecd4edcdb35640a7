/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network of our own to leak into: two network namespaces without a name, joined by a veth pair.
 * The near one is where whoever is tested sends from; the far one has the targets' addresses, and
 * a tap that shows every frame which has come so far. Nothing in it reaches another network, and
 * all of it is gone when the last descriptor of it is closed. Or the far end is this host's, as a
 * container's is: without an address there, for frames alone, which meet the host's tc filters
 * behind the tap.
 */
#ifndef DNSFENCE_STAGE_H
#define DNSFENCE_STAGE_H

#include "problem.h"

/* RFC 5737 and RFC 3849: documentation's addresses, at which no resolver can be. */
#define STAGE_NEAR4 "203.0.113.1"
#define STAGE_NEAR6 "2001:db8:6c65:616b::1"
#define STAGE_TARGET4 "203.0.113.53"
#define STAGE_TARGET6 "2001:db8:6c65:616b::53"
#define STAGE_OTHER4 "203.0.113.54" /* a second one beside the targets */
#define STAGE_OTHER6 "2001:db8:6c65:616b::54"

#define STAGE_DEVICE "near"

struct stage;

struct stage_frame {
	const uint8_t *bytes; /* from its Ethernet header */
	size_t length;
};

/* How a frame that the far end has got is told of. */
typedef void (*stage_callback)(void *context, const struct stage_frame *frame);

struct stage_plan {
	const char *target4, *target6; /* addresses of the far end beside its own, or NULL */
	bool at_home; /* the far end is in the caller's network namespace */
};

/*
 * 0; -errno with *problem set. The caller stays in the network namespace that it is in. It needs
 * CAP_SYS_ADMIN and CAP_NET_ADMIN, and must be the only thread.
 */
int stage_open(const struct stage_plan *plan, struct stage **ret, struct problem *problem);
void stage_close(struct stage *stage);

/* For a child that is about to send: enter the near namespace. 0 or -errno. */
int stage_enter(const struct stage *stage);

/* The far end's link-layer address; all stages have the same. */
extern const uint8_t stage_far_lladdr[6];

/* The far end's interface, in its network namespace. */
uint32_t stage_far_ifindex(const struct stage *stage);

/*
 * Every frame that has left the near end until now: one of our own goes behind them, and what has
 * come when it arrives is all. 0; -ETIMEDOUT when it does not arrive.
 */
int stage_collect(struct stage *stage, stage_callback callback, void *context);

#endif
