/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fuzzer's bytes as messages of the kernel's. Fuzz targets only. */
#ifndef DNSFENCE_FUZZ_MESSAGES_H
#define DNSFENCE_FUZZ_MESSAGES_H

#include <stdlib.h>

#include "userspace/util.h"

/* A copy that ends where it ends, so that ASan sees a byte too far; aligned as a receive buffer. */
static inline uint8_t *fuzz_copy(const void *data, size_t size)
{
	uint8_t *copy = malloc(MAX(size, 1u));

	if (!copy)
		abort();
	memcpy(copy, data, size);
	return copy;
}

/*
 * take() gets them as they are, and as changes of a good message of at most 256 bytes: the first
 * byte says how many to cut off its end, each further pair where to flip which bits. Few random
 * bytes make a whole message; nearly all of these get past the first checks.
 */
static inline void fuzz_messages(const uint8_t *data, size_t size, const void *good,
				 size_t good_size, void (*take)(const uint8_t *data, size_t size))
{
	uint8_t *copy = fuzz_copy(data, size);
	size_t left = good_size - (size ? data[0] % good_size : 0);

	take(copy, size);
	free(copy);
	copy = fuzz_copy(good, left);
	for (size_t i = 1; i + 1 < size; i += 2)
		copy[data[i] % left] ^= data[i + 1];
	take(copy, left);
	free(copy);
}

#endif
