// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any text as resolv.conf, and behind a zero byte as /proc/net/udp. Whatever
 * stands in them, the built-in policy is a configuration that loads and compiles.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/builtin.h"
#include "userspace/config.h"
#include "userspace/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char proc[32] = "/tmp/fuzz-builtin.XXXXXX", resolv_conf[64], udp[64];

static void write_file(const char *path, const char *before, const uint8_t *data, size_t size)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(before, file) < 0 || fwrite(data, 1, size, file) != size ||
	    fclose(file) != 0)
		abort();
}

static void clean_up(void)
{
	char path[64];

	(void)unlink(resolv_conf);
	(void)unlink(udp);
	snprintf(path, sizeof(path), "%s/net", proc);
	(void)rmdir(path);
	(void)rmdir(proc);
}

static void make_files(void)
{
	char path[64];

	if (resolv_conf[0])
		return;
	if (!mkdtemp(proc))
		abort();
	snprintf(path, sizeof(path), "%s/net", proc);
	if (mkdir(path, 0700) < 0)
		abort();
	snprintf(udp, sizeof(udp), "%s/net/udp", proc);
	snprintf(resolv_conf, sizeof(resolv_conf), "%s/resolv.conf", proc);
	atexit(clean_up);
}

static void expect_policy(const char *text)
{
	struct diagnostics diagnostics = {0};
	struct policy_image image;
	struct config config;

	if (config_load_text(text, strlen(text), "builtin", &config, &diagnostics) < 0 ||
	    policy_compile(&config, NULL, 0, &image) < 0)
		abort();
	policy_image_done(&image);
	config_done(&config);
	diagnostics_done(&diagnostics);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct builtin_sources sources = {resolv_conf, resolv_conf, proc};
	const uint8_t *end = size ? memchr(data, 0, size) : NULL;
	size_t first = end ? (size_t)(end - data) : size;
	const char *line = size && data[0] & 1 ? "nameserver 127.0.0.53\nnameserver " : "";
	char *text;

	make_files();
	write_file(resolv_conf, line, data, first);
	write_file(udp, "  1: 3500007F:0035 ", data + first, size - first);
	if (builtin_policy(&sources, &text) < 0)
		abort();
	expect_policy(text);
	free(text);
	return 0;
}
