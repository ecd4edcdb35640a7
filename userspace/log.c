// SPDX-License-Identifier: GPL-2.0-or-later
#include "log.h"

#include <stdarg.h>

#include "printable.h"

static enum log_level log_level = LOG_LEVEL_INFO;

/* sd-daemon(3): the journal reads the priority from these prefixes. */
static const struct {
	const char *journal;
	const char *word;
} log_prefixes[] = {
	[LOG_LEVEL_ERROR] = {"<3>", "error: "},
	[LOG_LEVEL_WARNING] = {"<4>", "warning: "},
	[LOG_LEVEL_INFO] = {"<6>", ""},
	[LOG_LEVEL_DEBUG] = {"<7>", "debug: "},
};

void log_set_level(enum log_level level)
{
	log_level = level;
}

bool log_wants(enum log_level level)
{
	return level <= log_level;
}

void log_write(enum log_level level, const char *format, ...)
{
	bool journal = getenv("JOURNAL_STREAM") != NULL;
	char line[4096];
	va_list args;
	int length;

	if (!log_wants(level))
		return;
	va_start(args, format);
	length = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (length < 0)
		return;
	event_make_printable(
		line); /* a newline in a file's name would begin a message of its own */
	fprintf(stderr, "%sdnsfence: %s%s\n", journal ? log_prefixes[level].journal : "",
		log_prefixes[level].word, line);
}
