/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration whose first policy has the match that a test is about. Tests only. */
#ifndef DNSFENCE_ONE_MATCH_H
#define DNSFENCE_ONE_MATCH_H

#include <stdio.h>

#include "userspace/config.h"

/* 0 with the policies `one` and `default`; else as config_load_text(). */
static inline int config_of_match(const char *match, struct config *ret,
				  struct diagnostics *diagnostics)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "apiVersion: dnsfence/v1\n"
		 "policies:\n"
		 "  - {name: one, match: {%s}, resolvers: []}\n"
		 "  - {name: default, resolvers: []}\n",
		 match);
	return config_load_text(text, strlen(text), "match", ret, diagnostics);
}

#endif
