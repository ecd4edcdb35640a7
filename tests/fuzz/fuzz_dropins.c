// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: a configuration and its drop-ins, lists of sections cut into three files. What
 * is accepted compiles and names its files in their order; what is refused says why.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/config.h"
#include "userspace/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const sections[] = {
	"apiVersion: dnsfence/v1\n",
	"apiVersion: dnsfence/v1\n",
	"resolvers: {a: [10.0.0.53]}\n",
	"resolvers: {b: [10.1.0.0/24, \"::1\"]}\n",
	"resolvers: {a: []}\n",
	"policies: [{name: default, resolvers: [a]}]\n",
	"policies: [{name: ci, match: {cgroup: /ci.slice}, resolvers: [b]}]\n",
	"policies: [{name: any, match: {user: \"0\"}, resolvers: any}]\n",
	"policies: []\n",
	"mode: audit\n",
	"on_deny: refused\n",
	"services: [dns, mdns]\n",
	"events: {stdout: false, file: /x}\n",
	"events: {buffer: 64}\n",
	"edge: {interfaces: off}\n",
	"# a comment\n",
	"---\n",
	"nonsense",
};

static char dir[32] = "/tmp/fuzz-dropins.XXXXXX";
static char paths[3][64], directory[64];

static void clean_up(void)
{
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		(void)unlink(paths[i]);
	(void)rmdir(directory);
	(void)rmdir(dir);
}

static void start(void)
{
	if (!mkdtemp(dir))
		abort();
	snprintf(directory, sizeof(directory), "%s/dnsfence.d", dir);
	if (mkdir(directory, 0700) < 0)
		abort();
	snprintf(paths[0], sizeof(paths[0]), "%s/dnsfence.yaml", dir);
	snprintf(paths[1], sizeof(paths[1]), "%s/10-one.yaml", directory);
	snprintf(paths[2], sizeof(paths[2]), "%s/20-two.yaml", directory);
	atexit(clean_up);
}

/* One byte, one section; returns how many files there are. */
static size_t write_files(const uint8_t *data, size_t size)
{
	size_t files = 0;
	FILE *file = NULL;

	for (size_t i = 0; i < size && i < 64; i++) {
		if (!file || (data[i] >= 0xe0 && files < ARRAY_LEN(paths))) {
			if (file)
				fclose(file);
			file = fopen(paths[files++], "w");
		}
		fputs(sections[data[i] % ARRAY_LEN(sections)], file);
	}
	if (file)
		fclose(file);
	for (size_t i = files; i < ARRAY_LEN(paths); i++)
		(void)unlink(paths[i]);
	return files;
}

static void expect_whole(const struct config *config, size_t files)
{
	struct policy_image image;

	if (config->files_length != files)
		abort();
	for (size_t i = 0; i < files; i++)
		if (!util_streq(config->files[i], paths[i]))
			abort();
	if (policy_compile(config, NULL, 0, &image) < 0 ||
	    image.generation.policies_len != config->policies_length)
		abort();
	policy_image_done(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diagnostics diagnostics = {0};
	struct config config = {0};
	size_t files;
	int r;

	if (!paths[0][0])
		start();
	files = write_files(data, size);
	r = config_load(paths[0], &config, &diagnostics);
	if ((r == -ENOENT) != !files || (r == -EINVAL) != (diagnostics.errors > 0))
		abort();
	if (r == 0)
		expect_whole(&config, files);
	diagnostics_done(&diagnostics);
	config_done(&config);
	return 0;
}
