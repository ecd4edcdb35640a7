/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What run and load do about sockets that were open before a policy: a sweep, and its outcome in
 * the log. A part of those two commands, so it logs.
 */
#ifndef DNSFENCE_CLOSING_H
#define DNSFENCE_CLOSING_H

#include "loop.h"
#include "prepare.h"
#include "sweep.h"

struct closing {
	struct loop *loop;
	struct loop_watch *watch; /* NULL: none runs */
	struct sweep sweep;
};

/*
 * Begin a sweep by this policy, if its configuration wants one; the loop takes what it finds. One
 * that runs still, by an older policy, is ended. The image may be freed afterwards.
 */
void closing_begin(struct closing *closing, struct loop *loop, const struct options *options,
		   const struct prepared *prepared);
void closing_end(struct closing *closing);

/* The same without a loop: returns when the sweep is over. */
void closing_run(const struct options *options, const struct prepared *prepared);

#endif
