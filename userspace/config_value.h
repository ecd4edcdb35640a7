/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One value of the configuration, of each kind that has no other keys in it, read and checked
 * where it stands. config_read.c calls it, and knows what is made of them.
 */
#ifndef DNSFENCE_CONFIG_VALUE_H
#define DNSFENCE_CONFIG_VALUE_H

#include "config.h"
#include "document.h"
#include "schema.h"

/* Is the node of that kind? False after it has been said to be wrong; key names it. */
bool config_expect(struct diagnostics *diagnostics, const struct node *node, enum node_kind kind,
		   const char *key);

/*
 * Into place, which is as the field's kind in schema.h says. What is wrong is said, and the place
 * then as it was, or with those parts that are right. Nothing for SCHEMA_OBJECT, _SETS, _POLICIES
 * and _SET_NAMES.
 */
void config_read_value(const struct node *node, const struct schema_field *field, void *place,
		       struct diagnostics *diagnostics);

#endif
