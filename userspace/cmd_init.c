// SPDX-License-Identifier: GPL-2.0-or-later
/* init: the built-in policy as a commented file. */
#include "builtin.h"
#include "outcome.h"

int cmd_init(const struct options *options)
{
	_cleanup_free_ char *text = NULL;
	int r = builtin_policy(NULL, &text);

	(void)options;
	if (r < 0) {
		log_error("cannot read /etc/resolv.conf: %s", strerror(-r));
		return outcome_exit_code(r);
	}
	if (r > 0)
		log_warning("a resolver on this host's loopback got no policy of its own, and its "
			    "lookups would be blocked with everyone's; a comment under policies "
			    "says why");
	(void)fputs(text, stdout);
	return EXIT_FINE;
}
