/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of a log that is rotated, oldest first: FILE and what dnsfence itself (FILE.1, FILE.2)
 * or logrotate (FILE.2.gz, FILE-20261124, FILE-20261124.gz) has put aside. Can go on after the end,
 * over rotations. Knows nothing of what the lines say, and prints nothing.
 */
#ifndef DNSFENCE_LOGFILE_H
#define DNSFENCE_LOGFILE_H

#include "problem.h"

struct logfile;

/*
 * path "-": standard input. since: microseconds since 1970, files that were last written before it
 * are left out. NULL with *problem set when there is nothing to read. Without following, what comes
 * during reading may be read or not.
 */
struct logfile *logfile_open(const char *path, int64_t since, bool follow, struct problem *problem);
void logfile_close(struct logfile *logfile);

/*
 * The next line, not terminated, without its newline; valid until the next call. 1; 0: there is
 * none, or with `follow` none yet; -errno with *problem set for a file that could not be read or
 * not to its end: call again, the next one follows.
 */
int logfile_read(struct logfile *logfile, const char **ret_line, size_t *ret_length,
		 struct problem *problem);

/* Lines so far that were too long to be any. */
uint64_t logfile_overlong(const struct logfile *logfile);

#endif
