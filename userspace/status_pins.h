/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For commands that a daemon answers, and that without one look at the pins themselves.
 */
#ifndef DNSFENCE_STATUS_PINS_H
#define DNSFENCE_STATUS_PINS_H

#include "command.h"
#include "status.h"

/* source NULL: nothing is pinned. Returns the exit code. */
typedef int (*status_writer)(const struct options *options, const struct status_source *source);

/* The exit code of `write`; or a message and the code of what could not be read. */
int status_from_pins(const struct options *options, status_writer write);

#endif
