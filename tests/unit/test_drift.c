// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What routers advertise (userspace/rdnss.c): whole, cut off anywhere, and odd. What of it, and of
 * the files that tools write, is told (userspace/drift.c): each resolver outside the policy once,
 * for as long as somebody proposes it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/stat.h>

#include "userspace/drift.h"
#include "userspace/rdnss.h"

#define LIFETIME 1200

struct datagram {
	uint8_t bytes[4096] __attribute__((aligned(8)));
	size_t length;
};

struct seen {
	struct rdnss last;
	int count;
};

static void see(void *context, const struct rdnss *rdnss)
{
	struct seen *seen = context;

	seen->last = *rdnss;
	seen->count++;
}

static struct address address_of(const char *text)
{
	struct address address;
	const char *problem;

	assert_int_equal(address_parse(text, &address, &problem), 0);
	return address;
}

static void put(struct datagram *datagram, const void *bytes, size_t size)
{
	assert_true(datagram->length + size <= sizeof(datagram->bytes));
	memcpy(datagram->bytes + datagram->length, bytes, size);
	datagram->length += size;
}

static void put_rdnss(struct datagram *datagram, uint32_t lifetime, const char *const *resolvers,
		      size_t count)
{
	const uint8_t head[4] = {25, (uint8_t)(1 + 2 * count)};
	uint32_t network = htonl(lifetime);

	put(datagram, head, sizeof(head));
	put(datagram, &network, sizeof(network));
	for (size_t i = 0; i < count; i++)
		put(datagram, address_of(resolvers[i]).bytes, 16);
}

/* The message that begins at a place, once its options are behind it, and its router. */
static size_t begin_message(struct datagram *datagram)
{
	static const uint8_t nothing[NLMSG_HDRLEN + sizeof(struct nduseroptmsg)];
	size_t start = datagram->length;

	put(datagram, nothing, sizeof(nothing));
	return start;
}

static void end_message(struct datagram *datagram, size_t start, const char *router)
{
	const size_t head_end = start + NLMSG_HDRLEN + sizeof(struct nduseroptmsg);
	struct nduseroptmsg head = {
		.nduseropt_family = AF_INET6,
		.nduseropt_icmp_type = 134, /* router advertisement, RFC 4861 4.2 */
		.nduseropt_ifindex = 3,
		.nduseropt_opts_len = (uint16_t)(datagram->length - head_end),
	};
	const struct nlattr attribute = {.nla_len = NLA_HDRLEN + 16, .nla_type = NDUSEROPT_SRCADDR};
	struct nlmsghdr message = {.nlmsg_type = RTM_NEWNDUSEROPT};

	if (router) {
		put(datagram, &attribute, sizeof(attribute));
		put(datagram, address_of(router).bytes, 16);
	}
	message.nlmsg_len = (uint32_t)(datagram->length - start);
	memcpy(datagram->bytes + start, &message, sizeof(message));
	memcpy(datagram->bytes + start + NLMSG_HDRLEN, &head, sizeof(head));
}

static struct seen read_datagram(const struct datagram *datagram)
{
	struct seen seen = {.count = 0};

	rdnss_read_datagram(datagram->bytes, datagram->length, see, &seen);
	return seen;
}

static const char *const two[] = {"2001:db8::1", "2001:db8::2"};

static struct datagram good_datagram(void)
{
	struct datagram datagram = {.length = 0};
	size_t start = begin_message(&datagram);

	put_rdnss(&datagram, LIFETIME, two, 2);
	end_message(&datagram, start, "fe80::1");
	return datagram;
}

static void test_advertisement(void **state)
{
	struct datagram datagram = good_datagram();
	struct seen seen = read_datagram(&datagram);
	struct address router = address_of("fe80::1"), first = address_of(two[0]),
		       second = address_of(two[1]);

	(void)state;
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.last.ifindex, 3);
	assert_int_equal(seen.last.lifetime_s, LIFETIME);
	assert_int_equal(seen.last.length, 2);
	assert_true(address_equal(&seen.last.router, &router));
	assert_true(address_equal(&seen.last.resolvers[0], &first));
	assert_true(address_equal(&seen.last.resolvers[1], &second));
}

/* Two options in a message, two messages in a datagram, and one of another kind between. */
static void test_several(void **state)
{
	static const uint8_t search_list[16] = {31, 2}; /* DNSSL, RFC 8106 5.2 */
	struct datagram datagram = {.length = 0};
	size_t start = begin_message(&datagram);
	struct seen seen;

	(void)state;
	put_rdnss(&datagram, 0, two, 1);
	put(&datagram, search_list, sizeof(search_list));
	put_rdnss(&datagram, 7, two, 2);
	end_message(&datagram, start, NULL);
	start = begin_message(&datagram);
	put_rdnss(&datagram, RDNSS_FOR_EVER, two + 1, 1);
	end_message(&datagram, start, NULL);
	seen = read_datagram(&datagram);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.last.lifetime_s, RDNSS_FOR_EVER);
	assert_int_equal(seen.last.length, 1);
	assert_int_equal(seen.last.router.family, 0);
}

/* Cut anywhere, in memory of exactly that size: nothing, or what was whole. */
static void test_cut(void **state)
{
	struct datagram datagram = good_datagram();

	(void)state;
	for (size_t size = 0; size < datagram.length; size++) {
		_cleanup_free_ void *cut = malloc(MAX(size, 1u));
		struct seen seen = {.count = 0};

		assert_non_null(cut);
		memcpy(cut, datagram.bytes, size);
		rdnss_read_datagram(cut, size, see, &seen);
		assert_int_equal(seen.count, 0);
	}
}

/* A message that says itself that it ends within the router's address: there is no router. */
static void test_router_cut(void **state)
{
	struct datagram datagram = good_datagram();
	const size_t attribute = NLA_HDRLEN + 16;

	(void)state;
	for (size_t missing = 1; missing <= attribute; missing++) {
		const size_t size = datagram.length - missing;
		_cleanup_free_ struct nlmsghdr *cut = malloc(size);
		struct seen seen = {.count = 0};

		assert_non_null(cut);
		memcpy(cut, datagram.bytes, size);
		cut->nlmsg_len = (uint32_t)size;
		rdnss_read_datagram(cut, size, see, &seen);
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.last.router.family, 0);
	}
}

/* The parts of a good datagram, one of which the statement changes. */
#define READ_ODD(statement)                                               \
	({                                                                \
		struct datagram datagram = good_datagram();               \
		uint8_t *const at = datagram.bytes + NLMSG_HDRLEN;        \
		uint8_t *const option = at + sizeof(struct nduseroptmsg); \
		struct nduseroptmsg head;                                 \
		struct nlmsghdr message;                                  \
		memcpy(&message, datagram.bytes, sizeof(message));        \
		memcpy(&head, at, sizeof(head));                          \
		statement;                                                \
		memcpy(datagram.bytes, &message, sizeof(message));        \
		memcpy(at, &head, sizeof(head));                          \
		(void)option;                                             \
		read_datagram(&datagram).count;                           \
	})

#define PASSED_OVER(statement) assert_int_equal(READ_ODD(statement), 0)

static void test_odd(void **state)
{
	(void)state;
	assert_int_equal(READ_ODD((void)0), 1);
	PASSED_OVER(message.nlmsg_type = RTM_NEWLINK);
	PASSED_OVER(message.nlmsg_len = UINT32_MAX);
	PASSED_OVER(head.nduseropt_family = AF_INET);
	PASSED_OVER(head.nduseropt_icmp_type = 137);
	PASSED_OVER(head.nduseropt_opts_len = UINT16_MAX);
	PASSED_OVER(head.nduseropt_opts_len = 1);
	PASSED_OVER(option[0] = 24);
	PASSED_OVER(option[1] = 0); /* RFC 4861 4.6: to be discarded */
	PASSED_OVER(option[1] = 1); /* no address in it */
	PASSED_OVER(option[1] = 200); /* past the end */
}

/* Drift -------------------------------------------------------------------------------------- */

struct fixture {
	char root[64];
	struct drift *drift;
	struct event told;
	int count;
	const char *inside; /* what the policy names */
};

static bool is_inside(void *context, const struct address *resolver)
{
	const struct fixture *fixture = context;
	struct address inside = address_of(fixture->inside);

	return address_equal(resolver, &inside);
}

static void remember(void *context, struct event *event)
{
	struct fixture *fixture = context;

	fixture->told = *event;
	fixture->count++;
}

static void write_file(const struct fixture *fixture, const char *path, const char *text)
{
	char full[256], fresh[272];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", fixture->root, path);
	snprintf(fresh, sizeof(fresh), "%s.new", full);
	file = fopen(fresh, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(fresh, full), 0);
}

static void remove_tree(const char *root)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	assert_int_equal(system(command), 0);
}

static int set_up(void **state)
{
	static const char *const directories[] = {
		"/etc",
		"/run",
		"/run/systemd",
		"/run/systemd/resolve",
		"/run/systemd/netif",
		"/run/systemd/netif/links",
		"/run/NetworkManager",
	};
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const struct drift_handler handler = {fixture, is_inside, remember};
	char path[256];

	if (!fixture)
		return -1;
	strcpy(fixture->root, "/tmp/test-drift.XXXXXX");
	if (!mkdtemp(fixture->root))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(directories); i++) {
		snprintf(path, sizeof(path), "%s%s", fixture->root, directories[i]);
		if (mkdir(path, 0700) < 0)
			return -1;
	}
	fixture->inside = "192.0.2.53";
	write_file(fixture, "/etc/resolv.conf", "nameserver 198.51.100.1\n");
	fixture->drift = drift_new(fixture->root, &handler);
	*state = fixture;
	return fixture->drift ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	drift_free(fixture->drift);
	remove_tree(fixture->root);
	free(fixture);
	return 0;
}

static void look(struct fixture *fixture, int count)
{
	drift_tick(fixture->drift);
	assert_int_equal(fixture->count, count);
}

static void expect_told(const struct fixture *fixture, const char *source, const char *resolver,
			const char *path)
{
	assert_int_equal(fixture->told.kind, EVENT_DRIFT);
	assert_string_equal(fixture->told.drift.source, source);
	assert_string_equal(fixture->told.drift.resolver, resolver);
	assert_string_equal(fixture->told.drift.path, path);
}

static void test_files(void **state)
{
	struct fixture *fixture = *state;

	look(fixture, 0); /* it stood there before */
	write_file(fixture, "/etc/resolv.conf",
		   "nameserver 198.51.100.1\nnameserver 192.0.2.53\n# nameserver 8.8.8.8\n");
	look(fixture, 0);
	write_file(fixture, "/etc/resolv.conf", "nameserver 192.0.2.53\nnameserver 8.8.8.8\n");
	look(fixture, 1);
	expect_told(fixture, "resolv.conf", "8.8.8.8", "/etc/resolv.conf");
	look(fixture, 1);
	write_file(fixture, "/etc/resolv.conf", "nameserver 192.0.2.53\n");
	look(fixture, 1);
	write_file(fixture, "/etc/resolv.conf", "nameserver 8.8.8.8\n");
	look(fixture, 2); /* it was withdrawn in between */
	write_file(fixture, "/run/systemd/resolve/resolv.conf", "nameserver 8.8.8.8\n");
	look(fixture, 3);
	expect_told(fixture, "systemd-resolved", "8.8.8.8", "/run/systemd/resolve/resolv.conf");
	write_file(fixture, "/run/NetworkManager/no-stub-resolv.conf", "nameserver ::1%lo\n");
	look(fixture, 4);
	expect_told(fixture, "NetworkManager", "::1", "/run/NetworkManager/no-stub-resolv.conf");
	write_file(fixture, "/etc/resolv.conf", "");
	look(fixture, 4);
}

static void test_networkd(void **state)
{
	struct fixture *fixture = *state;
	const char *path = "/run/systemd/netif/links/1";

	write_file(fixture, path, "ADMIN_STATE=configured\nDNS=192.0.2.53\nNTP=8.8.8.8\n");
	look(fixture, 0);
	write_file(fixture, path, "DNS=192.0.2.53:53#corp.example 8.8.8.8:5353%1#dns.example\n");
	look(fixture, 1);
	expect_told(fixture, "systemd-networkd", "8.8.8.8", path);
	assert_string_equal(fixture->told.interface, "lo");
	write_file(fixture, path, "DNS=[2001:db8::1]:53#name 2001:db8::2\n");
	look(fixture, 3);
	expect_told(fixture, "systemd-networkd", "2001:db8::2", path);
	write_file(fixture, path, "DNS=\n");
	look(fixture, 3);
}

static struct rdnss advertisement(const char *resolver, uint32_t lifetime)
{
	struct rdnss rdnss = {.ifindex = 1, .lifetime_s = lifetime, .length = 1};

	rdnss.router = address_of("fe80::1");
	rdnss.resolvers[0] = address_of(resolver);
	return rdnss;
}

static void advertise(struct fixture *fixture, const char *resolver, uint32_t lifetime, int count)
{
	struct rdnss rdnss = advertisement(resolver, lifetime);

	drift_advertised(fixture->drift, &rdnss);
	assert_int_equal(fixture->count, count);
}

static void test_routers(void **state)
{
	struct fixture *fixture = *state;

	advertise(fixture, "192.0.2.53", 60, 0);
	advertise(fixture, "2001:db8::1", 60, 1);
	expect_told(fixture, "router-advertisement", "2001:db8::1", "");
	assert_string_equal(fixture->told.drift.router, "fe80::1");
	assert_string_equal(fixture->told.interface, "lo");
	assert_int_equal(fixture->told.drift.lifetime_s, 60);
	advertise(fixture, "2001:db8::1", 60, 1); /* once more is no news */
	look(fixture, 1);
	advertise(fixture, "2001:db8::1", 0, 1); /* withdrawn */
	advertise(fixture, "2001:db8::1", RDNSS_FOR_EVER, 2);
	look(fixture, 2);
	advertise(fixture, "2001:db8::1", 60, 2);
	/* The policy names it by now, and then no more. */
	fixture->inside = "2001:db8::1";
	advertise(fixture, "2001:db8::1", 60, 2);
	fixture->inside = "192.0.2.53";
	advertise(fixture, "2001:db8::1", 60, 3);
}

/* More than are kept: the oldest makes room, and nothing else is lost. */
static void test_many(void **state)
{
	struct fixture *fixture = *state;
	char text[32];

	for (int i = 0; i < 600; i++) {
		snprintf(text, sizeof(text), "2001:db8::%x", i + 1);
		advertise(fixture, text, 60, i + 1);
	}
	advertise(fixture, text, 60, 600);
	advertise(fixture, "2001:db8::1", 60, 601);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_advertisement),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_router_cut),
		cmocka_unit_test(test_odd),
		cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_networkd, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_routers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
