// SPDX-License-Identifier: GPL-2.0-or-later
#include "closing.h"

#include <sys/epoll.h>

#include "log.h"
#include "sweep_format.h"

#define RECORDS_AT_ONCE 64 /* then the loop looks at its other descriptors */

static void closing_log(const struct sweep_totals *totals)
{
	char line[SWEEP_LINE_MAX];

	if (sweep_say_done(totals, line))
		log_info("%s", line);
	if (sweep_say_missed(totals, line))
		log_warning("%s; what they send is left to the packet layer", line);
}

/* As sweep_take(). */
static int closing_take(struct sweep *sweep)
{
	struct sweep_record record;
	char line[SWEEP_LINE_MAX];
	int r = sweep_take(sweep, &record);

	if (r > 0 && record.kind != SWEEP_END && log_wants(LOG_LEVEL_DEBUG))
		log_debug("open socket: %s", sweep_write_line(&record, line));
	return r;
}

static bool closing_start(const struct options *options, const struct prepared *prepared, bool wait,
			  struct sweep *ret)
{
	const struct sweep_request request = {
		.image = &prepared->image,
		.mount = prepared->mount,
		.cgroup = options->cgroup,
		.close = true,
		.wait = wait,
	};
	struct problem problem = {{0}};

	if (prepared->config.open_sockets == OPEN_SOCKETS_LEAVE)
		return false;
	if (sweep_start(&request, ret, &problem) == 0)
		return true;
	log_warning("%s; what was open before is left to the packet layer", problem.text);
	return false;
}

static void closing_on_record(void *context, uint32_t events)
{
	struct closing *closing = context;

	(void)events;
	for (int i = 0; i < RECORDS_AT_ONCE; i++) {
		int r = closing_take(&closing->sweep);

		if (r < 0)
			return;
		if (r == 0) {
			loop_remove(closing->loop, closing->watch);
			closing->watch = NULL;
			closing_log(&closing->sweep.totals);
			return;
		}
	}
}

void closing_begin(struct closing *closing, struct loop *loop, const struct options *options,
		   const struct prepared *prepared)
{
	closing_end(closing);
	closing->loop = loop;
	if (!closing_start(options, prepared, false, &closing->sweep))
		return;
	closing->watch = loop_add(loop, closing->sweep.fd, EPOLLIN, closing_on_record, closing);
	if (closing->watch)
		return;
	log_warning("cannot look for open sockets: %s; they are left to the packet layer",
		    strerror(errno));
	sweep_stop(&closing->sweep);
}

/* What it has closed so far is said; the rest is the next sweep's. */
void closing_end(struct closing *closing)
{
	char line[SWEEP_LINE_MAX];

	if (!closing->watch)
		return;
	loop_remove(closing->loop, closing->watch);
	closing->watch = NULL;
	while (closing_take(&closing->sweep) > 0)
		;
	sweep_stop(&closing->sweep);
	if (sweep_say_done(&closing->sweep.totals, line))
		log_info("%s", line);
}

void closing_run(const struct options *options, const struct prepared *prepared)
{
	struct sweep sweep;

	if (!closing_start(options, prepared, true, &sweep))
		return;
	while (closing_take(&sweep) > 0)
		;
	closing_log(&sweep.totals);
}
