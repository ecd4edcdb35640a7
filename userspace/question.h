/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The question section of a DNS message, as the kernel copied it, -> text. Bounded, and strict:
 * what is not exactly one question is refused.
 */
#ifndef DNSFENCE_QUESTION_H
#define DNSFENCE_QUESTION_H

#include "util.h"

/* Every byte of a name of 255 may become \DDD. */
#define QUESTION_NAME_MAX (255 * 4 + 1)

struct question_text {
	char name[QUESTION_NAME_MAX]; /* presentation form, RFC 1035 5.1, no final dot but for "."
				       */
	char type[16]; /* "AAAA", or "TYPE65280" as RFC 3597 5 writes it */
	char class[16];
};

/* 0 or -EINVAL, *ret untouched then. */
int question_decode(const uint8_t *bytes, size_t length, struct question_text *ret);

#endif
