// SPDX-License-Identifier: GPL-2.0-or-later
#include "pattern.h"

#include "printable.h"

void pattern_write(FILE *to, const char *text, size_t length, const char *end)
{
	fputc('"', to);
	for (size_t i = 0, step; i < length; i += step) {
		step = printable_length((const unsigned char *)text + i, length - i);
		if (!step || strchr("*?[]", text[i])) {
			fputc('?', to);
			step = 1;
			continue;
		}
		if (text[i] == '"' || text[i] == '\\')
			fputc('\\', to);
		fwrite(text + i, 1, step, to);
	}
	fprintf(to, "%s\"", end);
}
