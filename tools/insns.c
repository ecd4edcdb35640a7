// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How many instructions the running kernel's verifier walks for each program: what decides, at a
 * million, whether a program can be loaded. One line a program, name and number. Loads them as
 * the controller does, attaches and pins nothing. Every kernel since 5.2 tells the number in its
 * log; bpf_prog_info has it from 5.16 only.
 */
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/abi.h"

#include "dnsfence.skel.h"
#include "loader.h"

#define LOG_BYTES 4096 /* of statistics, the last lines */
#define LOG_LEVEL_STATS 4 /* BPF_LOG_STATS */
#define PROGRAMS_MAX 32

struct measured {
	const struct bpf_program *program;
	char log[LOG_BYTES];
};

static int measure_begin(struct dnsfence_bpf *object, struct measured *measured)
{
	struct bpf_program *program;
	int length = 0;

	bpf_object__for_each_program(program, object->obj)
	{
		if (!bpf_program__autoload(program)) /* this kernel cannot have it */
			continue;
		if (length == PROGRAMS_MAX)
			return -E2BIG;
		measured[length].program = program;
		(void)bpf_program__set_log_level(program, LOG_LEVEL_STATS);
		if (bpf_program__set_log_buf(program, measured[length].log, LOG_BYTES) < 0)
			return -EINVAL;
		length++;
	}
	return length;
}

static int measure_print(const struct measured *measured, int length)
{
	for (int i = 0; i < length; i++) {
		const char *name = bpf_program__name(measured[i].program);
		const char *processed = strstr(measured[i].log, "processed ");

		if (!processed) {
			fprintf(stderr, "insns: the kernel tells nothing of %s\n", name);
			return EXIT_FAILURE;
		}
		printf("%s %lu\n", name, strtoul(processed + strlen("processed "), NULL, 10));
	}
	return EXIT_SUCCESS;
}

int main(void)
{
	struct measured *measured = calloc(PROGRAMS_MAX, sizeof(*measured));
	struct dnsfence_bpf *object = dnsfence_bpf__open();
	struct kernel_features features = {0};
	struct problem problem = {{0}};
	int length, status = EXIT_FAILURE;

	if (!measured || !object) {
		fprintf(stderr, "insns: cannot open the programs: %s\n", strerror(errno));
	} else if (fence_probe(&features, &problem) < 0) {
		fprintf(stderr, "insns: %s\n", problem.text);
	} else {
		fence_configure(object, &features);
		length = measure_begin(object, measured);
		if (length < 0 || dnsfence_bpf__load(object) < 0)
			fprintf(stderr, "insns: cannot load the programs: %s\n", strerror(errno));
		else
			status = measure_print(measured, length);
	}
	dnsfence_bpf__destroy(object);
	free(measured);
	return status;
}
