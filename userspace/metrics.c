// SPDX-License-Identifier: GPL-2.0-or-later
#include "metrics.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "counters.h"
#include "event.h"

#ifndef DNSFENCE_VERSION
#define DNSFENCE_VERSION "unknown"
#endif

enum metric_type { METRIC_GAUGE, METRIC_COUNTER };

struct metrics {
	struct json *to;
	bool open; /* OpenMetrics, where counters have two names */
	const char *name; /* of the family at hand, without _total */
	enum metric_type type;
};

static void _printf_(2, 3) add(struct metrics *metrics, const char *format, ...)
{
	char line[1024];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	json_text(metrics->to, line, (size_t)MIN(MAX(length, 0), (int)sizeof(line) - 1));
}

/* name without _total; unit: its last word, for OpenMetrics, or NULL. */
static void family(struct metrics *metrics, const char *name, enum metric_type type,
		   const char *unit, const char *help)
{
	const char *total = type == METRIC_COUNTER && !metrics->open ? "_total" : "";

	metrics->name = name;
	metrics->type = type;
	add(metrics, "# HELP %s%s %s\n", name, total, help);
	add(metrics, "# TYPE %s%s %s\n", name, total, type == METRIC_COUNTER ? "counter" : "gauge");
	if (unit && metrics->open)
		add(metrics, "# UNIT %s %s\n", name, unit);
}

/* labels as in {a="b"}, or empty. */
static void sample(struct metrics *metrics, const char *labels, uint64_t value)
{
	add(metrics, "%s%s%s %llu\n", metrics->name,
	    metrics->type == METRIC_COUNTER ? "_total" : "", labels, (unsigned long long)value);
}

static void gauge(struct metrics *metrics, const char *name, const char *help, uint64_t value)
{
	family(metrics, name, METRIC_GAUGE, NULL, help);
	sample(metrics, "", value);
}

static void counter(struct metrics *metrics, const char *name, const char *help, uint64_t value)
{
	family(metrics, name, METRIC_COUNTER, NULL, help);
	sample(metrics, "", value);
}

/* Which verdicts have which reasons: an answer is never denied. */
static bool verdict_has_reason(int verdict, int reason)
{
	return (verdict == DF_VERDICT_ALLOW) == (reason < DF_REASON_NOT_SANCTIONED);
}

static bool hook_counts(const struct status *status, int hook)
{
	uint64_t sum = 0;

	for (int verdict = DF_VERDICT_ALLOW; verdict < DF_VERDICT_MAX; verdict++)
		sum += counters_hook(&status->counters, hook, verdict);
	return sum || (hook < DF_HOOK_CGROUP_MAX && status->links[hook].attached);
}

static void write_hook(struct metrics *metrics, const struct status *status, int hook)
{
	char labels[256];

	for (int verdict = DF_VERDICT_ALLOW; verdict < DF_VERDICT_MAX; verdict++)
		for (int reason = DF_REASON_SANCTIONED; reason < DF_REASON_MAX; reason++) {
			uint64_t value = status->counters.verdicts[hook][verdict][reason];

			if (!value && !verdict_has_reason(verdict, reason))
				continue;
			snprintf(labels, sizeof(labels),
				 "{hook=\"%s\",verdict=\"%s\",reason=\"%s\"}", hook_name(hook),
				 event_verdict_name((unsigned int)verdict),
				 event_reason_name((unsigned int)reason));
			sample(metrics, labels, value);
		}
}

/* Zeroes, too, of every hook that is attached: a rate begins with them. */
static void write_lookups(struct metrics *metrics, const struct status *status)
{
	family(metrics, "dnsfence_lookups", METRIC_COUNTER, NULL,
	       "Lookups judged, by hook, verdict and reason.");
	for (int hook = 0; hook < DF_HOOK_MAX; hook++)
		if (hook_counts(status, hook))
			write_hook(metrics, status, hook);
}

static void write_log(struct metrics *metrics, const struct status *status)
{
	counter(metrics, "dnsfence_violations_logged",
		"Violations that events have been written about.", status->log.logged);
	counter(metrics, "dnsfence_violations_lost",
		"Violations that no event will be written about.",
		counters_lost(&status->counters, &status->log));
	gauge(metrics, "dnsfence_violations_pending",
	      "Violations that no event has been written about yet.",
	      counters_pending(&status->counters, &status->log));
	counter(metrics, "dnsfence_ring_records", "Records written to the ring buffer.",
		status->counters.records);
	counter(metrics, "dnsfence_ring_records_rejected",
		"Records of the ring buffer that were not understood.", status->log.rejected);
	counter(metrics, "dnsfence_violations_folded",
		"Violations counted in the record of an equal one.", status->counters.folded);
	counter(metrics, "dnsfence_allowed_sampled",
		"Allowed lookups that events.allowed chose and that went to the log.",
		status->counters.sampled);
	counter(metrics, "dnsfence_allowed_crowded",
		"Those that were left out, to leave the ring buffer to violations.",
		status->counters.crowded);
}

static void write_hooks(struct metrics *metrics, const struct status *status)
{
	char labels[64];

	family(metrics, "dnsfence_hook_attached", METRIC_GAUGE, NULL,
	       "Whether the program of a hook is attached.");
	for (int hook = 0; hook < DF_HOOK_CGROUP_MAX; hook++) {
		snprintf(labels, sizeof(labels), "{hook=\"%s\"}", hook_name(hook));
		sample(metrics, labels, status->links[hook].attached);
	}
}

static void write_edges(struct metrics *metrics, const struct status_source *source)
{
	uint64_t fenced = 0;

	for (size_t i = 0; i < source->edges_length; i++)
		fenced += source->edges[i].fenced == source->edges[i].sides;
	gauge(metrics, "dnsfence_edge_interfaces", "Interfaces that are to be fenced.",
	      source->edges_length);
	gauge(metrics, "dnsfence_edge_interfaces_fenced", "Interfaces that are fenced.", fenced);
}

static uint64_t audited_policies(const struct df_generation *generation)
{
	uint64_t audits = 0;

	for (uint32_t i = 0; i < generation->policies_len && i < DF_POLICY_MAX; i++)
		audits += !!(generation->policies[i].flags & DF_POLICY_AUDIT);
	return audits;
}

static void write_policy(struct metrics *metrics, const struct status_source *source)
{
	gauge(metrics, "dnsfence_policy_generation", "Which policy is in force, counted from 1.",
	      source->generation->id);
	gauge(metrics, "dnsfence_policies", "Policies in the configuration.",
	      source->generation->policies_len);
	gauge(metrics, "dnsfence_policies_audit", "Policies in audit mode, which block nothing.",
	      audited_policies(source->generation));
}

/* A label's value: what would end it is escaped. */
static void label_text(const char *text, char *to, size_t size)
{
	size_t length = 0;

	for (; *text && length + 3 < size; text++) {
		if (*text == '"' || *text == '\\')
			to[length++] = '\\';
		to[length++] = *text == '\n' ? ' ' : *text;
	}
	to[length] = 0;
}

static void sink_labels(const struct sink_state *sink, char *to, size_t size)
{
	char target[2 * SINK_TARGET_MAX];

	label_text(sink->target, target, sizeof(target));
	snprintf(to, size, "{sink=\"%s\",target=\"%s\"}", sink->name, target);
}

enum sink_number { SINK_WRITTEN, SINK_DROPPED, SINK_QUEUED, SINK_BYTES, SINK_SIZE, SINK_UP };

static uint64_t sink_number(const struct sink_state *sink, enum sink_number number)
{
	switch (number) {
	case SINK_WRITTEN:
		return sink->written;
	case SINK_DROPPED:
		return sink->dropped;
	case SINK_QUEUED:
		return sink->queued;
	case SINK_BYTES:
		return sink->queued_bytes;
	case SINK_SIZE:
		return sink->queue_size;
	case SINK_UP:
		break;
	}
	return !sink->error;
}

static const struct {
	const char *name;
	enum metric_type type;
	const char *unit;
	enum sink_number number;
	const char *help;
} sink_metrics[] = {
	{"dnsfence_sink_lines_written", METRIC_COUNTER, NULL, SINK_WRITTEN,
	 "Lines that a sink has taken."},
	{"dnsfence_sink_lines_dropped", METRIC_COUNTER, NULL, SINK_DROPPED,
	 "Lines that a sink's queue had no room for."},
	{"dnsfence_sink_queue_lines", METRIC_GAUGE, NULL, SINK_QUEUED,
	 "Lines that wait for a sink."},
	{"dnsfence_sink_queue_bytes", METRIC_GAUGE, "bytes", SINK_BYTES,
	 "Bytes that wait for a sink."},
	{"dnsfence_sink_queue_limit_bytes", METRIC_GAUGE, "bytes", SINK_SIZE,
	 "Bytes that may wait for a sink, or for each of its readers."},
	{"dnsfence_sink_up", METRIC_GAUGE, NULL, SINK_UP,
	 "Whether nothing keeps a sink from writing."},
};

static void write_sinks(struct metrics *metrics, const struct status_daemon *daemon)
{
	char labels[2 * SINK_TARGET_MAX + 64];

	for (size_t i = 0; i < ARRAY_LEN(sink_metrics); i++) {
		family(metrics, sink_metrics[i].name, sink_metrics[i].type, sink_metrics[i].unit,
		       sink_metrics[i].help);
		for (size_t j = 0; j < daemon->sinks_length; j++) {
			sink_labels(&daemon->sinks[j], labels, sizeof(labels));
			sample(metrics, labels,
			       sink_number(&daemon->sinks[j], sink_metrics[i].number));
		}
	}
}

static void write_daemon(struct metrics *metrics, const struct status_daemon *daemon)
{
	gauge(metrics, "dnsfence_daemon_up", "Whether a daemon watches and logs.", daemon != NULL);
	if (!daemon)
		return;
	family(metrics, "dnsfence_daemon_uptime_seconds", METRIC_GAUGE, "seconds",
	       "How long the daemon has been running.");
	sample(metrics, "", daemon->uptime_s);
	family(metrics, "dnsfence_reloads", METRIC_COUNTER, NULL,
	       "Reloads of the configuration, by outcome.");
	sample(metrics, "{outcome=\"done\"}", daemon->reloads);
	sample(metrics, "{outcome=\"failed\"}", daemon->reload_failures);
	counter(metrics, "dnsfence_tampering", "Changes of the fence by others that were found.",
		daemon->tampered);
	counter(metrics, "dnsfence_tampering_restored", "Those of them that were put right.",
		daemon->restored);
	write_sinks(metrics, daemon);
}

int metrics_write(const struct status_source *source, bool open_metrics, struct json *to,
		  bool *ret_closed)
{
	struct metrics metrics = {.to = to, .open = open_metrics};
	struct status *status = calloc(1, sizeof(*status));

	if (!status)
		return -ENOMEM;
	if (source)
		status_read(source, status);
	family(&metrics, "dnsfence_build_info", METRIC_GAUGE, NULL, "1, with the version.");
	sample(&metrics, "{version=\"" DNSFENCE_VERSION "\"}", 1);
	gauge(&metrics, "dnsfence_fence_closed",
	      "Whether everything that has to be attached is attached.", status->closed);
	write_daemon(&metrics, source ? source->daemon : NULL);
	if (source) {
		write_policy(&metrics, source);
		write_hooks(&metrics, status);
		write_edges(&metrics, source);
		write_lookups(&metrics, status);
		write_log(&metrics, status);
	}
	if (open_metrics)
		add(&metrics, "# EOF\n");
	*ret_closed = status->closed;
	status_done(status);
	free(status);
	return to->failed ? -ENOMEM : 0;
}

int metrics_write_file(const char *path, const struct json *text)
{
	char fresh[PATH_MAX];
	_cleanup_close_ int fd = -1;
	ssize_t written;

	if ((size_t)snprintf(fresh, sizeof(fresh), "%s.tmp", path) >= sizeof(fresh))
		return -ENAMETOOLONG;
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	if (fd < 0)
		return -errno;
	(void)fchmod(fd, 0644); /* node_exporter is another user, whatever the umask */
	written = write(fd, text->text, text->length);
	if (written == (ssize_t)text->length && rename(fresh, path) == 0)
		return 0;
	written = written < 0 || written == (ssize_t)text->length ? -errno : -ENOSPC;
	(void)unlink(fresh);
	return (int)written;
}
