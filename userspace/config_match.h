/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the words of a match may be, beyond their kind: called by config_read.c for each policy
 * that has one.
 */
#ifndef DNSFENCE_CONFIG_MATCH_H
#define DNSFENCE_CONFIG_MATCH_H

#include "config.h"

/* Every error is in *diagnostics, at the word it is about. */
void config_check_match(const struct match *match, struct diagnostics *diagnostics);

#endif
