/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All sinks of the daemon: opened as the configuration says, changed by a reload, given each event
 * in the form that each wants. The daemon drives it: events, the end of a batch, the
 * second's tick.
 */
#ifndef DNSFENCE_SINKS_H
#define DNSFENCE_SINKS_H

#include "config.h"
#include "event_log.h"
#include "problem.h"
#include "sink.h"

#define SINKS_MAX (4 + CONFIG_SYSLOG_MAX) /* stdout, file, journal, socket */

struct sinks {
	struct loop *loop;
	const char *host;
	struct sink *list[SINKS_MAX];
	size_t length;
	struct syslog_style style;
	struct json texts[SINK_FORMAT_MAX]; /* of the event at hand, those that were asked for */
	uint32_t written; /* bit per enum sink_format: is there */
	uint64_t gone_written, gone_dropped; /* by sinks that a reload has closed */
};

/* Sinks that a reload wants and that are not there yet. */
struct sinks_change {
	struct sink *list[SINKS_MAX];
	size_t length;
};

/* host: this host's name; it and the loop must outlive the sinks. */
void sinks_init(struct sinks *sinks, struct loop *loop, const char *host);
void sinks_done(struct sinks *sinks);

/*
 * Open what the configuration names and is not open: 0, or -EINVAL with *problem, and nothing has
 * changed. Then either commit, which closes what is not named any more, or abort.
 */
int sinks_prepare(struct sinks *sinks, const struct config *config, struct sinks_change *ret,
		  struct problem *problem);
void sinks_commit(struct sinks *sinks, const struct config *config, struct sinks_change *change);
void sinks_abort(struct sinks_change *change);

struct queue_worth sinks_worth(const struct event *event);
/* Begin with another event; until the next call it is the one that texts are made of. */
void sinks_write(struct sinks *sinks, const struct event *event);
/* The event's text in one of the forms; NULL for want of memory. It ends with a newline. */
const struct json *sinks_text(struct sinks *sinks, const struct event *event,
			      enum sink_format format);
/*
 * The line that tells one reader of count violations that it has missed, with its length in front
 * if counted: its length, 0 if there can be none. It takes no part in the event at hand.
 */
size_t sinks_tell(const struct sinks *sinks, enum sink_format format, bool counted, uint64_t count,
		  char *to, size_t size);
void sinks_flush(struct sinks *sinks);
void sinks_tick(struct sinks *sinks);
void sinks_reopen(struct sinks *sinks);

/* As many as sinks->length. */
void sinks_describe(const struct sinks *sinks, struct sink_state ret[SINKS_MAX]);

#endif
