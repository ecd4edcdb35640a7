// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * learn: a fence of this process's own that blocks nothing and sanctions nothing, so that every
 * lookup is told; and at the end the policy that allows just those. It lives beside a fence that is
 * closed, whose verdicts stay.
 */
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <time.h>

#include "catalog.h"
#include "cgroup.h"
#include "enforce.h"
#include "enrich.h"
#include "lesson.h"
#include "outcome.h"
#include "ring.h"

#define WAIT_MS 200

static const char watching[] = "apiVersion: dnsfence/v1\n"
			       "mode: audit\n"
			       "deny_at: packet\n"
			       "hooks: all\n"
			       "open_sockets: leave\n"
			       "policies: [{name: learn, resolvers: []}]\n"
			       "events: {stdout: false}\n";

struct learning {
	const struct options *options;
	struct prepared prepared;
	struct enforcement enforcement;
	struct catalog *catalog;
	struct enricher *enricher;
	struct ring *ring;
	struct lesson *lesson;
	uint64_t lost;
	bool failed;
};

/*
 * Of a connection its connect(), of a datagram the packet, and its call, too: a fence beside this
 * one may have refused it there.
 */
static bool event_counts(const struct df_event *record)
{
	return record->family && record->service < DF_SERVICE_MAX &&
	       !(record->flags & DF_EVENT_PACKET && record->protocol == IPPROTO_TCP);
}

/*
 * As in struct lesson_use. A cgroup may have gone before its event is read, and is not everybody
 * then. The facts have the whole path, the event's own copy may be cut.
 */
static const char *learning_cgroup(const struct learning *learning, const struct event *event)
{
	if (event->record.cgroup_id == learning->enforcement.fence.cgroup_id)
		return "";
	return event->facts ? event->facts->path : NULL;
}

static void learning_take(void *context, struct event *event)
{
	struct learning *learning = context;
	const struct df_event *record = &event->record;
	struct lesson_use use = {.service = record->service, .count = event->count};

	if (event->kind == EVENT_LOST)
		learning->lost += event->count;
	if (event->kind != EVENT_LOOKUP || !event_counts(record))
		return;
	enrich_event(learning->enricher, event);
	if (record->protocol != IPPROTO_TCP)
		use.sight =
			record->flags & DF_EVENT_PACKET ? LESSON_DATAGRAM : LESSON_DATAGRAM_CALL;
	use.facts = event->facts;
	use.cgroup = learning_cgroup(learning, event);
	use.process = event->process_name;
	use.resolver.family = record->family;
	use.resolver.prefix = record->family == 6 ? 128 : 32;
	memcpy(use.resolver.bytes, record->daddr, sizeof(use.resolver.bytes));
	learning->failed |= lesson_add(learning->lesson, &use) < 0;
}

static void learning_flush(void *context)
{
	(void)context;
}

/* "90", "90s", "10m", "2h", "1d" -> seconds; 0: it is no duration. */
static unsigned long duration_parse(const char *text)
{
	static const struct {
		const char *unit;
		unsigned long seconds;
	} units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}};
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || end == text || *text == '-' || number > 1000000)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (util_streq(end, units[i].unit))
			return number * units[i].seconds;
	return 0;
}

/* As a file that prepare() can read. A descriptor or -errno. */
static int watching_open(char path[64])
{
	int fd = memfd_create("learn", MFD_CLOEXEC);

	if (fd < 0 || write(fd, watching, strlen(watching)) != (ssize_t)strlen(watching))
		return -errno;
	(void)snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

static int learning_open(struct learning *learning, struct problem *problem)
{
	struct options options = *learning->options;
	const struct ring_handler handler = {learning, learning_take, learning_flush};
	struct catalog_options catalog = {0};
	_cleanup_free_ char *mount = NULL;
	char path[64];
	int r = cgroup_find_mount(&mount), fd;

	if (r < 0) /* without /proc what follows would complain of its file */
		return cgroup_refuse_mount(r, problem);
	fd = watching_open(path);
	if (fd < 0)
		return problem_set(problem, -fd,
				   "cannot keep the policy that watches in memory: %s",
				   strerror(-fd));
	options.config = path;
	options.ephemeral = true;
	r = prepare(&options, NULL, &learning->prepared, stderr, problem);
	close(fd);
	if (r < 0)
		return r;
	catalog.mount_fd = learning->prepared.mount_fd;
	catalog.roots = &learning->prepared.config.runtimes;
	r = catalog_new(&catalog, &learning->catalog);
	if (r < 0)
		return problem_set(problem, -r, "cannot follow the cgroups: %s", strerror(-r));
	learning->lesson = lesson_new();
	learning->enricher = enricher_new(learning->prepared.mount, learning->prepared.mount_fd,
					  learning->catalog);
	if (!learning->lesson || !learning->enricher)
		return problem_set(problem, ENOMEM, "out of memory");
	learning->enforcement.learns = true;
	r = enforce_start(learning->options, &learning->prepared, NULL, &learning->enforcement,
			  problem);
	if (r < 0)
		return r;
	learning->ring = ring_new(&learning->enforcement.fence, &handler);
	return learning->ring ? 0
			      : problem_set(problem, ENOMEM, "cannot read the ring buffer: %s",
					    strerror(errno));
}

static void learning_close(struct learning *learning)
{
	ring_free(learning->ring);
	enforce_close(&learning->enforcement);
	enricher_free(learning->enricher);
	if (learning->catalog)
		catalog_free(learning->catalog);
	lesson_free(learning->lesson);
	prepared_done(&learning->prepared);
}

static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Until the time is over, or a signal; seconds 0: no time. */
static void learning_watch(struct learning *learning, int signals, unsigned long seconds)
{
	struct pollfd wait[2] = {{.fd = ring_fd(learning->ring), .events = POLLIN},
				 {.fd = signals, .events = POLLIN}};
	time_t end = time(NULL) + (time_t)seconds, ticked = time(NULL);

	while (!(wait[1].revents & POLLIN) && (!seconds || time(NULL) < end)) {
		(void)poll(wait, ARRAY_LEN(wait), WAIT_MS);
		while (ring_consume(learning->ring) >= RING_BATCH)
			;
		if (time(NULL) == ticked)
			continue;
		ticked = time(NULL);
		ring_tick(learning->ring);
		catalog_recheck(learning->catalog);
	}
	/* What is folded is told a second later. */
	for (int i = 0; i < 6; i++) {
		(void)poll(NULL, 0, WAIT_MS);
		ring_tick(learning->ring);
		while (ring_consume(learning->ring) >= RING_BATCH)
			;
	}
}

static bool learning_tell_left_out(const struct lesson_totals *totals)
{
	if (totals->left_out)
		log_warning("%zu resolver%s left out, as comments say: what looks like a leak is "
			    "not sanctioned without --accept",
			    totals->left_out, totals->left_out == 1 ? " is" : "s are");
	if (totals->gone)
		log_warning("%llu lookup%s left out: of cgroups that had gone before they could be "
			    "named",
			    (unsigned long long)totals->gone, totals->gone == 1 ? " is" : "s are");
	if (totals->crowded || totals->crowded_lookups)
		log_warning("%llu lookup%s left out: of more subjects or resolvers than a "
			    "configuration holds; %zu subject%s no policy",
			    (unsigned long long)totals->crowded_lookups,
			    totals->crowded_lookups == 1 ? " is" : "s are", totals->crowded,
			    totals->crowded == 1 ? " has" : "s have");
	return totals->left_out || totals->gone || totals->crowded || totals->crowded_lookups;
}

static int learning_tell(struct learning *learning)
{
	struct nameservers system = {0};
	struct lesson_totals totals = {0};

	(void)nameservers_read("/etc/resolv.conf", &system);
	(void)nameservers_read("/run/systemd/resolve/resolv.conf", &system);
	lesson_write(learning->lesson, &system, learning->options->accept, stdout, &totals);
	log_info("%llu lookup%s by %zu subject%s; %zu resolver%s sanctioned",
		 (unsigned long long)totals.lookups, util_plural(totals.lookups), totals.subjects,
		 util_plural(totals.subjects), totals.resolvers,
		 totals.resolvers == 1 ? " is" : "s are");
	if (learning->lost || learning->failed)
		log_warning("some lookups were lost: %llu that the buffer could not take%s",
			    (unsigned long long)learning->lost,
			    learning->failed ? ", and more for want of memory" : "");
	if (!totals.lookups)
		log_warning("nothing was asked meanwhile; a longer --for sees more");
	return learning_tell_left_out(&totals) ? EXIT_NEGATIVE : EXIT_FINE;
}

int cmd_learn(const struct options *options)
{
	struct learning learning = {.options = options};
	struct problem problem = {{0}};
	unsigned long seconds = 0;
	int signals, r;

	if (options->duration && !(seconds = duration_parse(options->duration))) {
		log_error("--for takes a duration such as 90s, 10m, 2h or 1d, not '%.40s'",
			  options->duration);
		return EXIT_USAGE;
	}
	enforce_init(&learning.enforcement, false);
	signals = signals_open();
	r = learning_open(&learning, &problem);
	if (r < 0) {
		learning_close(&learning);
		util_closep(&signals);
		return outcome_fail(r, &problem);
	}
	log_info("watching, nothing is blocked; %s",
		 seconds ? "Ctrl-C ends it early" : "Ctrl-C ends it and prints the policy");
	learning_watch(&learning, signals, seconds);
	r = learning_tell(&learning);
	learning_close(&learning);
	util_closep(&signals);
	return r;
}
