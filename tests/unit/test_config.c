// SPDX-License-Identifier: GPL-2.0-or-later
/* userspace/config.c, document.c and schema.c: what a configuration means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "bpf/abi.h"
#include "config_fixture.h"
#include "userspace/identity.h"
#include "userspace/queue.h"

#define BIT(service) (1u << DF_SERVICE_##service)

/* The minimal file: everything else is a default. */
static void test_defaults(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	const struct config *config = &fixture.config;

	(void)state;
	load_good(V DEFAULT, &fixture);
	assert_int_equal(config->mode, MODE_ENFORCE);
	assert_int_equal(config->on_deny, EPERM);
	assert_int_equal(config->services, BIT(DNS) | BIT(DOT) | BIT(DOQ));
	assert_int_equal(config->sets_length, 0);
	assert_int_equal(config->policies_length, 1);
	assert_true(config->events_stdout);
	assert_null(config->events_file);
	assert_int_equal(config->hooks, HOOKS_AUTO);
	assert_int_equal(config->edge.mode, EDGE_OFF);
	assert_false(config->builtin);
	assert_string_equal(config->policies[0].name, "default");
	assert_false(config->policies[0].has_match);
	assert_false(config->policies[0].any);
	assert_int_equal(config->policies[0].sets_length, 0);
	assert_int_equal(config->policies[0].mode, MODE_INHERIT);
}

static const char whole[] =
	"apiVersion: dnsfence/v1\n"
	"mode: audit\n"
	"on_deny: refused\n"
	"services: [dns, mdns]\n"
	"resolvers:\n"
	"  near: [127.0.0.53]\n"
	"  corp:\n"
	"    - 10.1.0.0/24\n"
	"    - {address: \"2001:db8::53\", service: dns}\n"
	"    - {address: 192.0.2.7, service: dns, port: 5300, protocol: udp}\n"
	"    - {address: 10.96.0.10, translated: true}\n"
	"  none: []\n"
	"policies:\n"
	"  - {name: recursor, match: {cgroup: /system.slice/unbound.service}, resolvers: any}\n"
	"  - {name: ci, match: {cgroup: /ci.slice/*, user: \"1000\"}, mode: enforce,\n"
	"     on_deny: unreachable, resolvers: [corp, near]}\n"
	"  - {name: web, match: {container: {name: 'web-*', image: [a, b], runtime: [docker, "
	"podman],\n"
	"     label: {app: web, tier: [1, 2]}, id: 3f0c*, user: root}}, resolvers: []}\n"
	"  - {name: pods, match: {pod: {namespace: prod, name: x, label: {a: b}}}, resolvers: []}\n"
	"  - {name: units, match: {unit: [a.service, 'b@*'], user_unit: c.scope, user: [a, 7],\n"
	"     cgroup: [/x, /y]}, resolvers: []}\n"
	"  - {name: vms, match: {interface: [virbr0, 'vnet*'], source: 10.9.0.0/16}, resolvers: "
	"[]}\n"
	"  - {name: default, resolvers: [near]}\n"
	"edge: {interfaces: ['vnet*', eth0], uplinks: eth0}\n"
	"runtimes: {host: /host, docker: /data/docker, podman: [/a, /b]}\n"
	"events:\n"
	"  stdout: false\n"
	"  file: /var/log/dnsfence/events.jsonl\n"
	"  rotate: {size: 64MiB, keep: 3}\n"
	"  journal: true\n"
	"  socket: /run/dnsfence/events.sock\n"
	"  syslog: {to: [local, 'tcp:[2001:db8::1]:601', udp:192.0.2.1:514], facility: local3,\n"
	"           format: text}\n"
	"  queue: 128 KiB\n"
	"  drop: oldest\n"
	"  allowed: 100\n"
	"  buffer: 2048\n"
	"metrics: {listen: '[::1]:9753', textfile: /var/lib/n/d.prom, interval: 5}\n"
	"hooks: all\n";

static void test_whole_top(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	const struct config *config = &fixture.config;

	(void)state;
	load_good(whole, &fixture);
	assert_int_equal(config->mode, MODE_AUDIT);
	assert_int_equal(config->on_deny, ECONNREFUSED);
	assert_int_equal(config->services, BIT(DNS) | BIT(MDNS));
	assert_int_equal(config->hooks, HOOKS_ALL);
	assert_false(config->events_stdout);
	assert_string_equal(config->events_file, "/var/log/dnsfence/events.jsonl");
	assert_int_equal(config->ring_kib, 2048);
	assert_string_equal(config->files[0], "test.yaml");
	assert_int_equal(config->edge.mode, EDGE_NAMED);
	assert_int_equal(config->edge.interfaces.length, 2);
	assert_true(words_match(&config->edge.interfaces, "vnet12"));
	assert_false(words_match(&config->edge.interfaces, "eth1"));
	assert_string_equal(config->edge.uplinks.list[0].text, "eth0");
	assert_string_equal(config->runtimes.host, "/host");
	assert_int_equal(config->runtimes.docker.length, 1);
	assert_string_equal(config->runtimes.docker.list[0].text, "/data/docker");
	assert_int_equal(config->runtimes.podman.length, 2);
	assert_string_equal(config->runtimes.podman.list[1].text, "/b");
	assert_int_equal(config->runtimes.pods.length, 0);
	assert_int_equal(config->policies[5].match.interfaces.length, 2);
	assert_int_equal(config->policies[5].match.sources.list[0].prefix, 16);
}

static void test_whole_events(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	const struct config *config = &fixture.config;
	const struct syslog_place *syslog;

	(void)state;
	load_good(whole, &fixture);
	syslog = config->syslog.list;
	assert_int_equal(config->rotate_size, 64 << 20);
	assert_int_equal(config->rotate_keep, 3);
	assert_true(config->events_journal);
	assert_string_equal(config->events_socket, "/run/dnsfence/events.sock");
	assert_int_equal(config->syslog.length, 3);
	assert_int_equal(syslog[0].target.kind, ENDPOINT_LOCAL);
	assert_string_equal(syslog[0].target.path, "/dev/log");
	assert_int_equal(syslog[1].target.kind, ENDPOINT_TCP);
	assert_int_equal(syslog[1].target.address.family, 6);
	assert_int_equal(syslog[1].target.port, 601);
	assert_int_equal(syslog[2].target.kind, ENDPOINT_UDP);
	assert_int_equal(syslog[2].target.port, 514);
	assert_int_equal(config->syslog_facility, 19);
	assert_int_equal(config->syslog_format, SYSLOG_FORMAT_TEXT);
	assert_int_equal(config->queue_size, 128 << 10);
	assert_int_equal(config->queue_drop, QUEUE_DROP_OLDEST);
	assert_int_equal(config->events_allowed, 100);
	assert_int_equal(config->metrics_listen.kind, ENDPOINT_TCP);
	assert_int_equal(config->metrics_listen.port, 9753);
	assert_null(config->metrics_listen.path);
	assert_string_equal(config->metrics_file, "/var/lib/n/d.prom");
	assert_int_equal(config->metrics_interval, 5);
}

static void test_whole_resolvers(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	const struct resolver_set *corp;

	(void)state;
	load_good(whole, &fixture);
	assert_int_equal(fixture.config.sets_length, 3);
	assert_null(config_find_set(&fixture.config, "nobody"));
	corp = config_find_set(&fixture.config, "corp");
	assert_non_null(corp);
	assert_int_equal(corp->length, 4);
	assert_int_equal(corp->where.line, 7);
	assert_int_equal(corp->resolvers[0].address.prefix, 24);
	assert_int_equal(corp->resolvers[0].services, 0);
	assert_int_equal(corp->resolvers[1].address.family, 6);
	assert_int_equal(corp->resolvers[1].services, BIT(DNS));
	assert_int_equal(corp->resolvers[1].where.line, 9);
	assert_int_equal(corp->resolvers[2].port, 5300);
	assert_int_equal(corp->resolvers[2].protocols, DF_PROTO_UDP);
	assert_false(corp->resolvers[2].translated);
	assert_true(corp->resolvers[3].translated);
}

static void test_whole_policies(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	const struct policy_config *policies;

	(void)state;
	load_good(whole, &fixture);
	policies = fixture.config.policies;
	assert_int_equal(fixture.config.policies_length, 7);
	assert_true(policies[0].any);
	assert_string_equal(policies[0].match.cgroups.list[0].text,
			    "/system.slice/unbound.service");
	assert_int_equal(policies[0].match.users.words.length, 0);
	assert_string_equal(policies[1].match.users.words.list[0].text, "1000");
	assert_int_equal(policies[1].mode, MODE_ENFORCE);
	assert_int_equal(policies[1].on_deny, EHOSTUNREACH);
	assert_int_equal(policies[1].sets_length, 2);
	assert_string_equal(policies[1].sets[0], "corp");
	assert_true(policies[1].has_match);
	assert_int_equal(policies[6].mode, MODE_INHERIT);
	assert_int_equal(policies[6].on_deny, 0);
	assert_false(policies[6].has_match);
}

static void test_whole_matches(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	const struct container_match *container;
	const struct match *match;

	(void)state;
	load_good(whole, &fixture);
	container = &fixture.config.policies[2].match.container;
	assert_string_equal(container->names.list[0].text, "web-*");
	assert_int_equal(container->names.list[0].where.line, 17);
	assert_int_equal(container->images.length, 2);
	assert_int_equal(container->runtimes, 1u << RUNTIME_DOCKER | 1u << RUNTIME_PODMAN);
	assert_int_equal(container->labels.length, 2);
	assert_string_equal(container->labels.list[1].key, "tier");
	assert_string_equal(container->labels.list[1].values.list[1].text, "2");
	assert_string_equal(container->owners.words.list[0].text, "root");
	assert_int_equal(container->where.line, 17);
	match = &fixture.config.policies[3].match;
	assert_int_equal(match->container.where.line, 0);
	assert_string_equal(match->pod.namespaces.list[0].text, "prod");
	assert_string_equal(match->pod.labels.list[0].key, "a");
	match = &fixture.config.policies[4].match;
	assert_int_equal(match->units.length, 2);
	assert_int_equal(match->user_units.length, 1);
	assert_int_equal(match->users.words.length, 2);
	assert_int_equal(match->cgroups.length, 2);
}

struct scalar_case {
	const char *text;
	uint32_t services;
};

/* One service needs no brackets; every way to write a word is the same word. */
static void test_services(void **state)
{
	static const struct scalar_case table[] = {
		{V DEFAULT "services: dns\n", BIT(DNS)},
		{V DEFAULT "services: [dot]\n", BIT(DOT)},
		{V DEFAULT "services: [\"dns\", 'doq']\n", BIT(DNS) | BIT(DOQ)},
		{V DEFAULT "services:\n- llmnr\n- netbios\n- mdns\n",
		 BIT(LLMNR) | BIT(NETBIOS) | BIT(MDNS)},
		{V DEFAULT "services: [dns, dns]\n", BIT(DNS)},
		{"{\"apiVersion\": \"dnsfence/v1\", \"services\": [\"dns\"], \"policies\": "
		 "[{\"name\": \"d\", \"resolvers\": \"any\"}]}",
		 BIT(DNS)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		_cleanup_fixture_ struct fixture fixture;

		load_good(table[i].text, &fixture);
		assert_int_equal(fixture.config.services, table[i].services);
	}
}

/* Cut anywhere, a configuration is refused or whole, never a crash. */
static void test_cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t length = 0; length < sizeof(whole); length++) {
		_cleanup_fixture_ struct fixture fixture = {0};

		fixture.result = config_load_text(whole, length, "cut.yaml", &fixture.config,
						  &fixture.diagnostics);
		assert_int_equal(fixture.result<0, fixture.diagnostics.errors> 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),       cmocka_unit_test(test_whole_top),
		cmocka_unit_test(test_whole_events),   cmocka_unit_test(test_whole_resolvers),
		cmocka_unit_test(test_whole_policies), cmocka_unit_test(test_whole_matches),
		cmocka_unit_test(test_services),       cmocka_unit_test(test_cut_at_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
