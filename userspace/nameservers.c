// SPDX-License-Identifier: GPL-2.0-or-later
#include "nameservers.h"

void nameservers_add(struct nameservers *servers, const char *text)
{
	struct nameserver server = {0};
	char address[128];
	const char *problem, *zone = strchr(text, '%');

	server.zone = zone != NULL;
	(void)snprintf(address, sizeof(address), "%.*s", (int)(zone ? zone - text : 127), text);
	if (address_parse(address, &server.address, &problem) < 0 ||
	    !address_is_single(&server.address) || servers->length == NAMESERVERS_MAX)
		return;
	for (size_t i = 0; i < servers->length; i++)
		if (address_equal(&servers->list[i].address, &server.address))
			return;
	servers->list[servers->length++] = server;
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
