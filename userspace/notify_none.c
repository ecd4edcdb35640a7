// SPDX-License-Identifier: GPL-2.0-or-later
#include "notify.h"

#include <stdlib.h>

#include "log.h"

/* Whoever has set this waits, and ends us when he has waited long enough. */
void notify_ready(const char *status)
{
	(void)status;
	if (getenv("NOTIFY_SOCKET"))
		log_warning("this dnsfence was built without libsystemd and cannot tell systemd "
			    "that it is ready; set Type=exec in its unit");
	(void)unsetenv("NOTIFY_SOCKET"); /* said once */
}

void notify_reloading(void)
{
}

void notify_stopping(void)
{
}
