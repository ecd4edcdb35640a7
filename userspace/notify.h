/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sd_notify(3), through libsystemd where the build has it (notify.c) and not at all elsewhere
 * (notify_none.c).
 */
#ifndef DNSFENCE_NOTIFY_H
#define DNSFENCE_NOTIFY_H

void notify_ready(const char *status);
void notify_reloading(void);
void notify_stopping(void);

#endif
