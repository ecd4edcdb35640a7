/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsfence top on a terminal, by ncurses; top_view_none.c stands in where that was not there at
 * build time. However it ends, by a key, a signal or a crash, the terminal is as it was before.
 */
#ifndef DNSFENCE_TOP_VIEW_H
#define DNSFENCE_TOP_VIEW_H

#include "problem.h"
#include "top_text.h"

/* Until the user has enough. 0, or -errno with *problem set before the screen was touched. */
int top_view_run(struct top_feed *feed, struct top_settings *settings, struct problem *problem);

#endif
