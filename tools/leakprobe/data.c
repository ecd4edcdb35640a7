// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ways for the bytes of a query into a connected socket, or several queries into one send: the
 * kernel makes packets of them later, or elsewhere than in send().
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 /* linux/udp.h, 4.18 */
#endif

#define COPIES 4
#define DNS_FLAGS 2 /* offset of the flags, RFC 1035 4.1.1 */
#define DNS_FLAG_ANSWER 0x80

static int udp_write(struct probe *p)
{
	int result = open_udp(p) ?: connect_to(p, &p->to);

	if (result)
		return result;
	p->step = "send";
	return write(p->fd, p->query + 2, p->query_len) < 0 ? -errno : 0;
}

static int udp_writev(struct probe *p)
{
	size_t half = p->query_len / 2;
	struct iovec halves[2] = {
		{.iov_base = p->query + 2, .iov_len = half},
		{.iov_base = p->query + 2 + half, .iov_len = p->query_len - half},
	};
	int result = open_udp(p) ?: connect_to(p, &p->to);

	if (result)
		return result;
	p->step = "send";
	return writev(p->fd, halves, 2) < 0 ? -errno : 0;
}

/* UDP_CORK holds the datagram back; pulling the cork sends it, and reports no error. */
static int udp_cork_option(struct probe *p)
{
	size_t half = p->query_len / 2;

	return open_udp(p) ?: set_option_int(p, IPPROTO_UDP, UDP_CORK, 1)
		?: send_bytes(p, p->query + 2, half, 0, &p->to)
		?: send_bytes(p, p->query + 2 + half, p->query_len - half, 0, &p->to)
		?: set_option_int(p, IPPROTO_UDP, UDP_CORK, 0);
}

static size_t copy_queries(const struct probe *p, unsigned char *to)
{
	for (size_t i = 0; i < COPIES; i++)
		memcpy(to + i * p->query_len, p->query + 2, p->query_len);
	return COPIES * p->query_len;
}

static int udp_gso(struct probe *p)
{
	unsigned char datagrams[COPIES * QUERY_MAX];
	size_t len = copy_queries(p, datagrams);

	return open_udp(p) ?: set_option_int(p, IPPROTO_UDP, UDP_SEGMENT, (int)p->query_len)
		?: send_bytes(p, datagrams, len, 0, &p->to);
}

/* sendmsg() of bytes with the segment size in a control message. */
static int send_segments(struct probe *p, void *bytes, size_t len, const union endpoint *to)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(uint16_t))];
	} control = {
		.header = {.cmsg_level = IPPROTO_UDP,
			   .cmsg_type = UDP_SEGMENT,
			   .cmsg_len = CMSG_LEN(sizeof(uint16_t))},
	};
	struct iovec iov = {.iov_base = bytes, .iov_len = len};
	struct msghdr message = {
		.msg_name = (void *)to,
		.msg_namelen = address_len(to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	uint16_t segment = (uint16_t)p->query_len;

	memcpy(CMSG_DATA(&control.header), &segment, sizeof(segment));
	p->step = "send";
	return sendmsg(p->fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int udp_gso_cmsg(struct probe *p)
{
	unsigned char datagrams[COPIES * QUERY_MAX];
	size_t len = copy_queries(p, datagrams);

	return open_udp(p) ?: send_segments(p, datagrams, len, &p->to);
}

/* From a server's port; the first segment says that it is an answer, the others are queries. */
static int udp_gso_answer(struct probe *p)
{
	unsigned char datagrams[COPIES * QUERY_MAX];
	size_t len = copy_queries(p, datagrams);

	datagrams[DNS_FLAGS] |= DNS_FLAG_ANSWER;
	p->source_port = port_of(&p->to);
	return open_udp(p) ?: send_segments(p, datagrams, len, &p->to);
}

static int udp_zerocopy(struct probe *p)
{
	return open_udp(p) ?: set_option_int(p, SOL_SOCKET, SO_ZEROCOPY, 1)
		?: send_bytes(p, p->query + 2, p->query_len, MSG_ZEROCOPY, &p->to);
}

static int tcp_zerocopy(struct probe *p)
{
	return open_tcp(p) ?: set_option_int(p, SOL_SOCKET, SO_ZEROCOPY, 1)
		?: connect_to(p, &p->to)
		?: send_bytes(p, p->query, p->query_len + 2, MSG_ZEROCOPY, NULL);
}

static int send_file(struct probe *p, const void *bytes, size_t len)
{
	int fd, result = 0;

	p->step = "send";
	fd = memfd_create("query", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, bytes, len) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
	    sendfile(p->fd, fd, NULL, len) < 0)
		result = -errno;
	close(fd);
	return result;
}

static int send_pipe(struct probe *p, const void *bytes, size_t len)
{
	int ends[2], result = 0;

	p->step = "send";
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	if (write(ends[1], bytes, len) < 0 || splice(ends[0], NULL, p->fd, NULL, len, 0) < 0)
		result = -errno;
	close(ends[0]);
	close(ends[1]);
	return result;
}

static int udp_sendfile(struct probe *p)
{
	return open_udp(p) ?: connect_to(p, &p->to) ?: send_file(p, p->query + 2, p->query_len);
}

static int udp_splice(struct probe *p)
{
	return open_udp(p) ?: connect_to(p, &p->to) ?: send_pipe(p, p->query + 2, p->query_len);
}

static int tcp_sendfile(struct probe *p)
{
	return open_tcp(p) ?: connect_to(p, &p->to) ?: send_file(p, p->query, p->query_len + 2);
}

static int tcp_splice(struct probe *p)
{
	return open_tcp(p) ?: connect_to(p, &p->to) ?: send_pipe(p, p->query, p->query_len + 2);
}

const struct technique data_techniques[] = {
	{"udp-write", FOR_BOTH, NEEDS_NOTHING, udp_write, "connect(), write()"},
	{"udp-writev", FOR_BOTH, NEEDS_NOTHING, udp_writev, "connect(), writev()"},
	{"udp-cork-option", FOR_BOTH, NEEDS_NOTHING, udp_cork_option,
	 "one query by two sends under UDP_CORK, which is then unset"},
	{"udp-gso", FOR_BOTH, NEEDS_NOTHING, udp_gso, "four queries in one send by UDP_SEGMENT"},
	{"udp-gso-cmsg", FOR_BOTH, NEEDS_NOTHING, udp_gso_cmsg,
	 "the same by UDP_SEGMENT as a control message"},
	{"udp-gso-answer", FOR_BOTH, NEEDS_BIND, udp_gso_answer,
	 "the same from source port PORT, the first disguised as an answer"},
	{"udp-zerocopy", FOR_BOTH, NEEDS_NOTHING, udp_zerocopy, "sendto() with MSG_ZEROCOPY"},
	{"udp-sendfile", FOR_BOTH, NEEDS_NOTHING, udp_sendfile, "connect(), sendfile()"},
	{"udp-splice", FOR_BOTH, NEEDS_NOTHING, udp_splice, "connect(), splice() from a pipe"},
	{"tcp-zerocopy", FOR_BOTH, NEEDS_NOTHING, tcp_zerocopy,
	 "TCP: connect(), send() with MSG_ZEROCOPY"},
	{"tcp-sendfile", FOR_BOTH, NEEDS_NOTHING, tcp_sendfile, "TCP: connect(), sendfile()"},
	{"tcp-splice", FOR_BOTH, NEEDS_NOTHING, tcp_splice, "TCP: connect(), splice() from a pipe"},
	{},
};
