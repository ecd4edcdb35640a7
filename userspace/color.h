/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where colours are used, and which: on a terminal only, and not if NO_COLOR is set to anything
 * (no-color.org: empty is as if unset) or the terminal is dumb.
 */
#ifndef DNSFENCE_COLOR_H
#define DNSFENCE_COLOR_H

#include "util.h"

#define COLOR_RED "\033[31m" /* refused, open, changed by others */
#define COLOR_YELLOW "\033[33m" /* would be refused, and what else is worth a look */
#define COLOR_GREEN "\033[32m" /* let through */
#define COLOR_NONE "\033[0m"

static inline bool color_wanted(int fd)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return (!no || !*no) && (!terminal || !util_streq(terminal, "dumb")) && isatty(fd) == 1;
}

#endif
