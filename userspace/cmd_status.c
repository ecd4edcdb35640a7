// SPDX-License-Identifier: GPL-2.0-or-later
/* status: from the daemon, or without one from the pins. */
#include "control.h"
#include "outcome.h"
#include "status_pins.h"

static int status_open(const struct options *options)
{
	if (options->json)
		printf("{\"fence\":\"open\",\"daemon\":false}\n");
	else
		printf("fence        OPEN: nothing is loaded; \"dnsfence run\" closes it\n");
	return EXIT_NEGATIVE;
}

static int status_write(const struct options *options, const struct status_source *source)
{
	struct json json = {0};
	bool closed;

	if (!source)
		return status_open(options);
	if (options->json) {
		closed = status_write_json(source, &json);
		(void)fwrite(json.text, 1, json.length, stdout);
		json_done(&json);
	} else {
		closed = status_write_text(source, stdout);
	}
	return closed ? EXIT_UNREACHABLE : EXIT_NEGATIVE;
}

int cmd_status(const struct options *options)
{
	int code = control_request(options->runtime_dir,
				   options->json ? "status json" : "status text", stdout);

	if (code == -ETIMEDOUT)
		(void)outcome_no_daemon(options->runtime_dir, code, "");
	return code >= 0 ? code : status_from_pins(options, status_write);
}
