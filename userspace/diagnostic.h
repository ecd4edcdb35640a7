/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors and warnings about the configuration: all of them are collected, then shown together
 * as file:line:col: error: text, or for programs as JSON. The parser adds, the commands print.
 */
#ifndef DNSFENCE_DIAGNOSTIC_H
#define DNSFENCE_DIAGNOSTIC_H

#include "util.h"

#define DIAGNOSTICS_MAX 100 /* kept; the others are only counted */

/* A place in a file; line and column count from 1, 0 where there is none. */
struct mark {
	const char *file; /* not owned; lives as long as the struct config */
	unsigned int line;
	unsigned int column;
};

enum diagnostic_severity { DIAGNOSTIC_ERROR, DIAGNOSTIC_WARNING, DIAGNOSTIC_INFO };

struct diagnostic {
	struct mark where;
	enum diagnostic_severity severity;
	char *text;
};

struct diagnostics {
	struct diagnostic *list;
	size_t length;
	size_t errors; /* all, also those past DIAGNOSTICS_MAX */
};

void diagnostics_add(struct diagnostics *diagnostics, enum diagnostic_severity severity,
		     struct mark where, const char *format, ...) _printf_(4, 5);
/* One line each, in file order. */
void diagnostics_print(const struct diagnostics *diagnostics, FILE *to);
/* The same, each an object: severity, message, and where they are known file, line and column. */
void diagnostics_print_json(const struct diagnostics *diagnostics, FILE *to);
/* One more of them that has no place in a file. */
void diagnostic_say(FILE *to, bool json, enum diagnostic_severity severity, const char *format, ...)
	_printf_(4, 5);
void diagnostics_done(struct diagnostics *diagnostics);

#define config_error(diagnostics, where, ...) \
	diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, where, __VA_ARGS__)
#define config_warning(diagnostics, where, ...) \
	diagnostics_add(diagnostics, DIAGNOSTIC_WARNING, where, __VA_ARGS__)

#endif
