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
	case -EIO:
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

/* No daemon took the request: say why and what to do. */
static inline int outcome_no_daemon(const char *dir, int error, const char *advice)
{
	if (error == -EACCES || error == -EPERM) {
		log_error("the daemon's socket in %s is root's: run as root", dir);
		return EXIT_KERNEL;
	}
	if (error == -ETIMEDOUT)
		log_error(
			"the daemon in %s does not answer: it is stopped or stuck; the fence stays "
			"closed without it",
			dir);
	else if (error == -ECONNRESET)
		log_error("the daemon in %s has ended", dir);
	else
		log_error("no daemon answers in %s (%s); %s", dir, strerror(-error), advice);
	return EXIT_UNREACHABLE;
}

/* Print the problem, if it has a text, and return the exit code. */
static inline int outcome_fail(int error, const struct problem *problem)
{
	if (problem->text[0])
		log_error("%s", problem->text);
	return outcome_exit_code(error);
}

#endif
