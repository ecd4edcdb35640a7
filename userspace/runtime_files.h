/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening the files of container runtimes without trusting whoever could have put something else
 * there: regular files of a bounded size, their owner's, no symbolic links below a place, FIFOs not
 * waited for. What is in them runtimes.c knows.
 *
 * host: the directory that is the host's root, NULL for this one's.
 */
#ifndef DNSFENCE_RUNTIME_FILES_H
#define DNSFENCE_RUNTIME_FILES_H

#include <dirent.h>
#include <sys/stat.h>

#include "util.h"

#define RUNTIMES_FILE_MAX (16u << 20)
#define RUNTIME_PATH_BYTES 1024
#define RUNTIME_PLACE_BYTES 448 /* of these, what is configured */

struct runtimes_problem {
	char text[1280]; /* FILE: what is wrong with it; "": nothing */
	uint64_t state; /* of that file: the same text and state were said already */
};

/* Where a runtime's files are: below base, symbolic links in base itself are the host's affair. */
struct runtime_place {
	char base[RUNTIME_PLACE_BYTES];
	const char *under; /* from there on no links; "": base itself */
	uint32_t owner; /* whose files count; 0: the system's */
};

struct runtime_file {
	int fd;
	struct stat st;
	uint64_t state;
	char path[RUNTIME_PATH_BYTES]; /* as said in messages, without the host's prefix */
};

/* A path of the host's, links on the way resolved as the host would. A descriptor or -errno. */
int runtime_host_open(const char *host, const char *path, int flags);

/*
 * 0; -ENOENT, also where a directory is missing; or another -errno with *problem set, -EPROTO where
 * it is not such a file, -EFBIG.
 */
int runtime_file_open(const char *host, const struct runtime_place *place, const char *relative,
		      struct runtime_file *ret, struct runtimes_problem *problem);
void runtime_file_done(struct runtime_file *file);

/* All of it, with a zero behind; what is written behind its size meanwhile is not seen. */
int runtime_file_text(const struct runtime_file *file, char **ret, size_t *ret_length);

/* Says what is wrong with that file; -EPROTO. */
int runtime_file_trouble(struct runtimes_problem *problem, const struct runtime_file *file,
			 const char *what);

/*
 * A number that is another one when the file is; 0 while that cannot be told, because it was
 * written within the grain of its time stamp.
 */
uint64_t runtime_file_state(const struct stat *st);

/* NULL: it is not there. */
DIR *runtime_directory_open(const char *host, const struct runtime_place *place,
			    const char *relative);
void runtime_directory_close(DIR **directory);

#endif
