// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <sys/epoll.h>

#include "daemon.h"
#include "log.h"

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
	int fd = live_fd(daemon->live);

	if (daemon->live_watch)
		loop_remove(&daemon->loop, daemon->live_watch);
	daemon->live_watch =
		fd < 0 ? NULL : loop_add(&daemon->loop, fd, EPOLLIN, daemon_on_cgroups, daemon);
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

void daemon_follow_links(struct daemon *daemon)
{
	daemon_watch_links(daemon, false);
}

void daemon_follow_policy(struct daemon *daemon, struct prepared *fresh)
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
	daemon->subjects_stale = false;
}

int daemon_follow_begin(struct daemon *daemon, struct problem *problem)
{
	int r;

	daemon_follow_links(daemon);
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

void daemon_follow_tick(struct daemon *daemon)
{
	catalog_recheck(daemon->catalog);
	if (live_tick(daemon->live))
		daemon_watch_cgroups(daemon);
	daemon_follow_interfaces(daemon);
	daemon_verify_edge(daemon);
}

void daemon_follow_end(struct daemon *daemon)
{
	/* A catalog whose thread hangs stays, and with it what the loop would still hear of. */
	if (daemon->facts_watch)
		loop_remove(&daemon->loop, daemon->facts_watch);
	live_free(daemon->live);
	catalog_free(daemon->catalog);
	util_closep(&daemon->mount_fd);
}
