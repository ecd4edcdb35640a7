// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel says about sockets (userspace/sockets.c): whole, cut off anywhere, and odd; a
 * socket of our own in the real list. Whose sockets they are (owners.c, cgroup.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "userspace/cgroup.h"
#include "userspace/owners.h"
#include "userspace/sockets.h"

#define SEQUENCE 7
#define PORT 1234
#define TCP4 (&socket_tables[0])

struct answer {
	uint8_t bytes[4096] __attribute__((aligned(8)));
	size_t length;
};

struct seen {
	struct socket_entry last;
	int count;
	int say; /* what the handler returns */
};

static int see(void *context, const struct socket_entry *entry)
{
	struct seen *seen = context;

	seen->last = *entry;
	seen->count++;
	return seen->say;
}

static struct nlmsghdr *put_message(struct answer *answer, uint16_t type, const void *payload,
				    size_t size)
{
	struct nlmsghdr *message = (struct nlmsghdr *)(answer->bytes + answer->length);

	*message = (struct nlmsghdr){
		.nlmsg_len = (uint32_t)NLMSG_LENGTH(size),
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_MULTI,
		.nlmsg_seq = SEQUENCE,
		.nlmsg_pid = PORT,
	};
	if (size)
		memcpy(NLMSG_DATA(message), payload, size);
	answer->length += NLMSG_ALIGN(message->nlmsg_len);
	return message;
}

/* Behind the last message. */
static struct nlattr *put_attribute(struct answer *answer, struct nlmsghdr *message, uint16_t type,
				    const void *payload, size_t size)
{
	struct nlattr *attribute = (struct nlattr *)(answer->bytes + answer->length);

	*attribute = (struct nlattr){.nla_len = (uint16_t)(NLA_HDRLEN + size), .nla_type = type};
	if (size)
		memcpy(attribute + 1, payload, size);
	answer->length += NLA_ALIGN(attribute->nla_len);
	message->nlmsg_len = (uint32_t)(answer->bytes + answer->length - (uint8_t *)message);
	return attribute;
}

static struct nlmsghdr *put_socket(struct answer *answer, uint16_t dport, uint64_t cgroup_id)
{
	const struct inet_diag_msg diag = {
		.idiag_family = AF_INET,
		.idiag_state = TCP_ESTABLISHED,
		.id = {.idiag_sport = htons(40000), .idiag_dport = htons(dport)},
		.idiag_uid = 33,
		.idiag_inode = 99,
	};
	struct nlmsghdr *message = put_message(answer, SOCK_DIAG_BY_FAMILY, &diag, sizeof(diag));

	put_attribute(answer, message, INET_DIAG_SHUTDOWN, "\0", 1);
	put_attribute(answer, message, INET_DIAG_CGROUP_ID, &cgroup_id, sizeof(cgroup_id));
	return message;
}

static int read_answer(const struct answer *answer, struct seen *seen)
{
	return sockets_read_answer(answer->bytes, answer->length, TCP4, SEQUENCE, PORT, see, seen);
}

static void test_whole_answer(void **state)
{
	struct answer answer = {0};
	struct seen seen = {0};
	const int32_t end = 0;

	(void)state;
	put_socket(&answer, 53, 0x123456789aull);
	put_socket(&answer, 443, 5);
	assert_int_equal(read_answer(&answer, &seen), 1);
	assert_int_equal(seen.count, 2);
	put_message(&answer, NLMSG_DONE, &end, sizeof(end));
	put_socket(&answer, 53, 1); /* behind the end: not looked at */
	assert_int_equal(read_answer(&answer, &seen), 0);
	assert_int_equal(seen.count, 4);
	assert_ptr_equal(seen.last.table, TCP4);
	assert_int_equal(ntohs(seen.last.id.idiag_dport), 443);
	assert_int_equal(seen.last.cgroup_id, 5);
	assert_int_equal(seen.last.inode, 99);
	assert_int_equal(seen.last.uid, 33);
	assert_int_equal(seen.last.state, TCP_ESTABLISHED);
}

static void test_kernel_errors(void **state)
{
	static const struct {
		uint16_t type;
		int32_t value;
		int wanted;
	} cases[] = {
		{NLMSG_ERROR, 0, 0},
		{NLMSG_ERROR, -ENOENT, -ENOENT},
		{NLMSG_ERROR, -EOPNOTSUPP, -EOPNOTSUPP},
		{NLMSG_ERROR, 1, -EPROTO},
		{NLMSG_ERROR, INT32_MIN, -EPROTO},
		{NLMSG_DONE, -EPERM, -EPERM},
		{NLMSG_DONE, 20, 0},
		{NLMSG_DONE, -100000, -EPROTO},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct answer answer = {0};
		struct seen seen = {0};

		put_message(&answer, cases[i].type, &cases[i].value, sizeof(cases[i].value));
		assert_int_equal(read_answer(&answer, &seen), cases[i].wanted);
		assert_int_equal(seen.count, 0);
	}
}

static void test_error_without_a_number(void **state)
{
	struct answer error = {0}, done = {0};
	struct seen seen = {0};

	(void)state;
	put_message(&error, NLMSG_ERROR, "\1\1", 2);
	assert_int_equal(read_answer(&error, &seen), -EPROTO);
	put_message(&done, NLMSG_DONE, NULL, 0);
	assert_int_equal(read_answer(&done, &seen), 0);
}

/* What somebody else's request was answered with, or one of ours that was given up. */
static void test_other_answers(void **state)
{
	struct answer answer = {0};
	struct seen seen = {0};

	(void)state;
	put_socket(&answer, 53, 1)->nlmsg_seq = SEQUENCE - 1;
	put_socket(&answer, 53, 1)->nlmsg_pid = PORT + 1;
	put_message(&answer, NLMSG_NOOP, NULL, 0);
	put_message(&answer, NLMSG_DONE, NULL, 0)->nlmsg_seq = SEQUENCE - 1;
	assert_int_equal(read_answer(&answer, &seen), 1);
	assert_int_equal(seen.count, 0);
	put_socket(&answer, 53, 1);
	assert_int_equal(read_answer(&answer, &seen), 1);
	assert_int_equal(seen.count, 1);
	seen.say = -ENOMEM;
	assert_int_equal(read_answer(&answer, &seen), -ENOMEM);
}

static void test_odd_sockets(void **state)
{
	const struct inet_diag_msg other = {.idiag_family = AF_INET6};
	struct answer family = {0}, narrow = {0}, small = {0};
	struct seen seen = {0};
	struct nlmsghdr *message;

	(void)state;
	put_message(&family, SOCK_DIAG_BY_FAMILY, &other, sizeof(other));
	assert_int_equal(read_answer(&family, &seen), -EPROTO);
	message = put_socket(&narrow, 53, 1);
	put_attribute(&narrow, message, INET_DIAG_CGROUP_ID, "\1\2\3\4", 4);
	assert_int_equal(read_answer(&narrow, &seen), -EPROTO);
	put_message(&small, SOCK_DIAG_BY_FAMILY, &other, sizeof(other) - 4);
	assert_int_equal(read_answer(&small, &seen), -EPROTO);
	assert_int_equal(seen.count, 0);
}

/* A message or an attribute that says it is longer or shorter than it can be. */
static void test_lengths_that_lie(void **state)
{
	static const uint32_t lengths[] = {0, 1, 15, 16, 17, 0x7fffffff, 0x80000000, 0xffffffff};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct answer answer = {0};
		struct seen seen = {0};

		put_socket(&answer, 53, 1)->nlmsg_len = lengths[i];
		assert_int_equal(read_answer(&answer, &seen), -EPROTO);
		assert_int_equal(seen.count, 0);
	}
	for (uint32_t length = 0; length < 0x10000; length += 3) {
		struct answer answer = {0};
		struct seen seen = {0};
		struct nlmsghdr *message = put_socket(&answer, 53, 1);

		put_attribute(&answer, message, INET_DIAG_INFO, "\0\0\0\0", 4)->nla_len =
			(uint16_t)length;
		assert_int_equal(read_answer(&answer, &seen), 1);
		assert_int_equal(seen.last.cgroup_id, 1);
	}
}

/* Every shorter datagram, in memory that ends there: ASan sees a byte too far. */
static void test_cut_off(void **state)
{
	struct answer answer = {0};
	size_t whole;

	(void)state;
	put_socket(&answer, 53, 1);
	whole = answer.length;
	put_socket(&answer, 53, 1);
	for (size_t length = 0; length < answer.length; length++) {
		uint8_t *cut = malloc(MAX(length, 1u));
		struct seen seen = {0};
		int r;

		memcpy(cut, answer.bytes, length);
		r = sockets_read_answer(cut, length, TCP4, SEQUENCE, PORT, see, &seen);
		assert_int_equal(r, length == whole ? 1 : -EPROTO);
		assert_int_equal(seen.count, length >= whole);
		free(cut);
	}
}

/* A message that says itself that it ends within the cgroup's identity: that is not told. */
static void test_cgroup_cut(void **state)
{
	struct answer answer = {0};

	(void)state;
	put_socket(&answer, 53, UINT64_MAX);
	for (size_t missing = 1; missing <= NLA_HDRLEN + sizeof(uint64_t); missing++) {
		const size_t length = answer.length - missing;
		struct nlmsghdr *cut = malloc(length);
		struct seen seen = {0};

		memcpy(cut, answer.bytes, length);
		cut->nlmsg_len = (uint32_t)length;
		assert_int_equal(sockets_read_answer(cut, length, TCP4, SEQUENCE, PORT, see, &seen),
				 1);
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.last.cgroup_id, 0);
		free(cut);
	}
}

static int find_inode(void *context, const struct socket_entry *entry)
{
	struct socket_entry *wanted = context;

	if (entry->inode == wanted->inode)
		*wanted = *entry;
	return 0;
}

/* A connected UDP socket of our own: in the list, and ours. No right is needed for that. */
static void test_own_socket(void **state)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
				       .sin_port = htons(5399),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct socket_entry wanted = {0};
	struct sockets *sockets;
	struct owners owners;
	struct stat st, net;
	char name[32];
	int r = 0;

	(void)state;
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(fstat(fd, &st), 0);
	wanted.inode = (uint32_t)st.st_ino;
	assert_int_equal(sockets_open(&sockets), 0);
	for (size_t i = 0; i < socket_tables_length; i++) {
		r = sockets_list(sockets, &socket_tables[i], find_inode, &wanted);
		if (!socket_tables[i].optional)
			assert_int_equal(r, 0);
	}
	sockets_close(sockets);
	assert_non_null(wanted.table);
	assert_string_equal(wanted.table->name, "udp");
	assert_int_equal(ntohs(wanted.id.idiag_dport), 5399);
	assert_int_equal(wanted.uid, getuid());

	assert_int_equal(owners_read(&owners), 0);
	assert_int_equal(owners_find(&owners, st.st_ino), getpid());
	assert_int_equal(owners_find(&owners, 0), 0);
	assert_int_equal(stat("/proc/self/ns/net", &net), 0);
	for (size_t i = 0; i < owners.namespaces_length; i++)
		r |= owners.namespaces[i].inode == net.st_ino && owners.namespaces[i].fd >= 0;
	assert_true(r);
	owners_done(&owners);
	owners_process_name((uint32_t)getpid(), name, sizeof(name));
	assert_string_equal(name, "test_sockets");
	close(fd);
}

static void test_cgroup_below(void **state)
{
	(void)state;
	assert_true(cgroup_is_below("/a/b", "/"));
	assert_true(cgroup_is_below("/", "/"));
	assert_true(cgroup_is_below("/a", "/a"));
	assert_true(cgroup_is_below("/a/b", "/a"));
	assert_false(cgroup_is_below("/ab", "/a"));
	assert_false(cgroup_is_below("/", "/a"));
	assert_false(cgroup_is_below("/b/a", "/a"));
}

/* Any directory will do: the ids are inode numbers. */
static void test_cgroup_ancestors(void **state)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat root, proc, self;
	uint64_t ids[3];

	(void)state;
	assert_int_equal(stat("/", &root) | stat("/proc", &proc) | stat("/proc/sys", &self), 0);
	assert_int_equal(cgroup_ancestors(fd, "/", ids, 3), 1);
	assert_int_equal(ids[0], root.st_ino);
	assert_int_equal(cgroup_ancestors(fd, "/proc/sys", ids, 3), 3);
	assert_int_equal(ids[1], proc.st_ino);
	assert_int_equal(ids[2], self.st_ino);
	assert_int_equal(cgroup_ancestors(fd, "/proc/sys/net", ids, 3), 3);
	assert_int_equal(cgroup_ancestors(fd, "/proc/none", ids, 3), -ENOENT);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_answer),
		cmocka_unit_test(test_kernel_errors),
		cmocka_unit_test(test_error_without_a_number),
		cmocka_unit_test(test_other_answers),
		cmocka_unit_test(test_odd_sockets),
		cmocka_unit_test(test_lengths_that_lie),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_cgroup_cut),
		cmocka_unit_test(test_own_socket),
		cmocka_unit_test(test_cgroup_below),
		cmocka_unit_test(test_cgroup_ancestors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
