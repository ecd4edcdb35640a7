/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What went wrong, in words that say what to do, on its way from the module that knows it to the
 * command that prints it.
 */
#ifndef DNSFENCE_PROBLEM_H
#define DNSFENCE_PROBLEM_H

#include "util.h"

#include <stdarg.h>

struct problem {
	char text[1024];
};

/* Set the text and hand back -error: "return problem_set(problem, EBUSY, ...)". */
static inline int _printf_(3, 4)
	problem_set(struct problem *problem, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(problem->text, sizeof(problem->text), format, args);
	va_end(args);
	return -error;
}

#endif
