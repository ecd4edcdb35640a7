// SPDX-License-Identifier: GPL-2.0-or-later
#include <sys/epoll.h>

#include "daemon.h"
#include "log.h"

#define DRAIN_BATCHES 64 /* at the end */

static void daemon_send_clients(struct daemon *daemon, const struct event *event)
{
	const struct json *json, *text = NULL;

	if (!control_wants_events(daemon->control))
		return;
	json = sinks_text(&daemon->sinks, event, SINK_JSON);
	if (control_wants_text(daemon->control))
		text = sinks_text(&daemon->sinks, event, SINK_TEXT);
	if (json)
		control_send_event(daemon->control, json->text, json->length,
				   text ? text->text : "", text ? text->length : 0,
				   sinks_worth(event));
}

size_t daemon_events_tell(void *context, bool json, uint64_t count, char *to, size_t size)
{
	const struct daemon *daemon = context;

	return sinks_tell(&daemon->sinks, json ? SINK_JSON : SINK_TEXT, false, count, to, size);
}

/* Tampering is told beside the log, too: whoever can do that can also stop a sink. */
static void daemon_warn(const struct event_tamper *tamper)
{
	if (tamper->neighbour)
		log_info("%s: %s", tamper->name, tamper->what);
	else if (tamper->restored)
		log_warning("tampering: %s%s%s: %s; restored", tamper->object,
			    tamper->name[0] ? " " : "", tamper->name, tamper->what);
	else
		log_error("tampering: %s%s%s: %s", tamper->object, tamper->name[0] ? " " : "",
			  tamper->name, tamper->what);
}

/* IPsec that came after the policy, or in another network namespace. */
static void daemon_judge_calls(struct daemon *daemon)
{
	struct df_generation *prepared = &daemon->prepared.image.generation;
	const struct df_generation *published = daemon->enforcement.published.copy;
	struct problem problem = {{0}};

	if (published->flags & DF_GEN_CALLS)
		return;
	if (enforce_judge_calls(&daemon->enforcement, &problem) < 0) {
		log_warning("IPsec hides where UDP goes, and it stays refused: %s", problem.text);
		return;
	}
	prepared->flags |= DF_GEN_CALLS; /* what is made of it later has that, too */
	log_info("IPsec hides where UDP goes: from here on sendto() is judged at the call");
}

static void daemon_handle_event(void *context, struct event *event)
{
	struct daemon *daemon = context;

	if (event->kind == EVENT_LOOKUP) {
		if (event->record.reason == DF_REASON_IPSEC)
			daemon_judge_calls(daemon);
		enrich_event(daemon->enricher, event);
		tally_add(daemon->tally, event->record.cgroup_id, event->record.verdict,
			  event_violations(event));
	} else if (event->kind == EVENT_TAMPER) {
		daemon_warn(&event->tamper);
	}
	sinks_write(&daemon->sinks, event);
	daemon_send_clients(daemon, event);
}

static void daemon_flush_sinks(void *context)
{
	struct daemon *daemon = context;

	sinks_flush(&daemon->sinks);
}

static bool daemon_sanctions(void *context, const struct address *resolver)
{
	const struct daemon *daemon = context;

	return publish_names(&daemon->enforcement.published, resolver);
}

static void daemon_report_drift(void *context, struct event *event)
{
	struct daemon *daemon = context;

	log_warning("drift: %s%s%s proposes the resolver %s, which no policy names; sanction it, "
		    "or see to it that nobody asks it",
		    event->drift.source, event->interface[0] ? " at " : "", event->interface,
		    event->drift.resolver);
	ring_emit(daemon->ring, event);
}

static void daemon_on_advertisement(void *context, uint32_t events)
{
	struct daemon *daemon = context;

	(void)events;
	drift_read(daemon->drift);
}

/* Only wakes the loop, which drains the ring in every round. */
static void daemon_on_ring(void *context, uint32_t events)
{
	(void)context;
	(void)events;
}

/* In turn: errno is of the first that cannot be made. */
static bool daemon_events_make(struct daemon *daemon)
{
	const struct ring_handler handler = {daemon, daemon_handle_event, daemon_flush_sinks};
	const struct drift_handler drift = {daemon, daemon_sanctions, daemon_report_drift};

	daemon->enricher = enricher_new(daemon->prepared.mount, daemon->mount_fd, daemon->catalog);
	if (!daemon->enricher)
		return false;
	daemon->ring = ring_new(&daemon->enforcement.fence, &handler);
	if (!daemon->ring)
		return false;
	daemon->drift = drift_new("", &drift);
	if (!daemon->drift)
		return false;
	daemon->tally = tally_new();
	return daemon->tally;
}

int daemon_events_begin(struct daemon *daemon, struct problem *problem)
{
	if (!daemon_events_make(daemon) ||
	    !loop_add(&daemon->loop, ring_fd(daemon->ring), EPOLLIN, daemon_on_ring, daemon) ||
	    (drift_fd(daemon->drift) >= 0 && !loop_add(&daemon->loop, drift_fd(daemon->drift),
						       EPOLLIN, daemon_on_advertisement, daemon)))
		return problem_set(problem, ENOMEM, "cannot set up the event loop: %s",
				   strerror(errno));
	return 0;
}

void daemon_events_drain(struct daemon *daemon)
{
	if (!daemon->ring)
		return;
	ring_tick(daemon->ring);
	/* Bounded: under a flood there is always more. */
	for (int batch = 0; batch < DRAIN_BATCHES; batch++)
		if (ring_consume(daemon->ring) < RING_BATCH)
			break;
}

void daemon_events_end(struct daemon *daemon)
{
	ring_free(daemon->ring);
	drift_free(daemon->drift);
	tally_free(daemon->tally);
	enricher_free(daemon->enricher);
}
