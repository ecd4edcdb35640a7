/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An explanation -> words for people, a line for scripts, JSON. */
#ifndef DNSFENCE_EXPLAIN_FORMAT_H
#define DNSFENCE_EXPLAIN_FORMAT_H

#include "explain.h"
#include "json.h"

/* What the fence that is closed says. */
struct explain_live {
	uint64_t generation;
	const char *program_why; /* why the program was not asked; NULL: it was, see below */
	const char *lines_why; /* why no line of a configuration can be named; NULL: they are */
	uint8_t verdict; /* the program's */
	uint8_t reason;
	bool walked; /* it has found the asker's policy itself */
};

/* live NULL: the explanation is of a configuration. */
void explain_write_text(const struct explain_request *request,
			const struct explanation *explanation, const struct explain_live *live,
			bool color, FILE *to);
/* "deny\t8.8.8.8:53/udp\tresolver-not-sanctioned\tPOLICY" */
void explain_write_line(const struct explain_request *request,
			const struct explanation *explanation, FILE *to);
void explain_write_json(const struct explain_request *request,
			const struct explanation *explanation, const struct explain_live *live,
			struct json *to);

#endif
