// SPDX-License-Identifier: GPL-2.0-or-later
#include "entry.h"

#include <inttypes.h>
#include <jansson.h>
#include <time.h>

#include "color.h"
#include "printable.h"
#include "when.h"

/* In the order of dnsfence-events(7). */
const char *const entry_fields[] = {
	"@timestamp",
	"event.action",
	"ecs.version",
	"event.kind",
	"event.category",
	"event.type",
	"event.outcome",
	"event.reason",
	"event.dataset",
	"event.sequence",
	"network.transport",
	"network.protocol",
	"network.type",
	"network.direction",
	"source.ip",
	"source.port",
	"destination.ip",
	"destination.port",
	"dns.question.name",
	"dns.question.type",
	"dns.question.class",
	"process.pid",
	"process.name",
	"process.executable",
	"process.command_line",
	"process.parent.pid",
	"process.parent.name",
	"process.parent.executable",
	"container.id",
	"container.name",
	"container.runtime",
	"container.image.name",
	"orchestrator.type",
	"orchestrator.namespace",
	"orchestrator.resource.type",
	"orchestrator.resource.name",
	"orchestrator.resource.id",
	"user.id",
	"user.name",
	"rule.name",
	"observer.ingress.interface.name",
	"observer.egress.interface.name",
	"host.name",
	"dnsfence.hook",
	"dnsfence.verdict",
	"dnsfence.mode",
	"dnsfence.packet",
	"dnsfence.errno",
	"dnsfence.cgroup.id",
	"dnsfence.cgroup.path",
	"dnsfence.unit",
	"dnsfence.user_unit",
	"dnsfence.user_unit_uid",
	"dnsfence.nested.container.id",
	"dnsfence.nested.container.runtime",
	"dnsfence.nested.orchestrator.type",
	"dnsfence.nested.orchestrator.resource.type",
	"dnsfence.nested.orchestrator.resource.id",
	"dnsfence.netns.cookie",
	"dnsfence.netns.inode",
	"dnsfence.via.basis",
	"dnsfence.via.cgroup.id",
	"dnsfence.via.cgroup.path",
	"dnsfence.via.process.pid",
	"dnsfence.via.process.name",
	"dnsfence.via.process.executable",
	"dnsfence.via.process.parent.pid",
	"dnsfence.via.user.id",
	"dnsfence.via.netns.inode",
	"dnsfence.via.unit",
	"dnsfence.via.user_unit",
	"dnsfence.via.user_unit_uid",
	"dnsfence.via.container.id",
	"dnsfence.via.container.name",
	"dnsfence.via.container.runtime",
	"dnsfence.via.container.image.name",
	"dnsfence.via.orchestrator.type",
	"dnsfence.via.orchestrator.namespace",
	"dnsfence.via.orchestrator.resource.type",
	"dnsfence.via.orchestrator.resource.name",
	"dnsfence.via.orchestrator.resource.id",
	"dnsfence.via.nested.container.id",
	"dnsfence.via.nested.container.runtime",
	"dnsfence.via.nested.orchestrator.type",
	"dnsfence.via.nested.orchestrator.resource.type",
	"dnsfence.via.nested.orchestrator.resource.id",
	"dnsfence.generation",
	"dnsfence.count",
	"dnsfence.sample",
	"dnsfence.lost_before",
	"dnsfence.tamper.object",
	"dnsfence.tamper.name",
	"dnsfence.tamper.what",
	"dnsfence.tamper.restored",
	"dnsfence.tamper.program.id",
	"dnsfence.tamper.program.name",
	"dnsfence.tamper.program.tag",
	"dnsfence.drift.source",
	"dnsfence.drift.lifetime",
	"dnsfence.drift.path",
	NULL,
};

int entry_parse(const char *line, size_t length, struct entry *ret)
{
	json_error_t error;
	const char *stamp;
	struct entry entry = {.root = json_loadb(line, length, 0, &error)};

	entry.action = json_string_value(entry_find(&entry, "event.action"));
	stamp = json_string_value(json_object_get(entry.root, "@timestamp"));
	if (!entry.action || !stamp || when_parse_stamp(stamp, &entry.time) < 0) {
		entry_done(&entry);
		return -EPROTO;
	}
	*ret = entry;
	return 0;
}

void entry_done(struct entry *entry)
{
	json_decref(entry->root);
	entry->root = NULL;
}

const json_t *entry_find(const struct entry *entry, const char *field)
{
	const json_t *at = entry->root;
	char key[64];

	while (at && *field) {
		size_t length = strcspn(field, ".");

		if (length >= sizeof(key))
			return NULL;
		memcpy(key, field, length);
		key[length] = 0;
		at = json_object_get(at, key);
		field += length + (field[length] == '.');
	}
	return at;
}

const char *entry_value_text(const json_t *value, char to[ENTRY_TEXT_MAX])
{
	to[0] = 0;
	if (json_is_string(value))
		(void)snprintf(to, ENTRY_TEXT_MAX, "%s", json_string_value(value));
	else if (json_is_integer(value))
		(void)snprintf(to, ENTRY_TEXT_MAX, "%" JSON_INTEGER_FORMAT,
			       json_integer_value(value));
	else if (json_is_real(value))
		(void)snprintf(to, ENTRY_TEXT_MAX, "%g", json_real_value(value));
	else if (json_is_boolean(value))
		(void)snprintf(to, ENTRY_TEXT_MAX, "%s", json_is_true(value) ? "true" : "false");
	return to;
}

const char *entry_text(const struct entry *entry, const char *field, char to[ENTRY_TEXT_MAX])
{
	return entry_value_text(entry_find(entry, field), to);
}

uint64_t entry_number(const struct entry *entry, const char *field)
{
	json_int_t value = json_integer_value(entry_find(entry, field));

	return value > 0 ? (uint64_t)value : 0;
}

uint64_t entry_count(const struct entry *entry)
{
	return entry_find(entry, "dnsfence.count") ? entry_number(entry, "dnsfence.count") : 1;
}

void entry_endpoint(const struct entry *entry, const char *side, char *to, size_t size)
{
	const json_t *endpoint = json_object_get(entry->root, side);
	const char *ip = json_string_value(json_object_get(endpoint, "ip"));
	uint64_t port = (uint64_t)json_integer_value(json_object_get(endpoint, "port"));

	if (!ip)
		(void)snprintf(to, size, "?");
	else
		(void)snprintf(to, size, strchr(ip, ':') ? "[%s]:%" PRIu64 : "%s:%" PRIu64, ip,
			       port);
}

/* "19:50:07", with its date if that is another day than now's. */
static void write_clock(const struct entry *entry, int64_t now, char *to, size_t size)
{
	time_t then = (time_t)(entry->time / WHEN_SECOND), today = (time_t)(now / WHEN_SECOND);
	struct tm tm, now_tm;

	localtime_r(&then, &tm);
	localtime_r(&today, &now_tm);
	if (tm.tm_yday == now_tm.tm_yday && tm.tm_year == now_tm.tm_year)
		(void)strftime(to, size, "%H:%M:%S", &tm);
	else
		(void)strftime(to, size, "%Y-%m-%d %H:%M:%S", &tm);
}

/* Which word begins the line, and in which colour. */
struct heading {
	const char *word, *color;
};

static struct heading heading_of(const struct entry *entry)
{
	if (util_streq(entry->action, "dns-denied"))
		return (struct heading){"DENIED", COLOR_RED};
	if (util_streq(entry->action, "dns-audited"))
		return (struct heading){"AUDIT ", COLOR_YELLOW};
	if (util_streq(entry->action, "dns-allowed"))
		return (struct heading){"ALLOW ", COLOR_GREEN};
	if (util_streq(entry->action, "events-lost"))
		return (struct heading){"LOST  ", COLOR_RED};
	if (util_streq(entry->action, "resolver-drift"))
		return (struct heading){"DRIFT ", COLOR_YELLOW};
	if (!util_streq(entry->action, "tamper"))
		return (struct heading){entry->action, COLOR_NONE};
	return entry_find(entry, "dnsfence.tamper.program")
		       ? (struct heading){"BESIDE", COLOR_YELLOW}
		       : (struct heading){"TAMPER", COLOR_RED};
}

static void write_culprit(const struct entry *entry, FILE *to)
{
	char text[ENTRY_TEXT_MAX], user[ENTRY_TEXT_MAX];

	entry_text(entry, "user.name", user);
	if (!user[0] && entry_find(entry, "user.id"))
		(void)snprintf(user, sizeof(user), "uid %.16s", entry_text(entry, "user.id", text));
	if (entry_find(entry, "process.pid"))
		fprintf(to, " by %s[%" PRIu64 "]", entry_text(entry, "process.name", text),
			entry_number(entry, "process.pid"));
	else if (entry_find(entry, "source.ip") && !user[0])
		fprintf(to, " by a frame from %s", entry_text(entry, "source.ip", text));
	else
		fprintf(to, " by unknown process");
	if (user[0])
		fprintf(to, " (%s)", user);
}

/* Where a frame was met: at the interface by which it leaves, if it was about to. */
static void write_interfaces(const struct entry *entry, FILE *to)
{
	char in[ENTRY_TEXT_MAX], out[ENTRY_TEXT_MAX];

	if (entry_find(entry, "process.pid"))
		return;
	entry_text(entry, "observer.ingress.interface.name", in);
	entry_text(entry, "observer.egress.interface.name", out);
	if (in[0] || out[0])
		fprintf(to, " at %s", out[0] ? out : in);
	if (in[0] && out[0] && !util_streq(in, out))
		fprintf(to, ", came in by %s", in);
}

static void write_question(const struct entry *entry, FILE *to)
{
	char text[ENTRY_TEXT_MAX];

	if (entry_find(entry, "dns.question.name")) {
		fprintf(to, " %s", entry_text(entry, "dns.question.name", text));
		fprintf(to, " %s", entry_text(entry, "dns.question.type", text));
	} else if (!entry_find(entry, "network.type")) {
		if (entry_find(entry, "process.command_line"))
			fprintf(to, " (\"%s\")", entry_text(entry, "process.command_line", text));
	} else if (json_is_false(entry_find(entry, "dnsfence.packet"))) {
		fprintf(to, " (no packet yet, so no question");
		if (entry_find(entry, "process.command_line"))
			fprintf(to, "; \"%s\"", entry_text(entry, "process.command_line", text));
		fprintf(to, ")");
	}
}

/* Who asked the forwarder. */
/* A field below a prefix; "" without it. */
static const char *text_below(const struct entry *entry, const char *prefix, const char *field,
			      char to[ENTRY_TEXT_MAX])
{
	char name[128];

	(void)snprintf(name, sizeof(name), "%s%s", prefix, field);
	return entry_text(entry, name, to);
}

/* What facts_format() says, or the cgroup. ecs, own: before the fields of the schema, and ours. */
static void write_place(const struct entry *entry, const char *ecs, const char *own, FILE *to)
{
	char text[ENTRY_TEXT_MAX], other[ENTRY_TEXT_MAX];

	if (*text_below(entry, ecs, "orchestrator.resource.name", text))
		fprintf(to, "pod %s/%s", text_below(entry, ecs, "orchestrator.namespace", other),
			text);
	else if (*text_below(entry, ecs, "container.name", text))
		fprintf(to, "container %s", text);
	else if (*text_below(entry, ecs, "container.id", text))
		fprintf(to, "container %.*s", strlen(text) == 64 ? 12 : (int)strlen(text), text);
	else if (*text_below(entry, ecs, "orchestrator.resource.id", text))
		fprintf(to, "pod %s", text);
	else if (*text_below(entry, own, "user_unit", text))
		fprintf(to, "%s of uid %s", text, text_below(entry, own, "user_unit_uid", other));
	else if (*text_below(entry, own, "unit", text) ||
		 *text_below(entry, own, "cgroup.path", text))
		fprintf(to, "%s", text);
	else
		fprintf(to, "a cgroup gone");
}

static void write_via(const struct entry *entry, FILE *to)
{
	char text[ENTRY_TEXT_MAX];

	if (!entry_find(entry, "dnsfence.via"))
		return;
	if (util_streq(entry_text(entry, "dnsfence.via.basis", text), "connection"))
		fprintf(to, " probably");
	if (entry_find(entry, "dnsfence.via.process.pid"))
		fprintf(to, " for %s[%" PRIu64 "]",
			entry_text(entry, "dnsfence.via.process.name", text),
			entry_number(entry, "dnsfence.via.process.pid"));
	else
		fprintf(to, " for unknown process");
	fprintf(to, " in ");
	write_place(entry, "dnsfence.via.", "dnsfence.via.", to);
}

/* What is lacking says of which kind it is: without a port, or without a destination at all. */
static void write_target(const struct entry *entry, FILE *to)
{
	char text[ENTRY_TEXT_MAX], target[ENTRY_TEXT_MAX];

	entry_endpoint(entry, "destination", target, sizeof(target));
	if (!entry_find(entry, "network.type")) {
		fprintf(to, "%s()", entry_text(entry, "dnsfence.hook", text));
	} else if (!entry_find(entry, "network.protocol")) {
		if (*entry_text(entry, "network.transport", text))
			fprintf(to, "%s ", text);
		fprintf(to, "%s", entry_text(entry, "destination.ip", text));
	} else {
		fprintf(to, "%s/", entry_text(entry, "network.protocol", text));
		fprintf(to, "%s %s", entry_text(entry, "network.transport", text), target);
	}
}

static void write_lookup(const struct entry *entry, FILE *to)
{
	char text[ENTRY_TEXT_MAX];
	uint64_t count = entry_count(entry), sample = entry_number(entry, "dnsfence.sample");

	write_target(entry, to);
	write_question(entry, to);
	write_culprit(entry, to);
	write_interfaces(entry, to);
	if (entry_find(entry, "dnsfence.cgroup.id")) {
		fprintf(to, " in ");
		write_place(entry, "", "dnsfence.", to);
	}
	write_via(entry, to);
	fprintf(to, ": %s", entry_text(entry, "event.reason", text));
	fprintf(to, ", policy %s", *entry_text(entry, "rule.name", text) ? text : "none");
	if (count > 1)
		fprintf(to, ", %" PRIu64 " times", count);
	else if (sample > 1)
		fprintf(to, ", one in %" PRIu64, sample);
}

static void write_tamper(const struct entry *entry, FILE *to)
{
	bool neighbour = entry_find(entry, "dnsfence.tamper.program") != NULL;
	bool restored = json_is_true(entry_find(entry, "dnsfence.tamper.restored"));
	char text[ENTRY_TEXT_MAX];

	fprintf(to, "%s", entry_text(entry, "dnsfence.tamper.object", text));
	if (*entry_text(entry, "dnsfence.tamper.name", text))
		fprintf(to, " %s", text);
	fprintf(to, ": %s", entry_text(entry, "dnsfence.tamper.what", text));
	fprintf(to, "%s", neighbour ? "" : restored ? "; restored" : "; NOT restored");
}

static void write_drift(const struct entry *entry, FILE *to)
{
	char text[ENTRY_TEXT_MAX];

	fprintf(to, "%s", entry_text(entry, "dnsfence.drift.source", text));
	if (*entry_text(entry, "source.ip", text))
		fprintf(to, " by %s", text);
	if (*entry_text(entry, "observer.ingress.interface.name", text))
		fprintf(to, " at %s", text);
	fprintf(to, " proposes the resolver %s, which no policy names",
		entry_text(entry, "destination.ip", text));
}

static void write_rest(const struct entry *entry, FILE *to)
{
	char text[ENTRY_TEXT_MAX];

	if (util_streq(entry->action, "tamper"))
		write_tamper(entry, to);
	else if (util_streq(entry->action, "resolver-drift"))
		write_drift(entry, to);
	else if (util_streq(entry->action, "events-lost"))
		fprintf(to, "%" PRIu64 " violations are counted but not logged",
			entry_count(entry));
	else if (entry_find(entry, "network"))
		write_lookup(entry, to);
	else
		fprintf(to, "%s", entry_text(entry, "event.reason", text));
}

void entry_write_line(const struct entry *entry, int64_t now, bool color, char *to, size_t size)
{
	struct heading heading = heading_of(entry);
	char clock[32], rest[8192], word[64];
	FILE *text = fmemopen(rest, sizeof(rest), "w");

	rest[0] = 0;
	if (text) {
		write_rest(entry, text);
		(void)fclose(text);
	}
	rest[sizeof(rest) - 1] = 0;
	event_make_printable(rest);
	(void)snprintf(word, sizeof(word), "%s", heading.word);
	event_make_printable(word);
	write_clock(entry, now, clock, sizeof(clock));
	(void)snprintf(to, size, "%s %s%s%s %s", clock, color ? heading.color : "", word,
		       color ? COLOR_NONE : "", rest);
}

/* Where entry_each() is: objects open into names with dots, lists into one value. */
struct walk {
	void (*show)(void *context, const char *field, const char *value);
	void *context;
	char field[256];
};

static void walk_list(const json_t *list, char *to, size_t size)
{
	char text[ENTRY_TEXT_MAX];
	size_t used = 0;

	to[0] = 0;
	for (size_t i = 0; i < json_array_size(list) && used < size; i++)
		used += (size_t)snprintf(to + used, size - used, "%s%s", i ? ", " : "",
					 entry_value_text(json_array_get(list, i), text));
}

static void walk_value(struct walk *walk, const json_t *value, unsigned int depth)
{
	size_t used = strlen(walk->field);
	char text[ENTRY_TEXT_MAX];
	const char *key;
	json_t *member;

	if (!json_is_object(value)) {
		if (json_is_array(value))
			walk_list(value, text, sizeof(text));
		else
			entry_value_text(value, text);
		event_make_printable(text);
		walk->show(walk->context, walk->field, text);
		return;
	}
	json_object_foreach((json_t *)value, key, member)
	{
		(void)snprintf(walk->field + used, sizeof(walk->field) - used, "%s%s",
			       used ? "." : "", key);
		event_make_printable(walk->field);
		if (depth < 16)
			walk_value(walk, member, depth + 1);
		walk->field[used] = 0;
	}
}

void entry_each(const struct entry *entry,
		void (*show)(void *context, const char *field, const char *value), void *context)
{
	struct walk walk = {.show = show, .context = context};

	walk_value(&walk, entry->root, 0);
}

static void widen(void *context, const char *field, const char *value)
{
	size_t *width = context;

	(void)value;
	*width = MAX(*width, strlen(field));
}

size_t entry_width(const struct entry *entry)
{
	size_t width = 0;

	entry_each(entry, widen, &width);
	return width;
}
