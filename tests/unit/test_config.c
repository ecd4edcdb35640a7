// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/config.c, document.c and schema.c: what a configuration means, and that everything
 * else is refused with a message at the right place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "bpf/abi.h"
#include "userspace/config.h"
#include "userspace/identity.h"
#include "userspace/queue.h"

#define V "apiVersion: dnsfence/v1\n"
#define DEFAULT "policies: [{name: default, resolvers: []}]\n"
#define BIT(service) (1u << DF_SERVICE_##service)

struct fixture {
	struct config config;
	struct diagnostics diagnostics;
	int result;
};

static void fixture_done(struct fixture *fixture)
{
	diagnostics_done(&fixture->diagnostics);
	config_done(&fixture->config);
}

#define _cleanup_fixture_ _cleanup_(fixture_done)

static void load(const char *text, struct fixture *ret)
{
	*ret = (struct fixture){0};
	ret->result =
		config_load_text(text, strlen(text), "test.yaml", &ret->config, &ret->diagnostics);
}

static void load_good(const char *text, struct fixture *ret)
{
	load(text, ret);
	if (ret->result)
		fail_msg("refused: %s\n%s", ret->diagnostics.list[0].text, text);
	assert_int_equal(ret->diagnostics.errors, 0);
}

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

struct bad_case {
	const char *text;
	unsigned int line, column; /* of the message; 0: not checked */
	const char *says;
};

#define P "policies:\n"
#define POLICY(rest) V P "  - {name: default, resolvers: [], " rest "}\n"
#define SET(rest) V DEFAULT "resolvers:\n  a: [" rest "]\n"

static const struct bad_case bad[] = {
	/* No configuration at all. */
	{"", 0, 0, "empty"},
	{"# only a comment\n", 0, 0, "empty"},
	{"just a word\n", 1, 1, "expected keys and values"},
	{"[]\n", 1, 1, "expected keys and values"},
	{"a: [\n", 2, 0, ""},
	{"a: b: c\n", 1, 0, ""},
	{"\t- a\n", 1, 0, ""},
	{"a: \xff\n", 0, 0, ""},
	{V DEFAULT "---\n" V DEFAULT, 3, 0, "one document"},

	/* What plain data does not need. */
	{V DEFAULT "mode: &a audit\n", 3, 7, "anchor"},
	{V DEFAULT "mode: *a\n", 3, 7, "alias"},
	{V DEFAULT "mode: !!str audit\n", 3, 7, "tag"},
	{V DEFAULT "resolvers: !x {}\n", 3, 12, "tag"},
	{V DEFAULT "mode: audit\nmode: enforce\n", 4, 1, "duplicate key 'mode'"},
	{V DEFAULT "resolvers: {a: [], b: [], a: []}\n", 3, 27, "duplicate key 'a'"},
	{V DEFAULT "? [a]\n: b\n", 3, 3, "key must be a word"},
	{V DEFAULT "x: [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]\n", 3, 0, "nested deeper"},
	{V DEFAULT "mode: \"au\\0dit\"\n", 3, 7, "zero byte"},
	{V "resolvers:\n\ta: []\n" DEFAULT, 3, 1, "a tab; YAML is indented with spaces"},
	{V "resolvers:\n  \ta: []\n" DEFAULT, 3, 3, "a tab; YAML is indented with spaces"},
	{V DEFAULT "mode: \xe9\xe9\n", 0, 0, "byte 75: invalid trailing UTF-8"},
	{V DEFAULT "\"a\\eb\\nc\": 1\n", 3, 1, "unknown key 'a?b?c'"},
	{"", 1, 1, "the file is empty; \"dnsfence init\""},

	/* Keys. */
	{DEFAULT, 1, 1, "missing 'apiVersion'"},
	{"apiVersion: dnsfence/v2\n" DEFAULT, 1, 13, "dnsfence/v1"},
	{V DEFAULT "resolver: {}\n", 3, 1, "did you mean 'resolvers'"},
	{V DEFAULT "on-deny: eperm\n", 3, 1, "did you mean 'on_deny'"},
	{V DEFAULT "quarterback: 1\n", 3, 1, "unknown key 'quarterback'"},
	{POLICY("colour: red"), 3, 0, "unknown key 'colour' in policy"},
	{V P "  - {resolvers: []}\n", 3, 0, "missing 'name'"},
	{V P "  - {name: default}\n", 3, 0, "missing 'resolvers'"},
	{SET("{port: 53}"), 4, 0, "missing 'address'"},
	{SET("{address: 10.0.0.1, adress: 10.0.0.1}"), 4, 0, "did you mean 'address'"},

	/* Values. */
	{V DEFAULT "mode: observe\n", 3, 7, "enforce or audit"},
	{V DEFAULT "mode:\n", 3, 0, "found nothing"},
	{V DEFAULT "mode: [audit]\n", 3, 7, "expected a single value"},
	{V DEFAULT "on_deny: drop\n", 3, 10, "eperm"},
	{V DEFAULT "services: [dns, http]\n", 3, 17, "'http'"},
	{V DEFAULT "services: []\n", 3, 11, "empty"},
	{V DEFAULT "services: {dns: true}\n", 3, 11, "expected a list"},
	{V DEFAULT "events: {stdout: yes}\n", 3, 18, "neither true nor false"},
	{V DEFAULT "events: {file: events.jsonl}\n", 3, 16, "absolute"},
	{V DEFAULT "events: {file: }\n", 3, 0, "found nothing"},
	{V DEFAULT "events: {buffer: 100}\n", 3, 18, "power of two"},
	{V DEFAULT "events: {buffer: 32}\n", 3, 18, "64 to 65536"},
	{V DEFAULT "events: {buffer: 1e3}\n", 3, 18, "not a number"},
	{V DEFAULT "metrics: {listen: 0.0.0.0:9753}\n", 3, 19, "loopback"},
	{V DEFAULT "metrics: {listen: localhost:9753}\n", 3, 19, "only an address"},
	{V DEFAULT "metrics: {listen: 9753}\n", 3, 19, "127.0.0.1:9753"},
	{V DEFAULT "metrics: {listen: \"[::]:9753\"}\n", 3, 19, "loopback"},
	{V DEFAULT "metrics: {listen: unix:run}\n", 3, 19, "unix:/PATH"},
	{V DEFAULT "metrics: {textfile: /var/lib/dnsfence.txt}\n", 3, 21, ".prom"},
	{V DEFAULT "metrics: {interval: 0}\n", 3, 21, "1 to 3600"},
	{V DEFAULT "events: {allowed: -1}\n", 3, 19, "from 0 to 1000000"},
	{V DEFAULT "events: {allowed: some}\n", 3, 19, "from 0 to 1000000"},
	{V DEFAULT "events: {queue: 1KiB}\n", 3, 17, "from 64 to"},
	{V DEFAULT "events: {queue: 1MB}\n", 3, 17, "64MiB or 1GiB"},
	{V DEFAULT "events: {queue: -1MiB}\n", 3, 17, "not a size"},
	{V DEFAULT "events: {queue: 99999999999999GiB}\n", 3, 17, "not a size"},
	{V DEFAULT "events: {drop: random}\n", 3, 16, "newest or oldest"},
	{V DEFAULT "events: {rotate: {size: 64MiB}}\n", 0, 0, "no events.file"},
	{V DEFAULT "events: {file: /a, rotate: {keep: 2}}\n", 3, 0, "missing 'size'"},
	{V DEFAULT "events: {file: /a, rotate: {size: 1MiB, keep: 0}}\n", 3, 47, "1 to 999"},
	{V DEFAULT "events: {syslog: true}\n", 3, 18, "expected keys"},
	{V DEFAULT "events: {syslog: {facility: daemon}}\n", 3, 0, "missing 'to'"},
	{V DEFAULT "events: {syslog: {to: []}}\n", 3, 23, "empty"},
	{V DEFAULT "events: {syslog: {to: 192.0.2.1}}\n", 3, 23, "expected local, unix:/PATH"},
	{V DEFAULT "events: {syslog: {to: tcp:192.0.2.1}}\n", 3, 23, "tcp:ADDRESS:PORT"},
	{V DEFAULT "events: {syslog: {to: tcp:2001:db8::1:601}}\n", 3, 23, "[2001:db8::1]:601"},
	{V DEFAULT "events: {syslog: {to: udp:192.0.2.0/24:514}}\n", 3, 23, "prefix"},
	{V DEFAULT "events: {syslog: {to: udp:192.0.2.1/32:514}}\n", 3, 23, "prefix"},
	{V DEFAULT "events: {syslog: {to: tcp:log.example.org:601}}\n", 3, 23, "launder"},
	{V DEFAULT "events: {syslog: {to: tcp::601}}\n", 3, 23, "address"},
	{V DEFAULT "events: {syslog: {to: tcp:192.0.2.1:0}}\n", 3, 23, "expected"},
	{V DEFAULT "events: {syslog: {to: unix:dev/log}}\n", 3, 23, "expected"},
	{V DEFAULT "events: {syslog: {to: [local, local]}}\n", 3, 31, "named twice"},
	{V DEFAULT "events: {syslog: {to: local, facility: kern}}\n", 3, 40, "authpriv"},
	{V DEFAULT "edge: {interfaces: [eth0, auto]}\n", 3, 27, "stands alone"},
	{V DEFAULT "edge: {interfaces: []}\n", 3, 20, "empty"},
	{V DEFAULT "edge: {uplinks: eth0}\n", 3, 17, "edge.interfaces is off"},
	{V DEFAULT "edge: {interfaces: off, uplinks: [eth0]}\n", 3, 34, "edge.interfaces is off"},
	{V DEFAULT "runtimes: {docker: data}\n", 3, 20, "'data' is not an absolute path"},
	{V DEFAULT "runtimes: {docker: [/a, b]}\n", 3, 20, "'b' is not an absolute path"},
	{V DEFAULT "runtimes: {host: host}\n", 3, 18, "not an absolute path"},
	{V DEFAULT "runtimes: {dokcer: /data}\n", 3, 12, "did you mean 'docker'"},
	{V "policies:\n  - {name: a, match: {source: 10.0.0.1, user: \"0\"}, resolvers: []}\n"
	   "  - {name: d, resolvers: []}\n",
	 3, 0, "write two policies"},
	{V "policies:\n  - {name: a, match: {source: 10.0.0.1/8}, resolvers: []}\n"
	   "  - {name: d, resolvers: []}\n",
	 3, 31, "host bits"},
	{V DEFAULT "resolvers: [10.0.0.1]\n", 3, 12, "expected keys and values"},
	{V DEFAULT "resolvers: {a: 10.0.0.1}\n", 3, 16, "expected a list"},
	{V DEFAULT "resolvers: {any: []}\n", 3, 13, "cannot name"},
	{V DEFAULT "resolvers: {\"a b\": []}\n", 3, 13, "cannot name"},
	{SET("dns.example.org"), 4, 7, "not an IP address"},
	{SET("\"10.0.0.53:5353\""), 4, 7, "port: PORT"},
	{SET("10.0.0.53/24"), 4, 7, "10.0.0.0/24"},
	{SET("fe80::1%eth0"), 4, 7, "zone"},
	{SET("{address: 10.0.0.1, port: 0}"), 4, 33, "1 to 65535"},
	{SET("{address: 10.0.0.1, port: 65536}"), 4, 33, "1 to 65535"},
	{SET("{address: 10.0.0.1, port: -1}"), 4, 33, "1 to 65535"},
	{SET("{address: 10.0.0.1, port: 0x35}"), 4, 33, "1 to 65535"},
	{SET("{address: 10.0.0.1, port: 99999999999999999999}"), 4, 33, "1 to 65535"},
	{SET("{address: 10.0.0.1, protocol: sctp}"), 4, 0, "udp or tcp"},
	{SET("{address: 10.0.0.1, port: 99, service: [dns, dot]}"), 4, 0, "one service"},

	/* Policies. */
	{V, 0, 0, "no default policy"},
	{V "policies:\n", 2, 0, "found nothing"},
	{V "policies: []\n", 0, 0, "no default policy"},
	{V P "  - {name: a, match: {cgroup: /a}, resolvers: []}\n", 3, 5, "no default policy"},
	{V P "  - default\n", 3, 5, "expected keys and values"},
	{V P "  - {name: a, resolvers: []}\n  - {name: b, resolvers: []}\n", 4, 0, "never match"},
	{V P "  - {name: a, resolvers: []}\n  - {name: b, match: {cgroup: /b}, resolvers: []}\n", 4,
	 0, "never match"},
	{V P "  - {name: a, match: {cgroup: /a}, resolvers: []}\n  - {name: a, resolvers: []}\n", 4,
	 0, "taken by the policy in test.yaml:3"},
	{V P "  - {name: default, resolvers: [nowhere]}\n", 3, 0, "no resolver set 'nowhere'"},
	{V P "  - {name: default, resolvers: nowhere}\n", 3, 0, "expected any or a list"},
	{V P "  - {name: default, resolvers: [any]}\n", 3, 33, "stands alone"},
	{V P "  - {name: default, resolvers: }\n", 3, 0, "found nothing"},
	{V P "  - {name: \"a b\", resolvers: []}\n", 3, 0, "letters"},
	{V P "  - {name: \"\", resolvers: []}\n", 3, 0, "letters"},
	{V P "  - {name: a123456789012345678901234567890123456789, resolvers: []}\n", 3, 0,
	 "letters"},
	{POLICY("match: {}"), 3, 0, "leave match out"},
	{POLICY("match: "), 3, 0, "found nothing"},
	{POLICY("match: {cgroup: ci.slice}"), 3, 0, "begin with /"},
	{POLICY("match: {cgroup: /a/../b}"), 3, 0, "plain path"},
	{POLICY("match: {cgroup: /a//b}"), 3, 0, "plain path"},
	{POLICY("match: {cgroup: [/a, b]}"), 3, 57, "begin with /"},
	{POLICY("match: {cgroup: "
		"/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z/1/2/3/4/5/6}"),
	 3, 52, "deeper than 31 levels"},
	{POLICY("match: {unit: x.service, source: 10.0.0.1}"), 3, 0, "write two policies"},
	{POLICY("match: {unit: nginx}"), 3, 50, "did you mean 'nginx.service'"},
	{POLICY("match: {unit: [a.service, nginx.timer]}"), 3, 62, "no cgroup"},
	{POLICY("match: {unit: /system.slice/a.service}"), 3, 50, "is a path"},
	{POLICY("match: {unit: \"a b.service\"}"), 3, 50, "cannot be a unit"},
	{POLICY("match: {unit: \"\"}"), 3, 50, "cannot be a unit"},
	{POLICY("match: {unit: []}"), 3, 50, "list is empty"},
	{POLICY("match: {unit: {a: b}}"), 3, 50, "expected a list"},
	{POLICY("match: {user_unit: app}"), 3, 55, "app.service"},
	{POLICY("match: {userunit: a.scope}"), 3, 44, "did you mean 'user_unit'"},
	{POLICY("match: {container: x}"), 3, 55, "expected keys and values"},
	{POLICY("match: {container: {}}"), 3, 55, "every container"},
	{POLICY("match: {container: {nam: x}}"), 3, 56, "did you mean 'name'"},
	{POLICY("match: {container: {runtime: rkt}}"), 3, 65, "cri-o"},
	{POLICY("match: {container: {id: \"\"}}"), 3, 60, "empty word"},
	{POLICY("match: {container: {label: app}}"), 3, 63, "expected keys and values"},
	{POLICY("match: {container: {label: {}}}"), 3, 63, "{app: web}"},
	{POLICY("match: {container: {label: {a: {b: c}}}}"), 3, 67, "expected a list"},
	{POLICY("match: {pod: x}"), 3, 49, "expected keys and values"},
	{POLICY("match: {pod: {}}"), 3, 49, "every pod"},
	{POLICY("match: {pod: {image: x}}"), 3, 50, "unknown key 'image' in pod"},
	{POLICY("redirect: 10.0.0.1"), 3, 0, "redirect"},
	{POLICY("mode: off"), 3, 0, "enforce or audit"},
};

/* One mistake, one message. */
static void test_once(void **state)
{
	static const struct bad_case once[] = {
		{"apiversion: dnsfence/v1\n" DEFAULT, 1, 1, "did you mean 'apiVersion'"},
		{V "policie: []\n", 2, 1, "did you mean 'policies'"},
		{V "policies: {name: default}\n", 2, 11, "expected a list"},
		{V P "  - {name: default, resolver: []}\n", 3, 0, "did you mean 'resolvers'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(once); i++) {
		_cleanup_fixture_ struct fixture fixture;

		load(once[i].text, &fixture);
		assert_int_equal(fixture.diagnostics.length, 1);
		if (!strstr(fixture.diagnostics.list[0].text, once[i].says))
			fail_msg("%s\n%s", fixture.diagnostics.list[0].text, once[i].text);
	}
}

static bool says(const struct diagnostics *diagnostics, const struct bad_case *expected)
{
	for (size_t i = 0; i < diagnostics->length; i++) {
		const struct diagnostic *diagnostic = &diagnostics->list[i];

		if (diagnostic->severity == DIAGNOSTIC_ERROR &&
		    strstr(diagnostic->text, expected->says) &&
		    (!expected->line || diagnostic->where.line == expected->line) &&
		    (!expected->column || diagnostic->where.column == expected->column))
			return true;
	}
	return false;
}

static void test_bad(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_cleanup_fixture_ struct fixture fixture;

		load(bad[i].text, &fixture);
		if (fixture.result == -EINVAL && says(&fixture.diagnostics, &bad[i]))
			continue;
		wrong++;
		print_error("expected %u:%u: ...%s... for\n%s\n", bad[i].line, bad[i].column,
			    bad[i].says, bad[i].text);
		diagnostics_print(&fixture.diagnostics, stderr);
	}
	assert_int_equal(wrong, 0);
}

/* All errors of a file at once, and nothing twice. */
static void test_all_errors(void **state)
{
	_cleanup_fixture_ struct fixture fixture;

	(void)state;
	load("apiVersion: dnsfence/v9\n"
	     "mode: maybe\n"
	     "colour: red\n"
	     "resolvers: {a: [10.0.0.300]}\n"
	     "policies: [{name: default, resolvers: [], on_deny: x}]\n",
	     &fixture);
	assert_int_equal(fixture.diagnostics.errors, 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(fixture.diagnostics.list[i].where.file, "test.yaml");
}

static void test_too_many_errors(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	_cleanup_free_ char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	(void)state;
	assert_non_null(to);
	for (int i = 0; i < 1000; i++)
		fprintf(to, "key%d: x\n", i);
	fclose(to);
	load(text, &fixture);
	assert_true(fixture.diagnostics.errors >= 1000);
	assert_int_equal(fixture.diagnostics.length, DIAGNOSTICS_MAX);
}

static void test_print(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	_cleanup_free_ char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	(void)state;
	load(V "mode: maybe\n" DEFAULT, &fixture);
	diagnostics_print(&fixture.diagnostics, to);
	fclose(to);
	assert_string_equal(text,
			    "test.yaml:2:7: error: mode: 'maybe' is not one of enforce or audit\n");
}

static void test_print_json(void **state)
{
	_cleanup_fixture_ struct fixture fixture;
	_cleanup_free_ char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	(void)state;
	load(V "mode: \"a\\\"b\"\n" DEFAULT, &fixture);
	diagnostics_print_json(&fixture.diagnostics, to);
	diagnostic_say(to, true, DIAGNOSTIC_INFO, "%d files", 1);
	fclose(to);
	assert_string_equal(
		text, "{\"severity\":\"error\",\"file\":\"test.yaml\",\"line\":2,\"column\":7,"
		      "\"message\":\"mode: 'a\\\"b' is not one of enforce or audit\"}\n"
		      "{\"severity\":\"info\",\"message\":\"1 files\"}\n");
}

/* A service that nobody fences is worth a word, but no error. */
static void test_warning(void **state)
{
	_cleanup_fixture_ struct fixture fixture;

	(void)state;
	load_good(SET("{address: 10.0.0.1, service: mdns}"), &fixture);
	assert_int_equal(fixture.diagnostics.length, 1);
	assert_int_equal(fixture.diagnostics.list[0].severity, DIAGNOSTIC_WARNING);
	assert_int_equal(fixture.diagnostics.list[0].where.line, 4);
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

/* A duplicate key is an error, and what stood there first does no harm. */
static void test_duplicate_set_names(void **state)
{
	_cleanup_fixture_ struct fixture fixture;

	(void)state;
	load(V P "  - name: default\n"
		 "    resolvers: [a, b, c, d, e, f, g, h]\n"
		 "    resolvers: [x]\n",
	     &fixture);
	assert_int_equal(fixture.result, -EINVAL);
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

static void test_missing_file(void **state)
{
	struct diagnostics diagnostics = {0};
	struct config config;

	(void)state;
	assert_int_equal(config_load("/nonexistent/dnsfence.yaml", &config, &diagnostics), -ENOENT);
	assert_int_equal(diagnostics.errors, 0);
}

static void write_file(const char *directory, const char *name, const char *text)
{
	_cleanup_free_ char *path = NULL;
	FILE *file;

	assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void remove_file(const char *directory, const char *name)
{
	_cleanup_free_ char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
	(void)remove(path);
}

struct dropin_files {
	const char *whole, *ten, *twenty;
};

/* A directory of its own with dnsfence.yaml and two files in dnsfence.d, loaded and removed. */
static void load_files(const struct dropin_files *files, struct fixture *ret)
{
	_cleanup_free_ char *path = NULL, *dropins = NULL;
	char directory[] = "/tmp/dnsfence-test-XXXXXX";

	*ret = (struct fixture){0};
	assert_non_null(mkdtemp(directory));
	assert_true(asprintf(&path, "%s/dnsfence.yaml", directory) > 0);
	assert_true(asprintf(&dropins, "%s/dnsfence.d", directory) > 0);
	assert_int_equal(mkdir(dropins, 0700), 0);
	write_file(directory, "dnsfence.yaml", files->whole);
	write_file(directory, "dnsfence.d/20.yaml", files->twenty);
	write_file(directory, "dnsfence.d/10.yaml", files->ten);
	write_file(directory, "dnsfence.d/ignored.txt", "not read");
	ret->result = config_load(path, &ret->config, &ret->diagnostics);
	remove_file(directory, "dnsfence.d/10.yaml");
	remove_file(directory, "dnsfence.d/20.yaml");
	remove_file(directory, "dnsfence.d/ignored.txt");
	remove_file(directory, "dnsfence.d");
	remove_file(directory, "dnsfence.yaml");
	(void)remove(directory);
}

#define PART(name, match) V P "  - {name: " name ", " match "resolvers: [a]}\n"

/* dnsfence.d beside the file, in order of name; the default stays last. */
static void test_dropins(void **state)
{
	static const struct dropin_files files = {
		.whole = V "resolvers: {a: [10.0.0.1]}\n" DEFAULT,
		.ten = PART("sooner", "match: {cgroup: /a}, "),
		.twenty = PART("later", "match: {cgroup: /b}, "),
	};
	_cleanup_fixture_ struct fixture fixture;

	(void)state;
	load_files(&files, &fixture);
	diagnostics_print(&fixture.diagnostics, stderr);
	assert_int_equal(fixture.result, 0);
	assert_int_equal(fixture.config.policies_length, 3);
	assert_string_equal(fixture.config.policies[0].name, "sooner");
	assert_string_equal(fixture.config.policies[1].name, "later");
	assert_string_equal(fixture.config.policies[2].name, "default");
}

/* What adds up, and what the last file decides: as dnsfence.yaml(5) says. */
static void test_dropins_add_up(void **state)
{
	static const struct dropin_files files = {
		.whole = V "services: [dns]\n"
			   "events: {allowed: 5, syslog: {to: local}}\n"
			   "runtimes: {docker: /a}\n"
			   "edge: {interfaces: eth0}\n" DEFAULT,
		.ten = V "services: [dot, doq]\n"
			 "events: {syslog: {to: 'tcp:192.0.2.1:601'}}\n"
			 "runtimes: {docker: [/b, /c]}\n",
		.twenty = V "events: {allowed: 7}\n"
			    "edge: {interfaces: eth1, uplinks: eth2}\n",
	};
	_cleanup_fixture_ struct fixture fixture;
	const struct config *config = &fixture.config;

	(void)state;
	load_files(&files, &fixture);
	assert_int_equal(fixture.result, 0);
	assert_int_equal(config->syslog.length, 2);
	assert_int_equal(config->runtimes.docker.length, 3);
	assert_int_equal(config->edge.interfaces.length, 2);
	assert_int_equal(config->edge.uplinks.length, 1);
	assert_int_equal(config->services, 1u << DF_SERVICE_DOT | 1u << DF_SERVICE_DOQ);
	assert_int_equal(config->events_allowed, 7);
}

static void test_dropin_conflicts(void **state)
{
	static const struct dropin_files two_defaults = {
		.whole = V "resolvers: {a: [10.0.0.1]}\n" DEFAULT,
		.ten = PART("second", ""),
		.twenty = V,
	};
	static const struct dropin_files same_set = {
		.whole = V "resolvers: {a: [10.0.0.1]}\n" DEFAULT,
		.ten = V "resolvers: {a: [10.0.0.2]}\n",
		.twenty = V,
	};
	static const struct dropin_files same_name = {
		.whole = V "resolvers: {a: [10.0.0.1]}\n" DEFAULT,
		.ten = PART("x", "match: {cgroup: /a}, "),
		.twenty = PART("x", "match: {cgroup: /b}, "),
	};
	static const struct dropin_files same_syslog = {
		.whole = V "events: {syslog: {to: local}}\n" DEFAULT,
		.ten = V "events: {syslog: {to: local}}\n",
		.twenty = V,
	};
	static const struct dropin_files *const all[] = {&two_defaults, &same_set, &same_name,
							 &same_syslog};
	static const char *const words[] = {"only one can be the default", "already", "taken",
					    "named twice"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		_cleanup_fixture_ struct fixture fixture;

		load_files(all[i], &fixture);
		assert_int_equal(fixture.result, -EINVAL);
		assert_true(says(&fixture.diagnostics, &(struct bad_case){.says = words[i]}));
	}
}

/* The errors of every file, at once. */
static void test_dropin_errors(void **state)
{
	static const struct dropin_files broken = {
		.whole = V "mode: permit\n" DEFAULT,
		.ten = V "mood: 1\n",
		.twenty = V "deny_at: nowhere\n",
	};
	static const char *const words[] = {"'permit'", "'mood'", "'nowhere'"};
	_cleanup_fixture_ struct fixture fixture;

	(void)state;
	load_files(&broken, &fixture);
	assert_int_equal(fixture.result, -EINVAL);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		assert_true(says(&fixture.diagnostics, &(struct bad_case){.says = words[i]}));
}

/* It may hold policies: not to read it, or to take the built-in policy, would open the fence. */
static void test_dropins_unreadable(void **state)
{
	char directory[] = "/tmp/dnsfence-test-XXXXXX";
	_cleanup_free_ char *path = NULL, *dropins = NULL;
	struct diagnostics diagnostics = {0};
	struct config config = {0};

	(void)state;
	assert_non_null(mkdtemp(directory));
	assert_true(asprintf(&path, "%s/dnsfence.yaml", directory) > 0);
	assert_true(asprintf(&dropins, "%s/dnsfence.d", directory) > 0);
	assert_int_equal(symlink("dnsfence.d", dropins), 0); /* ELOOP, for root, too */
	for (int with_file = 0; with_file < 2; with_file++) {
		if (with_file)
			write_file(directory, "dnsfence.yaml", V DEFAULT);
		assert_int_equal(config_load(path, &config, &diagnostics), -EINVAL);
		assert_true(says(&diagnostics, &(struct bad_case){.says = "cannot read the dir"}));
		diagnostics_done(&diagnostics);
		config_done(&config);
	}
	remove_file(directory, "dnsfence.yaml");
	remove_file(directory, "dnsfence.d");
	(void)remove(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dropin_errors),
		cmocka_unit_test(test_dropins_unreadable),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_whole_top),
		cmocka_unit_test(test_whole_events),
		cmocka_unit_test(test_whole_resolvers),
		cmocka_unit_test(test_whole_policies),
		cmocka_unit_test(test_whole_matches),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_all_errors),
		cmocka_unit_test(test_too_many_errors),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_print_json),
		cmocka_unit_test(test_warning),
		cmocka_unit_test(test_services),
		cmocka_unit_test(test_duplicate_set_names),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_missing_file),
		cmocka_unit_test(test_dropins),
		cmocka_unit_test(test_dropins_add_up),
		cmocka_unit_test(test_dropin_conflicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
