/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command table -> what bash, zsh and fish complete a command line by. What lives on this host,
 * as cgroups and users, the scripts ask "dnsfence completion" for when a key is pressed. Its names
 * are others' choice: no script may let the shell expand them.
 */
#ifndef DNSFENCE_COMPLETION_H
#define DNSFENCE_COMPLETION_H

#include "command.h"

/* The shell's script. 0; -ENOENT: that shell is not known; -EIO. */
int completion_write(const char *shell, const struct command *commands,
		     const struct command_option *common, FILE *to);

/* By which word "dnsfence completion" lists such values; NULL: it does not. */
const char *completion_list_name(enum value_kind value);

#endif
