// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * run: the daemon. Everything meets here: the prepared policy, the fence, the ring, the sinks,
 * the control socket, signals and timers. It may be killed at any moment; what enforces is
 * pinned in the kernel.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>

#include "closing.h"
#include "control.h"
#include "drift.h"
#include "enforce.h"
#include "enrich.h"
#include "guard.h"
#include "live.h"
#include "metrics.h"
#include "metrics_server.h"
#include "notify.h"
#include "outcome.h"
#include "ring.h"
#include "sinks.h"
#include "status.h"
#include "tally.h"

#define TICK_MS 1000
#define RING_WAIT_MS 100 /* records that woke nobody are read after this */
#define DRAIN_BATCHES 64 /* at the end */

struct daemon {
	const struct options *options;
	struct loop loop;
	struct prepared prepared;
	struct pins pins;
	struct enforcement enforcement;
	struct closing closing;
	int mount_fd; /* of cgroup2, for the catalog */
	struct catalog *catalog;
	struct live *live;
	struct live_counts live_counts; /* for status to point to */
	struct loop_watch *live_watch; /* of this descriptor: */
	int live_fd;
	struct loop_watch *facts_watch;
	struct control *control;
	struct ring *ring;
	struct guard guard;
	struct drift *drift;
	struct tally *tally;
	struct enricher *enricher;
	struct sinks sinks;
	struct metrics_server *metrics; /* NULL: nobody may ask */
	bool metrics_written; /* there is a file of ours */
	int metrics_ticks; /* until the file is written */
	int metrics_error; /* errno of the last time, 0: none. Said once. */
	char host[256];
	int signals, ticks;
	struct loop_watch *edge_watch; /* of this descriptor: */
	int edge_fd;
	uint64_t reloads, reload_failures;
	time_t started;
	bool unload; /* open the fence on the way out */
	bool subjects_stale; /* what was resolved last is not in force yet */
};

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
				   event_violations(event));
}

static size_t daemon_tell_client(void *context, bool json, uint64_t count, char *to, size_t size)
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

/* Interfaces that a policy names come and go. What could not be published is tried again. */
static void daemon_follow_interfaces(struct daemon *daemon)
{
	struct problem problem = {{0}};
	bool failed_before = daemon->subjects_stale;
	int r = prepare_again(&daemon->prepared);

	if (r > 0 || (r == 0 && failed_before))
		r = enforce_policy(&daemon->enforcement, &daemon->prepared, &problem);
	daemon->subjects_stale = r < 0;
	if (r < 0 && !failed_before)
		log_warning("cannot follow the interfaces that the policy names: %s",
			    problem.text[0] ? problem.text : strerror(-r));
}

static void daemon_on_cgroups(void *context, uint32_t events)
{
	struct daemon *daemon = context;

	(void)events;
	live_read(daemon->live);
}

static void daemon_on_facts(void *context, uint32_t events)
{
	struct daemon *daemon = context;

	(void)events;
	live_read_facts(daemon->live);
}

static void daemon_watch_cgroups(struct daemon *daemon)
{
	if (daemon->live_watch)
		loop_remove(&daemon->loop, daemon->live_watch);
	daemon->live_fd = live_fd(daemon->live);
	daemon->live_watch = daemon->live_fd < 0 ? NULL
						 : loop_add(&daemon->loop, daemon->live_fd, EPOLLIN,
							    daemon_on_cgroups, daemon);
}

/* The one before, if any, is the caller's to free. */
static int daemon_open_catalog(struct daemon *daemon)
{
	const struct catalog_options options = {
		.roots = &daemon->prepared.config.runtimes,
		.mount_fd = daemon->mount_fd,
	};
	struct catalog *catalog;
	struct loop_watch *watch;
	int r = catalog_new(&options, &catalog);

	if (r < 0)
		return r;
	watch = loop_add(&daemon->loop, catalog_fd(catalog), EPOLLIN, daemon_on_facts, daemon);
	if (!watch) {
		catalog_free(catalog);
		return -ENOMEM;
	}
	if (daemon->facts_watch)
		loop_remove(&daemon->loop, daemon->facts_watch);
	daemon->facts_watch = watch;
	daemon->catalog = catalog;
	return 0;
}

static void daemon_on_links(void *context, uint32_t events);

/* The descriptor changes when the list of interfaces had to be read anew, or the edge was off. */
static void daemon_watch_links(struct daemon *daemon, bool reopened)
{
	const struct edge *edge = daemon->enforcement.edge;
	int fd = edge ? edge_fd(edge) : -1;

	if (fd == daemon->edge_fd && daemon->edge_watch && !reopened)
		return;
	if (daemon->edge_watch)
		loop_remove(&daemon->loop, daemon->edge_watch);
	daemon->edge_fd = fd;
	daemon->edge_watch =
		fd < 0 ? NULL : loop_add(&daemon->loop, fd, EPOLLIN, daemon_on_links, daemon);
}

static void daemon_on_links(void *context, uint32_t events)
{
	struct daemon *daemon = context;
	int r;

	(void)events;
	r = edge_read(daemon->enforcement.edge);
	if (r < 0)
		log_warning("cannot follow the interfaces: those that come now are not fenced "
			    "before the next second");
	daemon_watch_links(daemon, r != 0);
	(void)enforce_edge_complain(&daemon->enforcement);
	daemon_follow_interfaces(daemon);
}

/* Filters that somebody has taken away, and a list of interfaces that was lost. */
static void daemon_verify_edge(struct daemon *daemon)
{
	struct edge *edge;
	bool reopened = false;

	enforce_edge_again(&daemon->enforcement, &daemon->prepared.config);
	edge = daemon->enforcement.edge;
	if (edge && edge_fd(edge) < 0)
		reopened = edge_read(edge) != 0;
	if (edge)
		guard_check_edge(&daemon->guard);
	(void)enforce_edge_complain(&daemon->enforcement);
	daemon_watch_links(daemon, reopened);
}

/* A file that has gone for a moment must not make the built-in policy of a strict one. */
static int daemon_refuse_builtin(const struct daemon *daemon, const struct prepared *fresh,
				 struct problem *problem)
{
	if (daemon->prepared.config.builtin || !fresh->config.builtin)
		return 0;
	return problem_set(problem, ENOENT,
			   "%s has gone; to go back to the built-in policy start the daemon anew",
			   daemon->prepared.config.files[0]);
}

/* What status and metrics speak of; self and states are for them to point to. */
static void daemon_describe(struct daemon *daemon, struct status_daemon *self,
			    struct sink_state states[SINKS_MAX], struct status_source *ret)
{
	const struct config *config = &daemon->prepared.config;
	const struct fence *fence = &daemon->enforcement.fence;

	*self = (struct status_daemon){
		.pid = (uint32_t)getpid(),
		.uptime_s = (uint64_t)(time(NULL) - daemon->started),
		.config = config->files_length ? config->files[0] : "?",
		.reloads = daemon->reloads,
		.reload_failures = daemon->reload_failures,
		.tampered = daemon->guard.tampered,
		.restored = daemon->guard.restored,
		.sinks = states,
		.sinks_length = daemon->sinks.length,
		.sink_written = daemon->sinks.gone_written,
		.sink_dropped = daemon->sinks.gone_dropped + control_dropped(daemon->control),
	};
	sinks_describe(&daemon->sinks, states);
	for (size_t i = 0; i < self->sinks_length; i++) {
		self->sink_written += states[i].written;
		self->sink_dropped += states[i].dropped;
	}
	*ret = (struct status_source){
		.pins = daemon->options->ephemeral ? NULL : &daemon->pins,
		.maps = fence->maps,
		.generation = &fence->generations[*fence->active & 1],
		.mount = daemon->prepared.mount,
		.plan = &daemon->enforcement.plan,
		.attached = &daemon->enforcement.attachments,
		.daemon = self,
		.features = &fence->features,
	};
	live_count(daemon->live, &daemon->live_counts);
	ret->live = &daemon->live_counts;
	ret->edges_length = edge_states(daemon->enforcement.edge, &ret->edges);
	ret->edges_wanted = daemon->enforcement.edge_wanted;
	ret->edges_missing = daemon->enforcement.edge_wanted && !daemon->enforcement.edge;
}

static int daemon_metrics(struct daemon *daemon, bool open_metrics, struct json *to,
			  bool *ret_closed)
{
	struct sink_state states[SINKS_MAX];
	struct status_source source;
	struct status_daemon self;

	daemon_describe(daemon, &self, states, &source);
	return metrics_write(&source, open_metrics, to, ret_closed);
}

static int daemon_serve_metrics(void *context, bool open_metrics, struct json *to)
{
	bool closed;

	return daemon_metrics(context, open_metrics, to, &closed);
}

static void daemon_write_metrics(struct daemon *daemon)
{
	const struct config *config = &daemon->prepared.config;
	_cleanup_(json_done) struct json text = {0};
	bool closed;
	int r;

	if (!config->metrics_file || --daemon->metrics_ticks > 0)
		return;
	daemon->metrics_ticks = config->metrics_interval;
	r = daemon_metrics(daemon, false, &text, &closed);
	if (r >= 0)
		r = metrics_write_file(config->metrics_file, &text);
	if (r < 0 && -r != daemon->metrics_error)
		log_warning("cannot write the metrics to %s: %s", config->metrics_file,
			    strerror(-r));
	daemon->metrics_error = -r;
	daemon->metrics_written |= r >= 0;
}

/* NULL where none is asked for, or the one that is there. False with *problem. */
static bool daemon_open_metrics(struct daemon *daemon, const struct config *config,
				struct metrics_server **ret, struct problem *problem)
{
	*ret = NULL;
	if (!config->metrics_listen.text)
		return true;
	if (metrics_server_is_at(daemon->metrics, &config->metrics_listen))
		*ret = daemon->metrics;
	else
		*ret = metrics_server_new(&daemon->loop, &config->metrics_listen,
					  daemon_serve_metrics, daemon, problem);
	return *ret != NULL;
}

static void daemon_swap_metrics(struct daemon *daemon, struct metrics_server *fresh)
{
	if (daemon->metrics != fresh)
		metrics_server_free(daemon->metrics);
	daemon->metrics = fresh;
	daemon->metrics_ticks = 0; /* the file is written at the next tick */
}

/* A file that nobody writes any more would tell of a fence that is watched. */
static void daemon_forget_metrics(struct daemon *daemon, const char *next)
{
	const char *path = daemon->prepared.config.metrics_file;

	if (!daemon->metrics_written || (next && util_streq(path, next)))
		return;
	(void)unlink(path);
	daemon->metrics_written = false;
}

/* What has been put in force is what is followed from now on. */
static void daemon_take(struct daemon *daemon, struct prepared *fresh)
{
	struct catalog *before = daemon->catalog;
	bool other =
		!runtime_roots_equal(&daemon->prepared.config.runtimes, &fresh->config.runtimes);

	prepared_done(&daemon->prepared);
	prepared_move(&daemon->prepared, fresh);
	enforce_keep(&daemon->enforcement, &daemon->prepared.image);
	if (other && daemon_open_catalog(daemon) < 0)
		log_warning("out of memory: the runtimes' files are still read where they were");
	enricher_set_catalog(daemon->enricher, daemon->catalog);
	live_reload(daemon->live, daemon->catalog);
	daemon_watch_cgroups(daemon);
	if (before != daemon->catalog)
		catalog_free(before);
}

/* 0, or -errno after the reasons have been written to `to`; the old policy is in force then. */
static int daemon_reload(struct daemon *daemon, bool json, FILE *to)
{
	struct options options = *daemon->options;
	const struct facts_source facts = live_facts(daemon->catalog);
	struct metrics_server *metrics = daemon->metrics;
	struct sinks_change sinks = {0};
	struct prepared fresh = {0};
	struct problem problem = {{0}};
	int r;

	if (daemon->loop.stop) { /* unloaded in this very round */
		fprintf(to, "error: the daemon ends\n");
		return -ECANCELED;
	}
	options.json = json; /* the client's, for what prepare() prints */
	r = prepare(&options, &facts, &fresh, to, &problem);
	/* A change of ours must not cover up somebody else's. */
	guard_tick(&daemon->guard);
	if (r >= 0)
		r = daemon_refuse_builtin(daemon, &fresh, &problem);
	if (r >= 0)
		r = sinks_prepare(&daemon->sinks, &fresh.config, &sinks, &problem);
	if (r >= 0 && !daemon_open_metrics(daemon, &fresh.config, &metrics, &problem))
		r = -EINVAL;
	if (r >= 0)
		r = enforce_policy(&daemon->enforcement, &fresh, &problem);
	if (r < 0) {
		daemon->reload_failures++;
		if (problem.text[0])
			diagnostic_say(to, json, DIAGNOSTIC_ERROR, "%s", problem.text);
		diagnostic_say(to, json, DIAGNOSTIC_INFO,
			       "the policy in force is still generation %llu",
			       (unsigned long long)daemon->enforcement.published.generation);
		sinks_abort(&sinks);
		if (metrics != daemon->metrics)
			metrics_server_free(metrics);
		prepared_done(&fresh);
		return r;
	}
	daemon->subjects_stale = false;
	daemon->reloads++;
	sinks_commit(&daemon->sinks, &fresh.config, &sinks);
	daemon_swap_metrics(daemon, metrics);
	daemon_forget_metrics(daemon, fresh.config.metrics_file);
	daemon_watch_links(daemon, false);
	daemon_take(daemon, &fresh);
	closing_begin(&daemon->closing, &daemon->loop, daemon->options, &daemon->prepared);
	prepared_shrink(&daemon->prepared);
	diagnostic_say(to, json, DIAGNOSTIC_INFO, "policy generation %llu is in force",
		       (unsigned long long)daemon->enforcement.published.generation);
	return 0;
}

static int daemon_answer_reload(struct daemon *daemon, bool json, FILE *to)
{
	int r;

	notify_reloading();
	r = daemon_reload(daemon, json, to);
	notify_ready(r < 0 ? "the last reload failed; the policy before it is in force"
			   : "enforcing");
	if (r < 0)
		log_warning("reload failed; the policy in force is still generation %llu",
			    (unsigned long long)daemon->enforcement.published.generation);
	else
		log_info("reloaded: policy generation %llu",
			 (unsigned long long)daemon->enforcement.published.generation);
	return r < 0 ? outcome_exit_code(r) : EXIT_FINE;
}

static int daemon_answer_status(struct daemon *daemon, bool json, FILE *to)
{
	struct sink_state states[SINKS_MAX];
	struct status_source source;
	struct status_daemon self;
	struct json text = {0};
	bool closed;

	daemon_describe(daemon, &self, states, &source);
	if (!json)
		return status_write_text(&source, to) ? EXIT_FINE : EXIT_NEGATIVE;
	closed = status_write_json(&source, &text);
	(void)fwrite(text.text, 1, text.length, to);
	json_done(&text);
	return closed ? EXIT_FINE : EXIT_NEGATIVE;
}

static int daemon_answer_subjects(const struct daemon *daemon, FILE *to)
{
	_cleanup_(json_done) struct json text = {0};

	json_open(&text, NULL);
	tally_write(daemon->tally, &text);
	json_close(&text);
	if (json_finish(&text) < 0)
		return EXIT_INTERNAL;
	(void)fwrite(text.text, 1, text.length, to);
	return EXIT_FINE;
}

static int daemon_answer_metrics(struct daemon *daemon, FILE *to)
{
	_cleanup_(json_done) struct json text = {0};
	bool closed = false;

	if (daemon_metrics(daemon, false, &text, &closed) < 0)
		return EXIT_INTERNAL;
	(void)fwrite(text.text, 1, text.length, to);
	return closed ? EXIT_FINE : EXIT_NEGATIVE;
}

/* Now, so that nothing is left when the client reads the answer; the loop ends after it. */
static int daemon_answer_unload(struct daemon *daemon, FILE *to)
{
	struct problem problem = {{0}};
	int r;

	closing_end(&daemon->closing);
	r = enforce_open_edge(&daemon->enforcement, &problem);
	daemon_watch_links(daemon, false);
	if (r < 0) {
		fprintf(to, "error: %s\n", problem.text);
		return EXIT_KERNEL;
	}
	attachments_close(&daemon->enforcement.attachments);
	if (!daemon->options->ephemeral && pins_remove(&daemon->pins, &problem) < 0) {
		fprintf(to, "error: %s\n", problem.text);
		return EXIT_KERNEL;
	}
	fprintf(to, "the fence is open; the daemon ends\n");
	if (daemon->options->ephemeral && pins_exist(&daemon->pins))
		fprintf(to,
			"that was an ephemeral one; the fence pinned in %s stays closed: unload "
			"again "
			"to open it\n",
			daemon->pins.dir);
	log_info("unload: the fence is open");
	daemon->unload = true;
	daemon->loop.stop = true;
	return EXIT_FINE;
}

static int daemon_answer(void *context, const char *request, FILE *to)
{
	struct daemon *daemon = context;

	if (daemon->loop.stop) {
		fprintf(to, "error: the daemon ends\n");
		return EXIT_UNREACHABLE;
	}
	if (util_streq(request, "status json") || util_streq(request, "status text"))
		return daemon_answer_status(daemon, request[7] == 'j', to);
	if (util_streq(request, "reload json") || util_streq(request, "reload text"))
		return daemon_answer_reload(daemon, request[7] == 'j', to);
	if (util_streq(request, "subjects"))
		return daemon_answer_subjects(daemon, to);
	if (util_streq(request, "metrics"))
		return daemon_answer_metrics(daemon, to);
	if (util_streq(request, "unload"))
		return daemon_answer_unload(daemon, to);
	fprintf(to, "error: unknown request\n");
	return EXIT_USAGE;
}

static void daemon_on_signal(void *context, uint32_t events)
{
	struct daemon *daemon = context;
	struct signalfd_siginfo info;

	(void)events;
	if (read(daemon->signals, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGHUP:
		(void)daemon_answer_reload(daemon, false, stderr);
		break;
	case SIGUSR1:
		sinks_reopen(&daemon->sinks);
		break;
	default:
		daemon->loop.stop = true;
	}
}

static void daemon_on_tick(void *context, uint32_t events)
{
	struct daemon *daemon = context;

	(void)events;
	loop_drain(daemon->ticks);
	if (daemon->loop.stop) /* unloaded in this very round: nothing is to be mended */
		return;
	ring_tick(daemon->ring);
	sinks_tick(&daemon->sinks);
	control_tick(daemon->control);
	metrics_server_tick(daemon->metrics);
	daemon_write_metrics(daemon);
	guard_tick(&daemon->guard);
	catalog_recheck(daemon->catalog);
	live_tick(daemon->live);
	daemon_follow_interfaces(daemon);
	daemon_verify_edge(daemon);
	drift_tick(daemon->drift);
}

static void daemon_on_advertisement(void *context, uint32_t events)
{
	struct daemon *daemon = context;

	(void)events;
	drift_read(daemon->drift);
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

/* Only wakes the loop, which drains the ring in every round. */
static void daemon_on_ring(void *context, uint32_t events)
{
	(void)context;
	(void)events;
}

static int daemon_block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Once the fence is closed: from here on what comes and goes is followed. */
static int daemon_follow(struct daemon *daemon, struct problem *problem)
{
	int r;

	daemon->mount_fd = fcntl(daemon->prepared.mount_fd, F_DUPFD_CLOEXEC, 3);
	r = daemon->mount_fd < 0 ? -errno : daemon_open_catalog(daemon);
	if (r < 0)
		return problem_set(problem, -r, "cannot follow the cgroups: %s", strerror(-r));
	daemon->live = live_new(&daemon->prepared, &daemon->enforcement, daemon->catalog,
				daemon->options->cgroup);
	if (!daemon->live)
		return problem_set(problem, ENOMEM, "out of memory");
	daemon_watch_cgroups(daemon);
	return 0;
}

static int daemon_watch(struct daemon *daemon, struct problem *problem)
{
	const struct ring_handler handler = {daemon, daemon_handle_event, daemon_flush_sinks};
	const struct drift_handler drift = {daemon, daemon_sanctions, daemon_report_drift};

	daemon->ticks = loop_timer(TICK_MS);
	daemon->enricher = enricher_new(daemon->prepared.mount, daemon->mount_fd, daemon->catalog);
	daemon->ring = ring_new(&daemon->enforcement.fence, &handler);
	daemon->drift = drift_new("", &drift);
	daemon->tally = tally_new();
	if (daemon->signals < 0 || daemon->ticks < 0 || !daemon->enricher || !daemon->ring ||
	    !daemon->drift || !daemon->tally ||
	    !loop_add(&daemon->loop, daemon->signals, EPOLLIN, daemon_on_signal, daemon) ||
	    !loop_add(&daemon->loop, daemon->ticks, EPOLLIN, daemon_on_tick, daemon) ||
	    !loop_add(&daemon->loop, ring_fd(daemon->ring), EPOLLIN, daemon_on_ring, daemon))
		return problem_set(problem, ENOMEM, "cannot set up the event loop: %s",
				   strerror(errno));
	if (drift_fd(daemon->drift) >= 0 && !loop_add(&daemon->loop, drift_fd(daemon->drift),
						      EPOLLIN, daemon_on_advertisement, daemon))
		return problem_set(problem, ENOMEM, "cannot set up the event loop: %s",
				   strerror(errno));
	guard_init(&daemon->guard, &daemon->enforcement, daemon->ring);
	return 0;
}

/* In the order in which a failure costs least: nothing is attached before all else is there. */
static int daemon_start(struct daemon *daemon, struct problem *problem)
{
	const struct options *options = daemon->options;
	const struct control_owner owner = {daemon_answer, daemon_tell_client, daemon};
	struct sinks_change sinks;
	int r = prepare(options, NULL, &daemon->prepared, stderr, problem);

	if (r < 0)
		return r;
	r = pins_init(&daemon->pins, options->pin_dir, problem);
	if (r < 0)
		return r;
	if (loop_init(&daemon->loop) < 0)
		return problem_set(problem, ENOMEM, "epoll: %s", strerror(errno));
	daemon->control = control_listen(&daemon->loop, options->runtime_dir, &owner, problem, &r);
	if (!daemon->control)
		return r;
	sinks_init(&daemon->sinks, &daemon->loop, daemon->host);
	r = sinks_prepare(&daemon->sinks, &daemon->prepared.config, &sinks, problem);
	if (r < 0)
		return r;
	sinks_commit(&daemon->sinks, &daemon->prepared.config, &sinks);
	if (!daemon_open_metrics(daemon, &daemon->prepared.config, &daemon->metrics, problem))
		return -EINVAL;
	r = enforce_start(options, &daemon->prepared, options->ephemeral ? NULL : &daemon->pins,
			  &daemon->enforcement, problem);
	if (r < 0)
		return r;
	closing_begin(&daemon->closing, &daemon->loop, options, &daemon->prepared);
	prepared_shrink(&daemon->prepared);
	daemon_watch_links(daemon, false);
	r = daemon_follow(daemon, problem);
	return r < 0 ? r : daemon_watch(daemon, problem);
}

static void daemon_say_ready(const struct daemon *daemon)
{
	const struct config *config = &daemon->prepared.config;

	log_info("ready: %s, %s, policy generation %llu%s",
		 daemon->enforcement.fence.adopted ? "took over the fence that was pinned"
						   : "the fence is closed",
		 config->files_length ? config->files[0] : "?",
		 (unsigned long long)daemon->enforcement.published.generation,
		 daemon->options->ephemeral ? "; it opens when this process ends" : "");
	notify_ready("enforcing");
}

static void daemon_loop(struct daemon *daemon)
{
	bool more = false;
	int taken = 0;

	while (!daemon->loop.stop) {
		/* A full batch: more is waiting, only look at the other descriptors in between. */
		int r = loop_run_once(&daemon->loop,
				      more || taken >= RING_BATCH ? 0 : RING_WAIT_MS);

		if (r < 0) {
			log_error("epoll: %s", strerror(-r));
			daemon->loop.stop = true;
			return;
		}
		taken = ring_consume(daemon->ring);
		more = !daemon->loop.stop && live_work(daemon->live);
	}
}

static void daemon_done(struct daemon *daemon)
{
	struct problem problem;

	notify_stopping();
	closing_end(&daemon->closing);
	if (daemon->ring) {
		ring_tick(daemon->ring);
		/* Bounded: under a flood there is always more, and it stays for the next daemon. */
		for (int batch = 0; batch < DRAIN_BATCHES; batch++)
			if (ring_consume(daemon->ring) < RING_BATCH)
				break;
	}
	metrics_server_free(daemon->metrics);
	daemon_forget_metrics(daemon, NULL);
	sinks_done(&daemon->sinks);
	ring_free(daemon->ring);
	drift_free(daemon->drift);
	tally_free(daemon->tally);
	enricher_free(daemon->enricher);
	live_free(daemon->live);
	catalog_free(daemon->catalog);
	if (daemon->options->ephemeral && daemon->enforcement.fence.object && !daemon->unload)
		(void)enforce_open_edge(&daemon->enforcement, &problem);
	enforce_close(&daemon->enforcement);
	loop_run_once(&daemon->loop, 0); /* answers that wait in a queue */
	control_close(daemon->control);
	util_closep(&daemon->signals);
	util_closep(&daemon->ticks);
	util_closep(&daemon->mount_fd);
	loop_done(&daemon->loop);
	prepared_done(&daemon->prepared);
}

int cmd_run(const struct options *options)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));
	struct problem problem = {{0}};
	int r;

	if (!daemon)
		return EXIT_INTERNAL;
	daemon->options = options;
	daemon->started = time(NULL);
	daemon->edge_fd = daemon->live_fd = daemon->mount_fd = daemon->ticks = daemon->loop.epoll =
		-1;
	enforce_init(&daemon->enforcement, true);
	(void)gethostname(daemon->host, sizeof(daemon->host) - 1);
	daemon->signals = daemon_block_signals();
	r = daemon_start(daemon, &problem);
	if (r < 0) {
		r = outcome_fail(r, &problem);
	} else {
		daemon_say_ready(daemon);
		daemon_loop(daemon);
		if (!daemon->unload)
			log_info(options->ephemeral
					 ? "the daemon ends, and its fence is open again"
					 : "the daemon ends, the fence stays closed; \"dnsfence "
					   "unload\" opens it");
	}
	daemon_done(daemon);
	free(daemon);
	return r;
}
