// SPDX-License-Identifier: GPL-2.0-or-later
/* events: what the daemon sees from now on. */
#include "control.h"
#include "outcome.h"

int cmd_events(const struct options *options)
{
	int code =
		control_request(options->runtime_dir, options->json ? "events json" : "events text",
				options->lines, stdout);

	if (code == -EPIPE) /* whoever read our output has gone */
		return EXIT_FINE;
	if (code >= 0)
		return code;
	log_error("no daemon answers in %s (%s); \"dnsfence run\" starts one", options->runtime_dir,
		  strerror(-code));
	return EXIT_UNREACHABLE;
}
