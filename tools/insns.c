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
#include "follow.skel.h"
#include "loader.h"

#define LOG_BYTES 4096 /* of statistics, the last lines */
#define LOG_LEVEL_STATS 4 /* BPF_LOG_STATS */
#define PROGRAMS_MAX 32

struct measured {
	const struct bpf_program *program;
	char log[LOG_BYTES];
};

static int measure_begin(struct bpf_object *object, struct measured *measured)
{
	struct bpf_program *program;
	int length = 0;

	bpf_object__for_each_program(program, object)
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

static int measure(struct bpf_object *object, const char *name)
{
	struct measured *measured = calloc(PROGRAMS_MAX, sizeof(*measured));
	int length = measured ? measure_begin(object, measured) : -ENOMEM, r = EXIT_FAILURE;

	if (length < 0 || bpf_object__load(object) < 0)
		fprintf(stderr, "insns: cannot load the programs of %s: %s\n", name,
			strerror(errno));
	else
		r = measure_print(measured, length);
	free(measured);
	return r;
}

static int measure_fence(void)
{
	struct dnsfence_bpf *object = dnsfence_bpf__open();
	struct kernel_features features = {0};
	struct problem problem = {{0}};
	int r = EXIT_FAILURE;

	if (!object) {
		fprintf(stderr, "insns: cannot open the programs: %s\n", strerror(errno));
	} else if (fence_probe(&features, &problem) < 0) {
		fprintf(stderr, "insns: %s\n", problem.text);
	} else {
		fence_configure(object, &features);
		r = measure(object->obj, "dnsfence.bpf.c");
	}
	dnsfence_bpf__destroy(object);
	return r;
}

/* What follows cgroups; any scope costs the same. */
static int measure_follower(void)
{
	struct follow_bpf *object = follow_bpf__open();
	int r = EXIT_FAILURE;

	if (object)
		r = measure(object->obj, "follow.bpf.c");
	else
		fprintf(stderr, "insns: cannot open the programs: %s\n", strerror(errno));
	follow_bpf__destroy(object);
	return r;
}

int main(void)
{
	int fence = measure_fence(), follower = measure_follower();

	return fence == EXIT_SUCCESS ? follower : fence;
}
