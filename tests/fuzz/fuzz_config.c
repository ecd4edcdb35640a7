// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any text as a configuration, any bytes as a list of the words that one is made
 * of, and as changes of one that has every key. What is accepted must compile, and what is refused
 * must say why.
 */
#include <stdlib.h>

#include "texts.h"
#include "userspace/config.h"
#include "userspace/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT_MAX 8192

static const char *const words[] = {
	"apiVersion: dnsfence/v1\n",
	"resolvers:\n",
	"policies:\n",
	" - {",
	"  a: [",
	"  b: [",
	"{",
	"}",
	"[",
	"]",
	"}\n",
	"]\n",
	", ",
	"\n",
	": ",
	"  ",
	"name: ",
	"default",
	"ci",
	"match: ",
	"cgroup: ",
	"/ci.slice",
	"user: ",
	"\"0\"",
	"resolvers: ",
	"any",
	"[]",
	"[a]",
	"[a, b]",
	"mode: ",
	"audit",
	"enforce",
	"on_deny: ",
	"eperm",
	"refused",
	"unreachable",
	"services: ",
	"dns",
	"dot",
	"doq",
	"mdns",
	"llmnr",
	"netbios",
	"address: ",
	"10.0.0.53",
	"10.1.0.0/24",
	"0.0.0.0/0",
	"\"::1\"",
	"\"2001:db8::/32\"",
	"\"::/0\"",
	"\"::ffff:10.0.0.53\"",
	"service: ",
	"port: ",
	"53",
	"853",
	"5300",
	"protocol: ",
	"udp",
	"tcp",
	"translated: ",
	"true",
	"false",
	"edge: ",
	"interfaces: ",
	"off",
	"events: ",
	"stdout: ",
	"file: ",
	"/x",
	"buffer: ",
	"metrics: ",
	"listen: ",
	"textfile: ",
	"127.0.0.1:9753",
	"rotate: ",
	"size: ",
	"64KiB",
	"1GiB",
	"keep: ",
	"syslog: ",
	"to: ",
	"local",
	"unix:/dev/log",
	"tcp:10.0.0.53:601",
	"\"udp:[::1]:514\"",
	"facility: ",
	"queue: ",
	"drop: ",
	"oldest",
	"64",
	"hooks: ",
	"all",
	"auto",
	"&x ",
	"*x",
	"!!str ",
	"---\n",
	"null",
	"~",
	"\"",
	"'",
	"#",
	"redirect: ",
	"unit: ",
	"user_unit: ",
	"container: {",
	"pod: {",
	"label: {",
	"runtime: ",
	"docker",
	"id: ",
	"a.service",
	"\"*\"",
};

/* Stands before every other list of words, so that those need not begin at the beginning. */
static const char start[] = "apiVersion: dnsfence/v1\n"
			    "resolvers: {a: [10.0.0.53], b: []}\n"
			    "policies:\n"
			    " - {name: ci, match: {cgroup: /ci.slice}, resolvers: [a, b]}\n"
			    " - {name: default, resolvers: any}\n";

/* Its words in other places are what mistakes are made of; those of the last line stand nowhere. */
static const char good[] =
	"apiVersion: dnsfence/v1\n"
	"mode: audit\n"
	"on_deny: refused\n"
	"deny_at: packet\n"
	"open_sockets: leave\n"
	"hooks: all\n"
	"follow: walk\n"
	"services: [dns, dot, doq, mdns]\n"
	"resolvers:\n"
	"  a:\n"
	"    - 10.0.0.53\n"
	"    - 10.1.0.0/24\n"
	"    - {address: \"2001:db8::/32\", service: dot}\n"
	"    - {address: 10.0.0.54, service: dns, port: 5300, protocol: udp, translated: true}\n"
	"  b: []\n"
	"policies:\n"
	"  - name: web\n"
	"    match: {container: {name: \"web-*\", image: nginx, label: {tier: front}, runtime: "
	"docker, "
	"id: \"*\", user: root}}\n"
	"    resolvers: [a]\n"
	"    forwards: true\n"
	"  - name: jobs\n"
	"    match: {pod: {namespace: [batch, \"ci-*\"], name: x, label: {tier: [front, \"*\"]}}}\n"
	"    resolvers: [a, b]\n"
	"  - {name: unit, match: {unit: \"getty@*.service\", user_unit: app.scope}, resolvers: "
	"[]}\n"
	"  - {name: ci, match: {cgroup: /ci.slice/*, user: \"0\"}, mode: enforce, resolvers: any}\n"
	"  - {name: vm, match: {interface: [vnet*], source: 10.0.0.0/8}, on_deny: eperm, "
	"resolvers: [a]}\n"
	"  - {name: default, resolvers: [b]}\n"
	"edge: {interfaces: [veth*, tap*], uplinks: [eth0]}\n"
	"events:\n"
	"  stdout: false\n"
	"  file: /x\n"
	"  rotate: {size: 64KiB, keep: 3}\n"
	"  journal: true\n"
	"  syslog: {to: \"tcp:10.0.0.53:601\", facility: local0, format: text}\n"
	"  socket: /y\n"
	"  allowed: 100\n"
	"  queue: 1MiB\n"
	"  drop: oldest\n"
	"  buffer: 64\n"
	"runtimes: {host: /, docker: [/var/lib/docker], podman: [/srv], pods: /var/log/pods}\n"
	"metrics: {listen: \"127.0.0.1:9753\", textfile: /z.prom, interval: 15}\n"
	"# off auto null 0.0.0.0/0 & ! ~ ' % -1 4294967296 unreachable connect close "
	"udp:[::1]:514\n";

static void compile(const struct config *config)
{
	struct policy_image image;

	if (policy_compile(config, NULL, 0, &image) < 0)
		abort();
	if (image.generation.policies_len != config->policies_length)
		abort();
	policy_image_done(&image);
}

static void load(const char *text, size_t length)
{
	struct diagnostics diagnostics = {0};
	struct config config;
	int r = config_load_text(text, length, "fuzz.yaml", &config, &diagnostics);

	if ((r < 0) != (diagnostics.errors > 0))
		abort();
	if (r == 0)
		compile(&config);
	diagnostics_done(&diagnostics);
	config_done(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX];
	size_t length = 0;

	load((const char *)data, size);
	if (size && data[0] & 1) {
		length = sizeof(start) - 1;
		memcpy(text, start, length);
	}
	for (size_t i = 0; i < size; i++) {
		const char *word = words[data[i] % ARRAY_LEN(words)];

		if (length + strlen(word) > sizeof(text))
			break;
		memcpy(text + length, word, strlen(word));
		length += strlen(word);
	}
	load(text, length);
	fuzz_change(good, data, size, load);
	return 0;
}
