// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The system calls that techniques are made of. Each says its step and returns 0 or -errno.
 */
#include "probe.h"

#include <errno.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

/* -s: the port is all that is bound; raw sockets have none. */
static int bind_source_port(struct probe *p, int family, int type)
{
	union endpoint local = {.any.sa_family = (sa_family_t)family};
	socklen_t len = family == AF_INET ? sizeof(local.in) : sizeof(local.in6);
	int one = 1;

	if (!p->source_port || type == SOCK_RAW || p->inherited >= 0)
		return 0;
	if (family == AF_INET)
		local.in.sin_port = htons(p->source_port);
	else
		local.in6.sin6_port = htons(p->source_port);
	if (setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(p->fd, &local.any, len) < 0)
		return -errno;
	return 0;
}

int open_socket(struct probe *p, int family, int type, int protocol)
{
	struct timeval timeout = {.tv_sec = p->timeout_ms / 1000,
				  .tv_usec = p->timeout_ms % 1000 * 1000};

	p->step = "socket";
	if (p->fd >= 0)
		close(p->fd);
	p->fd = p->inherited >= 0 ? dup(p->inherited)
				  : socket(family, type | SOCK_CLOEXEC, protocol);
	if (p->fd < 0)
		return -errno;
	/* Also bounds a connect() whose segments somebody drops: EINPROGRESS. */
	if (setsockopt(p->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
		return -errno;
	return bind_source_port(p, family, type);
}

int set_option(struct probe *p, int level, int option, const void *value, size_t len)
{
	p->step = "socket";
	return setsockopt(p->fd, level, option, value, (socklen_t)len) < 0 ? -errno : 0;
}

int set_option_int(struct probe *p, int level, int option, int value)
{
	return set_option(p, level, option, &value, sizeof(value));
}

int connect_to(struct probe *p, const union endpoint *to)
{
	p->step = "connect";
	return connect(p->fd, &to->any, address_len(to)) < 0 ? -errno : 0;
}

int send_bytes(struct probe *p, const void *bytes, size_t len, int flags, const union endpoint *to)
{
	p->step = "send";
	if (sendto(p->fd, bytes, len, flags | MSG_NOSIGNAL, to ? &to->any : NULL,
		   to ? address_len(to) : 0) < 0)
		return -errno;
	return 0;
}

int send_query(struct probe *p, const union endpoint *to)
{
	return send_bytes(p, p->query + 2, p->query_len, 0, to);
}

int send_stream(struct probe *p)
{
	return send_bytes(p, p->query, p->query_len + 2, 0, NULL);
}

int send_control(struct probe *p, const union endpoint *to, int level, int type, const void *data,
		 size_t len)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(64)];
	} control = {};
	struct iovec iov = {.iov_base = p->query + 2, .iov_len = p->query_len};
	struct msghdr message = {
		.msg_name = to ? (void *)to : NULL,
		.msg_namelen = to ? address_len(to) : 0,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(len),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = level;
	header->cmsg_type = type;
	header->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(header), data, len);
	p->step = "send";
	return sendmsg(p->fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int open_udp(struct probe *p)
{
	return open_socket(p, p->to.any.sa_family, SOCK_DGRAM, IPPROTO_UDP);
}

int open_tcp(struct probe *p)
{
	return open_socket(p, p->to.any.sa_family, SOCK_STREAM, IPPROTO_TCP);
}

/* This host's address towards another; connect() of a UDP socket sends nothing. */
int find_source(struct probe *p, const union endpoint *to, union endpoint *ret_source)
{
	union endpoint source, target = with_port(to, DISCARD_PORT);
	socklen_t len = sizeof(source);
	int fd, result = 0;

	p->step = "socket";
	fd = socket(to->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, &target.any, address_len(&target)) < 0 ||
	    getsockname(fd, &source.any, &len) < 0)
		result = -errno;
	close(fd);
	if (!result)
		*ret_source = source;
	return result;
}
