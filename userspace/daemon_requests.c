// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon.h"
#include "log.h"
#include "outcome.h"

static int daemon_answer_reload(struct daemon *daemon, bool json, FILE *to)
{
	int r = daemon_reload(daemon, json, to);

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

	if (daemon_metrics_text(daemon, false, &text, &closed) < 0)
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
	daemon_follow_links(daemon);
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
			"again to open it\n",
			daemon->pins.dir);
	log_info("unload: the fence is open");
	daemon->unload = true;
	daemon->loop.stop = true;
	return EXIT_FINE;
}

int daemon_answer(void *context, const char *request, FILE *to)
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
