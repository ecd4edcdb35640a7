// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any bytes as a packet. flow_parse() must stay inside them and say what the
 * independent reader of tests/unit/reference.c says.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../unit/compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *difference;

	if (size > 65535)
		return 0;
	difference = compare_readings(data, (uint32_t)size);
	if (!difference)
		return 0;
	fprintf(stderr, "%s differ\n", difference);
	abort();
}
