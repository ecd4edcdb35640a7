/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line -> struct options, along the rows of the command table. Options may stand before
 * and after the command. One that a command has of its own, under the name of a common one, is the
 * command's behind it and the common one before it.
 */
#ifndef DNSFENCE_OPTIONS_H
#define DNSFENCE_OPTIONS_H

#include "command.h"
#include "problem.h"

/*
 * 0 with *ret_command (NULL when none is named) and *options, whose members keep what they had
 * where nothing is said of them; -EINVAL with *problem set, -ENOMEM. options_done() in any case.
 */
int options_parse(int argc, char **argv, const struct command *commands,
		  const struct command_option *common, struct options *options,
		  const struct command **ret_command, struct problem *problem);
void options_done(struct options *options);

#endif
