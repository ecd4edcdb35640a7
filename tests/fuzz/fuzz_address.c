// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any text as an address. What is accepted reads the same again once it was
 * printed, and has no bits behind its prefix; what is refused says why.
 */
#include <stdlib.h>

#include "texts.h"
#include "userspace/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const parts[] = {"10.", "0.", "53",  "255", "/",     "24", "32", "128", ":",
				    "::",  "ff", "db8", "%",   "ffff:", ".",  "1",  "0",   " "};

static void expect_sound(const struct address *address)
{
	unsigned int bits = address->family == 4 ? 32 : 128;

	if ((address->family != 4 && address->family != 6) || address->prefix > bits)
		abort();
	for (unsigned int bit = address->prefix; bit < 128; bit++)
		if (address->bytes[bit / 8] >> (7 - bit % 8) & 1)
			abort();
	if (address_is_single(address) != (address->prefix == bits))
		abort();
}

static void parse(const char *text)
{
	char printed[ADDRESS_TEXT_MAX];
	struct address address, again;
	const char *problem = NULL;

	if (address_parse(text, &address, &problem) < 0) {
		if (!problem || !problem[0])
			abort();
		return;
	}
	expect_sound(&address);
	if (address_parse(address_format(&address, printed), &again, &problem) < 0 ||
	    !address_equal(&address, &again))
		abort();
}

/* As it is, and as a list of parts of addresses. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_texts(data, size, parts, ARRAY_LEN(parts), parse);
	return 0;
}
