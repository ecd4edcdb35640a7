/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions by their hash: of equal violations only the first carries the question's text, and the
 * record that counts the others its hash alone. Four times as many as the kernel counts at once
 * (DF_FOLD_SLOTS); the one that nobody asked for the longest goes first.
 */
#ifndef DNSFENCE_QUESTION_CACHE_H
#define DNSFENCE_QUESTION_CACHE_H

#include "util.h"

struct question_cache;

/* NULL: no memory. */
struct question_cache *question_cache_new(void);
void question_cache_free(struct question_cache *cache);

/*
 * A question section as the kernel copied it. None, more than DF_QUESTION_MAX bytes, and what there
 * is no memory for are left out.
 */
void question_cache_put(struct question_cache *cache, uint64_t hash, const uint8_t *bytes,
			size_t length);

/* Its bytes, until the next call that puts one; NULL: it is not there. */
const uint8_t *question_cache_get(struct question_cache *cache, uint64_t hash, size_t *ret_length);

#endif
