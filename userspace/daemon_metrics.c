// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon.h"
#include "log.h"
#include "metrics.h"

int daemon_metrics_text(struct daemon *daemon, bool open_metrics, struct json *to, bool *ret_closed)
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

	return daemon_metrics_text(context, open_metrics, to, &closed);
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
	r = daemon_metrics_text(daemon, false, &text, &closed);
	if (r >= 0)
		r = metrics_write_file(config->metrics_file, &text);
	if (r < 0 && -r != daemon->metrics_error)
		log_warning("cannot write the metrics to %s: %s", config->metrics_file,
			    strerror(-r));
	daemon->metrics_error = -r;
	daemon->metrics_written |= r >= 0;
}

bool daemon_metrics_prepare(struct daemon *daemon, const struct config *config,
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

/* A file that nobody writes any more would tell of a fence that is watched. */
static void daemon_forget_metrics(struct daemon *daemon, const char *next)
{
	const char *path = daemon->prepared.config.metrics_file;

	if (!daemon->metrics_written || (next && util_streq(path, next)))
		return;
	(void)unlink(path);
	daemon->metrics_written = false;
}

void daemon_metrics_commit(struct daemon *daemon, const struct config *config,
			   struct metrics_server *fresh)
{
	if (daemon->metrics != fresh)
		metrics_server_free(daemon->metrics);
	daemon->metrics = fresh;
	daemon->metrics_ticks = 0; /* the file is written at the next tick */
	daemon_forget_metrics(daemon, config->metrics_file);
}

void daemon_metrics_abort(struct daemon *daemon, struct metrics_server *fresh)
{
	if (daemon->metrics != fresh)
		metrics_server_free(fresh);
}

void daemon_metrics_tick(struct daemon *daemon)
{
	metrics_server_tick(daemon->metrics);
	daemon_write_metrics(daemon);
}

void daemon_metrics_end(struct daemon *daemon)
{
	metrics_server_free(daemon->metrics);
	daemon_forget_metrics(daemon, NULL);
}
