// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any text as a configuration, and any bytes as a list of the words that one is
 * made of. What is accepted must compile, and what is refused must say why.
 */
#include <stdlib.h>

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
	return 0;
}
