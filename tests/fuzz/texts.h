/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fuzzer's bytes as short texts. Fuzz targets only. */
#ifndef DNSFENCE_FUZZ_TEXTS_H
#define DNSFENCE_FUZZ_TEXTS_H

#include "userspace/util.h"

/* take() gets them as they are, and as a list of some of the parts. */
static inline void fuzz_texts(const uint8_t *data, size_t size, const char *const *parts,
			      size_t parts_length, void (*take)(const char *text))
{
	char text[512] = "";

	memcpy(text, data, MIN(size, sizeof(text) - 1));
	take(text);
	text[0] = 0;
	for (size_t i = 0; i < size && i < 64; i++)
		strncat(text, parts[data[i] % parts_length], sizeof(text) - strlen(text) - 1);
	take(text);
}

#endif
