/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fuzzer's bytes as texts. Fuzz targets only. */
#ifndef DNSFENCE_FUZZ_TEXTS_H
#define DNSFENCE_FUZZ_TEXTS_H

#include <ctype.h>

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

/* The bytes of a word at the beginning of text: a run of letters, digits, ._-/@* or one other. */
static inline size_t fuzz_word(const char *text)
{
	size_t length = 0;

	while (isalnum((unsigned char)text[length]) ||
	       (text[length] && strchr("._-/@*", text[length])))
		length++;
	return MAX(length, 1u);
}

/* The nth word of a text, from its beginning again behind the last. */
static inline const char *fuzz_word_at(const char *text, size_t nth)
{
	const char *at = text;

	while (nth--) {
		at += fuzz_word(at);
		if (!*at)
			at = text;
	}
	return at;
}

/*
 * A good text, in which words of its own stand in other places: of each three of the fuzzer's bytes
 * the first says how many words stay as they are (bits 0 to 6), and whether the next one stays
 * beside the new one (bit 7), the others which that is. take() gets it, ended by a zero byte that
 * length does not count.
 */
static inline void fuzz_change(const char *good, const uint8_t *data, size_t size,
			       void (*take)(const char *text, size_t length))
{
	char text[8192];
	const char *from = good;
	size_t length = 0;

	for (; *from; data += 3, size -= 3) {
		size_t stay = size >= 3 ? data[0] & 0x7f : SIZE_MAX;
		const char *word = from;

		for (; *word && stay; stay--)
			word += fuzz_word(word);
		if (length + (size_t)(word - from) + 256 > sizeof(text))
			break;
		memcpy(text + length, from, (size_t)(word - from));
		length += (size_t)(word - from);
		from = word;
		if (!*from)
			break;
		word = fuzz_word_at(good, (size_t)data[1] << 8 | data[2]);
		memcpy(text + length, word, fuzz_word(word));
		length += fuzz_word(word);
		if (!(data[0] & 0x80))
			from += fuzz_word(from);
	}
	text[length] = 0;
	take(text, length);
}

#endif
