// SPDX-License-Identifier: GPL-2.0-or-later
/* struct event -> a line for people. */
#include "attach.h"
#include "color.h"
#include "event_format.h"
#include "facts_format.h"

/* Nobody's call: all that is known is where it came from. */
static void format_frame(const struct event *event, char *to, size_t size)
{
	const struct df_event *record = &event->record;
	bool forwarded = event->ingress[0] && !util_streq(event->ingress, event->interface);
	char ip[INET6_ADDRSTRLEN];

	snprintf(to, size, "a frame from %s at %s%s%s", event_format_ip(record, record->saddr, ip),
		 event->interface[0] ? event->interface : "an interface gone",
		 forwarded ? ", came in by " : "", forwarded ? event->ingress : "");
}

static void format_culprit(const struct event *event, char *to, size_t size)
{
	const struct df_event *record = &event->record;
	char user[80];

	if (record->hook >= DF_HOOK_CGROUP_MAX && !(record->flags & DF_EVENT_CALLER)) {
		format_frame(event, to, size);
		return;
	}
	if (event->user[0])
		snprintf(user, sizeof(user), "%s", event->user);
	else
		snprintf(user, sizeof(user), "uid %u", record->caller.uid);
	if (record->flags & DF_EVENT_CALLER)
		snprintf(to, size, "%s[%u] (%s)", event->process_name, record->caller.tgid, user);
	else
		snprintf(to, size, "unknown process (%s)", user);
}

/* The closest name of a place, or its path. */
static const char *format_place(const struct facts *facts, const char *path, char *to, size_t size)
{
	facts_format(facts, to, size);
	return to[0] ? to : path[0] ? path : "a cgroup gone";
}

/* Who asked the forwarder: " for NAME[pid] in PLACE", " probably for ...", or nothing. */
static void format_via(const struct event *event, char *to, size_t size)
{
	const struct df_via *via = &event->record.via;
	char name[FACTS_PLACE_MAX];
	const char *place = format_place(event->via_facts, event->via_cgroup, name, sizeof(name));
	const char *how = event->record.flags & DF_EVENT_CONNECTED ? " probably" : "";

	to[0] = 0;
	if (!via->cgroup_id)
		return;
	if (via->tgid)
		snprintf(to, size, "%s for %s[%u] in %s", how, via->comm, via->tgid, place);
	else
		snprintf(to, size, "%s for unknown process in %s", how, place);
	event_make_printable(to);
}

static void format_question(const struct event *event, char *to, size_t size)
{
	if (event->has_question)
		snprintf(to, size, " %s %s", event->question.name, event->question.type);
	else if (event->record.flags & DF_EVENT_MALFORMED)
		snprintf(to, size, " (no readable question)");
	else if (!event->record.family && event->command[0])
		snprintf(to, size, " (\"%s\")", event->command);
	else if (!event->record.family)
		to[0] = 0;
	else if (!(event->record.flags & DF_EVENT_PACKET) && event->command[0])
		snprintf(to, size, " (no packet yet, so no question; \"%s\")", event->command);
	else if (!(event->record.flags & DF_EVENT_PACKET))
		snprintf(to, size, " (no packet yet, so no question)");
	else
		to[0] = 0;
}

/* "dns/udp 192.0.2.1:53"; "udp 192.0.2.1" without ports; "setsockopt()" of what goes nowhere. */
static void format_target(const struct df_event *record, char *to, size_t size)
{
	const char *transport = event_transport_name(record->protocol);
	char ip[INET6_ADDRSTRLEN];

	if (!record->family)
		snprintf(to, size, "%s()", hook_name(record->hook));
	else if (!event_has_service(record))
		snprintf(to, size, "%s%s%s", transport, *transport ? " " : "",
			 event_format_ip(record, record->daddr, ip));
	else
		snprintf(to, size, record->family == 6 ? "%s/%s [%s]:%u" : "%s/%s %s:%u",
			 event_service_name(record->service), transport,
			 event_format_ip(record, record->daddr, ip), record->dport);
}

static int write_tamper_line(const struct event *event, const char *clock, bool color, char *to,
			     size_t size)
{
	const struct event_tamper *tamper = &event->tamper;
	const char *after = tamper->restored ? "; restored" : "; NOT restored";

	return snprintf(to, size, "%s %s%s%s %s%s%s: %s%s\n", clock,
			color ? tamper->neighbour ? COLOR_YELLOW : COLOR_RED : "",
			tamper->neighbour ? "BESIDE" : "TAMPER", color ? COLOR_NONE : "",
			tamper->object, tamper->name[0] ? " " : "", tamper->name, tamper->what,
			tamper->neighbour ? "" : after);
}

static int write_drift_line(const struct event *event, const char *clock, bool color, char *to,
			    size_t size)
{
	char proposer[160];

	event_format_proposer(event, proposer, sizeof(proposer));
	event_make_printable(proposer);
	return snprintf(to, size,
			"%s %sDRIFT %s %s proposes the resolver %s, which no policy names\n", clock,
			color ? COLOR_YELLOW : "", color ? COLOR_NONE : "", proposer,
			event->drift.resolver);
}

/* The kinds that are about the log, the fence and its surroundings, not about a lookup. */
static size_t write_notice(const struct event *event, const char *clock, bool color, char *to,
			   size_t size)
{
	int length;

	if (event->kind == EVENT_LOST)
		length =
			snprintf(to, size, "%s LOST   %llu violations are counted but not logged\n",
				 clock, (unsigned long long)event->count);
	else if (event->kind == EVENT_TAMPER)
		length = write_tamper_line(event, clock, color, to, size);
	else
		length = write_drift_line(event, clock, color, to, size);
	return (size_t)MIN(MAX(length, 0), (int)size - 1);
}

size_t event_write_line(const struct event *event, bool color, char *to, size_t size)
{
	const struct df_event *record = &event->record;
	char clock[16], culprit[192], question[QUESTION_NAME_MAX + 32], target[80],
		repeats[40] = "";
	char cgroup[sizeof(event->cgroup) + 8] = "", place[FACTS_PLACE_MAX],
					    via[sizeof(event->via_cgroup) + 64];
	const struct lookup_words *words = event_lookup_words(event);
	struct tm tm;
	int length;

	localtime_r(&event->time.tv_sec, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	if (event->kind != EVENT_LOOKUP)
		return write_notice(event, clock, color, to, size);
	format_culprit(event, culprit, sizeof(culprit));
	format_question(event, question, sizeof(question));
	format_target(record, target, sizeof(target));
	if (record->cgroup_id)
		snprintf(cgroup, sizeof(cgroup), " in %s",
			 format_place(event->facts, event->cgroup, place, sizeof(place)));
	format_via(event, via, sizeof(via));
	event_make_printable(culprit);
	event_make_printable(question);
	event_make_printable(cgroup);
	if (event->count > 1)
		snprintf(repeats, sizeof(repeats), ", %llu times",
			 (unsigned long long)event->count);
	else if (record->sample > 1)
		snprintf(repeats, sizeof(repeats), ", one in %u", record->sample);
	length = snprintf(to, size, "%s %s%s%s %s%s by %s%s%s: %s, policy %s%s", clock,
			  color ? words->color : "", words->heading, color ? COLOR_NONE : "",
			  target, question, culprit, cgroup, via, event_reason_name(record->reason),
			  record->policy[0] ? record->policy : "none", repeats);
	length = MIN(MAX(length, 0), (int)size - 2);
	to[length++] = '\n';
	return (size_t)length;
}
