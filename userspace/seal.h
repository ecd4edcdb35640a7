/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record of what a whole fence consists of, in a pinned map of its own: broken before every
 * change, put after it, and read by the next daemon. Called by enforce.c around what it changes.
 */
#ifndef DNSFENCE_SEAL_H
#define DNSFENCE_SEAL_H

#include "enforce.h"

void seal_break(const struct enforcement *enforcement);

/* enforcement->seal and the pinned record say what is there now. */
void seal_put(struct enforcement *enforcement);

/* The same after nothing but entries of the subjects' table have changed. */
void seal_put_subjects(struct enforcement *enforcement);

/* Fills enforcement->before, from the pins alone, before anything of them is touched. */
void seal_look_back(struct enforcement *enforcement);

#endif
