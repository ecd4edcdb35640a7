// SPDX-License-Identifier: GPL-2.0-or-later
#include "sweep_format.h"

#include <arpa/inet.h>
#include <stdarg.h>

#include "event.h"
#include "facts_format.h"

static const struct {
	const char *name, *text;
} fates[] = {
#define X(id, name, text) [SWEEP_FATE_##id] = {name, text},
	SWEEP_FATES(X)
#undef X
};

static const struct {
	const char *name, *text;
} troubles[] = {
#define X(id, name, text) [SWEEP_TROUBLE_##id] = {name, text},
	SWEEP_TROUBLES(X)
#undef X
};

static const char *format_ip(uint8_t family, const uint8_t *bytes, char to[INET6_ADDRSTRLEN])
{
	if (!inet_ntop(family == 4 ? AF_INET : AF_INET6, bytes, to, INET6_ADDRSTRLEN))
		to[0] = 0;
	return to;
}

/* A kernel that can list sockets but not end them is common enough to be named. */
static const char *format_close_error(int error, const struct socket_table *table)
{
	if (error != EOPNOTSUPP)
		return strerror(error);
	return table->ends ? "this kernel has no CONFIG_INET_DIAG_DESTROY"
			   : "Linux cannot close sockets of this kind";
}

/* The search goes everywhere and asks for everything. */
static const char *format_trouble_error(int error)
{
	return error == EPERM || error == EACCES ? "it takes root" : strerror(error);
}

/* More text behind what is there; cut off at the end of the buffer. */
static void _printf_(2, 3) text_add(char to[SWEEP_LINE_MAX], const char *format, ...)
{
	size_t used = strlen(to);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(to + used, SWEEP_LINE_MAX - used, format, args);
	va_end(args);
}

static void add_endpoint(const struct sweep_record *record, const uint8_t *bytes, uint16_t port,
			 char to[SWEEP_LINE_MAX])
{
	char ip[INET6_ADDRSTRLEN];

	text_add(to, record->flow.family == 6 ? "[%s]:%u" : "%s:%u",
		 format_ip(record->flow.family, bytes, ip), port);
}

static void line_socket(const struct sweep_record *record, char to[SWEEP_LINE_MAX])
{
	const struct socket_entry *socket = &record->socket;
	char place[FACTS_PLACE_MAX];

	facts_format(record->facts, place, sizeof(place));
	text_add(to, "%-10s %s/%s ", fates[record->fate].name,
		 event_service_name(record->judgement.service), socket->table->name);
	add_endpoint(record, record->flow.daddr, record->flow.dport, to);
	text_add(to, " from ");
	add_endpoint(record, record->flow.saddr, record->flow.sport, to);
	text_add(to, " (%s) by ", sockets_state_name(socket->state));
	if (record->pid)
		text_add(to, "%s[%u]", record->process[0] ? record->process : "?", record->pid);
	else
		text_add(to, "no known process");
	text_add(to, " (uid %u) in %s, netns %llu: %s, policy %s", socket->uid,
		 place[0]            ? place
		 : record->cgroup[0] ? record->cgroup
				     : "a cgroup gone",
		 (unsigned long long)record->netns, event_reason_name(record->judgement.reason),
		 record->policy);
	if (record->fate == SWEEP_FATE_FAILED)
		text_add(to, "; %s", format_close_error(record->error, record->socket.table));
	else if (record->fate == SWEEP_FATE_SERVING || record->fate == SWEEP_FATE_UNJUDGED)
		text_add(to, "; %s", fates[record->fate].text);
}

static void line_trouble(const struct sweep_record *record, char to[SWEEP_LINE_MAX])
{
	text_add(to, "%-10s ", "unseen");
	if (record->netns)
		text_add(to, "netns %llu: ", (unsigned long long)record->netns);
	text_add(to, "%s", troubles[record->trouble].text);
	if (record->table)
		text_add(to, " (%s, %s)", record->table->name, record->table->option);
	text_add(to, ": %s", strerror(record->error));
}

const char *sweep_write_line(const struct sweep_record *record, char to[SWEEP_LINE_MAX])
{
	to[0] = 0;
	if (record->kind == SWEEP_SOCKET)
		line_socket(record, to);
	else
		line_trouble(record, to);
	event_make_printable(to);
	return to;
}

static void json_endpoint(const char *key, uint8_t family, const uint8_t *bytes, uint16_t port,
			  struct json *to)
{
	char ip[INET6_ADDRSTRLEN];

	json_open(to, key);
	json_put(to, "ip", format_ip(family, bytes, ip));
	json_uint(to, "port", port);
	json_close(to);
}

static void json_owner(const struct sweep_record *record, struct json *to)
{
	char uid[16];

	snprintf(uid, sizeof(uid), "%u", record->socket.uid);
	if (record->pid) {
		json_open(to, "process");
		json_uint(to, "pid", record->pid);
		json_put(to, "name", record->process);
		json_close(to);
	}
	json_open(to, "user");
	json_put(to, "id", uid); /* a string, as in events */
	json_close(to);
	json_open(to, "cgroup");
	json_uint(to, "id", record->socket.cgroup_id);
	json_put_text(to, "path", record->cgroup);
	json_close(to);
	facts_write_all(record->facts, to);
	json_open(to, "netns");
	json_uint(to, "inode", record->netns);
	json_close(to);
}

static void json_socket(const struct sweep_record *record, struct json *to)
{
	const struct df_flow *flow = &record->flow;
	const struct judgement *judgement = &record->judgement;

	json_put(to, "outcome", fates[record->fate].name);
	json_put(to, "verdict", event_verdict_name(judgement->verdict));
	json_put(to, "reason", event_reason_name(judgement->reason));
	json_put(to, "policy", record->policy);
	json_put(to, "service", event_service_name(judgement->service));
	json_put(to, "transport", record->socket.table->name);
	json_put(to, "state", sockets_state_name(record->socket.state));
	json_endpoint("source", flow->family, flow->saddr, flow->sport, to);
	json_endpoint("destination", flow->family, flow->daddr, flow->dport, to);
	json_owner(record, to);
}

static void json_trouble(const struct sweep_record *record, struct json *to)
{
	json_put(to, "trouble", troubles[record->trouble].name);
	json_put(to, "text", troubles[record->trouble].text);
	if (record->table)
		json_put(to, "table", record->table->name);
	if (record->netns) {
		json_open(to, "netns");
		json_uint(to, "inode", record->netns);
		json_close(to);
	}
}

void sweep_write_json(const struct sweep_record *record, struct json *to)
{
	json_open(to, NULL);
	if (record->kind == SWEEP_SOCKET)
		json_socket(record, to);
	else
		json_trouble(record, to);
	if (record->kind == SWEEP_SOCKET && record->error)
		json_put(to, "error", format_close_error(record->error, record->socket.table));
	else if (record->error)
		json_put(to, "error", strerror(record->error));
	json_close(to);
}

void sweep_write_totals(const struct sweep_totals *totals, struct json *to)
{
	json_open(to, "totals");
	for (int fate = 0; fate < SWEEP_FATE_MAX; fate++)
		json_uint(to, fates[fate].name, totals->fates[fate]);
	json_close(to);
	json_bool(to, "complete", totals->complete && !sweep_troubled(totals));
}

const char *sweep_say_done(const struct sweep_totals *totals, char to[SWEEP_LINE_MAX])
{
	uint64_t closed = totals->fates[SWEEP_FATE_CLOSED];
	uint64_t audited = totals->fates[SWEEP_FATE_AUDITED];

	to[0] = 0;
	if (closed)
		text_add(to, "closed %llu open socket%s to resolvers that are not sanctioned",
			 (unsigned long long)closed, util_plural(closed));
	if (audited)
		text_add(to, "%s%llu open socket%s would be closed but for audit mode",
			 closed ? "; " : "", (unsigned long long)audited, util_plural(audited));
	return to[0] ? to : NULL;
}

/* One clause of a list. */
static void _printf_(2, 3) clause_add(char to[SWEEP_LINE_MAX], const char *format, ...)
{
	char clause[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(clause, sizeof(clause), format, args);
	va_end(args);
	text_add(to, "%s%s", to[0] ? "; " : "", clause);
}

static void missed_troubles(const struct sweep_totals *totals, char to[SWEEP_LINE_MAX])
{
	uint64_t namespaces = totals->troubles[SWEEP_TROUBLE_NETNS];

	if (namespaces)
		clause_add(to, "%llu network namespace%s cannot be entered (%s)",
			   (unsigned long long)namespaces, util_plural(namespaces),
			   format_trouble_error(totals->trouble_error));
	if (totals->unlisted)
		clause_add(to, "this kernel lists no %s sockets (%s)", totals->unlisted->name,
			   totals->unlisted->option);
	if (totals->troubles[SWEEP_TROUBLE_SEARCH])
		clause_add(to, "the search for open sockets could not begin (%s)",
			   format_trouble_error(totals->trouble_error));
	else if (!totals->complete)
		clause_add(to, "the search for open sockets ended early, after %d seconds at most",
			   SWEEP_LIMIT_S);
}

const char *sweep_say_missed(const struct sweep_totals *totals, char to[SWEEP_LINE_MAX])
{
	uint64_t failed = totals->fates[SWEEP_FATE_FAILED];
	uint64_t unjudged = totals->fates[SWEEP_FATE_UNJUDGED];

	to[0] = 0;
	if (failed)
		clause_add(to,
			   "%llu open socket%s to resolvers that are not sanctioned cannot be "
			   "closed (%s: %s)",
			   (unsigned long long)failed, util_plural(failed), totals->unclosed->name,
			   format_close_error(totals->close_error, totals->unclosed));
	if (unjudged)
		clause_add(to, "%llu open socket%s belong%s to a cgroup that has gone",
			   (unsigned long long)unjudged, util_plural(unjudged),
			   unjudged == 1 ? "s" : "");
	missed_troubles(totals, to);
	return to[0] ? to : NULL;
}
