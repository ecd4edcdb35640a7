/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What dnsfence writes into a configuration of other people's names. */
#ifndef DNSFENCE_PATTERN_H
#define DNSFENCE_PATTERN_H

#include <stdio.h>

/*
 * The first length bytes of text as a glob, and end, a glob of the caller's: a double-quoted YAML
 * scalar (YAML 1.2, 7.3.1). What a glob takes for a wildcard, and what YAML cannot hold, stands for
 * any byte.
 */
void pattern_write(FILE *to, const char *text, size_t length, const char *end);

#endif
