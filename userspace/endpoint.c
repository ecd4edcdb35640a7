// SPDX-License-Identifier: GPL-2.0-or-later
#include "endpoint.h"

#include <ctype.h>
#include <sys/socket.h>
#include <sys/stat.h>
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
static int address_port_parse(const char *text, struct endpoint_config *target,
			      const char **ret_problem)
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

static int path_parse(const char *path, struct endpoint_config *target, const char **ret_problem)
{
	target->path = path;
	*ret_problem = "the path is longer than the name of a socket can be";
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return -EINVAL;
	*ret_problem = target_forms;
	return *path == '/' ? 0 : -EINVAL;
}

static int target_parse(struct endpoint_config *target, const char **ret_problem)
{
	const char *text = target->text;

	*ret_problem = target_forms;
	if (util_streq(text, "local")) {
		target->kind = ENDPOINT_LOCAL;
		return path_parse(TARGET_LOCAL, target, ret_problem);
	}
	if (strncmp(text, "unix:", 5) == 0) {
		target->kind = ENDPOINT_UNIX;
		return path_parse(text + 5, target, ret_problem);
	}
	if (strncmp(text, "udp:", 4) != 0 && strncmp(text, "tcp:", 4) != 0)
		return -EINVAL;
	target->kind = *text == 'u' ? ENDPOINT_UDP : ENDPOINT_TCP;
	return address_port_parse(text + 4, target, ret_problem);
}

static int listen_parse(struct endpoint_config *target, const char **ret_problem)
{
	const char *text = target->text;
	int r;

	if (strncmp(text, "unix:", 5) == 0) {
		target->kind = ENDPOINT_UNIX;
		r = path_parse(text + 5, target, ret_problem);
	} else {
		target->kind = ENDPOINT_TCP;
		r = address_port_parse(text, target, ret_problem);
	}
	if (r < 0 && *ret_problem != target_forms)
		return r;
	*ret_problem = "expected unix:/PATH, or an address of loopback and a port, as in "
		       "127.0.0.1:9753 or [::1]:9753";
	if (r < 0)
		return r;
	return target->kind == ENDPOINT_UNIX || address_is_loopback(&target->address) ? 0 : -EINVAL;
}

static int endpoint_parse(const char *text,
			  int (*parse)(struct endpoint_config *endpoint, const char **ret_problem),
			  struct endpoint_config *ret, const char **ret_problem)
{
	struct endpoint_config endpoint = {.text = strdup(text)};
	int r;

	*ret_problem = "out of memory";
	if (!endpoint.text)
		return -ENOMEM;
	r = parse(&endpoint, ret_problem);
	if (r < 0)
		endpoint_done(&endpoint);
	else
		*ret = endpoint;
	return r;
}

int endpoint_parse_syslog(const char *text, struct endpoint_config *ret, const char **ret_problem)
{
	return endpoint_parse(text, target_parse, ret, ret_problem);
}

int endpoint_parse_listen(const char *text, struct endpoint_config *ret, const char **ret_problem)
{
	return endpoint_parse(text, listen_parse, ret, ret_problem);
}

void endpoint_done(struct endpoint_config *endpoint)
{
	free(endpoint->text);
	*endpoint = (struct endpoint_config){0};
}

socklen_t endpoint_address(const struct endpoint_config *endpoint, struct sockaddr_storage *ret)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (endpoint->address.family == 4) {
		in->sin_family = AF_INET;
		in->sin_port = htons(endpoint->port);
		memcpy(&in->sin_addr, endpoint->address.bytes, 4);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(endpoint->port);
	memcpy(&in6->sin6_addr, endpoint->address.bytes, 16);
	return sizeof(*in6);
}

/* What a daemon that was killed has left behind. */
static void remove_stale(const struct sockaddr_un *address)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (fd < 0 || lstat(address->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
	    errno == ECONNREFUSED)
		(void)unlink(address->sun_path);
}

static int bind_and_listen(int fd, const void *address, socklen_t length)
{
	if (bind(fd, address, length) < 0 || listen(fd, 16) < 0)
		return -errno;
	return 0;
}

int endpoint_listen_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask;
	int r;

	if (fd < 0)
		return -errno;
	if ((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >=
	    sizeof(address.sun_path))
		return -ENAMETOOLONG;
	remove_stale(&address);
	mask = umask(0117);
	r = bind_and_listen(fd, &address, sizeof(address));
	umask(mask);
	return r < 0 ? r : TAKE_FD(fd);
}

int endpoint_listen_tcp(const struct endpoint_config *endpoint)
{
	struct sockaddr_storage address;
	const socklen_t length = endpoint_address(endpoint, &address);
	_cleanup_close_ int fd =
		socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;
	int r;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	r = bind_and_listen(fd, &address, length);
	return r < 0 ? r : TAKE_FD(fd);
}
