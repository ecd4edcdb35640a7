// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any bytes as a question section. What is accepted must be printable, short
 * enough, and read back to the very bytes it came from.
 */
#include <ctype.h>
#include <stdlib.h>

#include "userspace/question.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next byte of a name in presentation form, RFC 1035 5.1. */
static uint8_t next_byte(const char **text)
{
	const char *at = *text;

	*text += at[0] != '\\' ? 1 : isdigit((unsigned char)at[1]) ? 4 : 2;
	if (at[0] != '\\')
		return (uint8_t)at[0];
	if (!isdigit((unsigned char)at[1]))
		return (uint8_t)at[1];
	return (uint8_t)((at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0'));
}

static void expect_name(const uint8_t *data, const char *text)
{
	if (!data[0] && strcmp(text, ".") == 0)
		return;
	while (*data) {
		size_t label = *data++;

		while (label--)
			if (next_byte(&text) != *data++)
				abort();
		if (*data && *text++ != '.')
			abort();
	}
	if (*text)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct question_text text;

	if (question_decode(data, size, &text) < 0)
		return 0;
	for (const char *at = text.name; *at; at++)
		if (*at <= 0x20 || *at >= 0x7f)
			abort();
	if (!text.name[0] || strlen(text.name) >= sizeof(text.name) || !text.type[0] ||
	    !text.class[0])
		abort();
	expect_name(data, text.name);
	return 0;
}
