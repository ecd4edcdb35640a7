// SPDX-License-Identifier: GPL-2.0-or-later
#include "notify.h"

void notify_ready(const char *status)
{
	(void)status;
}

void notify_reloading(void)
{
}

void notify_stopping(void)
{
}
