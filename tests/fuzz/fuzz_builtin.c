// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any text as resolv.conf, and behind a zero byte as /proc/net/udp, and as the
 * name and the cgroup of the process that answers on loopback. Whatever stands in them, the
 * built-in policy is a configuration that loads and compiles.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/builtin.h"
#include "userspace/config.h"
#include "userspace/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One socket at 127.0.0.53:53. */
#define UDP_LINE \
	"  1: 3500007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 42\n"

static char proc[32] = "/tmp/fuzz-builtin.XXXXXX", resolv_conf[64], udp[64], comm[64], cgroup[64];

static void write_file(const char *path, const char *before, const uint8_t *data, size_t size)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(before, file) < 0 || fwrite(data, 1, size, file) != size ||
	    fclose(file) != 0)
		abort();
}

/* Uppermost last. */
static const char *const directories[] = {"net", "7/fd", "7"};

static void clean_up(void)
{
	char path[64];

	(void)unlink(resolv_conf);
	(void)unlink(udp);
	(void)unlink(comm);
	(void)unlink(cgroup);
	snprintf(path, sizeof(path), "%s/7/fd/5", proc);
	(void)unlink(path);
	for (size_t i = 0; i < ARRAY_LEN(directories); i++) {
		snprintf(path, sizeof(path), "%s/%s", proc, directories[i]);
		(void)rmdir(path);
	}
	(void)rmdir(proc);
}

static void make_files(void)
{
	char path[64];

	if (resolv_conf[0])
		return;
	if (!mkdtemp(proc))
		abort();
	for (size_t i = ARRAY_LEN(directories); i--;) {
		snprintf(path, sizeof(path), "%s/%s", proc, directories[i]);
		if (mkdir(path, 0700) < 0)
			abort();
	}
	snprintf(path, sizeof(path), "%s/7/fd/5", proc);
	if (symlink("socket:[42]", path) < 0)
		abort();
	snprintf(comm, sizeof(comm), "%s/7/comm", proc);
	snprintf(cgroup, sizeof(cgroup), "%s/7/cgroup", proc);
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
	char *text, name[64];

	make_files();
	write_file(resolv_conf, line, data, first);
	write_file(udp, size & 1 ? UDP_LINE : "  1: 3500007F:0035 ", data + first, size - first);
	write_file(comm, "", data, MIN(size, (size_t)15));
	snprintf(name, sizeof(name), "%.*s", (int)MIN(size, sizeof(name) - 1), (const char *)data);
	for (char *at = name; (at = strpbrk(at, "/\n"));) /* no cgroup has these in its name */
		*at = '_';
	write_file(cgroup, "0::/x/", (const uint8_t *)name, strlen(name));
	if (builtin_policy(&sources, &text) < 0)
		abort();
	expect_policy(text);
	free(text);
	return 0;
}
