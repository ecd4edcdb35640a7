// SPDX-License-Identifier: GPL-2.0-or-later
/* check: everything that run would refuse, without touching the kernel. */
#include "outcome.h"
#include "prepare.h"

int cmd_check(const struct options *options)
{
	_cleanup_(prepared_done) struct prepared prepared = {0};
	struct problem problem;
	int r = prepare(options, NULL, &prepared, outcome_stream(options), &problem);

	if (r < 0)
		return outcome_fail_as(options->json, r, &problem);
	outcome_say(options,
		    "the configuration is fine; policies: %zu, addresses: %zu, prefixes: %zu",
		    prepared.config.policies_length, prepared.image.exact_length,
		    prepared.image.prefixes_length);
	return EXIT_FINE;
}
