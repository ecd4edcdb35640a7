// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon.h"
#include "diagnostic.h"
#include "log.h"
#include "notify.h"

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

/* What a reload would put in force. */
struct change {
	struct prepared prepared;
	struct sinks_change sinks;
	struct metrics_server *metrics;
};

static int change_prepare(struct daemon *daemon, bool json, FILE *to, struct change *change,
			  struct problem *problem)
{
	const struct facts_source facts = live_facts(daemon->catalog);
	struct options options = *daemon->options;
	int r;

	options.json = json; /* the client's, for what prepare() prints */
	r = prepare(&options, &facts, &change->prepared, to, problem);
	/* A change of ours must not cover up somebody else's. */
	guard_tick(&daemon->guard);
	if (r >= 0)
		r = daemon_refuse_builtin(daemon, &change->prepared, problem);
	if (r >= 0)
		r = sinks_prepare(&daemon->sinks, &change->prepared.config, &change->sinks,
				  problem);
	if (r >= 0 &&
	    !daemon_metrics_prepare(daemon, &change->prepared.config, &change->metrics, problem))
		r = -EINVAL;
	return r;
}

static void change_abort(struct daemon *daemon, struct change *change)
{
	sinks_abort(&change->sinks);
	daemon_metrics_abort(daemon, change->metrics);
	prepared_done(&change->prepared);
}

/* Its policy is in force. */
static void change_commit(struct daemon *daemon, struct change *change)
{
	const struct config *config = &change->prepared.config;

	sinks_commit(&daemon->sinks, config, &change->sinks);
	daemon_metrics_commit(daemon, config, change->metrics);
	daemon_follow_links(daemon);
	daemon_follow_policy(daemon, &change->prepared);
	closing_begin(&daemon->closing, &daemon->loop, daemon->options, &daemon->prepared);
	prepared_shrink(&daemon->prepared);
}

static int daemon_try_reload(struct daemon *daemon, bool json, FILE *to)
{
	struct change change = {.metrics = daemon->metrics};
	struct problem problem = {{0}};
	int r;

	if (daemon->loop.stop) { /* unloaded in this very round */
		fprintf(to, "error: the daemon ends\n");
		return -ECANCELED;
	}
	r = change_prepare(daemon, json, to, &change, &problem);
	if (r >= 0)
		r = enforce_policy(&daemon->enforcement, &change.prepared, &problem);
	if (r < 0) {
		daemon->reload_failures++;
		if (problem.text[0])
			diagnostic_say(to, json, DIAGNOSTIC_ERROR, "%s", problem.text);
		diagnostic_say(to, json, DIAGNOSTIC_INFO,
			       "the policy in force is still generation %llu",
			       (unsigned long long)daemon->enforcement.published.generation);
		change_abort(daemon, &change);
		return r;
	}
	daemon->reloads++;
	change_commit(daemon, &change);
	diagnostic_say(to, json, DIAGNOSTIC_INFO, "policy generation %llu is in force",
		       (unsigned long long)daemon->enforcement.published.generation);
	return 0;
}

int daemon_reload(struct daemon *daemon, bool json, FILE *to)
{
	int r;

	notify_reloading();
	r = daemon_try_reload(daemon, json, to);
	notify_ready(r < 0 ? "the last reload failed; the policy before it is in force"
			   : "enforcing");
	if (r < 0)
		log_warning("reload failed; the policy in force is still generation %llu",
			    (unsigned long long)daemon->enforcement.published.generation);
	else
		log_info("reloaded: policy generation %llu",
			 (unsigned long long)daemon->enforcement.published.generation);
	return r;
}
