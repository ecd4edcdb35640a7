// SPDX-License-Identifier: GPL-2.0-or-later
#include "query.h"

#include <arpa/inet.h>
#include <ctype.h>

#include "bpf/service.h"
#include "event.h"

#define WORDS_MAX 2 /* a service and a transport */

/* The text, cut into its parts. */
struct parts {
	char address[INET6_ADDRSTRLEN];
	const char *port; /* digits up to the end of the text or a slash; NULL: none */
	const char *words[WORDS_MAX]; /* likewise */
	size_t words_length;
};

static const uint8_t transports[] = {PROTO_UDP, PROTO_TCP, PROTO_UDPLITE, PROTO_SCTP, PROTO_DCCP};

static bool word_is(const char *word, const char *name)
{
	size_t length = strcspn(word, "/");

	return strlen(name) == length && strncmp(word, name, length) == 0;
}

static int parts_cut_address(const char *text, size_t length, struct parts *ret,
			     struct problem *problem)
{
	size_t plain = strcspn(text, "%]/"); /* a zone changes no verdict */

	length = MIN(length, plain);
	if (!length || length >= sizeof(ret->address))
		return problem_set(problem, EINVAL,
				   "'%.80s' does not begin with an IP address; write as in "
				   "8.8.8.8:53/udp, [2001:db8::1]:853/tcp or 10.0.0.53/dot",
				   text);
	memcpy(ret->address, text, length);
	return 0;
}

static int parts_cut(const char *text, struct parts *ret, struct problem *problem)
{
	size_t end = strcspn(text, "/");
	const char *rest = text + end, *colon = memchr(text, ':', end);
	int r;

	*ret = (struct parts){0};
	if (text[0] == '[') {
		size_t close = strcspn(text, "]");

		if (!text[close])
			return problem_set(problem, EINVAL, "'%.80s' has a [ without its ]", text);
		r = parts_cut_address(text + 1, close - 1, ret, problem);
		rest = text + close + 1;
		if (*rest == ':')
			ret->port = rest + 1;
	} else if (colon && !memchr(colon + 1, ':', end - (size_t)(colon + 1 - text))) {
		r = parts_cut_address(text, (size_t)(colon - text), ret, problem);
		ret->port = colon + 1;
	} else {
		r = parts_cut_address(text, end, ret, problem);
	}
	if (r < 0)
		return r;
	if (ret->port)
		rest = ret->port + strcspn(ret->port, "/");
	if (*rest && *rest != '/')
		return problem_set(problem, EINVAL,
				   "'%.80s': '%.20s' is neither a port nor /TRANSPORT", text, rest);
	for (; *rest == '/'; rest += strcspn(rest, "/")) {
		if (ret->words_length == WORDS_MAX)
			return problem_set(problem, EINVAL,
					   "'%.80s' has more behind it than a service and a "
					   "transport",
					   text);
		ret->words[ret->words_length++] = ++rest;
	}
	return 0;
}

static int query_take_address(const struct parts *parts, struct query *query,
			      struct problem *problem)
{
	const char *why;

	if (address_parse(parts->address, &query->address, &why) < 0)
		return problem_set(problem, EINVAL,
				   "'%s' is not an IP address; names are not looked up",
				   parts->address);
	return 0;
}

static int query_take_port(const struct parts *parts, struct query *query, struct problem *problem)
{
	unsigned long port;
	char *end;

	if (!parts->port)
		return 0;
	port = strtoul(parts->port, &end, 10);
	if (!isdigit((unsigned char)parts->port[0]) || (*end && *end != '/') || !port ||
	    port > 65535)
		return problem_set(problem, EINVAL, "'%.*s' is not a port from 1 to 65535",
				   (int)MIN(strcspn(parts->port, "/"), (size_t)20), parts->port);
	query->port = (uint16_t)port;
	return 0;
}

static int query_take_word(const char *word, struct query *query, uint32_t *service,
			   struct problem *problem)
{
	for (size_t i = 0; i < ARRAY_LEN(transports); i++)
		if (word_is(word, event_transport_name(transports[i])) && !query->protocol) {
			query->protocol = transports[i];
			return 0;
		}
	for (uint32_t i = 0; i < DF_SERVICE_MAX; i++)
		if (word_is(word, event_service_name(i)) && *service == DF_SERVICE_MAX) {
			*service = i;
			return 0;
		}
	if (isdigit((unsigned char)word[0]))
		return problem_set(problem, EINVAL,
				   "a destination is one address, not a prefix ('/%.*s')",
				   (int)MIN(strcspn(word, "/"), (size_t)20), word);
	return problem_set(problem, EINVAL,
			   "'%.*s' is no transport (udp, tcp, udplite, sctp, dccp) and no service "
			   "(dns, dot, doq, mdns, llmnr, netbios), or one too many",
			   (int)MIN(strcspn(word, "/"), (size_t)20), word);
}

static uint16_t service_port(uint32_t service)
{
#define X(id, name, number, bits, source) \
	if (service == DF_SERVICE_##id)   \
		return number;
	DF_SERVICES(X)
#undef X
	return 0;
}

/* The service that a port is first known for. */
static uint32_t port_service(uint16_t port)
{
	for (uint32_t service = 0; service < DF_SERVICE_MAX; service++)
		if (service_port(service) == port)
			return service;
	return DF_SERVICE_MAX;
}

/* What was not said. */
static int query_complete(struct query *query, uint32_t service, struct problem *problem)
{
	uint32_t spoken;

	if (service == DF_SERVICE_MAX && !query->port)
		service = DF_SERVICE_DNS;
	if (!query->port)
		query->port = service_port(service);
	spoken = service_protocols(service < DF_SERVICE_MAX ? service : port_service(query->port));
	if (!query->protocol)
		query->protocol = spoken == DF_PROTO_TCP ? PROTO_TCP : PROTO_UDP;
	if (service < DF_SERVICE_MAX && protocol_bit(query->protocol) &&
	    !(spoken & protocol_bit(query->protocol)))
		return problem_set(
			problem, EINVAL, "%s is not spoken over %s; leave one of them out",
			event_service_name(service), event_transport_name(query->protocol));
	return 0;
}

int query_parse(const char *text, struct query *ret, struct problem *problem)
{
	uint32_t service = DF_SERVICE_MAX;
	struct query query = {0};
	struct parts parts;
	int r = parts_cut(text, &parts, problem);

	if (r == 0)
		r = query_take_address(&parts, &query, problem);
	if (r == 0)
		r = query_take_port(&parts, &query, problem);
	for (size_t i = 0; r == 0 && i < parts.words_length; i++)
		r = query_take_word(parts.words[i], &query, &service, problem);
	if (r == 0)
		r = query_complete(&query, service, problem);
	if (r == 0)
		*ret = query;
	return r;
}

const char *query_format(const struct query *query, char text[QUERY_TEXT_MAX])
{
	char address[ADDRESS_TEXT_MAX];

	snprintf(text, QUERY_TEXT_MAX, query->address.family == 6 ? "[%s]:%u/%s" : "%s:%u/%s",
		 address_format(&query->address, address), query->port,
		 event_transport_name(query->protocol));
	return text;
}

struct df_flow query_flow(const struct query *query)
{
	static const uint8_t any[16];
	struct df_flow flow = {
		.family = query->address.family,
		.protocol = query->protocol,
		.dport = query->port,
		.flags = FLOW_PORTS,
	};

	memcpy(flow.daddr, query->address.bytes, sizeof(flow.daddr));
	if (memcmp(flow.daddr, any, sizeof(any)) == 0) {
		flow.daddr[0] = flow.family == 4 ? 127 : 0;
		flow.daddr[flow.family == 4 ? 3 : 15] = 1;
	}
	return flow;
}
