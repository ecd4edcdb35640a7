// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any bytes as a message of the kernel's dump of XFRM policies. One that
 * transforms packets has room for a policy and a template.
 */
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <stdint.h>
#include <stdlib.h>

#include "userspace/ipsec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy that ends where it ends, aligned as a receive buffer is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (ipsec_policy_transforms(copy, size) &&
	    size < NLMSG_HDRLEN + sizeof(struct xfrm_userpolicy_info) + NLA_HDRLEN +
			    sizeof(struct xfrm_user_tmpl))
		abort();
	free(copy);
	return 0;
}
