/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon: what `run` keeps alive, and the parts it is made of. cmd_run.c starts it, turns its
 * loop and ends it; each part below is a file of that name. They are the command's own, so they
 * log. All of it runs in one thread.
 */
#ifndef DNSFENCE_DAEMON_H
#define DNSFENCE_DAEMON_H

#include <time.h>

#include "closing.h"
#include "control.h"
#include "drift.h"
#include "enforce.h"
#include "enrich.h"
#include "guard.h"
#include "live.h"
#include "loop.h"
#include "metrics_server.h"
#include "ring.h"
#include "sinks.h"
#include "status.h"
#include "tally.h"

struct daemon {
	const struct options *options;
	time_t started;
	char host[256];
	struct loop loop;
	int signals, ticks;
	struct control *control;
	bool unload; /* the fence was opened on request */

	/* The policy in force, and what enforces it. */
	struct prepared prepared;
	struct pins pins;
	struct enforcement enforcement;
	struct closing closing;
	struct guard guard;
	uint64_t reloads, reload_failures;

	/* What comes and goes. */
	int mount_fd; /* of cgroup2, for the catalog */
	struct catalog *catalog;
	struct loop_watch *facts_watch;
	struct live *live;
	struct loop_watch *live_watch;
	struct live_counts live_counts; /* for status to point to */
	struct loop_watch *edge_watch; /* of this descriptor: */
	int edge_fd;
	bool subjects_stale; /* what was resolved last is not in force yet */

	/* What has happened, and who is told. */
	struct ring *ring;
	struct enricher *enricher;
	struct tally *tally;
	struct drift *drift;
	struct sinks sinks;

	/* Metrics for others to read. */
	struct metrics_server *metrics; /* NULL: nobody may ask */
	bool metrics_written; /* there is a file of ours */
	int metrics_ticks; /* until the file is written */
	int metrics_error; /* errno of the last time, 0: none. Said once. */
};

/*
 * daemon_events.c: from the ring, and from drift.c, to the sinks and to who follows.
 */

/* Once the fence is closed and what comes and goes is followed. 0; -errno with *problem set. */
int daemon_events_begin(struct daemon *daemon, struct problem *problem);

/* What is still in the ring goes to the sinks, within bounds: the next daemon gets the rest. */
void daemon_events_drain(struct daemon *daemon);
void daemon_events_end(struct daemon *daemon);

/* The line that tells a follower what it was not sent; see control_teller. */
size_t daemon_events_tell(void *context, bool json, uint64_t count, char *to, size_t size);

/*
 * daemon_follow.c: interfaces, cgroups and the runtimes' files come and go; fence and policy
 * follow.
 */

/* Once the fence is closed. 0; -errno with *problem set. */
int daemon_follow_begin(struct daemon *daemon, struct problem *problem);
void daemon_follow_end(struct daemon *daemon);

/* Once a second: what was missed, and filters that somebody has taken away. */
void daemon_follow_tick(struct daemon *daemon);

/* The edge may have been begun or given up: watch the interfaces it sees, or none. */
void daemon_follow_links(struct daemon *daemon);

/* Another policy is in force; fresh, which is emptied, becomes what is followed. */
void daemon_follow_policy(struct daemon *daemon, struct prepared *fresh);

/*
 * daemon_status.c: what status.c and metrics.c write of the daemon.
 */

/* self and states are for *ret to point to, which is good until the loop turns. */
void daemon_describe(struct daemon *daemon, struct status_daemon *self,
		     struct sink_state states[SINKS_MAX], struct status_source *ret);

/*
 * daemon_metrics.c: metrics by HTTP, as a file, and on request.
 */

/* 0 or -errno; *ret_closed as of metrics_write(). */
int daemon_metrics_text(struct daemon *daemon, bool open_metrics, struct json *to,
			bool *ret_closed);

/*
 * In *ret the server that this configuration asks for: NULL for none, or the one that is there.
 * False with *problem set. Then either daemon_metrics_commit() or daemon_metrics_abort(); the
 * first before the daemon takes the configuration over.
 */
bool daemon_metrics_prepare(struct daemon *daemon, const struct config *config,
			    struct metrics_server **ret, struct problem *problem);
void daemon_metrics_commit(struct daemon *daemon, const struct config *config,
			   struct metrics_server *fresh);
void daemon_metrics_abort(struct daemon *daemon, struct metrics_server *fresh);

void daemon_metrics_tick(struct daemon *daemon);
void daemon_metrics_end(struct daemon *daemon);

/*
 * daemon_reload.c: the configuration read again.
 */

/*
 * 0; -errno after the reasons have been written to `to`, as JSON where asked for: everything is as
 * it was then. The service manager is told either way.
 */
int daemon_reload(struct daemon *daemon, bool json, FILE *to);

/*
 * daemon_requests.c: what the commands ask over the control socket.
 */

/* A control_handler. */
int daemon_answer(void *context, const char *request, FILE *to);

#endif
