// SPDX-License-Identifier: GPL-2.0-or-later
#include "status.h"

#include <fcntl.h>
#include <sys/utsname.h>

#include "cgroup.h"
#include "config.h"
#include "counters.h"
#include "event.h"

static void status_read_link(const struct status_source *source, enum df_hook hook,
			     struct link_state *ret)
{
	if (source->pins)
		(void)attach_inspect(source->pins, hook, ret);
	if (!ret->pinned && source->attached)
		attach_describe(source->attached->links[hook], ret);
}

static void status_read_order(const struct status_source *source, struct status *status,
			      enum df_hook hook)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	if (!status->links[hook].attached)
		return;
	if (!status->cgroup) {
		_cleanup_close_ int mount = open(source->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (cgroup_path_of(mount, source->mount, status->links[hook].cgroup_id,
				   &status->cgroup) < 0)
			return;
	}
	snprintf(path, sizeof(path), "%s%s", source->mount, status->cgroup);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		(void)attach_order(fd, hook, status->links[hook].program_id, &status->orders[hook]);
}

/* The packet layer is the authority, connect the fast errno: without all three it leaks or hangs.
 */
static bool status_is_closed(const struct status_source *source, const struct status *status)
{
	if (source->edges_missing)
		return false;
	for (size_t i = 0; i < source->edges_length; i++)
		if (source->edges[i].fenced != source->edges[i].sides)
			return false;
	return status->links[DF_HOOK_PACKET].attached && status->links[DF_HOOK_CONNECT4].attached &&
	       status->links[DF_HOOK_CONNECT6].attached;
}

void status_read(const struct status_source *source, struct status *ret)
{
	*ret = (struct status){0};
	(void)counters_read(source->maps[FENCE_COUNTERS], &ret->counters);
	(void)log_state_read(source->maps[FENCE_LOG_STATE], &ret->log);
	for (int hook = 0; hook < DF_HOOK_CGROUP_MAX; hook++) {
		status_read_link(source, hook, &ret->links[hook]);
		status_read_order(source, ret, hook);
	}
	ret->closed = status_is_closed(source, ret);
}

void status_done(struct status *status)
{
	free(status->cgroup);
	*status = (struct status){0};
}

/* The mode of the default policy, and whether others differ from it. */
static const char *status_mode(const struct df_generation *generation)
{
	uint32_t audits = 0;

	for (uint32_t i = 0; i < generation->policies_len && i < DF_POLICY_MAX; i++)
		audits += !!(generation->policies[i].flags & DF_POLICY_AUDIT);
	if (!audits)
		return "enforce";
	return audits == generation->policies_len ? "audit" : "mixed";
}

static const char *status_why(const struct status_source *source, const struct status *status,
			      enum df_hook hook)
{
	if (source->plan)
		return source->plan->why[hook] ? source->plan->why[hook]
					       : "the policy does not need it";
	return status->links[hook].attached ? "attached by the last daemon or load"
					    : "not attached";
}

static void json_hook(const struct status_source *source, const struct status *status,
		      enum df_hook hook, struct json *to)
{
	const struct hook_order *order = &status->orders[hook];

	json_open(to, NULL);
	json_put(to, "name", hook_name(hook));
	json_bool(to, "attached", status->links[hook].attached);
	json_bool(to, "pinned", status->links[hook].pinned);
	json_put(to, "why", status_why(source, status, hook));
	if (status->links[hook].attached) {
		json_uint(to, "link_id", status->links[hook].link_id);
		json_uint(to, "program_id", status->links[hook].program_id);
		json_list(to, "order");
		for (size_t i = 0; i < order->length; i++) {
			json_open(to, NULL);
			json_uint(to, "id", order->programs[i].state.id);
			json_put(to, "name", order->programs[i].state.name);
			json_put(to, "tag", order->programs[i].state.tag);
			json_bool(to, "ours", order->programs[i].ours);
			json_bool(to, "after", order->programs[i].after);
			json_close(to);
		}
		json_list_end(to);
	}
	json_close(to);
}

static const char *edge_side_names(uint32_t sides)
{
	static const char *const names[] = {"none", "in", "out", "in+out"};

	return names[sides & (EDGE_SIDE_IN | EDGE_SIDE_OUT)];
}

static void json_edges(const struct status_source *source, struct json *to)
{
	json_list(to, "edge");
	for (size_t i = 0; i < source->edges_length; i++) {
		const struct edge_state *edge = &source->edges[i];

		json_open(to, NULL);
		json_put(to, "interface", edge->name);
		json_put(to, "wanted", edge_side_names(edge->sides));
		json_put(to, "fenced", edge_side_names(edge->fenced));
		json_uint(to, "priority", edge->priority);
		json_put_text(to, "problem", edge->problem);
		json_close(to);
	}
	json_list_end(to);
}

static void json_verdicts(const struct df_counters *counters, struct json *to)
{
	json_open(to, "counters");
	json_uint(to, "allowed", counters_verdicts(counters, DF_VERDICT_ALLOW));
	json_uint(to, "denied", counters_verdicts(counters, DF_VERDICT_DENY));
	json_uint(to, "audited", counters_verdicts(counters, DF_VERDICT_AUDIT));
	json_open(to, "hooks");
	for (int hook = 0; hook < DF_HOOK_MAX; hook++) {
		json_open(to, hook_name(hook));
		for (int verdict = DF_VERDICT_ALLOW; verdict < DF_VERDICT_MAX; verdict++)
			json_uint(to, event_verdict_name(verdict),
				  counters_hook(counters, hook, verdict));
		json_close(to);
	}
	json_close(to);
	json_open(to, "reasons");
	for (int reason = DF_REASON_SANCTIONED; reason < DF_REASON_MAX; reason++)
		json_uint(to, event_reason_name(reason), counters_reason(counters, reason));
	json_close(to);
	json_close(to);
}

static void json_log(const struct status *status, struct json *to)
{
	json_open(to, "log");
	json_uint(to, "records", status->counters.records);
	json_uint(to, "folded", status->counters.folded);
	json_uint(to, "pending", counters_pending(&status->counters, &status->log));
	json_uint(to, "lost", counters_lost(&status->counters, &status->log));
	json_uint(to, "logged", status->log.logged);
	json_uint(to, "rejected", status->log.rejected);
	json_uint(to, "allowed_sampled", status->counters.sampled);
	json_uint(to, "allowed_crowded", status->counters.crowded);
	json_uint(to, "sequence", status->log.sequence);
	json_close(to);
}

static void json_sinks(const struct status_daemon *daemon, struct json *to)
{
	json_list(to, "sinks");
	for (size_t i = 0; i < daemon->sinks_length; i++) {
		const struct sink_state *sink = &daemon->sinks[i];

		json_open(to, NULL);
		json_put(to, "name", sink->name);
		json_put(to, "target", sink->target);
		json_uint(to, "written", sink->written);
		json_uint(to, "dropped", sink->dropped);
		json_uint(to, "queued", sink->queued);
		json_uint(to, "queued_bytes", sink->queued_bytes);
		json_uint(to, "queue_size", sink->queue_size);
		json_put(to, "drops", sink->drop);
		if (sink->readers >= 0)
			json_uint(to, "readers", (uint64_t)sink->readers);
		if (sink->error)
			json_put(to, "problem", strerror(sink->error));
		json_close(to);
	}
	json_list_end(to);
}

static void json_daemon(const struct status_daemon *daemon, struct json *to)
{
	json_bool(to, "daemon", daemon != NULL);
	if (!daemon)
		return;
	json_open(to, "process");
	json_uint(to, "pid", daemon->pid);
	json_uint(to, "uptime", daemon->uptime_s);
	json_put(to, "config", daemon->config);
	json_uint(to, "reloads", daemon->reloads);
	json_uint(to, "reload_failures", daemon->reload_failures);
	json_uint(to, "tampered", daemon->tampered);
	json_uint(to, "restored", daemon->restored);
	json_uint(to, "sink_written", daemon->sink_written);
	json_uint(to, "sink_dropped", daemon->sink_dropped);
	json_close(to);
	json_sinks(daemon, to);
}

static uint32_t status_needs(const struct status_source *source)
{
	return kernel_needs(source->generation->flags, source->edges_wanted);
}

static void json_kernel(const struct status_source *source, struct json *to)
{
	const struct kernel_feature *feature = kernel_feature_table;
	struct utsname name = {0};

	(void)uname(&name);
	json_open(to, "kernel");
	json_put(to, "release", name.release);
	if (source->features) {
		json_list(to, "lacks");
		for (; feature->name; feature++) {
			if (kernel_has(source->features, feature))
				continue;
			json_open(to, NULL);
			json_put(to, "name", feature->name);
			json_put(to, "since", feature->since);
			json_put(to, "what", feature->what);
			json_put(to, "instead", feature->instead);
			json_bool(to, "needed",
				  kernel_feature_is_needed(feature, status_needs(source)));
			json_close(to);
		}
		json_list_end(to);
	}
	json_close(to);
}

static void json_live(const struct live_counts *live, struct json *to)
{
	if (!live || !live->way)
		return;
	json_open(to, "subjects");
	json_put(to, "follow", live->way);
	json_uint(to, "cgroups", live->cgroups);
	json_uint(to, "entries", live->entries);
	json_uint(to, "room", live->room);
	json_uint(to, "walks", live->walks);
	json_uint(to, "lost", live->lost);
	json_close(to);
}

bool status_write_json(const struct status_source *source, struct json *to)
{
	const struct df_generation *generation = source->generation;
	struct status status;
	bool closed;

	status_read(source, &status);
	json_open(to, NULL);
	json_put(to, "fence", status.closed ? "closed" : "open");
	json_daemon(source->daemon, to);
	json_put(to, "mode", status_mode(generation));
	json_uint(to, "generation", generation->id);
	json_put(to, "cgroup", status.cgroup ? status.cgroup : "");
	json_list(to, "policies");
	for (uint32_t i = 0; i < generation->policies_len && i < DF_POLICY_MAX; i++)
		json_put(to, NULL, generation->policies[i].name);
	json_list_end(to);
	json_list(to, "hooks");
	for (int hook = 0; hook < DF_HOOK_CGROUP_MAX; hook++)
		json_hook(source, &status, hook, to);
	json_list_end(to);
	json_edges(source, to);
	json_live(source->live, to);
	json_kernel(source, to);
	json_verdicts(&status.counters, to);
	json_log(&status, to);
	json_close(to);
	closed = status.closed;
	status_done(&status);
	(void)json_finish(to);
	return closed;
}

static void text_order(const struct hook_order *order, FILE *to)
{
	bool after = false;

	if (order->length < 2)
		return;
	fprintf(to, "               order:");
	for (size_t i = 0; i < order->length; i++) {
		const struct program_state *program = &order->programs[i].state;

		fprintf(to, " %s%s(%u", order->programs[i].ours ? "*" : "",
			program->name[0] ? program->name : "unnamed", program->id);
		if (!order->programs[i].ours)
			fprintf(to, ", tag %s", program->tag[0] ? program->tag : "unknown");
		fprintf(to, ")");
		after |= order->programs[i].after;
	}
	fprintf(to, "%s\n",
		after ? "  (who runs after us can soften connect's errno, never the packet's "
			"verdict)"
		      : "");
}

static void text_counters(const struct status *status, FILE *to)
{
	const struct df_counters *counters = &status->counters;

	fprintf(to, "  allowed    %llu\n  denied     %llu\n  audited    %llu\n",
		(unsigned long long)counters_verdicts(counters, DF_VERDICT_ALLOW),
		(unsigned long long)counters_verdicts(counters, DF_VERDICT_DENY),
		(unsigned long long)counters_verdicts(counters, DF_VERDICT_AUDIT));
	for (int reason = DF_REASON_NOT_SANCTIONED; reason < DF_REASON_MAX; reason++)
		if (counters_reason(counters, reason))
			fprintf(to, "    %-8llu %s: %s\n",
				(unsigned long long)counters_reason(counters, reason),
				event_reason_name(reason), event_reason_text(reason));
	fprintf(to, "  logged     %llu (%llu not yet, %llu lost, %llu refused)\n",
		(unsigned long long)status->log.logged,
		(unsigned long long)counters_pending(counters, &status->log),
		(unsigned long long)counters_lost(counters, &status->log),
		(unsigned long long)status->log.rejected);
	if (counters->sampled || counters->crowded)
		fprintf(to, "  sampled    %llu allowed lookups (%llu left out for violations)\n",
			(unsigned long long)counters->sampled,
			(unsigned long long)counters->crowded);
}

static void text_hook(const struct status_source *source, const struct status *status,
		      enum df_hook hook, FILE *to)
{
	const struct link_state *link = &status->links[hook];

	fprintf(to, "  %-12s %-9s %s\n", hook_name(hook),
		link->attached ? link->pinned ? "pinned" : "attached" : "-",
		status_why(source, status, hook));
	text_order(&status->orders[hook], to);
}

static void text_edges(const struct status_source *source, FILE *to)
{
	if (source->edges_missing)
		fprintf(to, "edge         NOT FENCED: see the daemon's log\n");
	if (!source->edges_length)
		return;
	fprintf(to, "edge\n");
	for (size_t i = 0; i < source->edges_length; i++) {
		const struct edge_state *edge = &source->edges[i];

		fprintf(to, "  %-12s %-9s %s%s\n", edge->name, edge_side_names(edge->fenced),
			edge->problem[0]     ? "NOT FENCED: "
			: edge->priority > 1 ? "other filters run first"
					     : "frames without an inet socket",
			edge->problem);
	}
}

static void text_kernel(const struct status_source *source, FILE *to)
{
	const struct kernel_feature *feature = kernel_feature_table;
	struct utsname name = {0};
	bool whole = source->features != NULL;

	for (const struct kernel_feature *at = feature; whole && at->name; at++)
		whole = kernel_has(source->features, at);
	(void)uname(&name);
	fprintf(to, "kernel       %s%s\n", name.release,
		whole ? ", lacks nothing that the fence uses" : "");
	for (; source->features && feature->name; feature++)
		if (!kernel_has(source->features, feature))
			fprintf(to, "  lacks %s (Linux %s): %s\n    %s%s\n", feature->name,
				feature->since, feature->what, feature->instead,
				kernel_feature_is_needed(feature, status_needs(source))
					? ""
					: "; this policy does not need it");
}

/* "1204 lines, 12 dropped (oldest), 3 wait (2 KiB)" and what else there is to say. */
static void text_sinks(const struct status_daemon *daemon, FILE *to)
{
	if (daemon->sinks_length)
		fprintf(to, "sinks\n");
	for (size_t i = 0; i < daemon->sinks_length; i++) {
		const struct sink_state *sink = &daemon->sinks[i];

		fprintf(to, "  %-10s %llu lines", sink->name, (unsigned long long)sink->written);
		if (sink->dropped)
			fprintf(to, ", %llu dropped (the %s)", (unsigned long long)sink->dropped,
				sink->drop);
		if (sink->queued)
			fprintf(to, ", %zu wait (%zu KiB of %zu)", sink->queued,
				(sink->queued_bytes + 1023) / 1024, sink->queue_size / 1024);
		if (sink->readers >= 0)
			fprintf(to, ", %d readers", sink->readers);
		if (*sink->target)
			fprintf(to, ", %s", sink->target);
		fprintf(to, "%s%s\n", sink->error ? ": " : "",
			sink->error ? strerror(sink->error) : "");
	}
}

static void text_live(const struct live_counts *live, FILE *to)
{
	if (!live || !live->way)
		return;
	fprintf(to, "subjects     %u entries, room for %u; %zu cgroups, followed by %s",
		live->entries, live->room, live->cgroups, live->way);
	if (live->lost)
		fprintf(to, ", which lost some %llu times", (unsigned long long)live->lost);
	fputc('\n', to);
}

bool status_write_text(const struct status_source *source, FILE *to)
{
	const struct df_generation *generation = source->generation;
	struct status status;
	bool closed;

	status_read(source, &status);
	fprintf(to, "fence        %s%s%s\n", status.closed ? "closed" : "OPEN",
		status.cgroup ? ", below cgroup " : "", status.cgroup ? status.cgroup : "");
	if (source->daemon)
		fprintf(to, "daemon       pid %u, up %llu s, %s; %llu reloads, %llu failed\n",
			source->daemon->pid, (unsigned long long)source->daemon->uptime_s,
			source->daemon->config, (unsigned long long)source->daemon->reloads,
			(unsigned long long)source->daemon->reload_failures);
	else
		fprintf(to, "daemon       none answers; violations are counted and buffered\n");
	if (source->daemon && source->daemon->tampered)
		fprintf(to,
			"tampering    found %llu times, restored %llu times; the log says what\n",
			(unsigned long long)source->daemon->tampered,
			(unsigned long long)source->daemon->restored);
	fprintf(to, "policy       generation %llu, mode %s:", (unsigned long long)generation->id,
		status_mode(generation));
	for (uint32_t i = 0; i < generation->policies_len && i < DF_POLICY_MAX; i++)
		fprintf(to, " %s", generation->policies[i].name);
	fprintf(to, "\nhooks\n");
	for (int hook = 0; hook < DF_HOOK_CGROUP_MAX; hook++)
		text_hook(source, &status, hook, to);
	text_edges(source, to);
	text_live(source->live, to);
	text_kernel(source, to);
	fprintf(to, "lookups\n");
	text_counters(&status, to);
	if (source->daemon)
		text_sinks(source->daemon, to);
	closed = status.closed;
	status_done(&status);
	return closed;
}
