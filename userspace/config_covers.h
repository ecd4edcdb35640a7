/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Can a policy ever decide, or does one before it in the file take all that it matches? Pure: what
 * the words themselves show, whatever cgroups, users and interfaces there are.
 */
#ifndef DNSFENCE_CONFIG_COVERS_H
#define DNSFENCE_CONFIG_COVERS_H

#include "config.h"

/*
 * Does wide match whatever narrow matches? false also where it is not plain to see, as of two globs
 * that differ, and of lists so long that comparing them would be felt.
 */
bool config_match_covers(const struct match *wide, const struct match *narrow);

#endif
