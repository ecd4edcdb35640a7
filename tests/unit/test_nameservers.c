// SPDX-License-Identifier: GPL-2.0-or-later
/* userspace/nameservers.c: what systemd and its like write for a server, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "userspace/nameservers.h"

static void test_good(void **state)
{
	static const struct {
		const char *text, *address;
		uint16_t port;
		bool zone;
	} cases[] = {
		{"192.0.2.1", "192.0.2.1", 53, false},
		{"192.0.2.1:5353", "192.0.2.1", 5353, false},
		{"192.0.2.1:65535", "192.0.2.1", 65535, false},
		{"192.0.2.1%eth0", "192.0.2.1", 53, true},
		{"192.0.2.1:5353%2#dns.example", "192.0.2.1", 5353, true},
		{"192.0.2.1#dns.example", "192.0.2.1", 53, false},
		{"192.0.2.1#", "192.0.2.1", 53, false},
		{"192.0.2.1#odd:name%with[all]", "192.0.2.1", 53, false},
		{"2001:db8::1", "2001:db8::1", 53, false},
		{"::1", "::1", 53, false},
		{"fe80::1%eth0", "fe80::1", 53, true},
		{"fe80::1%eth0:1", "fe80::1", 53, true}, /* an alias' name has a colon */
		{"fe80::1%eth0#dns.example", "fe80::1", 53, true},
		{"[2001:db8::1]", "2001:db8::1", 53, false},
		{"[2001:db8::1]:853", "2001:db8::1", 853, false},
		{"[fe80::1]:853%eth0#dns.example", "fe80::1", 853, true},
		{"[fe80::1%eth0]:853", "fe80::1", 853, true},
		{"[192.0.2.1]:853", "192.0.2.1", 853, false},
		{"::ffff:192.0.2.1", "192.0.2.1", 53, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct nameserver server;
		char address[ADDRESS_TEXT_MAX];

		print_message("%s\n", cases[i].text);
		assert_int_equal(nameserver_parse(cases[i].text, &server), 0);
		(void)address_format(&server.address, address);
		assert_string_equal(address, cases[i].address);
		assert_int_equal(server.port, cases[i].port);
		assert_int_equal(server.zone, cases[i].zone);
	}
}

static void test_bad(void **state)
{
	static const char *const cases[] = {
		"",
		"#",
		"%",
		":",
		"[",
		"]",
		"[]",
		"[]:53",
		":53",
		"%eth0",
		"#dns.example",
		"dns.example",
		"dns.example:53",
		"192.0.2",
		"192.0.2.1/24",
		"192.0.2.1/32:53:",
		"192.0.2.1:",
		"192.0.2.1:0",
		"192.0.2.1:65536",
		"192.0.2.1:-1",
		"192.0.2.1:+53",
		"192.0.2.1: 53",
		"192.0.2.1:53x",
		"192.0.2.1:99999999999999999999",
		"192.0.2.1%",
		"192.0.2.1:53%",
		"192.0.2.1%#dns.example",
		"192.0.2.1]",
		"[192.0.2.1",
		"[2001:db8::1",
		"[2001:db8::1]853",
		"[2001:db8::1]:",
		"[2001:db8::1]:x",
		"[[2001:db8::1]]",
		"[2001:db8::1#dns.example]",
		"[fe80::1%eth0",
		"2001:db8::1]:53",
		"2001:db8::/32",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:"
		"1111",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct nameserver server = {.port = 7};

		print_message("%s\n", cases[i]);
		assert_int_equal(nameserver_parse(cases[i], &server), -EINVAL);
		assert_int_equal(server.port, 7);
	}
}

static void test_added_once(void **state)
{
	struct nameservers servers = {0};

	(void)state;
	nameservers_add_systemd(&servers, "192.0.2.1:53#dns.example");
	nameservers_add_systemd(&servers, "192.0.2.1:5353");
	nameservers_add_systemd(&servers, "dns.example");
	nameservers_add(&servers, "192.0.2.1");
	assert_int_equal(servers.length, 1);
	assert_int_equal(servers.list[0].port, 53);
	for (int i = 0; i < 2 * NAMESERVERS_MAX; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "198.51.100.%d", i);
		nameservers_add_systemd(&servers, text);
	}
	assert_int_equal(servers.length, NAMESERVERS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_added_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
