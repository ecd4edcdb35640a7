/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DNSFENCE_TESTS_UNIT_BLANK_FACTS_H
#define DNSFENCE_TESTS_UNIT_BLANK_FACTS_H

#include "userspace/facts.h"

/* As facts_pack() leaves them: "" for what is not known, never NULL. */
static inline struct facts blank_facts(void)
{
	return (struct facts){
		.path = "/x",
		.unit = "",
		.user_unit = "",
		.user = IDENTITY_NO_USER,
		.container = {.id = "", .name = "", .image = ""},
		.nested = {.id = ""},
		.pod = {.uid = "", .namespace = "", .name = ""},
		.nested_pod = "",
		.source = "",
	};
}

#endif
