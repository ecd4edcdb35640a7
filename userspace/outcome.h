/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a module's -errno to what a command exits with, and the one place that prints a problem.
 */
#ifndef DNSFENCE_OUTCOME_H
#define DNSFENCE_OUTCOME_H

#include "command.h"
#include "diagnostic.h"
#include "log.h"
#include "problem.h"

static inline int outcome_exit_code(int error)
{
	switch (error) {
	case -EPERM:
	case -EACCES:
	case -EROFS:
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

/* The same for commands that take -j, which tell the problem as they tell the diagnostics. */
static inline int outcome_fail_as(bool json, int error, const struct problem *problem)
{
	if (!json)
		return outcome_fail(error, problem);
	if (problem->text[0])
		diagnostic_say(stdout, true, DIAGNOSTIC_ERROR, "%s", problem->text);
	return outcome_exit_code(error);
}

/* And this is how they say that all went well. */
static inline void _printf_(2, 3)
	outcome_say(const struct options *options, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (options->json)
		diagnostic_say(stdout, true, DIAGNOSTIC_INFO, "%s", text);
	else
		log_info("%s", text);
}

/* Where their diagnostics go: data on stdout, words on stderr. */
static inline FILE *outcome_stream(const struct options *options)
{
	return options->json ? stdout : stderr;
}

#endif
