/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One file's tree of nodes into the configuration that the files before it have begun.
 */
#ifndef DNSFENCE_CONFIG_READ_H
#define DNSFENCE_CONFIG_READ_H

#include "config.h"
#include "document.h"

/* false when the root is not keys and values; errors in values are in *diagnostics only. */
bool config_read_tree(struct config *config, const struct node *root,
		      struct diagnostics *diagnostics);

#endif
