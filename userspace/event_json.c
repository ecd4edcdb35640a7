// SPDX-License-Identifier: GPL-2.0-or-later
/* struct event -> a line for machines, in the Elastic Common Schema. */
#include "attach.h"
#include "event_format.h"
#include "facts_format.h"

#define ECS_VERSION "8.11"

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
	json_put(to, "action", event_lookup_words(event)->action);
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
		json_put(to, "ip", event_format_ip(record, bytes, ip));
	write_number(to, "port", port);
	json_close(to);
}

static void write_network(const struct df_event *record, struct json *to)
{
	json_open(to, "network");
	json_put_text(to, "transport", event_transport_name(record->protocol));
	if (event_has_service(record))
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
		json_put_text(to, "name", event->process_name);
		json_put_text(to, "executable", event->executable);
		json_put_text(to, "command_line", event->command);
		if (event->record.caller.parent_tgid) {
			json_open(to, "parent");
			json_uint(to, "pid", event->record.caller.parent_tgid);
			json_put_text(to, "name", event->record.caller.parent_comm);
			json_put_text(to, "executable", event->parent_executable);
			json_close(to);
		}
		json_close(to);
	}
	if (!(event->record.flags & DF_EVENT_UID))
		return;
	snprintf(uid, sizeof(uid), "%u", event->record.caller.uid);
	json_open(to, "user");
	json_put(to, "id", uid);
	json_put_text(to, "name", event->user);
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
	json_put_text(to, "path", path);
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
		json_put_text(to, "name", via->comm);
		json_put_text(to, "executable", event->via_executable);
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
	json_put_text(to, "mode", event_lookup_words(event)->mode);
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
	json_put_text(to, "name", tamper->name);
	json_put(to, "what", tamper->what);
	json_bool(to, "restored", tamper->restored);
	if (tamper->neighbour) {
		json_open(to, "program");
		json_uint(to, "id", tamper->program.id);
		json_put_text(to, "name", tamper->program.name);
		json_put_text(to, "tag", tamper->program.tag);
		json_close(to);
	}
	json_close(to);
	json_close(to);
}

static void write_drift_class(const struct event *event, struct json *to)
{
	char reason[320], proposer[160];

	event_format_proposer(event, proposer, sizeof(proposer));
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
	json_put_text(to, "path", drift->path);
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
