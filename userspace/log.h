/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words for people, on stderr, one line each; under systemd with a priority in front. Only the
 * commands, main and the loop log above debug.
 */
#ifndef DNSFENCE_LOG_H
#define DNSFENCE_LOG_H

#include "util.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Show messages up to this level; the default is LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);
bool log_wants(enum log_level level);
void log_write(enum log_level level, const char *format, ...) _printf_(2, 3);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
