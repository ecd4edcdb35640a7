/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where event lines go: a file, the standard output. Sinks see text, never events nor BPF. None
 * of them ever waits: what cannot be taken at once is dropped, whole lines, and counted.
 */
#ifndef DNSFENCE_SINK_H
#define DNSFENCE_SINK_H

#include "util.h"

#define SINK_BUFFER (64 * 1024)
#define SINK_LINES 512

struct sink_counters {
	uint64_t written; /* lines */
	uint64_t dropped;
	uint64_t missed; /* violations in dropped lines that the reader has not been told of */
};

/* sink_file.c: append lines to a file, one write() for a batch of them. */
struct sink_file {
	char *path;
	int fd;
	char buffer[SINK_BUFFER];
	size_t length;
	uint64_t counts[SINK_LINES]; /* violations that each line in the buffer tells of */
	size_t lines;
	int error; /* errno of the last failed write or open, 0: fine. Said once. */
	struct sink_counters counters;
};

/* NULL with errno when the file cannot be opened for appending. */
struct sink_file *sink_file_new(const char *path);
void sink_file_free(struct sink_file *sink);
/* count: violations that the line tells of. */
void sink_file_write(struct sink_file *sink, const char *line, size_t length, uint64_t count);
void sink_file_flush(struct sink_file *sink);
/* After the file was moved away: open it by its name again. */
void sink_file_reopen(struct sink_file *sink);

/* sink_stdout.c: one write() a line, none while the reader is behind. */
struct sink_stdout {
	bool terminal;
	struct sink_counters counters;
};

void sink_stdout_init(struct sink_stdout *sink);
bool sink_stdout_ready(void); /* a line would be taken */
void sink_stdout_write(struct sink_stdout *sink, const char *line, size_t length, uint64_t count);

#endif
