// SPDX-License-Identifier: GPL-2.0-or-later
/* userspace/query.c: what people write, in cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "userspace/query.h"

static void test_taken(void **state)
{
	static const struct {
		const char *text, *means;
	} cases[] = {
		{"8.8.8.8", "8.8.8.8:53/udp"},
		{"8.8.8.8:53/udp", "8.8.8.8:53/udp"},
		{"8.8.8.8:53", "8.8.8.8:53/udp"},
		{"8.8.8.8/tcp", "8.8.8.8:53/tcp"},
		{"8.8.8.8/dns/tcp", "8.8.8.8:53/tcp"},
		{"8.8.8.8/tcp/dns", "8.8.8.8:53/tcp"},
		{"8.8.8.8/dot", "8.8.8.8:853/tcp"},
		{"8.8.8.8/doq", "8.8.8.8:853/udp"},
		{"8.8.8.8:853", "8.8.8.8:853/tcp"},
		{"8.8.8.8:853/udp", "8.8.8.8:853/udp"},
		{"224.0.0.251/mdns", "224.0.0.251:5353/udp"},
		{"224.0.0.252/llmnr/tcp", "224.0.0.252:5355/tcp"},
		{"10.0.0.7:5300", "10.0.0.7:5300/udp"},
		{"10.0.0.7:5300/dot", "10.0.0.7:5300/tcp"},
		{"10.0.0.7/udplite", "10.0.0.7:53/udplite"},
		{"10.0.0.7/sctp", "10.0.0.7:53/sctp"},
		{"10.0.0.7:853/dccp", "10.0.0.7:853/dccp"},
		{"10.0.0.7/dns/sctp", "10.0.0.7:53/sctp"},
		{"2001:db8::1", "[2001:db8::1]:53/udp"},
		{"2001:db8::1/dot", "[2001:db8::1]:853/tcp"},
		{"[2001:db8::1]", "[2001:db8::1]:53/udp"},
		{"[2001:db8::1]:853/tcp", "[2001:db8::1]:853/tcp"},
		{"[2001:db8::1]/tcp", "[2001:db8::1]:53/tcp"},
		{"fe80::1%eth0", "[fe80::1]:53/udp"},
		{"[fe80::1%eth0]:53/tcp", "[fe80::1]:53/tcp"},
		{"::ffff:8.8.8.8", "8.8.8.8:53/udp"},
		{"::", "[::]:53/udp"},
		{"8.8.8.8:65535/tcp", "8.8.8.8:65535/tcp"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct problem problem;
		struct query query;
		char text[QUERY_TEXT_MAX];

		if (query_parse(cases[i].text, &query, &problem) < 0)
			fail_msg("'%s': %s", cases[i].text, problem.text);
		if (!util_streq(query_format(&query, text), cases[i].means))
			fail_msg("'%s' is %s, not %s", cases[i].text, text, cases[i].means);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *because;
	} cases[] = {
		{"", "does not begin with an IP address"},
		{"/dot", "does not begin with an IP address"},
		{":53", "does not begin with an IP address"},
		{"dns.google", "'dns.google' is not an IP address"},
		{"8.8.8", "'8.8.8' is not an IP address"},
		{"8.8.8.8.8", "is not an IP address"},
		{"8.8.8.8:", "'' is not a port"},
		{"8.8.8.8:0", "'0' is not a port"},
		{"8.8.8.8:65536", "'65536' is not a port"},
		{"8.8.8.8:53x", "'53x' is not a port"},
		{"8.8.8.8:-1", "'-1' is not a port"},
		{"8.8.8.8:99999999999999999999/udp", "is not a port"},
		{"8.8.8.0/24", "one address, not a prefix"},
		{"8.8.8.8/udp/tcp", "'tcp' is no transport"},
		{"8.8.8.8/dns/dot", "'dot' is no transport"},
		{"8.8.8.8/dns/tcp/x", "more behind it"},
		{"8.8.8.8/", "'' is no transport"},
		{"8.8.8.8/doh", "'doh' is no transport"},
		{"8.8.8.8/dot/udp", "dot is not spoken over udp"},
		{"8.8.8.8/doq/tcp", "doq is not spoken over tcp"},
		{"[::1", "a [ without its ]"},
		{"[::1]53", "'53' is neither a port nor /TRANSPORT"},
		{"[]:53", "does not begin with an IP address"},
		{"8.8.8.8%eth0:x", "is not a port"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct problem problem = {{0}};
		struct query query;

		if (query_parse(cases[i].text, &query, &problem) != -EINVAL)
			fail_msg("'%s' is taken", cases[i].text);
		if (!strstr(problem.text, cases[i].because))
			fail_msg("'%s': %s", cases[i].text, problem.text);
	}
}

/* Nowhere in particular is this host, as the hooks at the call see it. */
static void test_flow(void **state)
{
	static const uint8_t loopback4[16] = {127, 0, 0, 1}, loopback6[16] = {[15] = 1};
	struct problem problem;
	struct query query;
	struct df_flow flow;

	(void)state;
	assert_int_equal(query_parse("0.0.0.0", &query, &problem), 0);
	flow = query_flow(&query);
	assert_memory_equal(flow.daddr, loopback4, sizeof(loopback4));
	assert_int_equal(query_parse("::", &query, &problem), 0);
	flow = query_flow(&query);
	assert_memory_equal(flow.daddr, loopback6, sizeof(loopback6));
	assert_int_equal(flow.family, 6);
	assert_int_equal(flow.flags, FLOW_PORTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_flow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
