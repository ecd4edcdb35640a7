// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which message of a dump of XFRM policies says that packets leave transformed
 * (userspace/ipsec.c): whole, of other kinds, and cut off anywhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy_message.h"
#include "userspace/ipsec.h"

static struct policy_message message_of(uint8_t dir, uint8_t action)
{
	return (struct policy_message){
		.head = {.nlmsg_len = POLICY_MESSAGE_BYTES, .nlmsg_type = XFRM_MSG_NEWPOLICY},
		.policy = {.dir = dir, .action = action},
		.attr = {.nla_len = NLA_HDRLEN + sizeof(struct xfrm_user_tmpl),
			 .nla_type = XFRMA_TMPL},
	};
}

static void test_outgoing(void **state)
{
	struct policy_message message = message_of(XFRM_POLICY_OUT, XFRM_POLICY_ALLOW);

	(void)state;
	assert_true(ipsec_policy_transforms(&message, sizeof(message)));
}

static void test_others(void **state)
{
	struct policy_message in = message_of(XFRM_POLICY_IN, XFRM_POLICY_ALLOW);
	struct policy_message forward = message_of(XFRM_POLICY_FWD, XFRM_POLICY_ALLOW);
	struct policy_message block = message_of(XFRM_POLICY_OUT, XFRM_POLICY_BLOCK);
	struct policy_message done = message_of(XFRM_POLICY_OUT, XFRM_POLICY_ALLOW);
	struct policy_message plain = message_of(XFRM_POLICY_OUT, XFRM_POLICY_ALLOW);

	(void)state;
	done.head.nlmsg_type = NLMSG_DONE;
	plain.attr.nla_type = XFRMA_MARK;
	assert_false(ipsec_policy_transforms(&in, sizeof(in)));
	assert_false(ipsec_policy_transforms(&forward, sizeof(forward)));
	assert_false(ipsec_policy_transforms(&block, sizeof(block)));
	assert_false(ipsec_policy_transforms(&done, sizeof(done)));
	assert_false(ipsec_policy_transforms(&plain, sizeof(plain)));
}

/* Every shorter message, in memory that ends there, and shorter by its own word, too. */
static void test_cut_off(void **state)
{
	struct policy_message message = message_of(XFRM_POLICY_OUT, XFRM_POLICY_ALLOW);

	(void)state;
	for (size_t size = 0; size < POLICY_MESSAGE_BYTES; size++) {
		struct nlmsghdr *cut = malloc(size ? size : 1);

		memcpy(cut, &message, size);
		assert_false(ipsec_policy_transforms(cut, size));
		if (size >= sizeof(*cut)) {
			cut->nlmsg_len = (uint32_t)size;
			assert_false(ipsec_policy_transforms(cut, size));
		}
		free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outgoing),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
