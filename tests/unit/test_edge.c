// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/edge.c: which way an interface is fenced, by its kind and by what the configuration
 * says of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <net/if_arp.h>

#include "userspace/edge.h"

#define IN EDGE_SIDE_IN
#define OUT EDGE_SIDE_OUT

static uint32_t sides_of(int mode, char *interface, char *uplink, const char *name,
			 const char *kind, unsigned int type)
{
	struct word interfaces = {interface}, uplinks = {uplink};
	const struct edge_config config = {
		.mode = mode,
		.interfaces = {&interfaces, interface ? 1 : 0},
		.uplinks = {&uplinks, uplink ? 1 : 0},
	};
	struct link_info link = {.ifindex = 3, .type = type, .loopback = type == ARPHRD_LOOPBACK};

	strcpy(link.name, name);
	strcpy(link.kind, kind);
	return edge_sides(&config, &link);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *kind;
		unsigned int type;
		uint32_t sides;
	} cases[] = {
		{"", ARPHRD_ETHER, OUT},        {"", ARPHRD_LOOPBACK, 0},
		{"veth", ARPHRD_ETHER, IN},     {"tun", ARPHRD_ETHER, IN},
		{"tun", ARPHRD_NONE, IN | OUT}, {"bridge", ARPHRD_ETHER, 0},
		{"vlan", ARPHRD_ETHER, OUT},    {"bond", ARPHRD_ETHER, OUT},
		{"macvlan", ARPHRD_ETHER, OUT}, {"wireguard", ARPHRD_NONE, OUT},
		{"vxlan", ARPHRD_ETHER, OUT},   {"ipip", ARPHRD_TUNNEL, OUT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(
			sides_of(EDGE_AUTO, "auto", NULL, "x0", cases[i].kind, cases[i].type),
			cases[i].sides);
		assert_int_equal(
			sides_of(EDGE_OFF, "off", NULL, "x0", cases[i].kind, cases[i].type), 0);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(sides_of(EDGE_NAMED, "veth*", NULL, "veth1", "veth", ARPHRD_ETHER), IN);
	assert_int_equal(sides_of(EDGE_NAMED, "veth*", NULL, "eth0", "", ARPHRD_ETHER), 0);
	assert_int_equal(sides_of(EDGE_NAMED, "br0", NULL, "br0", "bridge", ARPHRD_ETHER), OUT);
	assert_int_equal(sides_of(EDGE_NAMED, "lo", NULL, "lo", "", ARPHRD_LOOPBACK), OUT);
	assert_int_equal(sides_of(EDGE_NAMED, "x", "eth*", "eth0", "veth", ARPHRD_ETHER), OUT);
	assert_int_equal(sides_of(EDGE_AUTO, "auto", "eth0", "eth0", "veth", ARPHRD_ETHER), OUT);
	assert_int_equal(sides_of(EDGE_OFF, NULL, "eth0", "eth0", "veth", ARPHRD_ETHER), 0);
}

/* Around a part of the host auto means no interface. */
static void test_asks(void **state)
{
	static const struct {
		int mode;
		uint32_t level;
		bool asks;
	} cases[] = {
		{EDGE_OFF, 0, false}, {EDGE_AUTO, 0, true},  {EDGE_NAMED, 0, true},
		{EDGE_OFF, 2, false}, {EDGE_AUTO, 2, false}, {EDGE_NAMED, 2, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(edge_config_asks(&(struct edge_config){.mode = cases[i].mode},
						  cases[i].level),
				 cases[i].asks);
}

static void test_types(void **state)
{
	bool ethernet;

	(void)state;
	assert_true(edge_reads_type(ARPHRD_ETHER, &ethernet) && ethernet);
	assert_true(edge_reads_type(ARPHRD_LOOPBACK, &ethernet) && ethernet);
	assert_true(edge_reads_type(ARPHRD_NONE, &ethernet) && !ethernet);
	assert_true(edge_reads_type(ARPHRD_PPP, &ethernet) && !ethernet);
	assert_false(edge_reads_type(ARPHRD_INFINIBAND, &ethernet));
	assert_false(edge_reads_type(ARPHRD_CAN, &ethernet));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_asks),
		cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
