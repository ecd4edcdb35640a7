/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of the fence, gathered from its maps and links, as text or JSON. The daemon uses it
 * to answer; without a daemon the status command uses it on the pins.
 */
#ifndef DNSFENCE_STATUS_H
#define DNSFENCE_STATUS_H

#include "attach.h"
#include "edge.h"
#include "json.h"
#include "live.h"
#include "sink.h"

/* What the daemon adds about itself. */
struct status_daemon {
	uint32_t pid;
	uint64_t uptime_s;
	const char *config; /* path, or "built-in policy" */
	uint64_t reloads, reload_failures;
	uint64_t tampered, restored; /* findings of the watch, and those of them that are mended */
	uint64_t sink_written, sink_dropped; /* all sinks, and those that have gone */
	const struct sink_state *sinks;
	size_t sinks_length;
};

struct status_source {
	const struct pins *pins; /* NULL: the daemon pins nothing */
	const int *maps; /* [FENCE_MAP_MAX] */
	const struct df_generation *generation;
	const char *mount; /* of cgroup2 */
	const struct hook_plan *plan; /* NULL: not known */
	const struct attachments *attached; /* the daemon's own links, NULL: look at the pins */
	const struct edge_state *edges; /* fenced interfaces, and wanted ones */
	size_t edges_length;
	bool edges_wanted; /* interfaces are to be fenced, whether there are any or not */
	bool edges_missing; /* interfaces are wanted, and nobody could look after them */
	const struct live_counts *live; /* NULL: not known */
	const struct status_daemon *daemon; /* NULL: none answers */
	const struct kernel_features *features; /* NULL: not known */
};

/* Everything read once, so that text, JSON and metrics tell the same. */
struct status {
	struct df_counters counters;
	struct df_log_state log;
	struct link_state links[DF_HOOK_CGROUP_MAX];
	struct hook_order orders[DF_HOOK_CGROUP_MAX];
	char *cgroup; /* NULL: gone */
	bool closed;
};

void status_read(const struct status_source *source, struct status *ret);
void status_done(struct status *status);

/* Writes the state; true when the fence is closed: every hook that must be there is. */
bool status_write_json(const struct status_source *source, struct json *to);
bool status_write_text(const struct status_source *source, FILE *to);

#endif
