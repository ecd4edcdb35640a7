// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any text as a lookup's destination. What is accepted reads the same again once
 * it was printed; what is refused says why.
 */
#include <stdlib.h>

#include "texts.h"
#include "userspace/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const parts[] = {"10.",  "0.",   "53",  "8.8.8.8", "/",    ":",  "[",    "]",
				    "::",   "db8",  "%",   "/udp",    "/tcp", "/",  "dot",  "doq",
				    "mdns", "sctp", "853", "65536",   "::1",  "-1", "/dns", " "};

static void parse(const char *text)
{
	struct problem problem = {{0}};
	struct query query, again;
	char printed[QUERY_TEXT_MAX];

	if (query_parse(text, &query, &problem) < 0) {
		if (!problem.text[0])
			abort();
		return;
	}
	if (!query.port || !query.protocol || !address_is_single(&query.address))
		abort();
	if (query_parse(query_format(&query, printed), &again, &problem) < 0 ||
	    !address_equal(&query.address, &again.address) || query.port != again.port ||
	    query.protocol != again.protocol)
		abort();
}

/* As it is, and as a list of parts of destinations. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_texts(data, size, parts, ARRAY_LEN(parts), parse);
	return 0;
}
