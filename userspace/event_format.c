// SPDX-License-Identifier: GPL-2.0-or-later
/* struct event -> a line for machines, a line for people. */
#include <arpa/inet.h>

#include "attach.h"
#include "color.h"
#include "event.h"
#include "facts_format.h"

#define ECS_VERSION "8.11"

const char *event_transport_name(unsigned int protocol)
{
	switch (protocol) {
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDPLITE:
		return "udplite";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_DCCP:
		return "dccp";
	default:
		return "";
	}
}

static const char *format_ip(const struct df_event *record, const uint8_t *bytes,
			     char text[INET6_ADDRSTRLEN])
{
	if (!inet_ntop(record->family == 6 ? AF_INET6 : AF_INET, bytes, text, INET6_ADDRSTRLEN))
		text[0] = 0;
	return text;
}

static bool is_zero(const uint8_t bytes[16])
{
	static const uint8_t zero[16];

	return memcmp(bytes, zero, sizeof(zero)) == 0;
}

/* 2026-11-24T03:00:00.123456Z */
static void format_time(const struct timespec *time, char text[32])
{
	struct tm tm;
	size_t length;

	gmtime_r(&time->tv_sec, &tm);
	length = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + length, 32 - length, ".%06ldZ", time->tv_nsec / 1000);
}

static void write_text(struct json *to, const char *key, const char *value)
{
	if (value && value[0])
		json_put(to, key, value);
}

static void write_number(struct json *to, const char *key, uint64_t value)
{
	if (value)
		json_uint(to, key, value);
}

static void write_head(const struct event *event, struct json *to)
{
	char time[32];

	format_time(&event->time, time);
	json_put(to, "@timestamp", time);
	json_open(to, "ecs");
	json_put(to, "version", ECS_VERSION);
	json_close(to);
}

static const struct lookup_words {
	const char *action, *heading, *color, *mode;
} words_of_verdicts[DF_VERDICT_MAX] = {
	[DF_VERDICT_ALLOW] = {"dns-allowed", "ALLOW ", COLOR_GREEN, NULL},
	[DF_VERDICT_DENY] = {"dns-denied", "DENIED", COLOR_RED, "enforce"},
	[DF_VERDICT_AUDIT] = {"dns-audited", "AUDIT ", COLOR_YELLOW, "audit"},
};

static const struct lookup_words *lookup_words(const struct event *event)
{
	return &words_of_verdicts[event->record.verdict];
}

static void write_class(const struct event *event, struct json *to)
{
	bool denied = event->record.verdict == DF_VERDICT_DENY;
	bool allowed = event->record.verdict == DF_VERDICT_ALLOW;

	json_open(to, "event");
	json_put(to, "kind", allowed ? "event" : "alert");
	json_list(to, "category");
	json_put(to, NULL, "network");
	json_list_end(to);
	json_list(to, "type");
	json_put(to, NULL, "connection");
	json_put(to, NULL, denied ? "denied" : "allowed");
	json_list_end(to);
	json_put(to, "action", lookup_words(event)->action);
	json_put(to, "outcome", denied ? "failure" : "success");
	json_put(to, "reason", event_reason_name(event->record.reason));
	json_put(to, "dataset", allowed ? "dnsfence.lookup" : "dnsfence.violation");
	json_uint(to, "sequence", event->sequence);
	json_close(to);
}

static void write_endpoint(const struct df_event *record, const char *key, const uint8_t *bytes,
			   uint16_t port, struct json *to)
{
	char ip[INET6_ADDRSTRLEN];

	if (!record->family || (is_zero(bytes) && !port))
		return;
	json_open(to, key);
	if (!is_zero(bytes))
		json_put(to, "ip", format_ip(record, bytes, ip));
	write_number(to, "port", port);
	json_close(to);
}

static void write_network(const struct df_event *record, struct json *to)
{
	json_open(to, "network");
	write_text(to, "transport", event_transport_name(record->protocol));
	json_put(to, "protocol", event_service_name(record->service));
	if (record->family)
		json_put(to, "type", record->family == 6 ? "ipv6" : "ipv4");
	json_put(to, "direction", "egress");
	json_close(to);
	write_endpoint(record, "source", record->saddr, record->sport, to);
	write_endpoint(record, "destination", record->daddr, record->dport, to);
}

static void write_question(const struct event *event, struct json *to)
{
	if (!event->has_question)
		return;
	json_open(to, "dns");
	json_open(to, "question");
	json_put(to, "name", event->question.name);
	json_put(to, "type", event->question.type);
	json_put(to, "class", event->question.class);
	json_close(to);
	json_close(to);
}

static void write_culprit(const struct event *event, struct json *to)
{
	char uid[16];

	if (event->record.flags & DF_EVENT_CALLER) {
		json_open(to, "process");
		json_uint(to, "pid", event->record.caller.tgid);
		write_text(to, "name", event->process_name);
		write_text(to, "executable", event->executable);
		write_text(to, "command_line", event->command);
		if (event->record.caller.parent_tgid) {
			json_open(to, "parent");
			json_uint(to, "pid", event->record.caller.parent_tgid);
			write_text(to, "name", event->record.caller.parent_comm);
			write_text(to, "executable", event->parent_executable);
			json_close(to);
		}
		json_close(to);
	}
	if (!(event->record.flags & DF_EVENT_UID))
		return;
	snprintf(uid, sizeof(uid), "%u", event->record.caller.uid);
	json_open(to, "user");
	json_put(to, "id", uid);
	write_text(to, "name", event->user);
	json_close(to);
}

/* The interfaces of a frame that no socket of this host has sent: ECS calls them the observer's. */
static void write_interface(const char *side, const char *name, struct json *to)
{
	if (!name[0])
		return;
	json_open(to, side);
	json_open(to, "interface");
	json_put(to, "name", name);
	json_close(to);
	json_close(to);
}

static void write_interfaces(const struct event *event, struct json *to)
{
	bool out = event->record.hook == DF_HOOK_EDGE_OUT;

	if (!event->interface[0])
		return;
	json_open(to, "observer");
	write_interface("ingress", out ? event->ingress : event->interface, to);
	write_interface("egress", out ? event->interface : "", to);
	json_close(to);
}

static void write_cgroup(uint64_t id, const char *path, struct json *to)
{
	if (!id)
		return;
	json_open(to, "cgroup");
	json_uint(to, "id", id);
	write_text(to, "path", path);
	json_close(to);
}

/* Who asked the forwarder whose lookup this was. */
static void write_via(const struct event *event, struct json *to)
{
	const struct df_via *via = &event->record.via;
	char uid[16];

	if (!via->cgroup_id)
		return;
	snprintf(uid, sizeof(uid), "%u", via->uid);
	json_open(to, "via");
	json_put(to, "basis", event_via_basis(&event->record));
	write_cgroup(via->cgroup_id, event->via_cgroup, to);
	if (via->tgid) {
		json_open(to, "process");
		json_uint(to, "pid", via->tgid);
		write_text(to, "name", via->comm);
		write_text(to, "executable", event->via_executable);
		if (via->parent_tgid) {
			json_open(to, "parent");
			json_uint(to, "pid", via->parent_tgid);
			json_close(to);
		}
		json_close(to);
	}
	json_open(to, "user");
	json_put(to, "id", uid);
	json_close(to);
	if (via->netns_inode) {
		json_open(to, "netns");
		json_uint(to, "inode", via->netns_inode);
		json_close(to);
	}
	facts_write_all(event->via_facts, to);
	json_close(to);
}

static void write_own(const struct event *event, struct json *to)
{
	const struct df_event *record = &event->record;

	json_open(to, "dnsfence");
	json_put(to, "hook", hook_name(record->hook));
	write_text(to, "mode", lookup_words(event)->mode);
	json_put(to, "verdict", event_verdict_name(record->verdict));
	json_bool(to, "packet", record->flags & DF_EVENT_PACKET);
	write_number(to, "errno", (uint64_t)record->errnum);
	write_cgroup(record->cgroup_id, event->cgroup, to);
	facts_write_own(event->facts, to);
	if (record->netns_cookie || record->caller.netns_inode) {
		json_open(to, "netns");
		write_number(to, "cookie", record->netns_cookie);
		write_number(to, "inode", record->caller.netns_inode);
		json_close(to);
	}
	write_via(event, to);
	json_uint(to, "generation", record->generation);
	json_uint(to, "count", event->count);
	write_number(to, "sample", record->sample);
	json_uint(to, "lost_before", event->lost_before);
	json_close(to);
}

static void write_host(const char *host, struct json *to)
{
	json_open(to, "host");
	json_put(to, "name", host);
	json_close(to);
}

static void write_lookup(const struct event *event, const char *host, struct json *to)
{
	write_class(event, to);
	write_network(&event->record, to);
	write_question(event, to);
	write_culprit(event, to);
	facts_write_ecs(event->facts, to);
	if (event->record.policy[0]) {
		json_open(to, "rule");
		json_put(to, "name", event->record.policy);
		json_close(to);
	}
	write_interfaces(event, to);
	write_host(host, to);
	write_own(event, to);
}

static void write_lost(const struct event *event, const char *host, struct json *to)
{
	json_open(to, "event");
	json_put(to, "kind", "pipeline_error");
	json_put(to, "action", "events-lost");
	json_put(to, "dataset", "dnsfence.log");
	write_number(to, "sequence", event->sequence);
	json_close(to);
	write_host(host, to);
	json_open(to, "dnsfence");
	json_uint(to, "count", event->count);
	json_close(to);
}

/* A denial's outcome is failure, and so is that of tampering which did not last. */
static const char *tamper_outcome(const struct event_tamper *tamper)
{
	if (tamper->neighbour)
		return "unknown";
	return tamper->restored ? "failure" : "success";
}

static void write_tamper_class(const struct event *event, struct json *to)
{
	const struct event_tamper *tamper = &event->tamper;

	json_open(to, "event");
	json_put(to, "kind", tamper->neighbour ? "event" : "alert");
	json_list(to, "category");
	json_put(to, NULL, "configuration");
	if (!tamper->neighbour)
		json_put(to, NULL, "intrusion_detection");
	json_list_end(to);
	json_list(to, "type");
	json_put(to, NULL, tamper->neighbour ? "info" : "change");
	json_list_end(to);
	json_put(to, "action", "tamper");
	json_put(to, "outcome", tamper_outcome(tamper));
	json_put(to, "reason", tamper->what);
	json_put(to, "dataset", "dnsfence.tamper");
	json_uint(to, "sequence", event->sequence);
	json_close(to);
}

static void write_tamper(const struct event *event, const char *host, struct json *to)
{
	const struct event_tamper *tamper = &event->tamper;

	write_tamper_class(event, to);
	write_host(host, to);
	json_open(to, "dnsfence");
	json_open(to, "tamper");
	json_put(to, "object", tamper->object);
	write_text(to, "name", tamper->name);
	json_put(to, "what", tamper->what);
	json_bool(to, "restored", tamper->restored);
	if (tamper->neighbour) {
		json_open(to, "program");
		json_uint(to, "id", tamper->program.id);
		write_text(to, "name", tamper->program.name);
		write_text(to, "tag", tamper->program.tag);
		json_close(to);
	}
	json_close(to);
	json_close(to);
}

/* "router-advertisement by fe80::1 at eth0", "resolv.conf". */
static void format_proposer(const struct event *event, char *to, size_t size)
{
	const struct event_drift *drift = &event->drift;

	(void)snprintf(to, size, "%s%s%s%s%s", drift->source, drift->router[0] ? " by " : "",
		       drift->router, event->interface[0] ? " at " : "", event->interface);
}

static void write_drift_class(const struct event *event, struct json *to)
{
	char reason[320], proposer[160];

	format_proposer(event, proposer, sizeof(proposer));
	(void)snprintf(reason, sizeof(reason), "%s proposes a resolver that no policy names",
		       proposer);
	json_open(to, "event");
	json_put(to, "kind", "alert");
	json_list(to, "category");
	json_put(to, NULL, "configuration");
	json_put(to, NULL, "network");
	json_list_end(to);
	json_list(to, "type");
	json_put(to, NULL, "change");
	json_list_end(to);
	json_put(to, "action", "resolver-drift");
	json_put(to, "outcome", "unknown");
	json_put(to, "reason", reason);
	json_put(to, "dataset", "dnsfence.drift");
	json_uint(to, "sequence", event->sequence);
	json_close(to);
}

static void write_address(const char *side, const char *ip, struct json *to)
{
	if (!ip[0])
		return;
	json_open(to, side);
	json_put(to, "ip", ip);
	json_close(to);
}

static void write_drift(const struct event *event, const char *host, struct json *to)
{
	const struct event_drift *drift = &event->drift;

	write_drift_class(event, to);
	write_address("source", drift->router, to);
	write_address("destination", drift->resolver, to);
	if (event->interface[0]) {
		json_open(to, "observer");
		write_interface("ingress", event->interface, to);
		json_close(to);
	}
	write_host(host, to);
	json_open(to, "dnsfence");
	json_open(to, "drift");
	json_put(to, "source", drift->source);
	write_text(to, "path", drift->path);
	write_number(to, "lifetime", drift->lifetime_s);
	json_close(to);
	json_close(to);
}

int event_write_json(const struct event *event, const char *host, struct json *to)
{
	json_open(to, NULL);
	write_head(event, to);
	if (event->kind == EVENT_LOST)
		write_lost(event, host, to);
	else if (event->kind == EVENT_TAMPER)
		write_tamper(event, host, to);
	else if (event->kind == EVENT_DRIFT)
		write_drift(event, host, to);
	else
		write_lookup(event, host, to);
	json_close(to);
	return json_finish(to);
}

/* Names of processes and cgroups are other people's text: nothing of it may reach a terminal raw.
 */
void event_make_printable(char *text)
{
	for (unsigned char *at = (unsigned char *)text; *at; at++) {
		bool c1 = *at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0; /* U+0080 to U+009F */

		if (*at < 0x20 || *at == 0x7f || c1)
			*at = '?';
	}
}

/* Nobody's call: all that is known is where it came from. */
static void format_frame(const struct event *event, char *to, size_t size)
{
	const struct df_event *record = &event->record;
	bool forwarded = event->ingress[0] && !util_streq(event->ingress, event->interface);
	char ip[INET6_ADDRSTRLEN];

	snprintf(to, size, "a frame from %s at %s%s%s", format_ip(record, record->saddr, ip),
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
	else if (!(event->record.flags & DF_EVENT_PACKET) && event->command[0])
		snprintf(to, size, " (no packet yet, so no question; \"%s\")", event->command);
	else if (!(event->record.flags & DF_EVENT_PACKET))
		snprintf(to, size, " (no packet yet, so no question)");
	else
		to[0] = 0;
}

static void format_target(const struct df_event *record, char *to, size_t size)
{
	char ip[INET6_ADDRSTRLEN];

	if (!record->family)
		snprintf(to, size, "?");
	else
		snprintf(to, size, record->family == 6 ? "[%s]:%u" : "%s:%u",
			 format_ip(record, record->daddr, ip), record->dport);
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

	format_proposer(event, proposer, sizeof(proposer));
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
	const struct lookup_words *words = lookup_words(event);
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
	length = snprintf(to, size, "%s %s%s%s %s/%s %s%s by %s%s%s: %s, policy %s%s", clock,
			  color ? words->color : "", words->heading, color ? COLOR_NONE : "",
			  event_service_name(record->service),
			  event_transport_name(record->protocol), target, question, culprit, cgroup,
			  via, event_reason_name(record->reason),
			  record->policy[0] ? record->policy : "none", repeats);
	length = MIN(MAX(length, 0), (int)size - 2);
	to[length++] = '\n';
	return (size_t)length;
}
