/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A message of the kernel's dump of XFRM policies, with one template. Tests and fuzz targets only.
 */
#ifndef DNSFENCE_TEST_POLICY_MESSAGE_H
#define DNSFENCE_TEST_POLICY_MESSAGE_H

#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <stddef.h>

struct policy_message {
	struct nlmsghdr head;
	struct xfrm_userpolicy_info policy;
	struct nlattr attr;
	struct xfrm_user_tmpl template;
};

/* Its bytes: the struct's end is padding. */
#define POLICY_MESSAGE_BYTES \
	(offsetof(struct policy_message, template) + sizeof(struct xfrm_user_tmpl))

#endif
