/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a module's -errno to what a command exits with, and the one place that prints a problem.
 */
#ifndef DNSFENCE_OUTCOME_H
#define DNSFENCE_OUTCOME_H

#include "command.h"
#include "log.h"
#include "problem.h"

static inline int outcome_exit_code(int error)
{
	switch (error) {
	case -EPERM:
	case -EACCES:
	case -ENOTSUP:
	case -E2BIG:
	case -ENOSPC:
		return EXIT_KERNEL;
	case -ECONNREFUSED:
		return EXIT_UNREACHABLE;
	case -ENOMEM:
	case -EPROTO:
		return EXIT_INTERNAL;
	default:
		return EXIT_NEGATIVE;
	}
}

/* Print the problem, if it has a text, and return the exit code. */
static inline int outcome_fail(int error, const struct problem *problem)
{
	if (problem->text[0])
		log_error("%s", problem->text);
	return outcome_exit_code(error);
}

#endif
