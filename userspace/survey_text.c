// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines, INI files, lists of addresses: what the survey's files are made of. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>

#include "bpf/abi.h"
#include "nameservers.h"
#include "runtime_files.h"
#include "survey.h"

#define FILE_MAX (4u << 20)

/* This host needs no openat2(2), which a sandbox may forbid: its links are resolved as ever. */
int survey_open(const char *root, const char *path, int flags)
{
	int fd;

	if (root[strspn(root, "/")])
		return runtime_host_open(root, path, flags);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static FILE *open_file(const struct survey *survey, const char *path)
{
	int fd = survey_open(survey->root, path, O_RDONLY | O_NONBLOCK);
	struct stat st;
	FILE *file;

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
	_cleanup_file_ FILE *file = open_file(survey, path);
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

/* glob(3) walks by these, so that a directory, too, that is a link leads to none outside. */
static _Thread_local const char *walked_root; /* they are given no context */

static void *walk_open(const char *path)
{
	int fd = survey_open(walked_root, path, O_RDONLY | O_DIRECTORY);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (fd < 0)
		errno = -fd;
	else if (!directory)
		close(fd);
	return directory;
}

static struct dirent *walk_read(void *directory)
{
	return readdir(directory);
}

static void walk_close(void *directory)
{
	closedir(directory);
}

static int walk_stat(const char *path, struct stat *ret)
{
	_cleanup_close_ int fd = survey_open(walked_root, path, O_PATH);

	if (fd >= 0)
		return fstat(fd, ret);
	errno = -fd;
	return -1;
}

void survey_each(const struct survey *survey, const char *pattern, survey_path take, void *context)
{
	glob_t found = {
		.gl_opendir = walk_open,
		.gl_readdir = walk_read,
		.gl_closedir = walk_close,
		.gl_stat = walk_stat,
		.gl_lstat = walk_stat, /* what is behind a link is what will be read */
	};

	walked_root = survey->root;
	if (glob(pattern, GLOB_ALTDIRFUNC, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			take(context, found.gl_pathv[i]);
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
