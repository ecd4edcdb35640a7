/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was open before: connected sockets to name resolution ports in every network namespace,
 * judged by a policy image and, if asked, closed. A child process enters the namespaces and sends
 * what it finds through a pipe: the caller stays where it is and never waits unless it wants to.
 */
#ifndef DNSFENCE_SWEEP_H
#define DNSFENCE_SWEEP_H

#include "facts.h"
#include "judge.h"
#include "problem.h"
#include "sockets.h"

#include <sys/types.h>

#define SWEEP_LIMIT_S 60 /* a child that takes longer ends, and the totals say so */

/* What became of a socket: enumerator, name in JSON and lines, and one sentence for people. */
#define SWEEP_FATES(X)                                                                        \
	X(ALLOWED, "sanctioned", "the policy allows it")                                      \
	X(OPEN, "open", "the packet layer refuses what it sends, if the fence is closed")     \
	X(CLOSED, "closed", "whoever uses it gets ECONNABORTED")                              \
	X(FAILED, "failed", "it could not be closed")                                         \
	X(AUDITED, "audited", "its policy is in audit mode: nothing is closed")               \
	X(SERVING, "left", "a server's here, as it seems, with a client that uses that port") \
	X(UNJUDGED, "unjudged", "its cgroup is not known any more, and so is its policy")

enum sweep_fate {
#define X(id, name, text) SWEEP_FATE_##id,
	SWEEP_FATES(X)
#undef X
		SWEEP_FATE_MAX,
};

/* What could not be looked at: enumerator, name in JSON, one sentence for people. */
#define SWEEP_TROUBLES(X)                                            \
	X(NETNS, "netns", "the network namespace cannot be entered") \
	X(TABLE, "table", "the kernel does not list these sockets")  \
	X(SEARCH, "search", "the search could not begin")

enum sweep_trouble {
#define X(id, name, text) SWEEP_TROUBLE_##id,
	SWEEP_TROUBLES(X)
#undef X
		SWEEP_TROUBLE_MAX,
};

enum sweep_kind {
	SWEEP_SOCKET,
	SWEEP_TROUBLE,
	SWEEP_END, /* everything has been looked at */
};

struct sweep_record {
	enum sweep_kind kind;
	int error; /* positive errno of a failed or a troubled one */
	uint64_t netns; /* as /proc/PID/ns/net shows it; 0: none in particular */
	enum sweep_trouble trouble;
	const struct socket_table *table; /* NULL: none in particular */
	/* Only of a socket: */
	enum sweep_fate fate;
	struct socket_entry socket;
	struct df_flow flow; /* from the socket to its peer; v4-mapped addresses are IPv4 */
	struct judgement judgement;
	uint32_t pid; /* 0: no process is known to hold it */
	char process[32];
	char policy[DF_POLICY_NAME_LEN];
	char cgroup[1024]; /* empty: not known */
	const struct facts *facts; /* of the cgroup, for who prints it; not owned, NULL: none */
};

struct sweep_request {
	const struct policy_image *image;
	const char *mount; /* of cgroup2 */
	const char *cgroup; /* only sockets made in it or below */
	bool close; /* what is denied */
	bool all; /* hand out what is allowed, too */
	bool wait; /* sweep_take() waits for the next record */
};

struct sweep_totals {
	uint64_t fates[SWEEP_FATE_MAX];
	uint64_t troubles[SWEEP_TROUBLE_MAX];
	uint64_t namespaces; /* looked at */
	int close_error; /* of the last FAILED, and which table it is in */
	const struct socket_table *unclosed;
	int trouble_error; /* of the last of SWEEP_TROUBLE_NETNS and _SEARCH */
	const struct socket_table *unlisted; /* of the last SWEEP_TROUBLE_TABLE */
	bool complete; /* the child came to its end */
};

struct sweep {
	int fd; /* readable: there is a record, or the end */
	pid_t pid;
	struct sweep_totals totals;
};

/* The image may be freed afterwards. 0; -errno with *problem set. */
int sweep_start(const struct sweep_request *request, struct sweep *ret, struct problem *problem);

/*
 * The next record, already added to the totals: 1; 0 at the end, *sweep is closed then; -EAGAIN
 * when there is none yet.
 */
int sweep_take(struct sweep *sweep, struct sweep_record *ret);

/* End it early, if it runs. */
void sweep_stop(struct sweep *sweep);

/* Sockets that no policy sanctions and that are open still. */
uint64_t sweep_open(const struct sweep_totals *totals);
/* Was there anything that could not be looked at? */
bool sweep_troubled(const struct sweep_totals *totals);

#endif
