// SPDX-License-Identifier: GPL-2.0-or-later
#include "nameservers.h"

#define DNS_PORT 53

static void nameservers_take(struct nameservers *servers, const struct nameserver *server)
{
	if (servers->length == NAMESERVERS_MAX)
		return;
	for (size_t i = 0; i < servers->length; i++)
		if (address_equal(&servers->list[i].address, &server->address))
			return;
	servers->list[servers->length++] = *server;
}

void nameservers_add(struct nameservers *servers, const char *text)
{
	struct nameserver server = {.port = DNS_PORT};
	char address[128];
	const char *problem, *zone = strchr(text, '%');

	server.zone = zone != NULL;
	(void)snprintf(address, sizeof(address), "%.*s", (int)(zone ? zone - text : 127), text);
	if (address_parse(address, &server.address, &problem) < 0 ||
	    !address_is_single(&server.address))
		return;
	nameservers_take(servers, &server);
}

/* IPv6 has a port only behind brackets. */
static bool has_two_colons(const char *text)
{
	text += strcspn(text, ":%#");
	return *text == ':' && text[1 + strcspn(text + 1, ":%#")] == ':';
}

/* What follows the address: ":PORT", "%ZONE" and "#NAME", each or nothing. */
static int tail_parse(const char *tail, struct nameserver *server)
{
	unsigned long port = DNS_PORT;

	if (*tail == ':') {
		size_t digits = strspn(++tail, "0123456789");

		port = strtoul(tail, NULL, 10);
		if (!port || port > UINT16_MAX)
			return -EINVAL;
		tail += digits;
	}
	if (*tail == '%') {
		size_t length = strcspn(++tail, "#");

		if (!length)
			return -EINVAL;
		server->zone = true;
		tail += length;
	}
	server->port = (uint16_t)port;
	return *tail && *tail != '#' ? -EINVAL : 0;
}

int nameserver_parse(const char *text, struct nameserver *ret)
{
	bool bracketed = *text == '[';
	const char *address = text + bracketed, *problem;
	size_t length = strcspn(address, bracketed ? "]%" : has_two_colons(address) ? "%#" : ":%#");
	const char *tail = address + length;
	struct nameserver server = {.zone = bracketed && *tail == '%'};
	char plain[ADDRESS_TEXT_MAX];

	if (bracketed) {
		tail += strcspn(tail, "]");
		if (*tail++ != ']')
			return -EINVAL;
	}
	if (length >= sizeof(plain) || tail_parse(tail, &server) < 0)
		return -EINVAL;
	memcpy(plain, address, length);
	plain[length] = 0;
	if (address_parse(plain, &server.address, &problem) < 0 ||
	    !address_is_single(&server.address))
		return -EINVAL;
	*ret = server;
	return 0;
}

void nameservers_add_systemd(struct nameservers *servers, const char *text)
{
	struct nameserver server;

	if (nameserver_parse(text, &server) == 0)
		nameservers_take(servers, &server);
}

static void nameservers_add_line(struct nameservers *servers, const char *line)
{
	char word[16], text[128];

	if (sscanf(line, "%15s %127s", word, text) == 2 && util_streq(word, "nameserver"))
		nameservers_add(servers, text);
}

int nameservers_read(const char *path, struct nameservers *servers)
{
	_cleanup_file_ FILE *file = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	if (!file)
		return -errno;
	while (getline(&line, &size, file) > 0)
		nameservers_add_line(servers, line);
	return 0;
}

void nameservers_add_local(struct nameservers *servers)
{
	nameservers_add(servers, "127.0.0.1");
	nameservers_add(servers, "::1");
}
