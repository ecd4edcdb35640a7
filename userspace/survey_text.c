// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines, INI files, lists of addresses: what the survey's files are made of. */
#include <ctype.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <sys/stat.h>

#include "bpf/abi.h"
#include "nameservers.h"
#include "survey.h"

#define FILE_MAX (4u << 20)

static FILE *survey_open(const struct survey *survey, const char *path)
{
	char full[PATH_MAX];
	struct stat st;
	FILE *file;
	int fd;

	(void)snprintf(full, sizeof(full), "%s%s", survey->root, path);
	fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)FILE_MAX) {
		close(fd);
		return NULL;
	}
	file = fdopen(fd, "r");
	if (!file)
		close(fd);
	return file;
}

bool survey_read_lines(const struct survey *survey, const char *path, survey_line take,
		       void *context)
{
	_cleanup_file_ FILE *file = survey_open(survey, path);
	_cleanup_free_ char *text = NULL;
	unsigned int line = 0;
	size_t size = 0;

	if (!file)
		return false;
	while (getline(&text, &size, file) > 0) {
		text[strcspn(text, "\n")] = 0;
		if (!take(context, path, ++line, text))
			break;
	}
	return true;
}

struct ini {
	survey_setting take;
	void *context;
	char section[128];
};

static char *trim(char *text)
{
	char *end = text + strlen(text);

	while (end > text && isspace((unsigned char)end[-1]))
		*--end = 0;
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

static bool ini_take(void *context, const char *path, unsigned int line, char *text)
{
	struct ini *ini = context;
	char *start = trim(text), *equals;

	if (*start == '[') {
		start[strcspn(start, "]")] = 0;
		(void)snprintf(ini->section, sizeof(ini->section), "%s", start + 1);
		return true;
	}
	equals = strchr(start, '=');
	if (!equals || *start == '#' || *start == ';')
		return true;
	*equals = 0;
	ini->take(ini->context, path, line, ini->section, trim(start), trim(equals + 1));
	return true;
}

bool survey_read_ini(const struct survey *survey, const char *path, survey_setting take,
		     void *context)
{
	struct ini ini = {.take = take, .context = context};

	return survey_read_lines(survey, path, ini_take, &ini);
}

void survey_each(const struct survey *survey, const char *pattern, survey_path take, void *context)
{
	size_t prefix = strlen(survey->root);
	char full[PATH_MAX];
	glob_t found = {0};

	(void)snprintf(full, sizeof(full), "%s%s", survey->root, pattern);
	if (glob(full, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			take(context, found.gl_pathv[i] + prefix);
	globfree(&found);
}

void survey_tell(const struct survey *survey, const struct survey_item *item)
{
	survey->found(survey->context, item);
}

void survey_tell_addresses(const struct survey *survey, struct survey_item *item, char *list,
			   const char *separators)
{
	struct nameserver server;

	for (char *word; (word = strsep(&list, separators));) {
		if (nameserver_parse(word, &server) < 0)
			continue;
		item->address = server.address;
		item->port = server.port;
		survey_tell(survey, item);
	}
}

struct survey_item survey_resolver(const char *source, const char *path, unsigned int line)
{
	return (struct survey_item){
		.kind = SURVEY_RESOLVER,
		.source = source,
		.path = path,
		.line = line,
		.service = DF_SERVICE_DNS,
		.protocols = DF_PROTO_UDP,
		.text = "",
		.advice = "",
	};
}

struct survey_item survey_note(const char *source, const char *path, unsigned int line,
			       const char *text, const char *advice)
{
	return (struct survey_item){
		.kind = SURVEY_NOTE,
		.source = source,
		.path = path,
		.line = line,
		.text = text,
		.advice = advice,
	};
}
