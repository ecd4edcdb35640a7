// SPDX-License-Identifier: GPL-2.0-or-later
/* reload: ask the daemon and wait; its errors come back through the socket. */
#include "control.h"
#include "outcome.h"

int cmd_reload(const struct options *options)
{
	int code =
		control_request(options->runtime_dir, options->json ? "reload json" : "reload text",
				outcome_stream(options));

	if (code >= 0)
		return code;
	return outcome_no_daemon(options->runtime_dir, code,
				 "\"dnsfence run\" starts one, \"dnsfence load\" applies the "
				 "configuration without one");
}
