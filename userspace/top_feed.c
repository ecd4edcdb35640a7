// SPDX-License-Identifier: GPL-2.0-or-later
#include "top_feed.h"

#include <inttypes.h>
#include <jansson.h>
#include <time.h>

#include "control.h"
#include "printable.h"
#include "when.h"

#define READS_MAX 32 /* in one step, of ENTRY_LINE_MAX bytes each */
#define ANSWER_MAX (1024 * 1024)
#define RETRY_US WHEN_SECOND

int top_feed_init(struct top_feed *feed, const char *dir, struct top_model *model,
		  int64_t status_every)
{
	*feed = (struct top_feed){.dir = dir,
				  .model = model,
				  .events = -1,
				  .status = -1,
				  .error = ENOENT,
				  .status_every = status_every,
				  .line = malloc(ENTRY_LINE_MAX),
				  .answer = malloc(ANSWER_MAX)};
	return feed->line && feed->answer ? 0 : -ENOMEM;
}

void top_feed_done(struct top_feed *feed)
{
	util_closep(&feed->events);
	util_closep(&feed->status);
	free(feed->line);
	free(feed->answer);
}

void top_feed_poll(const struct top_feed *feed, struct pollfd fds[TOP_FEED_FDS])
{
	fds[0] = (struct pollfd){.fd = feed->events, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = feed->status, .events = POLLIN};
}

/* The keys of an event, each in a buffer of its own. */
struct keys {
	char text[TOP_GROUPING_MAX][TOP_KEY_MAX];
};

static void key_of_subject(const struct entry *entry, char *to)
{
	char text[ENTRY_TEXT_MAX];

	if (*entry_text(entry, "container.name", text))
		(void)snprintf(to, TOP_KEY_MAX, "container %.300s", text);
	else if (*entry_text(entry, "container.id", text))
		(void)snprintf(to, TOP_KEY_MAX, "container %.12s", text);
	else if (*entry_text(entry, "dnsfence.unit", text) ||
		 *entry_text(entry, "dnsfence.cgroup.path", text))
		(void)snprintf(to, TOP_KEY_MAX, "%.300s", text);
	else if (entry_find(entry, "dnsfence.cgroup.id"))
		(void)snprintf(to, TOP_KEY_MAX, "a cgroup gone");
	else
		(void)snprintf(to, TOP_KEY_MAX, "frames from %.64s",
			       *entry_text(entry, "source.ip", text) ? text : "nobody");
}

static void key_of_resolver(const struct entry *entry, char *to)
{
	char endpoint[80], protocol[ENTRY_TEXT_MAX], transport[ENTRY_TEXT_MAX];

	entry_endpoint(entry, "destination", endpoint, sizeof(endpoint));
	entry_text(entry, "network.transport", transport);
	if (!entry_find(entry, "destination.ip")) /* a socket that would send past the edge */
		(void)snprintf(to, TOP_KEY_MAX, "(no resolver)");
	else if (!entry_find(entry, "network.protocol")) /* a packet without ports */
		(void)snprintf(to, TOP_KEY_MAX, "%.64s %.32s",
			       entry_text(entry, "destination.ip", protocol), transport);
	else
		(void)snprintf(to, TOP_KEY_MAX, "%s %.32s/%.32s", endpoint,
			       entry_text(entry, "network.protocol", protocol), transport);
}

static void key_of_question(const struct entry *entry, char *to)
{
	char name[ENTRY_TEXT_MAX], type[ENTRY_TEXT_MAX];

	if (entry_find(entry, "dns.question.name"))
		(void)snprintf(to, TOP_KEY_MAX, "%.280s %.16s",
			       entry_text(entry, "dns.question.name", name),
			       entry_text(entry, "dns.question.type", type));
	else
		(void)snprintf(to, TOP_KEY_MAX, "(no question)");
}

static void key_of_process(const struct entry *entry, char *to)
{
	char name[ENTRY_TEXT_MAX], user[ENTRY_TEXT_MAX];

	if (!*entry_text(entry, "user.name", user))
		entry_text(entry, "user.id", user);
	(void)snprintf(to, TOP_KEY_MAX, "%.128s%s%.64s%s",
		       *entry_text(entry, "process.name", name) ? name : "(unknown)",
		       user[0] ? " (" : "", user, user[0] ? ")" : "");
}

static void key_of_policy(const struct entry *entry, char *to)
{
	char policy[ENTRY_TEXT_MAX], reason[ENTRY_TEXT_MAX];

	(void)snprintf(to, TOP_KEY_MAX, "%.128s: %.128s",
		       *entry_text(entry, "rule.name", policy) ? policy : "none",
		       entry_text(entry, "event.reason", reason));
}

static void keys_of(const struct entry *entry, struct keys *ret)
{
	static void (*const writers[TOP_GROUPING_MAX])(const struct entry *entry, char *to) = {
		[TOP_SUBJECT] = key_of_subject,   [TOP_RESOLVER] = key_of_resolver,
		[TOP_QUESTION] = key_of_question, [TOP_PROCESS] = key_of_process,
		[TOP_POLICY] = key_of_policy,
	};

	for (int grouping = 0; grouping < TOP_GROUPING_MAX; grouping++) {
		writers[grouping](entry, ret->text[grouping]);
		event_make_printable(ret->text[grouping]);
	}
}

/* "dig[4711] 10.0.0.1:53 example.org A": the latest event of a row in a few words. */
static void detail_of(const struct entry *entry, char to[TOP_KEY_MAX])
{
	char name[ENTRY_TEXT_MAX], endpoint[80], question[TOP_KEY_MAX], pid[32] = "";

	entry_endpoint(entry, "destination", endpoint, sizeof(endpoint));
	key_of_question(entry, question);
	if (entry_find(entry, "process.pid"))
		(void)snprintf(pid, sizeof(pid), "[%" PRIu64 "]",
			       entry_number(entry, "process.pid"));
	(void)snprintf(to, TOP_KEY_MAX, "%.64s%s %s %.160s",
		       *entry_text(entry, "process.name", name) ? name : "(unknown)", pid, endpoint,
		       question);
	event_make_printable(to);
}

static int verdict_of(const struct entry *entry)
{
	static const char *const actions[TOP_VERDICT_MAX] = {
		[TOP_DENIED] = "dns-denied",
		[TOP_AUDITED] = "dns-audited",
		[TOP_ALLOWED] = "dns-allowed",
	};

	for (int verdict = 0; verdict < TOP_VERDICT_MAX; verdict++)
		if (util_streq(entry->action, actions[verdict]))
			return verdict;
	return -ENOENT;
}

static void feed_entry(struct top_model *model, const struct entry *entry, const char *line,
		       size_t length)
{
	int verdict = verdict_of(entry);
	struct top_sample sample = {
		.count = entry_count(entry),
		.time = entry->time,
		.line = line,
		.line_length = length,
	};
	uint64_t scale = entry_number(entry, "dnsfence.sample");
	char detail[TOP_KEY_MAX];
	struct keys keys;

	if (verdict < 0) {
		if (util_streq(entry->action, "events-lost"))
			model->lost += sample.count;
		else
			model->notices++;
		return;
	}
	keys_of(entry, &keys);
	detail_of(entry, detail);
	for (int grouping = 0; grouping < TOP_GROUPING_MAX; grouping++)
		sample.keys[grouping] = keys.text[grouping];
	sample.detail = detail;
	sample.verdict = (enum top_verdict)verdict;
	sample.estimated = scale > 1;
	sample.count *= MAX(scale, (uint64_t)1);
	(void)top_model_add(model, &sample); /* the sums have it in any case */
}

void top_feed_line(struct top_model *model, const char *line, size_t length)
{
	struct entry entry;

	if (entry_parse(line, length, &entry) < 0) {
		model->broken++;
		return;
	}
	feed_entry(model, &entry, line, length);
	entry_done(&entry);
}

int top_feed_status(const char *text, size_t length, int64_t now, struct top_counters *counters)
{
	static const char *const fields[TOP_VERDICT_MAX] = {
		[TOP_DENIED] = "counters.denied",
		[TOP_AUDITED] = "counters.audited",
		[TOP_ALLOWED] = "counters.allowed",
	};
	struct top_counters read = {.known = true, .at = now};
	json_error_t error;
	struct entry entry = {.root = json_loadb(text, length, 0, &error)};
	char word[ENTRY_TEXT_MAX];

	if (!json_is_object(entry_find(&entry, "counters"))) {
		entry_done(&entry);
		return -EPROTO;
	}
	(void)snprintf(read.fence, sizeof(read.fence), "%.15s", entry_text(&entry, "fence", word));
	event_make_printable(read.fence);
	for (int verdict = 0; verdict < TOP_VERDICT_MAX; verdict++) {
		uint64_t before = counters->verdicts[verdict];

		read.verdicts[verdict] = entry_number(&entry, fields[verdict]);
		/* Another version's daemon counts anew. */
		if (counters->known && now > counters->at && read.verdicts[verdict] >= before)
			read.rates[verdict] = (double)(read.verdicts[verdict] - before) * 1e6 /
					      (double)(now - counters->at);
	}
	read.lost = entry_number(&entry, "log.lost");
	read.pending = entry_number(&entry, "log.pending");
	read.dropped = entry_number(&entry, "process.sink_dropped");
	read.tampered = entry_number(&entry, "process.tampered");
	read.restored = entry_number(&entry, "process.restored");
	read.generation = entry_number(&entry, "generation");
	read.uptime = entry_number(&entry, "process.uptime");
	read.pid = entry_number(&entry, "process.pid");
	entry_done(&entry);
	*counters = read;
	return 0;
}

static void feed_lose(struct top_feed *feed, int error)
{
	util_closep(&feed->events);
	util_closep(&feed->status);
	feed->events = feed->status = -1;
	if (feed->connected || feed->error != error) {
		feed->error = error;
		feed->gone_at = (uint64_t)time(NULL);
	}
	feed->connected = false;
}

static void feed_connect(struct top_feed *feed, int64_t now)
{
	int fd;

	if (feed->events >= 0 || now < feed->next_try)
		return;
	feed->next_try = now + RETRY_US;
	fd = control_open(feed->dir, "events json");
	if (fd < 0) {
		feed_lose(feed, -fd);
		return;
	}
	feed->events = fd;
	feed->error = ETIMEDOUT; /* until the daemon says something */
	feed->greeted = feed->skipping = false;
	feed->line_length = 0;
	feed->next_status = now;
}

/* The line that begins the answer, "exit 0", or an event. */
static void feed_take(struct top_feed *feed, const char *line, size_t length)
{
	if (feed->greeted) {
		top_feed_line(feed->model, line, length);
		return;
	}
	feed->greeted = feed->connected = true;
	feed->error = 0;
	feed->connections++;
}

static void feed_take_lines(struct top_feed *feed)
{
	char *begin = feed->line, *end;
	size_t left = feed->line_length;

	while ((end = memchr(begin, '\n', left))) {
		if (!feed->skipping)
			feed_take(feed, begin, (size_t)(end - begin));
		feed->skipping = false;
		left -= (size_t)(end + 1 - begin);
		begin = end + 1;
	}
	if (left == ENTRY_LINE_MAX) { /* no line is as long as this */
		feed->model->broken += !feed->skipping;
		feed->skipping = true;
		left = 0;
	}
	memmove(feed->line, begin, left);
	feed->line_length = left;
}

static void feed_read_events(struct top_feed *feed)
{
	for (int i = 0; i < READS_MAX && feed->events >= 0; i++) {
		ssize_t length = read(feed->events, feed->line + feed->line_length,
				      ENTRY_LINE_MAX - feed->line_length);

		if (length < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (length <= 0) {
			feed_lose(feed, length < 0 ? errno : 0);
			return;
		}
		feed->line_length += (size_t)length;
		feed_take_lines(feed);
	}
}

static void feed_ask_status(struct top_feed *feed, int64_t now)
{
	if (!feed->connected || feed->status >= 0 || now < feed->next_status)
		return;
	feed->next_status = now + feed->status_every;
	feed->status = control_open(feed->dir, "status json");
	feed->answer_length = 0;
}

static void feed_read_status(struct top_feed *feed, int64_t now)
{
	while (feed->status >= 0) {
		ssize_t length = read(feed->status, feed->answer + feed->answer_length,
				      ANSWER_MAX - feed->answer_length);
		const char *body;

		if (length < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (length > 0 && feed->answer_length + (size_t)length < ANSWER_MAX) {
			feed->answer_length += (size_t)length;
			continue;
		}
		close(feed->status);
		feed->status = -1;
		body = memchr(feed->answer, '\n', feed->answer_length);
		if (body)
			(void)top_feed_status(body,
					      feed->answer_length - (size_t)(body - feed->answer),
					      now, &feed->counters);
	}
}

void top_feed_step(struct top_feed *feed, int64_t now)
{
	feed_connect(feed, now);
	feed_read_events(feed);
	feed_ask_status(feed, now);
	feed_read_status(feed, now);
}
