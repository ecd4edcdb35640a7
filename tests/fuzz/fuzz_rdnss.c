// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any bytes as a datagram of the kernel's about routers' advertisements. What is
 * handed out has an address in it, and all of them are IPv6 ones.
 */
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "messages.h"
#include "userspace/rdnss.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An option with two resolvers (RFC 8106 5.1), and the router's address. */
static const struct {
	struct nlmsghdr head;
	struct nduseroptmsg about;
	uint8_t option[8 + 2 * 16];
	struct nlattr attr;
	uint8_t router[16];
} good = {
	.head = {.nlmsg_len = sizeof(good), .nlmsg_type = RTM_NEWNDUSEROPT},
	.about = {.nduseropt_family = AF_INET6,
		  .nduseropt_opts_len = sizeof(good.option),
		  .nduseropt_ifindex = 2,
		  .nduseropt_icmp_type = 134},
	.option = {25, sizeof(good.option) / 8},
	.attr = {.nla_len = NLA_HDRLEN + sizeof(good.router), .nla_type = NDUSEROPT_SRCADDR},
};

static void check(void *context, const struct rdnss *rdnss)
{
	(void)context;
	if (!rdnss->length || rdnss->length > RDNSS_RESOLVERS_MAX)
		abort();
	for (size_t i = 0; i < rdnss->length; i++)
		if (rdnss->resolvers[i].family != 6 || !address_is_single(&rdnss->resolvers[i]))
			abort();
	if (rdnss->router.family && !address_is_single(&rdnss->router))
		abort();
}

static void take(const uint8_t *data, size_t size)
{
	rdnss_read_datagram(data, size, check, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_messages(data, size, &good, sizeof(good), take);
	return 0;
}
