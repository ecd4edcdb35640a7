/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GET /metrics, by libmicrohttpd in the daemon's own loop: nothing it does waits. The library is
 * loaded when it is asked for: with what it brings along it would make the daemon a third larger
 * for those who do not want it. metrics_server_none.c stands in where it is built without.
 */
#ifndef DNSFENCE_METRICS_SERVER_H
#define DNSFENCE_METRICS_SERVER_H

#include "endpoint.h"
#include "json.h"
#include "loop.h"
#include "problem.h"

struct metrics_server;

/* Write the metrics: 0 or -errno. */
typedef int (*metrics_writer)(void *context, bool open_metrics, struct json *to);

/* NULL with *problem set. */
struct metrics_server *metrics_server_new(struct loop *loop, const struct endpoint_config *listen,
					  metrics_writer writer, void *context,
					  struct problem *problem);
void metrics_server_free(struct metrics_server *server);
/* Once a second: connections that are silent come to an end. */
void metrics_server_tick(struct metrics_server *server);
/* Does it listen there? */
bool metrics_server_is_at(const struct metrics_server *server,
			  const struct endpoint_config *listen);

#endif
