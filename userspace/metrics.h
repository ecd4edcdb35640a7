/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What status knows as metrics: the text format of Prometheus 0.0.4, and OpenMetrics 1.0. No label
 * grows with traffic: hooks, verdicts, reasons, and the sinks that the configuration names.
 */
#ifndef DNSFENCE_METRICS_H
#define DNSFENCE_METRICS_H

#include "status.h"

#define METRICS_TYPE_TEXT "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_TYPE_OPEN "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* source NULL: nothing is loaded. 0 or -ENOMEM; *ret_closed as of status. */
int metrics_write(const struct status_source *source, bool open_metrics, struct json *to,
		  bool *ret_closed);

/* In place of the file of that name, whole. 0 or -errno. */
int metrics_write_file(const char *path, const struct json *text);

#endif
