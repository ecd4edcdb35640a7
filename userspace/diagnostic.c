// SPDX-License-Identifier: GPL-2.0-or-later
#include "diagnostic.h"

#include <stdarg.h>

#include "json.h"
#include "printable.h"

static const char *const severity_names[] = {
	[DIAGNOSTIC_ERROR] = "error",
	[DIAGNOSTIC_WARNING] = "warning",
	[DIAGNOSTIC_INFO] = "info",
};

void diagnostics_add(struct diagnostics *diagnostics, enum diagnostic_severity severity,
		     struct mark where, const char *format, ...)
{
	struct diagnostic *diagnostic;
	va_list args;

	if (severity == DIAGNOSTIC_ERROR)
		diagnostics->errors++;
	if (diagnostics->length >= DIAGNOSTICS_MAX)
		return;
	diagnostic = ARRAY_APPEND(diagnostics->list, diagnostics->length);
	if (!diagnostic)
		return;
	diagnostic->where = where;
	diagnostic->severity = severity;
	va_start(args, format);
	if (vasprintf(&diagnostic->text, format, args) < 0)
		diagnostic->text = NULL;
	va_end(args);
	if (diagnostic->text) /* keys and values may be anything; a message is one line */
		event_make_printable(diagnostic->text);
}

static void diagnostic_print(const struct diagnostic *diagnostic, FILE *to)
{
	const struct mark *where = &diagnostic->where;

	if (where->file)
		fprintf(to, "%s:", where->file);
	if (where->line)
		fprintf(to, "%u:%u:", where->line, where->column);
	fprintf(to, "%s%s%s%s\n", where->file ? " " : "",
		diagnostic->severity == DIAGNOSTIC_INFO ? "" : severity_names[diagnostic->severity],
		diagnostic->severity == DIAGNOSTIC_INFO ? "" : ": ",
		diagnostic->text ? diagnostic->text : "out of memory");
}

static void diagnostic_print_json(const struct diagnostic *diagnostic, FILE *to)
{
	const struct mark *where = &diagnostic->where;
	struct json json = {0};

	json_open(&json, NULL);
	json_put(&json, "severity", severity_names[diagnostic->severity]);
	if (where->file)
		json_put(&json, "file", where->file);
	if (where->line) {
		json_uint(&json, "line", where->line);
		json_uint(&json, "column", where->column);
	}
	json_put(&json, "message", diagnostic->text ? diagnostic->text : "out of memory");
	json_close(&json);
	if (json_finish(&json) == 0)
		(void)fwrite(json.text, 1, json.length, to);
	json_done(&json);
}

void diagnostic_say(FILE *to, bool json, enum diagnostic_severity severity, const char *format, ...)
{
	struct diagnostic diagnostic = {.severity = severity};
	va_list args;

	va_start(args, format);
	if (vasprintf(&diagnostic.text, format, args) < 0)
		diagnostic.text = NULL;
	va_end(args);
	(json ? diagnostic_print_json : diagnostic_print)(&diagnostic, to);
	free(diagnostic.text);
}

static int diagnostic_compare(const void *left, const void *right)
{
	const struct diagnostic *a = left, *b = right;
	int order = strcmp(a->where.file ? a->where.file : "", b->where.file ? b->where.file : "");

	if (order)
		return order;
	if (a->where.line != b->where.line)
		return a->where.line < b->where.line ? -1 : 1;
	return a->where.column < b->where.column ? -1 : a->where.column > b->where.column;
}

static void diagnostics_sort(const struct diagnostics *diagnostics)
{
	if (diagnostics->length)
		qsort(diagnostics->list, diagnostics->length, sizeof(*diagnostics->list),
		      diagnostic_compare);
}

void diagnostics_print_json(const struct diagnostics *diagnostics, FILE *to)
{
	diagnostics_sort(diagnostics);
	for (size_t i = 0; i < diagnostics->length; i++)
		diagnostic_print_json(&diagnostics->list[i], to);
	if (diagnostics->length == DIAGNOSTICS_MAX)
		diagnostic_say(to, true, DIAGNOSTIC_INFO, "only the first %d are shown",
			       DIAGNOSTICS_MAX);
}

void diagnostics_print(const struct diagnostics *diagnostics, FILE *to)
{
	diagnostics_sort(diagnostics);
	for (size_t i = 0; i < diagnostics->length; i++)
		diagnostic_print(&diagnostics->list[i], to);
	if (diagnostics->length == DIAGNOSTICS_MAX)
		fprintf(to, "dnsfence: only the first %d are shown\n", DIAGNOSTICS_MAX);
}

void diagnostics_done(struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->length; i++)
		free(diagnostics->list[i].text);
	free(diagnostics->list);
	*diagnostics = (struct diagnostics){0};
}
