/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interface layer: which interfaces a configuration fences, which way, and our tc filters
 * there. Other people's filters and queueing disciplines are left as they are; ours are recognised
 * by a handle made from the name of the pin directory. They outlive the process, as pins do.
 */
#ifndef DNSFENCE_EDGE_H
#define DNSFENCE_EDGE_H

#include "config.h"
#include "links.h"
#include "loader.h"

#define EDGE_SIDE_IN 1u
#define EDGE_SIDE_OUT 2u

/* What a configuration wants of an interface: EDGE_SIDE_ bits. Pure. */
uint32_t edge_sides(const struct edge_config *config, const struct link_info *link);

/* Can frames of this ARPHRD_ type be read? *ret_ethernet: they begin with an Ethernet header. */
bool edge_reads_type(unsigned int type, bool *ret_ethernet);

#define EDGE_PROBLEM_MAX 160

/*
 * Look at the interfaces as they are now, and touch nothing: found() is called for each that the
 * configuration wants and that cannot be fenced, with the reason. 0; -errno with *problem set.
 */
typedef void (*edge_found)(void *context, const char *interface, const char *problem);
int edge_check(const struct edge_config *config, edge_found found, void *context,
	       struct problem *problem);

/* One interface that the configuration wants, for status. */
struct edge_state {
	char name[IF_NAMESIZE];
	uint32_t ifindex;
	uint32_t sides; /* wanted */
	uint32_t fenced; /* those with our filter */
	unsigned int priority; /* of our filters; above 1 others run before them */
	char problem[EDGE_PROBLEM_MAX]; /* why it is not fenced; empty: it is */
	bool told; /* the problem, by edge_next_untold() */
	bool ethernet; /* its frames begin with an Ethernet header */
};

struct edge;

/*
 * Fence the interfaces that are there, and free those that an earlier process of this owner has
 * fenced and the configuration does not want. owner: names the instance, the pin directory. fence
 * must outlive it. 0 also when some could not be fenced: their state says so, and the caller
 * decides; -errno with *problem set when nothing could be begun.
 */
int edge_new(const struct fence *fence, const struct edge_config *config, const char *owner,
	     struct edge **ret, struct problem *problem);
/* The filters stay. */
void edge_free(struct edge *edge);

/* Another configuration for the same fence: fences and frees interfaces. 0 or -ENOMEM. */
int edge_apply(struct edge *edge, const struct edge_config *config);

int edge_fd(const struct edge *edge);
/* Interfaces have come, gone, or changed their names. */
int edge_read(struct edge *edge);

struct edge_findings {
	unsigned int missing; /* filters that were taken away */
	unsigned int replaced; /* those with somebody else's program in them */
};

/*
 * Look whether our filters are still there with our programs, at some dozens of interfaces a call,
 * and put back what is not.
 */
struct edge_findings edge_verify(struct edge *edge);

/* An interface that cannot be fenced and that nobody was told about; this tells. NULL: no more. */
const struct edge_state *edge_next_untold(struct edge *edge);

/*
 * The same without a daemon, from the map that edge_new() fills: what is fenced, whatever is
 * wanted. *ret is the caller's to free.
 */
size_t edge_states_pinned(int edges, const char *owner, struct edge_state **ret);

size_t edge_states(const struct edge *edge, const struct edge_state **ret);

/*
 * Take away every filter of this owner, and the queueing disciplines that edges, the map, says were
 * made for them (-1: it is lost; they stay). 0; -errno with *problem set, -EXDEV when they are in
 * another network namespace than this process.
 */
int edge_remove(int edges, const char *owner, struct problem *problem);

#endif
