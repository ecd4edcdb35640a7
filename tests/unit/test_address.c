// SPDX-License-Identifier: GPL-2.0-or-later
/* userspace/address.c: what is an address or a prefix, what is not, and how it is written back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "userspace/address.h"

struct good_case {
	const char *text;
	uint8_t family;
	uint8_t prefix;
	const char *formatted; /* NULL: as text */
};

static const struct good_case good[] = {
	{"10.0.0.53", 4, 32, NULL},
	{"0.0.0.0", 4, 32, NULL},
	{"255.255.255.255", 4, 32, NULL},
	{"10.1.0.0/24", 4, 24, NULL},
	{"0.0.0.0/0", 4, 0, NULL},
	{"128.0.0.0/1", 4, 1, NULL},
	{"10.0.0.53/32", 4, 32, "10.0.0.53"},
	{"10.0.0.52/31", 4, 31, NULL},
	{"::", 6, 128, NULL},
	{"::1", 6, 128, NULL},
	{"2001:db8::53", 6, 128, NULL},
	{"2001:DB8:0:0:0:0:0:53", 6, 128, "2001:db8::53"},
	{"2001:db8::53/128", 6, 128, "2001:db8::53"},
	{"2001:db8::/32", 6, 32, NULL},
	{"::/0", 6, 0, NULL},
	{"8000::/1", 6, 1, NULL},
	{"fe80::1", 6, 128, NULL},
	{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 6, 128, NULL},
	/* IPv4-mapped ones are IPv4, as for the kernel side. */
	{"::ffff:10.0.0.53", 4, 32, "10.0.0.53"},
	{"::ffff:a00:35", 4, 32, "10.0.0.53"},
	{"::ffff:10.1.0.0/120", 4, 24, "10.1.0.0/24"},
	{"::ffff:0:0/96", 4, 0, "0.0.0.0/0"},
	/* Wider than the mapped block: IPv6, and it covers no IPv4. */
	{"::/80", 6, 80, NULL},
	/* Other ways to carry an IPv4 address are no aliases. */
	{"::10.0.0.53", 6, 128, NULL},
	{"64:ff9b::10.0.0.53", 6, 128, "64:ff9b::a00:35"},
};

struct bad_case {
	const char *text;
	const char *says; /* part of the message */
};

static const struct bad_case bad[] = {
	{"", "not an IP address"},
	{"dns.example.org", "not an IP address"},
	{"localhost", "names are not looked up"},
	{"10.0.0", "not an IP address"},
	{"10.0.0.256", "not an IP address"},
	{"10.0.0.53 ", "not an IP address"},
	{" 10.0.0.53", "not an IP address"},
	{"10.0.0.53:53", "not an IP address"},
	{"[::1]", "not an IP address"},
	{"[::1]:53", "not an IP address"},
	{"::1::2", "not an IP address"},
	{":", "not an IP address"},
	{"2001:db8::12345", "not an IP address"},
	{"/24", "not an IP address"},
	{"10.0.0.0/", "prefix length"},
	{"10.0.0.0/33", "prefix length"},
	{"10.0.0.0/-1", "prefix length"},
	{"10.0.0.0/+8", "prefix length"},
	{"10.0.0.0/08", "prefix length"},
	{"10.0.0.0/ 8", "prefix length"},
	{"10.0.0.0/8 ", "prefix length"},
	{"10.0.0.0/8/8", "prefix length"},
	{"10.0.0.0/255.0.0.0", "prefix length"},
	{"10.0.0.0/4294967304", "prefix length"},
	{"2001:db8::/129", "prefix length"},
	{"10.0.0.53/24", "10.0.0.0/24"},
	{"2001:db8::53/64", "2001:db8::/64"},
	{"0.0.0.1/0", "0.0.0.0/0"},
	{"::ffff:10.0.0.53/120", "host bits"},
	{"::ffff:0:0/95", "host bits"},
	{"fe80::1%eth0", "zone"},
	{"10.0.0.53%eth0", "zone"},
	{"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", "not an IP address"},
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const char *formatted = good[i].formatted ? good[i].formatted : good[i].text;
		char text[ADDRESS_TEXT_MAX];
		struct address address;
		const char *problem;

		if (address_parse(good[i].text, &address, &problem) != 0)
			fail_msg("%s: %s", good[i].text, problem);
		assert_int_equal(address.family, good[i].family);
		assert_int_equal(address.prefix, good[i].prefix);
		assert_string_equal(address_format(&address, text), formatted);
		for (size_t byte = 4; byte < 16 && address.family == 4; byte++)
			assert_int_equal(address.bytes[byte], 0);
	}
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct address address = {.family = 77};
		const char *problem = NULL;

		assert_int_equal(address_parse(bad[i].text, &address, &problem), -EINVAL);
		assert_int_equal(address.family, 77);
		assert_non_null(problem);
		if (!strstr(problem, bad[i].says))
			fail_msg("'%s': %s", bad[i].text, problem);
	}
}

/* However long the text, the message is bounded. */
static void test_long_text(void **state)
{
	char text[5000];
	struct address address;
	const char *problem;

	(void)state;
	memset(text, '1', sizeof(text));
	text[sizeof(text) - 1] = 0;
	assert_int_equal(address_parse(text, &address, &problem), -EINVAL);
	text[9] = '/';
	assert_int_equal(address_parse(text, &address, &problem), -EINVAL);
	text[10] = '%';
	assert_int_equal(address_parse(text, &address, &problem), -EINVAL);
	assert_true(strlen(problem) < 200);
}

static struct address parsed(const char *text)
{
	struct address address;
	const char *problem;

	assert_int_equal(address_parse(text, &address, &problem), 0);
	return address;
}

static void test_equal(void **state)
{
	struct address plain = parsed("10.0.0.53"), mapped = parsed("::ffff:10.0.0.53");
	struct address other = parsed("10.0.0.54"), prefix = parsed("10.0.0.52/31");
	struct address six = parsed("a00:35::");

	(void)state;
	assert_true(address_equal(&plain, &mapped));
	assert_false(address_equal(&plain, &other));
	assert_false(address_equal(&plain, &prefix));
	assert_false(address_equal(&plain, &six));
}

static void test_single_and_loopback(void **state)
{
	static const char *const loopback[] = {"127.0.0.1", "127.0.0.53", "127.255.255.255", "::1",
					       "::ffff:127.0.0.1"};
	static const char *const elsewhere[] = {"126.255.255.255", "128.0.0.0", "::",     "::2",
						"7f00::1",         "10.0.0.1",  "2001::1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(loopback); i++) {
		struct address address = parsed(loopback[i]);

		assert_true(address_is_loopback(&address));
		assert_true(address_is_single(&address));
	}
	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
		struct address address = parsed(elsewhere[i]);

		assert_false(address_is_loopback(&address));
	}
	assert_false(address_is_single(&(struct address){.family = 4, .prefix = 31}));
	assert_false(address_is_single(&(struct address){.family = 6, .prefix = 32}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_single_and_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
