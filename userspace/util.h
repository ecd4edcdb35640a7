/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every module uses: cleanup attributes, ownership transfer, growing arrays. Knows nothing
 * of the project.
 */
#ifndef DNSFENCE_UTIL_H
#define DNSFENCE_UTIL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _cleanup_free_ _cleanup_(util_freep)
#define _cleanup_close_ _cleanup_(util_closep)
#define _cleanup_file_ _cleanup_(util_fclosep)
#define _printf_(text, first) __attribute__((__format__(__printf__, text, first)))

static inline void util_freep(void *pointer)
{
	free(*(void **)pointer);
}

static inline void util_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void util_fclosep(FILE **file)
{
	if (*file)
		fclose(*file);
}

#define TAKE_PTR(pointer)                               \
	({                                              \
		__typeof__(pointer) taken_ = (pointer); \
		(pointer) = NULL;                       \
		taken_;                                 \
	})

static inline int util_take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define TAKE_FD(fd) util_take_fd(&(fd))

/* Room for one more element of size bytes; doubles. 0 or -ENOMEM, *array untouched. */
static inline int util_grow(void **array, size_t length, size_t size)
{
	void *grown;

	if (length & (length - 1)) /* room up to the next power of two is there */
		return 0;
	grown = reallocarray(*array, length ? length * 2 : 1, size);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	return 0;
}

/* Append a zeroed element: a pointer to it, or NULL for want of memory. */
#define ARRAY_APPEND(array, length)                                   \
	(util_grow((void **)&(array), (length), sizeof(*(array))) < 0 \
		 ? NULL                                               \
		 : (__typeof__(array))memset(&(array)[(length)++], 0, sizeof(*(array))))

/* What a noun ends with behind a number. */
static inline const char *util_plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static inline bool util_streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

#endif
