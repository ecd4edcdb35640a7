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
	if (code >= 0 && options->lines)
		return code;
	return outcome_no_daemon(options->runtime_dir, code >= 0 ? -ECONNRESET : code,
				 "\"dnsfence run\" starts one");
}
