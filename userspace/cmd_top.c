// SPDX-License-Identifier: GPL-2.0-or-later
/* top: who violates the policy most, now; on the screen, or as tables for scripts. */
#include <time.h>

#include "outcome.h"
#include "top_view.h"
#include "when.h"

#define DELAY_DEFAULT_S 1
#define DELAY_MAX_S 86400
#define ROWS_DEFAULT 20
#define BATCH_KEY_WIDTH 40

static int64_t clock_read(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * WHEN_SECOND + now.tv_nsec / 1000;
}

/* Follow the daemon for so long. */
static void feed_for(struct top_feed *feed, int64_t microseconds)
{
	int64_t end = clock_read(CLOCK_MONOTONIC) + microseconds, now;

	while ((now = clock_read(CLOCK_MONOTONIC)) < end) {
		struct pollfd fds[TOP_FEED_FDS];

		top_feed_step(feed, now);
		top_feed_poll(feed, fds);
		(void)poll(fds, TOP_FEED_FDS, (int)MIN((end - now) / 1000 + 1, 200));
	}
}

static void batch_print_table(const struct top_feed *feed, const struct top_settings *settings,
			      const struct top_view *view)
{
	int64_t now = clock_read(CLOCK_REALTIME);
	char text[1024];

	top_write_state(feed, (uint64_t)(now / WHEN_SECOND), text, sizeof(text));
	printf("%s\n", text);
	top_write_counters(feed, text, sizeof(text));
	if (text[0])
		printf("%s\n", text);
	top_write_seen(feed, text, sizeof(text));
	printf("%s\n", text);
	top_write_choice(settings, view, text, sizeof(text));
	printf("%s\n", text);
	top_write_heading(settings, BATCH_KEY_WIDTH, text, sizeof(text));
	printf("%s\n", text);
	for (size_t i = 0; i < view->length && i < settings->rows; i++) {
		top_write_row(&view->rows[i], BATCH_KEY_WIDTH, now, text, sizeof(text));
		printf("%s\n", text);
	}
	putchar('\n');
}

static int batch_print(const struct options *options, const struct top_feed *feed,
		       const struct top_settings *settings)
{
	struct top_view view;
	int r = top_model_view(feed->model, settings->grouping, settings->order, settings->reverse,
			       settings->filter, &view);

	if (r < 0)
		return r;
	if (options->json) {
		_cleanup_free_ char *text =
			top_write_json(feed, settings, &view, clock_read(CLOCK_REALTIME));

		if (text)
			puts(text);
		r = text ? 0 : -ENOMEM;
	} else {
		batch_print_table(feed, settings, &view);
	}
	top_view_done(&view);
	return fflush(stdout) != 0 ? -EPIPE : r;
}

static int batch_run(const struct options *options, struct top_feed *feed,
		     const struct top_settings *settings)
{
	for (unsigned long i = 0; !options->iterations || i < options->iterations; i++) {
		int r;

		feed_for(feed, settings->delay * WHEN_SECOND);
		top_model_measure(feed->model, clock_read(CLOCK_MONOTONIC));
		if (!feed->connections)
			return outcome_no_daemon(options->runtime_dir, -feed->error,
						 "\"dnsfence run\" starts one");
		r = batch_print(options, feed, settings);
		if (r < 0)
			return r == -EPIPE ? EXIT_FINE : EXIT_INTERNAL;
	}
	return EXIT_FINE;
}

static int screen_run(const struct options *options, struct top_feed *feed,
		      struct top_settings *settings)
{
	struct problem problem;
	int r;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		log_error("standard input and output are no terminal; \"dnsfence top --batch\" "
			  "prints tables");
		return EXIT_USAGE;
	}
	top_feed_step(feed, clock_read(CLOCK_MONOTONIC));
	if (feed->error == EACCES || feed->error == EPERM)
		return outcome_no_daemon(options->runtime_dir, -feed->error, "");
	r = top_view_run(feed, settings, &problem);
	return r < 0 ? outcome_fail(r, &problem) : EXIT_FINE;
}

static int read_settings(const struct options *options, struct top_settings *ret)
{
	struct top_settings settings = {
		.delay = (unsigned int)(options->delay ?: DELAY_DEFAULT_S),
		.rows = options->rows ?: ROWS_DEFAULT,
	};

	if (options->delay > DELAY_MAX_S) {
		log_error("--delay takes seconds, up to a day");
		return -EINVAL;
	}
	if (options->by && top_grouping_find(options->by, &settings.grouping) < 0) {
		log_error("--by takes subject, resolver, question, process or policy; not '%s'",
			  options->by);
		return -EINVAL;
	}
	if (options->sort && top_order_find(options->sort, &settings.order) < 0) {
		log_error("--sort takes rate, total, denied, audited, allowed, last or name; not "
			  "'%s'",
			  options->sort);
		return -EINVAL;
	}
	(void)snprintf(settings.filter, sizeof(settings.filter), "%s", options->filter ?: "");
	if (options->json && !options->batch) {
		log_error("-j prints objects for scripts: say --batch, too");
		return -EINVAL;
	}
	*ret = settings;
	return 0;
}

int cmd_top(const struct options *options)
{
	struct top_model model = {0};
	struct top_settings settings;
	struct top_feed feed;
	int code = EXIT_INTERNAL;

	if (read_settings(options, &settings) < 0)
		return EXIT_USAGE;
	if (top_model_init(&model, TOP_ROWS_MAX, clock_read(CLOCK_MONOTONIC)) < 0 ||
	    top_feed_init(&feed, options->runtime_dir, &model,
			  MIN(settings.delay * WHEN_SECOND, WHEN_SECOND)) < 0) {
		log_error("out of memory");
	} else {
		code = options->batch ? batch_run(options, &feed, &settings)
				      : screen_run(options, &feed, &settings);
		top_feed_done(&feed);
	}
	top_model_done(&model);
	return code;
}
