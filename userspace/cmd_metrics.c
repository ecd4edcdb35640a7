// SPDX-License-Identifier: GPL-2.0-or-later
/* metrics: from the daemon, or without one from the pins. */
#include "control.h"
#include "metrics.h"
#include "outcome.h"
#include "status_pins.h"

static int metrics_print(const struct options *options, const struct status_source *source)
{
	_cleanup_(json_done) struct json text = {0};
	bool closed;

	(void)options;
	if (metrics_write(source, false, &text, &closed) < 0)
		return EXIT_INTERNAL;
	(void)fwrite(text.text, 1, text.length, stdout);
	return closed ? EXIT_UNREACHABLE : EXIT_NEGATIVE;
}

int cmd_metrics(const struct options *options)
{
	int code = control_request(options->runtime_dir, "metrics", stdout);

	if (code == -ETIMEDOUT)
		(void)outcome_no_daemon(options->runtime_dir, code, "");
	return code >= 0 ? code : status_from_pins(options, metrics_print);
}
