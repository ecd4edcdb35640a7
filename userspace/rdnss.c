// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdnss.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <netinet/icmp6.h>
#include <sys/socket.h>

#include "netlink.h"

#define DATAGRAM_BYTES 8192
#define DATAGRAMS_MAX 64 /* in one reading; the rest keeps the descriptor readable */

#define OPTION_RDNSS 25 /* RFC 8106 5.1 */
#define OPTION_UNIT 8 /* bytes, RFC 4861 4.6 */
#define RDNSS_HEAD 8 /* type, length, reserved, lifetime */
#define RDNSS_LIFETIME 4

int rdnss_open(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK,
				      .nl_groups = 1u << (RTNLGRP_ND_USEROPT - 1)};
	_cleanup_close_ int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static struct address address_from_bytes(const uint8_t bytes[16])
{
	struct address address = {.family = 6, .prefix = 128};

	memcpy(address.bytes, bytes, sizeof(address.bytes));
	return address;
}

/* length: of the whole option, checked to be there. */
static void option_read(const uint8_t *option, size_t length, struct rdnss *rdnss,
			rdnss_callback callback, void *context)
{
	uint32_t lifetime;

	if (length < RDNSS_HEAD + sizeof(rdnss->resolvers[0].bytes))
		return;
	memcpy(&lifetime, option + RDNSS_LIFETIME, sizeof(lifetime));
	rdnss->lifetime_s = ntohl(lifetime);
	rdnss->length = 0;
	for (size_t at = RDNSS_HEAD;
	     at + 16 <= length && rdnss->length < ARRAY_LEN(rdnss->resolvers); at += 16)
		rdnss->resolvers[rdnss->length++] = address_from_bytes(option + at);
	callback(context, rdnss);
}

static void options_read(const uint8_t *options, size_t size, struct rdnss *rdnss,
			 rdnss_callback callback, void *context)
{
	while (size >= 2) {
		size_t length = (size_t)options[1] * OPTION_UNIT;

		if (!length || length > size)
			return;
		if (options[0] == OPTION_RDNSS)
			option_read(options, length, rdnss, callback, context);
		options += length;
		size -= length;
	}
}

static struct address router_read(const struct nlmsghdr *message, size_t before)
{
	const struct nlattr *attr;

	netlink_attr_for_each (attr, message, before) {
		if (mnl_attr_get_type(attr) == NDUSEROPT_SRCADDR &&
		    mnl_attr_get_payload_len(attr) == 16)
			return address_from_bytes(mnl_attr_get_payload(attr));
	}
	return (struct address){0};
}

/* linux/rtnetlink.h: a struct nduseroptmsg, the options, then attributes. */
static void message_read(const struct nlmsghdr *message, rdnss_callback callback, void *context)
{
	const struct nduseroptmsg *head = mnl_nlmsg_get_payload(message);
	size_t payload = mnl_nlmsg_get_payload_len(message);
	struct rdnss rdnss;

	if (message->nlmsg_type != RTM_NEWNDUSEROPT || payload < sizeof(*head) ||
	    head->nduseropt_family != AF_INET6 || head->nduseropt_icmp_type != ND_ROUTER_ADVERT ||
	    payload - sizeof(*head) < head->nduseropt_opts_len)
		return;
	rdnss.ifindex = (uint32_t)head->nduseropt_ifindex;
	rdnss.router = router_read(message, sizeof(*head) + head->nduseropt_opts_len);
	options_read((const uint8_t *)(head + 1), head->nduseropt_opts_len, &rdnss, callback,
		     context);
}

void rdnss_read_datagram(const void *data, size_t size, rdnss_callback callback, void *context)
{
	const struct nlmsghdr *message = data;
	int left = (int)MIN(size, (size_t)INT32_MAX);

	for (; netlink_message_fits(message, left); message = mnl_nlmsg_next(message, &left))
		message_read(message, callback, context);
}

int rdnss_read(int fd, rdnss_callback callback, void *context)
{
	uint8_t datagram[DATAGRAM_BYTES] __attribute__((aligned(8)));

	for (int i = 0; i < DATAGRAMS_MAX; i++) {
		struct sockaddr_nl from = {0};
		socklen_t length = sizeof(from);
		ssize_t size = recvfrom(fd, datagram, sizeof(datagram), 0, (struct sockaddr *)&from,
					&length);

		if (size < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (!from.nl_pid) /* the kernel, and no process that multicasts */
			rdnss_read_datagram(datagram, (size_t)size, callback, context);
	}
	return 0;
}
