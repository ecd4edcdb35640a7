// SPDX-License-Identifier: GPL-2.0-or-later
#include "syslog_target.h"

#include <ctype.h>
#include <sys/un.h>

#define TARGET_LOCAL "/dev/log"

static const char target_forms[] =
	"expected local, unix:/PATH, udp:ADDRESS:PORT or tcp:ADDRESS:PORT, as in "
	"tcp:192.0.2.1:601 or tcp:[2001:db8::1]:601";
static const char target_names[] =
	"only an address is taken here: a host's name would have to be looked up, and the "
	"firewall's own lookups would launder its events; write the daemon's address";

static bool port_parse(const char *text, uint16_t *ret)
{
	char *end;
	unsigned long port;

	errno = 0;
	port = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || !port || port > UINT16_MAX)
		return false;
	*ret = (uint16_t)port;
	return true;
}

/* ADDRESS:PORT, with brackets around an IPv6 address. */
static int endpoint_parse(const char *text, struct syslog_target *target, const char **ret_problem)
{
	const char *colon = strrchr(text, ':'), *begin = text, *end = colon, *ignored;
	char address[ADDRESS_TEXT_MAX];

	*ret_problem = target_forms;
	if (!colon || !port_parse(colon + 1, &target->port))
		return -EINVAL;
	if (*begin == '[' && end > begin + 1 && end[-1] == ']') {
		begin++;
		end--;
	} else if (memchr(begin, ':', (size_t)(end - begin))) {
		return -EINVAL;
	}
	if ((size_t)snprintf(address, sizeof(address), "%.*s", (int)(end - begin), begin) >=
	    sizeof(address))
		address[0] = 0;
	*ret_problem = target_names;
	if (address_parse(address, &target->address, &ignored) < 0)
		return -EINVAL;
	*ret_problem = "this is a prefix; one daemon has one address";
	return address_is_single(&target->address) && !strchr(address, '/') ? 0 : -EINVAL;
}

static int path_parse(const char *path, struct syslog_target *target, const char **ret_problem)
{
	target->path = path;
	*ret_problem = "the path is longer than the name of a socket can be";
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return -EINVAL;
	*ret_problem = target_forms;
	return *path == '/' ? 0 : -EINVAL;
}

static int target_parse(struct syslog_target *target, const char **ret_problem)
{
	const char *text = target->text;

	*ret_problem = target_forms;
	if (util_streq(text, "local")) {
		target->transport = SYSLOG_LOCAL;
		return path_parse(TARGET_LOCAL, target, ret_problem);
	}
	if (strncmp(text, "unix:", 5) == 0) {
		target->transport = SYSLOG_UNIX;
		return path_parse(text + 5, target, ret_problem);
	}
	if (strncmp(text, "udp:", 4) != 0 && strncmp(text, "tcp:", 4) != 0)
		return -EINVAL;
	target->transport = *text == 'u' ? SYSLOG_UDP : SYSLOG_TCP;
	return endpoint_parse(text + 4, target, ret_problem);
}

int syslog_target_parse(const char *text, struct syslog_target *ret, const char **ret_problem)
{
	struct syslog_target target = {.text = strdup(text)};
	int r;

	*ret_problem = "out of memory";
	if (!target.text)
		return -ENOMEM;
	r = target_parse(&target, ret_problem);
	if (r < 0)
		syslog_target_done(&target);
	else
		*ret = target;
	return r;
}

void syslog_target_done(struct syslog_target *target)
{
	free(target->text);
	*target = (struct syslog_target){0};
}
