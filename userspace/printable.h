/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other people's text, which may be any bytes, on its way to a terminal or into a configuration. */
#ifndef DNSFENCE_PRINTABLE_H
#define DNSFENCE_PRINTABLE_H

#include "util.h"

/* Bytes of the UTF-8 character at text, RFC 3629 4: no surrogates, no overlong forms; 0: none. */
size_t utf8_length(const unsigned char *text, size_t left);

/*
 * The same; 0, too, for what a terminal obeys, ends a line or turns it around, or YAML does not
 * take: U+0000 to U+001F, U+007F to U+009F, U+061C, U+200E, U+200F, U+2028 to U+202E, U+2066 to
 * U+2069, U+FEFF, U+FFFE, U+FFFF.
 */
size_t printable_length(const unsigned char *text, size_t left);

/* Every byte of what is not printable becomes a question mark, in place. */
void event_make_printable(char *text);

#endif
