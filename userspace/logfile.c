// SPDX-License-Identifier: GPL-2.0-or-later
#include "logfile.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <zlib.h>

#include "entry.h"
#include "when.h"

/* Seconds that a file's time of change can be before that of an event in it: by a tick, as the
 * kernel stamps files by its coarse clock (current_time(), fs/inode.c), and by what the clock was
 * set back between event and write. */
#define MTIME_BEHIND 60

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_OTHER };

/* One of the files, open. */
struct part {
	char *name;
	enum packing packing;
	unsigned long number; /* of FILE.N; 0: it has none */
	char date[32]; /* of FILE-DATE; "": it has none */
	int fd; /* until gz has it */
	gzFile gz;
	dev_t device;
	ino_t inode;
	bool wanted;
};

struct logfile {
	char *path;
	int64_t since;
	bool follow;
	struct part *parts; /* oldest first, FILE last */
	size_t length;
	size_t at;
	uint64_t offset; /* in the part that is read */
	char buffer[ENTRY_LINE_MAX];
	size_t begin, end; /* of what is in it and was not handed out */
	bool part_ended; /* what is left of it is a line */
	bool skipping; /* the rest of a line that was too long */
	uint64_t overlong;
};

static void part_done(struct part *part)
{
	if (part->gz)
		gzclose(part->gz);
	util_closep(&part->fd);
	free(part->name);
}

static void parts_done(struct part *parts, size_t length)
{
	for (size_t i = 0; i < length; i++)
		part_done(&parts[i]);
	free(parts);
}

/* What stands behind FILE's name: ".2", ".2.gz", "-20261124", "-20261124-03.gz". */
static bool suffix_read(const char *suffix, struct part *part)
{
	static const char *const others[] = {".xz", ".zst", ".bz2", ".lz4"};
	char *end = NULL;
	size_t length;

	if (suffix[0] == '.' && suffix[1] >= '1' && suffix[1] <= '9') {
		part->number = strtoul(suffix + 1, &end, 10);
		suffix = end;
	} else if (suffix[0] == '-') {
		length = strspn(++suffix, "0123456789-_T:");
		if (length < 8 || length >= sizeof(part->date))
			return false;
		memcpy(part->date, suffix, length);
		suffix += length;
	} else {
		return false;
	}
	if (util_streq(suffix, ".gz"))
		part->packing = PACKING_GZIP;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (util_streq(suffix, others[i]))
			part->packing = PACKING_OTHER;
	return !*suffix || part->packing != PACKING_NONE;
}

/* Newest first: a rotation meanwhile moves files up, to where they are still looked for. */
static int part_compare(const void *left, const void *right)
{
	const struct part *a = left, *b = right;
	int order = strcmp(b->date, a->date);

	if (!a->date[0] != !b->date[0])
		return a->date[0] ? 1 : -1;
	if (!order && a->number != b->number)
		order = a->number < b->number ? -1 : 1;
	return order ?: (int)a->packing - (int)b->packing;
}

static int parts_append(struct part **parts, size_t *length, struct part part,
			const char *directory, const char *name)
{
	struct part *place;

	if (asprintf(&part.name, "%s/%s", directory, name) < 0)
		return -ENOMEM;
	place = ARRAY_APPEND(*parts, *length);
	if (!place) {
		free(part.name);
		return -ENOMEM;
	}
	part.fd = -1;
	*place = part;
	return 0;
}

static int parts_list(const char *path, struct part **parts, size_t *length)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	_cleanup_free_ char *directory =
		slash ? strndup(path, (size_t)(slash - path) ?: 1) : strdup(".");
	DIR *stream = directory ? opendir(directory) : NULL;
	struct dirent *found;
	int r = 0;

	if (!directory)
		return -ENOMEM;
	if (!stream)
		return -errno;
	while (r == 0 && (found = readdir(stream))) {
		struct part part = {0};

		if (strncmp(found->d_name, base, strlen(base)) != 0)
			continue;
		if (!found->d_name[strlen(base)] ||
		    suffix_read(found->d_name + strlen(base), &part))
			r = parts_append(parts, length, part, directory, found->d_name);
	}
	closedir(stream);
	if (*length)
		qsort(*parts, *length, sizeof(**parts), part_compare);
	return r;
}

/* Is the file one of these already, under another name? */
static bool parts_have(const struct part *parts, size_t length, const struct stat *st)
{
	for (size_t i = 0; i < length; i++)
		if (parts[i].fd >= 0 && parts[i].device == st->st_dev &&
		    parts[i].inode == st->st_ino)
			return true;
	return false;
}

/* The same number or date packed and unpacked: being packed just now. */
static bool part_is_twin(const struct part *parts, size_t i)
{
	return i > 0 && parts[i].packing != PACKING_NONE && parts[i - 1].fd >= 0 &&
	       parts[i].number == parts[i - 1].number &&
	       util_streq(parts[i].date, parts[i - 1].date);
}

static bool part_open(struct logfile *logfile, struct part *parts, size_t i)
{
	struct part *part = &parts[i];
	struct stat st;

	if (part_is_twin(parts, i))
		return false;
	part->fd = open(part->name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (part->fd < 0)
		return errno != ENOENT; /* to be told when its turn comes */
	if (fstat(part->fd, &st) < 0 || S_ISDIR(st.st_mode) || parts_have(parts, i, &st) ||
	    (int64_t)(st.st_mtim.tv_sec + MTIME_BEHIND) * WHEN_SECOND < logfile->since) {
		close(part->fd);
		part->fd = -1;
		return false;
	}
	part->device = st.st_dev;
	part->inode = st.st_ino;
	return true;
}

static void parts_reverse(struct part *parts, size_t length)
{
	for (size_t i = 0; i < length / 2; i++) {
		struct part part = parts[i];

		parts[i] = parts[length - 1 - i];
		parts[length - 1 - i] = part;
	}
}

/* All that there are now, opened. */
static int parts_open(struct logfile *logfile, struct part **ret, size_t *ret_length)
{
	struct part *parts = NULL;
	size_t length = 0, kept = 0;
	int r = parts_list(logfile->path, &parts, &length);

	if (r < 0) {
		parts_done(parts, length);
		return r;
	}
	for (size_t i = 0; i < length; i++)
		parts[i].wanted = part_open(logfile, parts, i);
	for (size_t i = 0; i < length; i++) {
		if (parts[i].wanted)
			parts[kept++] = parts[i];
		else
			part_done(&parts[i]);
	}
	parts_reverse(parts, kept);
	*ret = parts;
	*ret_length = kept;
	return 0;
}

static int logfile_open_stdin(struct logfile *logfile)
{
	int r = parts_append(&logfile->parts, &logfile->length, (struct part){0}, ".", "-");

	if (r < 0)
		return r;
	logfile->parts[0].fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	return logfile->parts[0].fd < 0 ? -errno : 0;
}

/* Of a rotated one that cannot be read it is told when its turn comes; without FILE, never mind. */
static int logfile_check(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return access(path, R_OK) < 0 ? -errno : 0;
}

static const char *logfile_advice(int error)
{
	switch (error) {
	case -EACCES:
		return "; run as root";
	case -EISDIR:
		return "; name the file in it";
	case -ENOENT:
		return "; give the log by --file";
	default:
		return "";
	}
}

struct logfile *logfile_open(const char *path, int64_t since, bool follow, struct problem *problem)
{
	struct logfile *logfile = calloc(1, sizeof(*logfile));
	bool input = util_streq(path, "-");
	int r = -ENOMEM;

	problem->text[0] = 0;
	if (!logfile || !(logfile->path = strdup(path)))
		goto fail;
	logfile->since = since;
	logfile->follow = follow && !input;
	r = input ? logfile_open_stdin(logfile) : logfile_check(path);
	if (r == 0 && !input)
		r = parts_open(logfile, &logfile->parts, &logfile->length);
	if (r == 0 && !logfile->length && !follow && access(path, F_OK) < 0)
		r = -errno;
	if (r == 0)
		return logfile;
fail:
	(void)problem_set(problem, -r, "cannot read the log %s: %s%s", path, strerror(-r),
			  logfile_advice(r));
	logfile_close(logfile);
	errno = -r;
	return NULL;
}

void logfile_close(struct logfile *logfile)
{
	if (!logfile)
		return;
	parts_done(logfile->parts, logfile->length);
	free(logfile->path);
	free(logfile);
}

uint64_t logfile_overlong(const struct logfile *logfile)
{
	return logfile->overlong;
}

/* A line that is whole, or with `rest` what is left of the last one. */
static bool logfile_take(struct logfile *logfile, bool rest, const char **ret_line,
			 size_t *ret_length)
{
	char *begin = logfile->buffer + logfile->begin, *end;

	while ((end = memchr(begin, '\n', logfile->end - logfile->begin)) ||
	       (rest && logfile->begin < logfile->end)) {
		bool skipped = logfile->skipping;
		size_t length = end ? (size_t)(end - begin) : logfile->end - logfile->begin;

		logfile->begin += length + (end != NULL);
		logfile->skipping = false;
		if (!skipped) {
			*ret_line = begin;
			*ret_length = length;
			return true;
		}
		begin = logfile->buffer + logfile->begin;
	}
	logfile->skipping &= !rest;
	return false;
}

/* Room for more: a line that fills the buffer is none. */
static void logfile_make_room(struct logfile *logfile)
{
	memmove(logfile->buffer, logfile->buffer + logfile->begin, logfile->end - logfile->begin);
	logfile->end -= logfile->begin;
	logfile->begin = 0;
	if (logfile->end < sizeof(logfile->buffer))
		return;
	logfile->overlong += !logfile->skipping;
	logfile->skipping = true;
	logfile->end = 0;
}

static int part_refuse(const struct part *part, const char *why, struct problem *problem)
{
	return problem_set(problem, EIO, "%s is not read, or not to its end: %s", part->name, why);
}

static ssize_t part_read(struct part *part, char *to, size_t size, struct problem *problem)
{
	ssize_t length;
	int error;

	if (part->packing == PACKING_OTHER)
		return part_refuse(part, "only gzip is understood; unpack it and give it by --file",
				   problem);
	if (part->fd < 0 && !part->gz)
		return part_refuse(part, "it cannot be opened", problem);
	if (part->packing == PACKING_GZIP && !part->gz) {
		part->gz = gzdopen(part->fd, "r");
		if (!part->gz)
			return part_refuse(part, strerror(ENOMEM), problem);
		part->fd = -1;
	}
	if (part->gz) {
		length = gzread(part->gz, to, (unsigned int)size);
		if (length < 0 || (!length && gzerror(part->gz, &error) && error == Z_BUF_ERROR))
			return part_refuse(part, "it is no whole gzip file", problem);
		return length;
	}
	length = read(part->fd, to, size);
	return length < 0 ? part_refuse(part, strerror(errno), problem) : length;
}

static void logfile_next_part(struct logfile *logfile)
{
	part_done(&logfile->parts[logfile->at]);
	logfile->parts[logfile->at++] = (struct part){.fd = -1};
	logfile->offset = 0;
}

/* Its place among these: all behind it are newer. */
static size_t parts_behind(const struct part *parts, size_t length, const struct stat *ours)
{
	for (size_t i = 0; i < length; i++)
		if (parts[i].device == ours->st_dev && parts[i].inode == ours->st_ino)
			return i + 1;
	/* Packed or gone meanwhile; packing keeps the time. */
	for (size_t i = 0; i < length; i++) {
		struct stat st;

		if (parts[i].fd >= 0 && fstat(parts[i].fd, &st) == 0 &&
		    (st.st_mtim.tv_sec != ours->st_mtim.tv_sec
			     ? st.st_mtim.tv_sec > ours->st_mtim.tv_sec
			     : st.st_mtim.tv_nsec > ours->st_mtim.tv_nsec))
			return i;
	}
	return length;
}

/* What came after `ours` takes the place of the parts that have been read. */
static int logfile_find_newer(struct logfile *logfile, const struct stat *ours)
{
	struct part *parts = NULL;
	size_t length = 0, first;
	int r = parts_open(logfile, &parts, &length);

	if (r < 0)
		return 0; /* the directory is not there now */
	first = ours ? parts_behind(parts, length, ours) : 0;
	for (size_t i = 0; i < first; i++) {
		part_done(&parts[i]);
		parts[i] = (struct part){.fd = -1};
	}
	if (first == length) {
		parts_done(parts, length);
		return 0;
	}
	parts_done(logfile->parts, logfile->length);
	logfile->parts = parts;
	logfile->length = length;
	logfile->at = first;
	logfile->offset = 0;
	logfile->part_ended = true;
	return 1;
}

/*
 * At the end of the newest part: 1 when there is more. After a rotation the daemon writes into the
 * old file until it is told, so that one is finished only when the new one has something in it.
 */
static int logfile_go_on(struct logfile *logfile)
{
	struct stat ours, now;
	struct part *part;

	part = &logfile->parts[logfile->at];
	if (part->fd < 0 || fstat(part->fd, &ours) < 0)
		return 0;
	if ((uint64_t)ours.st_size < logfile->offset) { /* copied and cut */
		logfile->offset = 0;
		logfile->begin = logfile->end = 0;
		return lseek(part->fd, 0, SEEK_SET) == 0 && ours.st_size > 0;
	}
	if ((uint64_t)ours.st_size > logfile->offset)
		return 1;
	if (stat(logfile->path, &now) < 0 || !now.st_size ||
	    (now.st_dev == ours.st_dev && now.st_ino == ours.st_ino))
		return 0;
	if (fstat(part->fd, &ours) == 0 && (uint64_t)ours.st_size > logfile->offset)
		return 1; /* written before the new one was */
	return logfile_find_newer(logfile, &ours);
}

/* 1: something has changed; 0: there is nothing, or nothing yet. */
static int logfile_fill(struct logfile *logfile, struct problem *problem)
{
	ssize_t length;

	if (logfile->at == logfile->length)
		return logfile->follow && !logfile->length ? logfile_find_newer(logfile, NULL) : 0;
	logfile_make_room(logfile);
	length = part_read(&logfile->parts[logfile->at], logfile->buffer + logfile->end,
			   sizeof(logfile->buffer) - logfile->end, problem);
	if (length > 0) {
		logfile->end += (size_t)length;
		logfile->offset += (uint64_t)length;
		return 1;
	}
	if (length == 0 && logfile->follow && logfile->at + 1 == logfile->length)
		return logfile_go_on(logfile);
	logfile_next_part(logfile);
	logfile->part_ended = true;
	return length < 0 ? (int)length : 1;
}

int logfile_read(struct logfile *logfile, const char **ret_line, size_t *ret_length,
		 struct problem *problem)
{
	int r;

	do {
		if (logfile_take(logfile, logfile->part_ended, ret_line, ret_length))
			return 1;
		logfile->part_ended = false;
		r = logfile_fill(logfile, problem);
	} while (r > 0);
	return r;
}
