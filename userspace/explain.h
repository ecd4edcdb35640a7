/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a lookup is let through or refused: whose policy it is and by what, which line of the
 * configuration sanctions the resolver, which hook acts, and what nearly held. Pure: over an image,
 * the one in force or one just compiled, and the configuration it was made of, if that is known.
 */
#ifndef DNSFENCE_EXPLAIN_H
#define DNSFENCE_EXPLAIN_H

#include "config.h"
#include "denial.h"
#include "query.h"

/* Who would ask. */
struct asker {
	char what[192]; /* for people: "process 12 (dig)"; empty: the cgroup and user say it */
	char cgroup[1024]; /* below the cgroup2 mount; empty: not known */
	uint64_t ancestors[DF_LEVEL_MAX];
	size_t levels;
	uint32_t uid; /* DF_UID_ANY: not known */
	char user[64]; /* its name; empty: none */
	bool self; /* this process, as it is */
	bool outside; /* of the fenced cgroup */
};

/* A policy that matches the asker, and by which entry. */
struct claim {
	uint32_t rank;
	bool by_cgroup;
	bool by_user; /* neither: it has no match */
	unsigned int level; /* by_cgroup: of the cgroup that the entry names, the root is 0 */
};

#define CLAIMS_MAX (2 * DF_LEVEL_MAX + 2)

/* A line of the configuration that sanctions a resolver. */
struct grant_line {
	const struct resolver_set *set; /* NULL: none, or no configuration is known */
	const struct resolver *resolver;
};

enum near_kind {
	NEAR_OTHER_WAY, /* this policy sanctions the address on another port or over another
			   transport */
	NEAR_OTHER_POLICY, /* another policy sanctions just this */
	NEAR_UNUSED_SET, /* a set that no policy names lists it */
	NEAR_UNFENCED, /* the port is a service's that is not fenced */
};

struct near_miss {
	enum near_kind kind;
	uint32_t service; /* NEAR_OTHER_WAY, NEAR_UNFENCED; DF_SERVICE_MAX: a port of its own */
	uint16_t port;
	uint8_t protocol;
	uint32_t rank; /* NEAR_OTHER_POLICY */
	struct grant_line line;
};

#define NEAR_MAX 16

struct explain_request {
	const struct policy_image *image;
	const struct config *config; /* what the image was made of; NULL: not known */
	const struct asker *asker;
	const struct denial_surroundings *surroundings;
};

struct explanation {
	struct query query;
	struct judgement judgement; /* of an outsider: pass */
	struct claim claims[CLAIMS_MAX]; /* the one that decides first */
	size_t claims_length;
	struct grant_line line; /* when it is sanctioned */
	struct denial denials[DENIALS_MAX];
	size_t denials_length;
	struct near_miss near[NEAR_MAX];
	size_t near_length;
	bool near_more; /* than fit */
};

void explain(const struct explain_request *request, const struct query *query,
	     struct explanation *ret);

/* The policy of a rank as the configuration has it; NULL without one. */
const struct policy_config *explain_policy(const struct explain_request *request, uint32_t rank);
const char *explain_policy_name(const struct explain_request *request, uint32_t rank);

#endif
