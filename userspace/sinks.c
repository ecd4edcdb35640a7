// SPDX-License-Identifier: GPL-2.0-or-later
#include "sinks.h"

#include <time.h>

#define TEXT_LINE_MAX 4096

void sinks_init(struct sinks *sinks, struct loop *loop, const char *host)
{
	*sinks = (struct sinks){.loop = loop, .host = host};
}

void sinks_done(struct sinks *sinks)
{
	sinks_flush(sinks);
	for (size_t i = 0; i < sinks->length; i++)
		sink_free(sinks->list[i]);
	for (size_t i = 0; i < SINK_FORMAT_MAX; i++)
		json_done(&sinks->texts[i]);
	*sinks = (struct sinks){0};
}

/* Texts ------------------------------------------------------------------------------------ */

static int write_line(const struct event *event, bool color, struct json *to)
{
	char line[TEXT_LINE_MAX];

	json_text(to, line, event_write_line(event, color, line, sizeof(line)));
	return to->failed ? -ENOMEM : 0;
}

static int write_syslog(const struct sinks *sinks, const struct event *event, bool local,
			const struct json *json, struct json *to)
{
	struct syslog_style style = sinks->style;

	style.local = local;
	return event_write_syslog(event, &style, sinks->host, json, to);
}

/* json: the same event's line. */
static int write_format(const struct sinks *sinks, const struct event *event,
			enum sink_format format, const struct json *json, struct json *to)
{
	json_reset(to);
	switch (format) {
	case SINK_JSON:
		return event_write_json(event, sinks->host, to);
	case SINK_TEXT:
	case SINK_COLOR:
		return write_line(event, format == SINK_COLOR, to);
	case SINK_SYSLOG:
	case SINK_SYSLOG_LOCAL:
		return write_syslog(sinks, event, format == SINK_SYSLOG_LOCAL, json, to);
	case SINK_JOURNAL:
		return event_write_journal(event, json, to);
	case SINK_FORMAT_MAX:
		break;
	}
	return -EINVAL;
}

static bool format_has_json(enum sink_format format)
{
	return format == SINK_SYSLOG || format == SINK_SYSLOG_LOCAL || format == SINK_JOURNAL;
}

const struct json *sinks_text(struct sinks *sinks, const struct event *event,
			      enum sink_format format)
{
	struct json *to = &sinks->texts[format];
	const struct json *json = NULL;

	if (sinks->written & (1u << format))
		return to;
	if (format_has_json(format)) {
		json = sinks_text(sinks, event, SINK_JSON);
		if (!json)
			return NULL;
	}
	if (write_format(sinks, event, format, json, to) < 0)
		return NULL;
	sinks->written |= 1u << format;
	return to;
}

static size_t sinks_write_missed(const struct sinks *sinks, enum sink_format format, uint64_t count,
				 struct json *to)
{
	struct event *missed = calloc(1, sizeof(*missed));
	struct json json = {0};
	size_t length = 0;

	if (!missed)
		return 0;
	*missed = (struct event){.kind = EVENT_LOST, .count = count};
	clock_gettime(CLOCK_REALTIME, &missed->time);
	if ((!format_has_json(format) || event_write_json(missed, sinks->host, &json) == 0) &&
	    write_format(sinks, missed, format, &json, to) == 0)
		length = to->length;
	json_done(&json);
	free(missed);
	return length;
}

size_t sinks_tell(const struct sinks *sinks, enum sink_format format, bool counted, uint64_t count,
		  char *to, size_t size)
{
	struct json text = {0};
	size_t length = sinks_write_missed(sinks, format, count, &text), begin = 0;

	if (counted)
		begin = (size_t)snprintf(to, size, "%zu ", length);
	if (!length || begin + length > size)
		length = begin = 0;
	else
		memcpy(to + begin, text.text, length);
	json_done(&text);
	return begin + length;
}

static size_t sink_tell(void *context, uint64_t count, char *to, size_t size)
{
	const struct sink *sink = context;

	return sinks_tell(sink->owner, sink->format, sink->counted, count, to, size);
}

/* Which there are -------------------------------------------------------------------------- */

/* One that the configuration names. */
struct wanted {
	const char *name; /* of its kind */
	const char *target;
	const struct endpoint_config *syslog; /* NULL: it is none of these */
};

static size_t sinks_wanted(const struct config *config, struct wanted ret[SINKS_MAX])
{
	size_t length = 0;

	if (config->events_stdout)
		ret[length++] = (struct wanted){"stdout", "", NULL};
	if (config->events_file)
		ret[length++] = (struct wanted){"file", config->events_file, NULL};
	if (config->events_journal)
		ret[length++] = (struct wanted){"journal", "", NULL};
	if (config->events_socket)
		ret[length++] = (struct wanted){"socket", config->events_socket, NULL};
	for (size_t i = 0; i < config->syslog.length && length < SINKS_MAX; i++) {
		const struct endpoint_config *target = &config->syslog.list[i].target;

		ret[length++] = (struct wanted){"syslog", target->text, target};
	}
	return length;
}

static bool sink_is(const struct sink *sink, const struct wanted *wanted)
{
	return util_streq(sink->kind->name, wanted->name) &&
	       strncmp(sink->target, wanted->target, sizeof(sink->target) - 1) == 0;
}

static bool sinks_have(const struct sinks *sinks, const struct wanted *wanted)
{
	for (size_t i = 0; i < sinks->length; i++)
		if (sink_is(sinks->list[i], wanted))
			return true;
	return false;
}

static struct sink *sinks_open(const struct sinks *sinks, const struct config *config,
			       const struct wanted *wanted)
{
	if (wanted->syslog && wanted->syslog->kind == ENDPOINT_TCP)
		return sink_syslog_tcp_new(sinks->loop, wanted->syslog);
	if (wanted->syslog)
		return sink_syslog_datagram_new(sinks->loop, wanted->syslog);
	if (util_streq(wanted->name, "file"))
		return sink_file_new(wanted->target, config->rotate_size, config->rotate_keep);
	if (util_streq(wanted->name, "socket"))
		return sink_socket_new(sinks->loop, wanted->target);
	if (util_streq(wanted->name, "journal"))
		return sink_journal_new(sinks->loop);
	return sink_stdout_new(sinks->loop);
}

static int sinks_refuse(const struct wanted *wanted, int error, struct problem *problem)
{
	if (error == EADDRINUSE)
		return problem_set(problem, EINVAL,
				   "events.%s: %s is there already, and not left behind by an "
				   "earlier daemon; remove it, or name another path",
				   wanted->name, wanted->target);
	return problem_set(problem, EINVAL, "events.%s: cannot open %s: %s; name another path",
			   wanted->name, wanted->target, strerror(error));
}

/* A file is always opened anew: it may have been moved away. */
int sinks_prepare(struct sinks *sinks, const struct config *config, struct sinks_change *ret,
		  struct problem *problem)
{
	struct wanted wanted[SINKS_MAX];
	size_t length = sinks_wanted(config, wanted);
	struct sinks_change change = {0};

	for (size_t i = 0; i < length; i++) {
		struct sink *fresh;

		if (!util_streq(wanted[i].name, "file") && sinks_have(sinks, &wanted[i]))
			continue;
		fresh = sinks_open(sinks, config, &wanted[i]);
		if (!fresh) {
			int error = errno;

			sinks_abort(&change);
			return sinks_refuse(&wanted[i], error, problem);
		}
		fresh->owner = sinks;
		queue_init(&fresh->queue, config->queue_size, config->queue_drop, sink_tell, fresh);
		change.list[change.length++] = fresh;
	}
	*ret = change;
	return 0;
}

void sinks_abort(struct sinks_change *change)
{
	for (size_t i = 0; i < change->length; i++)
		sink_free(change->list[i]);
	*change = (struct sinks_change){0};
}

/* Takes the sink out of the list: the one there is, or nothing. */
static struct sink *sinks_take(struct sink **list, size_t length, const struct wanted *wanted)
{
	for (size_t i = 0; i < length; i++) {
		struct sink *sink = list[i];

		if (!sink || !sink_is(sink, wanted))
			continue;
		list[i] = NULL;
		return sink;
	}
	return NULL;
}

/* What waits for a file, and its account, goes on with the next file. */
static void sinks_inherit(struct sinks *sinks, struct sink *fresh)
{
	for (size_t i = 0; i < sinks->length; i++) {
		struct sink *sink = sinks->list[i];

		if (!sink || sink->kind != fresh->kind || !util_streq(sink->kind->name, "file"))
			continue;
		sink_flush(sink);
		queue_move(&sink->queue, &fresh->queue);
	}
}

static void sinks_close(struct sinks *sinks, struct sink *sink)
{
	struct sink_state state;

	sink_flush(sink);
	sink_describe(sink, &state);
	sinks->gone_written += state.written;
	sinks->gone_dropped += state.dropped + state.queued;
	sink_free(sink);
}

void sinks_commit(struct sinks *sinks, const struct config *config, struct sinks_change *change)
{
	struct wanted wanted[SINKS_MAX];
	size_t length = sinks_wanted(config, wanted), taken = 0;
	struct sink *list[SINKS_MAX] = {NULL};

	for (size_t i = 0; i < length; i++) {
		struct sink *sink = sinks_take(change->list, change->length, &wanted[i]);

		if (sink)
			sinks_inherit(sinks, sink);
		else
			sink = sinks_take(sinks->list, sinks->length, &wanted[i]);
		if (!sink)
			continue;
		sink->queue.limit = config->queue_size;
		sink->queue.drop = config->queue_drop;
		list[taken++] = sink;
	}
	for (size_t i = 0; i < sinks->length; i++)
		if (sinks->list[i])
			sinks_close(sinks, sinks->list[i]);
	memcpy(sinks->list, list, sizeof(list));
	sinks->length = taken;
	sinks->style.facility = config->syslog_facility;
	sinks->style.text = config->syslog_format == SYSLOG_FORMAT_TEXT;
	*change = (struct sinks_change){0};
}

/* Events ----------------------------------------------------------------------------------- */

struct queue_worth sinks_worth(const struct event *event)
{
	return (struct queue_worth){.violations = event_violations(event),
				    .spare = event->kind == EVENT_LOOKUP &&
					     event->record.verdict == DF_VERDICT_ALLOW};
}

void sinks_write(struct sinks *sinks, const struct event *event)
{
	sinks->written = 0;
	for (size_t i = 0; i < sinks->length; i++) {
		struct sink *sink = sinks->list[i];
		const struct json *text = sinks_text(sinks, event, sink->format);

		if (text)
			sink_push(sink, text->text, text->length, sinks_worth(event));
	}
}

void sinks_flush(struct sinks *sinks)
{
	for (size_t i = 0; i < sinks->length; i++)
		sink_flush(sinks->list[i]);
}

void sinks_tick(struct sinks *sinks)
{
	for (size_t i = 0; i < sinks->length; i++) {
		struct sink *sink = sinks->list[i];

		if (sink->kind->tick)
			sink->kind->tick(sink);
		queue_tell_missed(&sink->queue);
		sink_flush(sink);
	}
}

void sinks_reopen(struct sinks *sinks)
{
	for (size_t i = 0; i < sinks->length; i++)
		if (sinks->list[i]->kind->reopen)
			sinks->list[i]->kind->reopen(sinks->list[i]);
}

void sinks_describe(const struct sinks *sinks, struct sink_state ret[SINKS_MAX])
{
	for (size_t i = 0; i < sinks->length; i++)
		sink_describe(sinks->list[i], &ret[i]);
}
