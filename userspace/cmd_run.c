// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * run: the daemon. Everything meets here: the prepared policy, the fence, the ring, the sinks,
 * the control socket, signals and timers; daemon.h names its parts. It may be killed at any
 * moment; what enforces is pinned in the kernel.
 */
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "daemon.h"
#include "log.h"
#include "notify.h"
#include "outcome.h"

#define TICK_MS 1000
#define RING_WAIT_MS 100 /* records that woke nobody are read after this */

static void daemon_on_signal(void *context, uint32_t events)
{
	struct daemon *daemon = context;
	struct signalfd_siginfo info;

	(void)events;
	if (read(daemon->signals, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGHUP:
		(void)daemon_reload(daemon, false, stderr);
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
	daemon_metrics_tick(daemon);
	guard_tick(&daemon->guard);
	daemon_follow_tick(daemon);
	drift_tick(daemon->drift);
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

static int daemon_watch(struct daemon *daemon, struct problem *problem)
{
	daemon->ticks = loop_timer(TICK_MS);
	if (daemon->signals < 0 || daemon->ticks < 0 ||
	    !loop_add(&daemon->loop, daemon->signals, EPOLLIN, daemon_on_signal, daemon) ||
	    !loop_add(&daemon->loop, daemon->ticks, EPOLLIN, daemon_on_tick, daemon))
		return problem_set(problem, ENOMEM, "cannot set up the event loop: %s",
				   strerror(errno));
	return 0;
}

/* What can fail and has nothing to do with the kernel. */
static int daemon_open(struct daemon *daemon, struct problem *problem)
{
	const struct control_owner owner = {daemon_answer, daemon_events_tell, daemon};
	const struct config *config = &daemon->prepared.config;
	struct sinks_change sinks;
	int r;

	if (loop_init(&daemon->loop) < 0)
		return problem_set(problem, ENOMEM, "cannot set up the event loop: %s",
				   strerror(errno));
	daemon->control =
		control_listen(&daemon->loop, daemon->options->runtime_dir, &owner, problem, &r);
	if (!daemon->control)
		return r;
	sinks_init(&daemon->sinks, &daemon->loop, daemon->host);
	r = sinks_prepare(&daemon->sinks, config, &sinks, problem);
	if (r < 0)
		return r;
	sinks_commit(&daemon->sinks, config, &sinks);
	return daemon_metrics_prepare(daemon, config, &daemon->metrics, problem) ? 0 : -EINVAL;
}

static int daemon_enforce(struct daemon *daemon, struct problem *problem)
{
	const struct options *options = daemon->options;
	int r = enforce_start(options, &daemon->prepared, options->ephemeral ? NULL : &daemon->pins,
			      &daemon->enforcement, problem);

	if (r < 0)
		return r;
	closing_begin(&daemon->closing, &daemon->loop, options, &daemon->prepared);
	prepared_shrink(&daemon->prepared);
	return 0;
}

/* In the order in which a failure costs least: only what needs the fence comes after it. */
static int daemon_start(struct daemon *daemon, struct problem *problem)
{
	int r = prepare(daemon->options, NULL, &daemon->prepared, stderr, problem);

	if (r >= 0)
		r = pins_init(&daemon->pins, daemon->options->pin_dir, problem);
	if (r >= 0)
		r = daemon_open(daemon, problem);
	if (r >= 0)
		r = daemon_enforce(daemon, problem);
	if (r >= 0)
		r = daemon_follow_begin(daemon, problem);
	if (r >= 0)
		r = daemon_events_begin(daemon, problem);
	if (r >= 0)
		r = daemon_watch(daemon, problem);
	if (r >= 0)
		guard_init(&daemon->guard, &daemon->enforcement, daemon->ring);
	return r;
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

/* The exit code. */
static int daemon_loop(struct daemon *daemon)
{
	bool more = false;
	int taken = 0;

	while (!daemon->loop.stop) {
		/* A full batch: more is waiting, only look at the other descriptors in between. */
		int r = loop_run_once(&daemon->loop,
				      more || taken >= RING_BATCH ? 0 : RING_WAIT_MS);

		if (r < 0) {
			log_error("cannot wait for events: %s; start the daemon again",
				  strerror(-r));
			daemon->loop.stop = true;
			return EXIT_INTERNAL;
		}
		taken = ring_consume(daemon->ring);
		more = !daemon->loop.stop && live_work(daemon->live);
	}
	return EXIT_FINE;
}

static void daemon_free(struct daemon *daemon)
{
	struct problem problem;

	daemon->loop.stop = true; /* also of one that could not start: it answers nobody */
	notify_stopping();
	closing_end(&daemon->closing);
	daemon_events_drain(daemon);
	daemon_metrics_end(daemon);
	sinks_done(&daemon->sinks);
	daemon_events_end(daemon);
	daemon_follow_end(daemon);
	if (daemon->options->ephemeral && daemon->enforcement.fence.object && !daemon->unload)
		(void)enforce_open_edge(&daemon->enforcement, &problem);
	enforce_close(&daemon->enforcement);
	loop_run_once(&daemon->loop, 0); /* answers that wait in a queue */
	control_close(daemon->control);
	util_closep(&daemon->signals);
	util_closep(&daemon->ticks);
	loop_done(&daemon->loop);
	prepared_done(&daemon->prepared);
	free(daemon);
}

static struct daemon *daemon_new(const struct options *options)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));

	if (!daemon)
		return NULL;
	daemon->options = options;
	daemon->started = time(NULL);
	daemon->edge_fd = daemon->mount_fd = daemon->ticks = daemon->loop.epoll = -1;
	enforce_init(&daemon->enforcement, true);
	(void)gethostname(daemon->host, sizeof(daemon->host) - 1);
	daemon->signals = daemon_block_signals();
	return daemon;
}

static void daemon_say_end(const struct daemon *daemon)
{
	if (daemon->unload)
		return;
	log_info(daemon->options->ephemeral
			 ? "the daemon ends, and its fence is open again"
			 : "the daemon ends, the fence stays closed; \"dnsfence unload\" opens it");
}

int cmd_run(const struct options *options)
{
	struct daemon *daemon = daemon_new(options);
	struct problem problem = {{0}};
	int r;

	if (!daemon)
		return EXIT_INTERNAL;
	r = daemon_start(daemon, &problem);
	if (r < 0) {
		r = outcome_fail(r, &problem);
		if (daemon->enforcement.fence.object) /* what failed came after the fence */
			daemon_say_end(daemon);
	} else {
		daemon_say_ready(daemon);
		r = daemon_loop(daemon);
		daemon_say_end(daemon);
	}
	daemon_free(daemon);
	return r;
}
