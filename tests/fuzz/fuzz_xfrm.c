// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any bytes as a message of the kernel's dump of XFRM policies. One that
 * transforms packets has room for a policy and a template.
 */
#include "messages.h"
#include "tests/unit/policy_message.h"
#include "userspace/ipsec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct policy_message good = {
	.head = {.nlmsg_len = POLICY_MESSAGE_BYTES, .nlmsg_type = XFRM_MSG_NEWPOLICY},
	.policy = {.dir = XFRM_POLICY_OUT, .action = XFRM_POLICY_ALLOW},
	.attr = {.nla_len = NLA_HDRLEN + sizeof(good.template), .nla_type = XFRMA_TMPL},
};

static void take(const uint8_t *data, size_t size)
{
	if (ipsec_policy_transforms(data, size) && size < POLICY_MESSAGE_BYTES)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_messages(data, size, &good, POLICY_MESSAGE_BYTES, take);
	return 0;
}
