// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The built-in policy from made-up hosts: a resolv.conf, what systemd-resolved says of its
 * upstreams, and a /proc with one process that answers on loopback. Each text must also be a
 * configuration that the parser takes, with the policies it promises.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "builtin.h"
#include "config.h"

struct host {
	char dir[64];
	char resolv_conf[96], resolved[96], proc[96];
};

static void put(const struct host *host, const char *name, const char *text)
{
	char path[192];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", host->dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void directory(const struct host *host, const char *name)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", host->dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

/* A process 7 that holds the UDP socket of address:53, in the words of /proc/net. */
static void listener(const struct host *host, const char *table, const char *address,
		     const char *comm, const char *cgroup)
{
	char text[256], path[192];

	directory(host, "proc/net");
	directory(host, "proc/7");
	directory(host, "proc/7/fd");
	snprintf(text, sizeof(text),
		 "  sl  local_address ...\n"
		 "   1: %s:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0      "
		 "  "
		 "0 4242 2\n",
		 address);
	snprintf(path, sizeof(path), "proc/net/%s", table);
	put(host, path, text);
	snprintf(text, sizeof(text), "%s\n", comm);
	put(host, "proc/7/comm", text);
	snprintf(text, sizeof(text), "1:name=systemd:/x\n0::%s\n", cgroup);
	put(host, "proc/7/cgroup", text);
	snprintf(path, sizeof(path), "%s/proc/7/fd/5", host->dir);
	assert_int_equal(symlink("socket:[4242]", path), 0);
}

static void host_make(struct host *host, const char *resolv_conf)
{
	strcpy(host->dir, "/tmp/dnsfence-builtin.XXXXXX");
	assert_non_null(mkdtemp(host->dir));
	snprintf(host->resolv_conf, sizeof(host->resolv_conf), "%s/resolv.conf", host->dir);
	snprintf(host->resolved, sizeof(host->resolved), "%s/resolved.conf", host->dir);
	snprintf(host->proc, sizeof(host->proc), "%s/proc", host->dir);
	directory(host, "proc");
	if (resolv_conf)
		put(host, "resolv.conf", resolv_conf);
}

static void host_remove(struct host *host)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", host->dir);
	assert_int_equal(system(command), 0);
}

/* The text, read by the parser. */
static void load_as(const struct host *host, int expected, struct config *ret)
{
	const struct builtin_sources sources = {host->resolv_conf, host->resolved, host->proc};
	_cleanup_(diagnostics_done) struct diagnostics diagnostics = {0};
	_cleanup_free_ char *text = NULL;

	assert_int_equal(builtin_policy(&sources, &text), expected);
	if (config_load_text(text, strlen(text), "built-in", ret, &diagnostics) < 0) {
		diagnostics_print(&diagnostics, stderr);
		fail_msg("the parser refuses:\n%s", text);
	}
	assert_int_equal(ret->mode, MODE_ENFORCE);
}

static void load(const struct host *host, struct config *ret)
{
	load_as(host, 0, ret);
}

static void expect_set(const struct config *config, const char *name, size_t length,
		       const char *const *addresses)
{
	const struct resolver_set *set = config_find_set(config, name);
	char text[ADDRESS_TEXT_MAX];

	assert_non_null(set);
	assert_int_equal(set->length, length);
	for (size_t i = 0; i < length; i++)
		assert_string_equal(address_format(&set->resolvers[i].address, text), addresses[i]);
}

static void test_plain(void **state)
{
	static const char *const expected[] = {"192.0.2.1", "2001:db8::1", "fe80::1"};
	_cleanup_(config_done) struct config config;
	struct host host;

	(void)state;
	host_make(&host, "# a comment\nsearch example.org\nnameserver 192.0.2.1\n"
			 "nameserver 2001:db8::1\nnameserver fe80::1%eth0\nnameserver 192.0.2.1\n"
			 "nameserver nonsense\nnameserver\noptions edns0\n");
	load(&host, &config);
	expect_set(&config, "system", 3, expected);
	assert_int_equal(config.policies_length, 1);
	assert_false(config.policies[0].has_match);
	host_remove(&host);
}

/* resolv.conf(5): nothing named means this machine. */
static void test_missing(void **state)
{
	static const char *const expected[] = {"127.0.0.1", "::1"};
	_cleanup_(config_done) struct config config;
	struct host host;

	(void)state;
	host_make(&host, NULL);
	load(&host, &config);
	expect_set(&config, "system", 2, expected);
	host_remove(&host);
}

static void test_resolved(void **state)
{
	static const char *const stub[] = {"127.0.0.53"}, *const upstream[] = {"198.51.100.5"};
	_cleanup_(config_done) struct config config;
	struct host host;

	(void)state;
	host_make(&host, "nameserver 127.0.0.53\n");
	put(&host, "resolved.conf", "nameserver 198.51.100.5\n");
	listener(&host, "udp", "3500007F", "systemd-resolve",
		 "/system.slice/systemd-resolved.service");
	load(&host, &config);
	expect_set(&config, "system", 1, stub);
	expect_set(&config, "upstream", 1, upstream);
	assert_int_equal(config.policies_length, 2);
	assert_string_equal(config.policies[0].match.cgroups.list[0].text,
			    "/system.slice/systemd-resolved.service*");
	assert_string_equal(config.policies[0].sets[0], "upstream");
	assert_string_equal(config.policies[1].sets[0], "system");
	host_remove(&host);
}

/* Where another forwarder asks is its own configuration's matter. */
static void test_forwarder(void **state)
{
	_cleanup_(config_done) struct config config;
	struct host host;

	(void)state;
	host_make(&host, "nameserver ::1\n");
	listener(&host, "udp6", "00000000000000000000000001000000", "unbound",
		 "/system.slice/unbound.service");
	load(&host, &config);
	assert_int_equal(config.policies_length, 2);
	assert_true(config.policies[0].any);
	assert_string_equal(config.policies[0].match.cgroups.list[0].text,
			    "/system.slice/unbound.service*");
	host_remove(&host);
}

/* A backslash, as systemd escapes a "-" with, is none of YAML's; a comment ends where its line
 * does. */
static void test_odd_forwarder(void **state)
{
	_cleanup_(config_done) struct config config;
	struct host host;

	(void)state;
	host_make(&host, "nameserver 127.0.0.1\n");
	listener(&host, "udp", "0100007F", "\xe2\x80\xa8mode: \xff\r",
		 "/system.slice/system-dns\\x2dproxy.slice/a\"b[1].service");
	load(&host, &config);
	assert_int_equal(config.policies_length, 2);
	assert_string_equal(config.policies[0].match.cgroups.list[0].text,
			    "/system.slice/system-dns\\x2dproxy.slice/a\"b?1?.service*");
	host_remove(&host);
}

/* Seen out of a container: its cgroup is none of those here. */
static void test_forwarder_outside(void **state)
{
	_cleanup_(config_done) struct config config;
	struct host host;
	uid_t uid = getuid();

	(void)state;
	host_make(&host, "nameserver 127.0.0.1\n");
	listener(&host, "udp", "0100007F", "dnsmasq", "/../../system.slice/dnsmasq.service");
	load_as(&host, uid ? 0 : 1, &config);
	assert_int_equal(config.policies_length, uid ? 2 : 1);
	assert_int_equal(config.policies[0].match.cgroups.length, 0);
	host_remove(&host);
}

/* In the root cgroup only its user tells it from everybody, and root is everybody. */
static void test_forwarder_in_root_cgroup(void **state)
{
	_cleanup_(config_done) struct config config;
	struct host host;
	uid_t uid = getuid();
	char number[16];

	(void)state;
	host_make(&host, "nameserver 127.0.0.1\n");
	listener(&host, "udp", "00000000", "dnsmasq", "/");
	load_as(&host, uid ? 0 : 1, &config);
	snprintf(number, sizeof(number), "%u", uid);
	assert_int_equal(config.policies_length, uid ? 2 : 1);
	if (uid)
		assert_string_equal(config.policies[0].match.users.words.list[0].text, number);
	host_remove(&host);
}

/* Its socket can be seen by all, whose it is only by root. */
static void test_hidden_forwarder(void **state)
{
	_cleanup_(config_done) struct config config;
	struct host host;
	char path[192];

	(void)state;
	host_make(&host, "nameserver 127.0.0.53\n");
	listener(&host, "udp", "3500007F", "systemd-resolve", "/system.slice/x.service");
	snprintf(path, sizeof(path), "%s/proc/7/fd/5", host.dir);
	assert_int_equal(unlink(path), 0);
	load_as(&host, 1, &config);
	assert_int_equal(config.policies_length, 1);
	host_remove(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_resolved),
		cmocka_unit_test(test_forwarder),
		cmocka_unit_test(test_odd_forwarder),
		cmocka_unit_test(test_forwarder_outside),
		cmocka_unit_test(test_forwarder_in_root_cgroup),
		cmocka_unit_test(test_hidden_forwarder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
