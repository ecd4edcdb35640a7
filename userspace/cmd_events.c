// SPDX-License-Identifier: GPL-2.0-or-later
/* events: what the daemon sees from now on, or what the log says of the past. */
#include <signal.h>
#include <time.h>

#include "color.h"
#include "config.h"
#include "control.h"
#include "logfile.h"
#include "outcome.h"
#include "when.h"
#include "where.h"

#define LINE_MAX_SHOWN 8400
#define FOLLOW_PAUSE_MS 200 /* between two looks at a log's end */

/* What is shown, and how much of it so far. */
struct reading {
	const struct options *options;
	struct where where;
	bool color;
	bool readable; /* the daemon has written the lines for people already */
	uint64_t shown, broken, events; /* lines shown, that were no events, that were */
	uint64_t lost; /* that a line hidden by the filter tells of, and nobody has been told yet */
	size_t width; /* of names, of the event that is printed */
};

static int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * WHEN_SECOND + now.tv_nsec / 1000;
}

static void show_field(void *context, const char *field, const char *value)
{
	const struct reading *reading = context;

	printf("%-*s  %s\n", (int)reading->width, field, value);
}

static void show_full(struct reading *reading, const struct entry *entry)
{
	reading->width = entry_width(entry);
	if (reading->shown)
		putchar('\n');
	entry_each(entry, show_field, reading);
}

static void show(struct reading *reading, const struct entry *entry, const char *line,
		 size_t length)
{
	char text[LINE_MAX_SHOWN];

	if (reading->options->json) {
		(void)fwrite(line, 1, length, stdout);
		putchar('\n');
	} else if (reading->options->full) {
		show_full(reading, entry);
	} else {
		entry_write_line(entry, clock_now(), reading->color, text, sizeof(text));
		puts(text);
	}
}

/* As control_taker has it: 1 after enough of them. */
static int take_line(void *context, const char *line, size_t length)
{
	struct reading *reading = context;
	struct entry entry;

	if (reading->readable) {
		(void)fwrite(line, 1, length, stdout);
		putchar('\n');
	} else if (entry_parse(line, length, &entry) < 0) {
		reading->broken += length > 0;
		return 0;
	} else {
		bool wanted = where_matches(&reading->where, &entry);

		reading->events++;
		if (wanted)
			show(reading, &entry, line, length);
		else if (util_streq(entry.action, "events-lost"))
			reading->lost += entry_count(&entry);
		entry_done(&entry);
		if (!wanted)
			return 0;
	}
	if (ferror(stdout))
		return -EPIPE;
	return ++reading->shown == reading->options->lines;
}

/* Losses of whatever kind, for the filter that hid their line may have wanted what is missing. */
static void say_what_was_lost(struct reading *reading)
{
	if (reading->lost)
		log_warning("events that were lost, some of which may have been wanted: %llu",
			    (unsigned long long)reading->lost);
	reading->lost = 0;
}

/* Live, every line at once. */
static int take_line_now(void *context, const char *line, size_t length)
{
	int r = take_line(context, line, length);

	say_what_was_lost(context);
	return fflush(stdout) != 0 ? -EPIPE : r;
}

static void say_what_was_missed(struct reading *reading)
{
	const char *nearest = NULL, *unseen = where_unseen(&reading->where, &nearest);

	if (reading->broken)
		log_warning("lines that are no events and were left out: %llu",
			    (unsigned long long)reading->broken);
	say_what_was_lost(reading);
	if (unseen)
		log_warning("no event had the field '%s'%s%s%s", unseen,
			    nearest && !util_streq(nearest, unseen) ? "; did you mean '" : "",
			    nearest && !util_streq(nearest, unseen) ? nearest : "",
			    nearest && !util_streq(nearest, unseen) ? "'?" : "");
}

/* So that a misspelt glob, or a time that is still to come, is not taken for peace. */
static void say_that_nothing_was_found(const struct reading *reading, const char *path)
{
	if (reading->shown || reading->options->follow)
		return;
	if (reading->events)
		log_info("none of the %llu events that were read is one of those asked for",
			 (unsigned long long)reading->events);
	else
		log_info("there is no event in %s%s", path,
			 reading->where.since ? " from then on" : "");
}

static int events_live(struct reading *reading)
{
	const struct options *options = reading->options;
	const char *nearest = NULL, *unknown = where_unseen(&reading->where, &nearest);
	int code;

	if (unknown && nearest && !util_streq(nearest, unknown))
		log_warning("no field '%s' of an event is known; did you mean '%s'?", unknown,
			    nearest);
	reading->readable = !options->json && !options->full && !reading->where.length;
	code = control_follow(options->runtime_dir,
			      reading->readable ? "events text" : "events json", take_line_now,
			      reading);
	if (code == -EPIPE) /* whoever read our output has gone */
		return EXIT_FINE;
	if (code >= 0)
		return code;
	return outcome_no_daemon(options->runtime_dir, code, "\"dnsfence run\" starts one");
}

/* The configuration's events.file; NULL after the reason was logged. Errors of other keys are of
 * no interest here. */
static char *events_file(const struct options *options)
{
	const char *path = options->config ?: CONFIG_DEFAULT_PATH;
	struct diagnostics diagnostics = {0};
	struct config config;
	char *file = NULL;
	int r = config_load(path, &config, &diagnostics);

	if (r == -ENOENT)
		log_error("there is no configuration %s that would name the log; give it by --file",
			  path);
	else if (!config.events_file)
		log_error("%s names no events.file, so nothing is logged to read; set it, or give "
			  "a log by --file",
			  path);
	else
		file = strdup(config.events_file);
	config_done(&config);
	diagnostics_done(&diagnostics);
	return file;
}

/* Until the time that --until says has passed, and a little for who writes late. */
static bool past_until(const struct reading *reading)
{
	return reading->where.until && clock_now() > reading->where.until + WHEN_SECOND;
}

static int read_all(struct reading *reading, struct logfile *logfile)
{
	struct problem problem;
	const char *line;
	size_t length;
	int r;

	for (;;) {
		r = logfile_read(logfile, &line, &length, &problem);
		if (r > 0)
			r = take_line(reading, line, length);
		else if (r < 0)
			log_warning("%s", problem.text);
		else if (!reading->options->follow || past_until(reading))
			return 0;
		else if (fflush(stdout) != 0)
			return -EPIPE;
		else
			(void)usleep(FOLLOW_PAUSE_MS * 1000);
		if (r == 1 || r == -EPIPE)
			return r;
	}
}

static int events_logged(struct reading *reading, const char *path)
{
	struct problem problem;
	struct logfile *logfile =
		logfile_open(path, reading->where.since, reading->options->follow, &problem);

	if (!logfile)
		return outcome_fail(-errno, &problem);
	(void)read_all(reading, logfile);
	(void)fflush(stdout);
	reading->broken += logfile_overlong(logfile);
	logfile_close(logfile);
	if (reading->broken && !reading->events) {
		log_error("%s is no log of dnsfence: there is no event in it; give the log by "
			  "--file",
			  path);
		return EXIT_NEGATIVE;
	}
	say_what_was_missed(reading);
	say_that_nothing_was_found(reading, path);
	return EXIT_FINE;
}

static int read_time(const char *option, const char *text, int64_t *ret)
{
	if (!text || when_parse(text, clock_now(), ret) == 0)
		return 0;
	log_error("%s takes a time such as " WHEN_FORMS "; not '%s'", option, text);
	return -EINVAL;
}

static int read_where(const struct options *options, struct where *where)
{
	const struct {
		const char *alias;
		const struct texts *globs;
	} aliases[] = {
		{"dst", &options->where_dst},       {"process", &options->where_process},
		{"user", &options->where_user},     {"cgroup", &options->where_cgroup},
		{"policy", &options->where_policy}, {"question", &options->where_question},
		{"reason", &options->where_reason}, {"action", &options->where_action},
	};
	struct problem problem = {{0}};
	int r = 0;

	for (size_t i = 0; r == 0 && i < options->where.length; i++)
		r = where_add(where, options->where.list[i], &problem);
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		for (size_t j = 0; r == 0 && j < aliases[i].globs->length; j++)
			r = where_add_alias(where, aliases[i].alias, aliases[i].globs->list[j]);
	if (r < 0)
		log_error("%s", problem.text[0] ? problem.text : "out of memory");
	return r;
}

static int read_options(const struct options *options, struct where *where)
{
	if (options->json && options->full) {
		log_error("-j and --full are two ways to print the same: take one");
		return -EINVAL;
	}
	if (read_time("--since", options->since, &where->since) < 0 ||
	    read_time("--until", options->until, &where->until) < 0 ||
	    read_where(options, where) < 0)
		return -EINVAL;
	if (where->since && where->until && where->since > where->until) {
		log_error("--since is later than --until: no event can be between them");
		return -EINVAL;
	}
	return 0;
}

int cmd_events(const struct options *options)
{
	struct reading reading = {.options = options, .color = color_wanted(STDOUT_FILENO)};
	_cleanup_free_ char *file = NULL;
	int code = EXIT_USAGE;

	if (read_options(options, &reading.where) == 0) {
		if (!options->file && !options->since && !options->until) {
			code = events_live(&reading);
		} else {
			file = options->file ? strdup(options->file) : events_file(options);
			code = file ? events_logged(&reading, file) : EXIT_NEGATIVE;
		}
	}
	where_done(&reading.where);
	return code;
}
