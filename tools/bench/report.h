/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The numbers for people, and for programs. See report.c. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "bench.h"

/* A table on standard output. 0 or -errno. */
int report_print(const struct results *results);

/* The same and more as one JSON object. 0 or -errno. */
int report_write_json(const struct results *results, const char *path);

#endif
