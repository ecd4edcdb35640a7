// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any bytes as the kernel's answer about sockets, as every table's. What is
 * handed out must belong to the table and have a name; the outcome is one that callers know.
 */
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include "messages.h"
#include "userspace/sockets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SEQUENCE 7

/* A socket with its cgroup, and the end of the dump. */
static const struct {
	struct nlmsghdr head;
	struct inet_diag_msg diag;
	struct nlattr attr;
	uint32_t cgroup_id[2];
	struct nlmsghdr end;
	int32_t status;
} good = {
	.head = {.nlmsg_len = offsetof(__typeof__(good), end),
		 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		 .nlmsg_seq = SEQUENCE},
	.diag = {.idiag_family = AF_INET, .idiag_state = 1},
	.attr = {.nla_len = NLA_HDRLEN + sizeof(good.cgroup_id), .nla_type = INET_DIAG_CGROUP_ID},
	.end = {.nlmsg_len = sizeof(good.end) + sizeof(good.status),
		.nlmsg_type = NLMSG_DONE,
		.nlmsg_seq = SEQUENCE},
};

static int check_entry(void *context, const struct socket_entry *entry)
{
	if (entry->table != context || !sockets_state_name(entry->state)[0])
		abort();
	return 0;
}

static void take(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < socket_tables_length; i++) {
		const struct socket_table *table = &socket_tables[i];
		int r = sockets_read_answer(data, size, table, SEQUENCE, 0, check_entry,
					    (void *)table);

		if (r > 1 || r < -4095)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_messages(data, size, &good, sizeof(good), take);
	return 0;
}
