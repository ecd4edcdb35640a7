// SPDX-License-Identifier: GPL-2.0-or-later
#include "escape.h"

#include "util.h"

char *escape_glob(const char *directory, const char *pattern)
{
	char *text = malloc(2 * strlen(directory) + strlen(pattern) + 1), *to = text;

	if (!text)
		return NULL;
	for (const char *from = directory; *from; from++) {
		if (strchr("*?[\\", *from))
			*to++ = '\\';
		*to++ = *from;
	}
	strcpy(to, pattern);
	return text;
}

void escape_undo_octal(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] && from[2] && from[3]) {
			*to = (char)((from[1] & 7) << 6 | (from[2] & 7) << 3 | (from[3] & 7));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = 0;
}
