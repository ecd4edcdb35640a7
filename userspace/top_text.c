// SPDX-License-Identifier: GPL-2.0-or-later
#include "top_text.h"

#include <inttypes.h>
#include <jansson.h>
#include <time.h>

#include "when.h"

/* "3s", "12m", "7h", "4d" */
static void write_age(int64_t seconds, char to[24])
{
	static const struct {
		int64_t length;
		char letter;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	size_t unit = 0;

	seconds = MAX(seconds, 0);
	while (unit + 1 < ARRAY_LEN(units) && seconds < units[unit].length)
		unit++;
	(void)snprintf(to, 24, "%" PRId64 "%c", seconds / units[unit].length, units[unit].letter);
}

void top_write_state(const struct top_feed *feed, uint64_t now, char *to, size_t size)
{
	const struct top_counters *counters = &feed->counters;
	char age[24];

	if (!feed->connected) {
		write_age((int64_t)(now - feed->gone_at), age);
		if (feed->connections)
			(void)snprintf(to, size,
				       "the daemon in %s is gone for %s; the fence stays as it is; "
				       "connecting again",
				       feed->dir, age);
		else
			(void)snprintf(to, size, "no daemon answers in %s (%s); trying again",
				       feed->dir, strerror(feed->error ?: ECONNRESET));
		return;
	}
	if (!counters->known) {
		(void)snprintf(to, size, "the daemon in %s is there", feed->dir);
		return;
	}
	write_age((int64_t)counters->uptime, age);
	(void)snprintf(to, size,
		       "fence %s, generation %" PRIu64 ", daemon %" PRIu64 " for %s%s, tampered "
		       "%" PRIu64 ", restored %" PRIu64,
		       counters->fence, counters->generation, counters->pid, age,
		       feed->connections > 1 ? " (connected again)" : "", counters->tampered,
		       counters->restored);
}

void top_write_counters(const struct top_feed *feed, char *to, size_t size)
{
	const struct top_counters *counters = &feed->counters;

	to[0] = 0;
	if (!counters->known)
		return;
	(void)snprintf(to, size,
		       "kernel: denied %" PRIu64 " (%.1f/s), audited %" PRIu64
		       " (%.1f/s), allowed %" PRIu64 " (%.1f/s)",
		       counters->verdicts[TOP_DENIED], counters->rates[TOP_DENIED],
		       counters->verdicts[TOP_AUDITED], counters->rates[TOP_AUDITED],
		       counters->verdicts[TOP_ALLOWED], counters->rates[TOP_ALLOWED]);
}

void top_write_seen(const struct top_feed *feed, char *to, size_t size)
{
	const struct top_model *model = feed->model;

	(void)snprintf(to, size,
		       "seen: denied %" PRIu64 " (%.1f/s), audited %" PRIu64 " (%.1f/s), allowed "
		       "%s%" PRIu64 " (%.1f/s); lost %" PRIu64 ", dropped %" PRIu64
		       ", notices %" PRIu64 ", broken %" PRIu64,
		       model->counts[TOP_DENIED], model->rates[TOP_DENIED],
		       model->counts[TOP_AUDITED], model->rates[TOP_AUDITED],
		       model->estimated ? "~" : "", model->counts[TOP_ALLOWED],
		       model->rates[TOP_ALLOWED], MAX(model->lost, feed->counters.lost),
		       feed->counters.dropped, model->notices, model->broken);
}

void top_write_choice(const struct top_settings *settings, const struct top_view *view, char *to,
		      size_t size)
{
	char filter[160] = "", evicted[64] = "";

	if (settings->filter[0])
		(void)snprintf(filter, sizeof(filter), ", filter \"%s\" (%zu hidden)",
			       settings->filter, view->hidden);
	if (view->evicted)
		(void)snprintf(evicted, sizeof(evicted), ", %" PRIu64 " small rows gave way",
			       view->evicted);
	(void)snprintf(to, size, "by %s, sorted by %s%s: %zu rows%s%s",
		       top_grouping_names[settings->grouping], top_order_names[settings->order],
		       settings->reverse ? ", reversed" : "", view->length, filter, evicted);
}

void top_write_heading(const struct top_settings *settings, int width, char *to, size_t size)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "%s", top_grouping_names[settings->grouping]);
	for (char *at = name; *at; at++)
		*at = (char)(*at - 'a' + 'A');
	(void)snprintf(to, size, "%8s %9s %9s %9s %5s  %-*s  %s", "PER-SEC", "DENIED", "AUDITED",
		       "ALLOWED", "LAST", width, name, "LATEST");
}

void top_write_row(const struct top_row *row, int width, int64_t now, char *to, size_t size)
{
	char age[24], allowed[24];
	int used;

	write_age((now - row->last) / WHEN_SECOND, age);
	(void)snprintf(allowed, sizeof(allowed), "%s%" PRIu64, row->estimated ? "~" : "",
		       row->counts[TOP_ALLOWED]);
	used = snprintf(to, size, "%8.1f %9" PRIu64 " %9" PRIu64 " %9s %5s  %-*.*s", row->rate,
			row->counts[TOP_DENIED], row->counts[TOP_AUDITED], allowed, age, width,
			width, row->key);
	if (row->event && used > 0 && (size_t)used < size)
		(void)snprintf(to + used, size - (size_t)used, "  %s", row->event->detail);
}

static json_t *json_verdicts(const uint64_t counts[TOP_VERDICT_MAX],
			     const double rates[TOP_VERDICT_MAX])
{
	json_t *verdicts = json_pack("{s:I,s:I,s:I}", "denied", (json_int_t)counts[TOP_DENIED],
				     "audited", (json_int_t)counts[TOP_AUDITED], "allowed",
				     (json_int_t)counts[TOP_ALLOWED]);

	if (rates)
		json_object_set_new(verdicts, "per_second",
				    json_pack("{s:f,s:f,s:f}", "denied", rates[TOP_DENIED],
					      "audited", rates[TOP_AUDITED], "allowed",
					      rates[TOP_ALLOWED]));
	return verdicts;
}

/* json_string() refuses what is no UTF-8, and a cut key may be that. */
static json_t *json_text(const char *text)
{
	json_t *value = NULL;

	for (size_t length = strlen(text); !value; length--) {
		value = json_stringn(text, length);
		if (!length)
			break;
	}
	return value;
}

static json_t *json_row(const struct top_row *row)
{
	json_t *object = json_verdicts(row->counts, NULL);

	json_object_set_new(object, "key", json_text(row->key));
	json_object_set_new(object, "estimated", json_boolean(row->estimated));
	json_object_set_new(object, "per_second", json_real(row->rate));
	json_object_set_new(object, "last", json_real((double)row->last / (double)WHEN_SECOND));
	json_object_set_new(object, "latest", json_text(row->event ? row->event->detail : ""));
	return object;
}

static json_t *json_rows(const struct top_settings *settings, const struct top_view *view)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < view->length && i < settings->rows; i++)
		json_array_append_new(rows, json_row(&view->rows[i]));
	return rows;
}

static json_t *json_kernel(const struct top_counters *counters)
{
	json_t *kernel = json_verdicts(counters->verdicts, counters->rates);

	json_object_set_new(kernel, "lost", json_integer((json_int_t)counters->lost));
	json_object_set_new(kernel, "pending", json_integer((json_int_t)counters->pending));
	json_object_set_new(kernel, "dropped", json_integer((json_int_t)counters->dropped));
	return kernel;
}

char *top_write_json(const struct top_feed *feed, const struct top_settings *settings,
		     const struct top_view *view, int64_t now)
{
	const struct top_model *model = feed->model;
	json_t *seen = json_verdicts(model->counts, model->rates);
	json_t *root = json_object();
	char *text;

	json_object_set_new(seen, "estimated", json_boolean(model->estimated));
	json_object_set_new(seen, "lost", json_integer((json_int_t)model->lost));
	json_object_set_new(seen, "notices", json_integer((json_int_t)model->notices));
	json_object_set_new(seen, "broken", json_integer((json_int_t)model->broken));
	json_object_set_new(root, "time", json_real((double)now / (double)WHEN_SECOND));
	json_object_set_new(root, "daemon", json_boolean(feed->connected));
	json_object_set_new(root, "connections", json_integer(feed->connections));
	if (feed->counters.known) {
		json_object_set_new(root, "fence", json_text(feed->counters.fence));
		json_object_set_new(root, "kernel", json_kernel(&feed->counters));
	}
	json_object_set_new(root, "seen", seen);
	json_object_set_new(root, "by", json_text(top_grouping_names[settings->grouping]));
	json_object_set_new(root, "sort", json_text(top_order_names[settings->order]));
	json_object_set_new(root, "rows_total", json_integer((json_int_t)view->length));
	json_object_set_new(root, "rows_hidden", json_integer((json_int_t)view->hidden));
	json_object_set_new(root, "rows_evicted", json_integer((json_int_t)view->evicted));
	json_object_set_new(root, "others", json_verdicts(view->others, NULL));
	json_object_set_new(root, "rows", json_rows(settings, view));
	text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(15));
	json_decref(root);
	return text;
}
