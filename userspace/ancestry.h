/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What /proc says of one process and its parent. Called by process_cache.c's thread:
 * /proc may hang. Knows nothing of cgroups or events.
 */
#ifndef DNSFENCE_ANCESTRY_H
#define DNSFENCE_ANCESTRY_H

#include "util.h"

/* Shared and never changed. Texts are as the kernel has them, any bytes; "": not known. */
struct ancestry {
	unsigned int references; /* atomic */
	uint32_t pid, parent; /* parent 0: none, or not known */
	int64_t started; /* CLOCK_BOOTTIME in ns, in steps of a clock tick; 0: not known */
	const char *executable, *parent_executable, *parent_name;
};

/* 0, or -ESRCH when the process has gone (a zombie has its parent, but no executable). */
int ancestry_read(uint32_t pid, struct ancestry **ret);

/* For a process of which nothing is known. NULL for want of memory. */
struct ancestry *ancestry_blank(uint32_t pid);

struct ancestry *ancestry_ref(struct ancestry *ancestry);
void ancestry_unref(struct ancestry *ancestry);

#endif
