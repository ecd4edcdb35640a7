/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two bounds that libmnl (1.0.5) leaves to the caller, for messages whose lengths cannot be
 * believed: userspace/rdnss.c, sockets.c and ipsec.c.
 */
#ifndef DNSFENCE_NETLINK_H
#define DNSFENCE_NETLINK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * left: bytes of the datagram from message on. mnl_nlmsg_ok() compares signed numbers: a length
 * of 2 GiB and more passes for one that fits.
 */
static inline bool netlink_message_fits(const struct nlmsghdr *message, int left)
{
	return mnl_nlmsg_ok(message, left) && message->nlmsg_len <= (uint32_t)left;
}

/*
 * As mnl_attr_for_each(), which ends at nlmsg_len rounded up to 4: up to three bytes behind a
 * message that is the last of its buffer. This one ends at nlmsg_len. offset: bytes of the
 * family's own header, behind the netlink one.
 */
#define netlink_attr_for_each(attr, message, offset)                                    \
	for ((attr) = mnl_nlmsg_get_payload_offset((message), (offset));                \
	     mnl_attr_ok((attr), (int)((const char *)(message) + (message)->nlmsg_len - \
				       (const char *)(attr)));                          \
	     (attr) = mnl_attr_next(attr))

#endif
