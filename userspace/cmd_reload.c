// SPDX-License-Identifier: GPL-2.0-or-later
/* reload: ask the daemon and wait; its errors come back through the socket. */
#include "control.h"
#include "outcome.h"

int cmd_reload(const struct options *options)
{
	int code = control_request(options->runtime_dir, "reload", 0, stderr);

	if (code >= 0)
		return code;
	log_error("no daemon answers in %s (%s); \"dnsfence run\" starts one, \"dnsfence load\" "
		  "applies the configuration without one",
		  options->runtime_dir, strerror(-code));
	return EXIT_UNREACHABLE;
}
