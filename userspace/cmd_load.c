// SPDX-License-Identifier: GPL-2.0-or-later
/* load: close the fence, or give a closed one another policy, and leave. */
#include "closing.h"
#include "control.h"
#include "enforce.h"
#include "outcome.h"

int cmd_load(const struct options *options)
{
	_cleanup_(prepared_done) struct prepared prepared = {0};
	_cleanup_close_ int lock = -1;
	struct enforcement enforcement = {.live = false};
	struct problem problem = {{0}};
	struct pins pins;
	int r = prepare(options, NULL, &prepared, outcome_stream(options), &problem);

	if (r >= 0)
		r = pins_init(&pins, options->pin_dir, &problem);
	if (r >= 0)
		r = lock = control_lock(options->runtime_dir, &problem);
	if (r >= 0)
		r = enforce_start(options, &prepared, &pins, &enforcement, &problem);
	if (r < 0)
		return outcome_fail_as(options->json, r, &problem);
	for (size_t i = 0; i < enforcement.before.length; i++) {
		const struct watch_finding *finding = &enforcement.before.list[i];
		const char *name = watch_name(finding);

		log_warning("tampering: %s%s%s: %s; restored", watch_object(finding->kind),
			    name[0] ? " " : "", name, watch_what(finding->kind));
	}
	outcome_say(options,
		    "the fence is closed, policy generation %llu; no daemon logs what it denies",
		    (unsigned long long)enforcement.published.generation);
	closing_run(options, &prepared);
	enforce_close(&enforcement);
	return EXIT_FINE;
}
