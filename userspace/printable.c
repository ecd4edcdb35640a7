// SPDX-License-Identifier: GPL-2.0-or-later
#include "printable.h"

size_t utf8_length(const unsigned char *text, size_t left)
{
	size_t length = text[0] < 0x80   ? 1
			: text[0] < 0xc2 ? 0
			: text[0] < 0xe0 ? 2
			: text[0] < 0xf0 ? 3
			: text[0] < 0xf5 ? 4
					 : 0;

	if (!length || length > left)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return length;
}

/* U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069, U+FEFF, U+FFFE, U+FFFF: three bytes each. */
static bool is_format(const unsigned char *text)
{
	if (text[0] == 0xef)
		return (text[1] == 0xbb && text[2] == 0xbf) || (text[1] == 0xbf && text[2] >= 0xbe);
	if (text[0] != 0xe2 || (text[1] != 0x80 && text[1] != 0x81))
		return false;
	if (text[1] == 0x81)
		return text[2] >= 0xa6 && text[2] <= 0xa9;
	return text[2] == 0x8e || text[2] == 0x8f || (text[2] >= 0xa8 && text[2] <= 0xae);
}

size_t printable_length(const unsigned char *text, size_t left)
{
	size_t length = utf8_length(text, left);

	if (length == 1)
		return text[0] >= 0x20 && text[0] != 0x7f;
	if (length == 2 && ((text[0] == 0xc2 && text[1] < 0xa0) ||
			    (text[0] == 0xd8 && text[1] == 0x9c))) /* U+061C */
		return 0;
	return length == 3 && is_format(text) ? 0 : length;
}

void event_make_printable(char *text)
{
	unsigned char *at = (unsigned char *)text;

	for (size_t left = strlen(text), step; left; at += step, left -= step) {
		step = printable_length(at, left);
		if (step)
			continue;
		*at = '?';
		step = 1;
	}
}
