// SPDX-License-Identifier: GPL-2.0-or-later
/* Built without libmicrohttpd. */
#include "metrics_server.h"

struct metrics_server *metrics_server_new(struct loop *loop, const struct endpoint_config *listen,
					  metrics_writer writer, void *context,
					  struct problem *problem)
{
	(void)loop;
	(void)listen;
	(void)writer;
	(void)context;
	problem_set(problem, ENOTSUP,
		    "metrics.listen: this dnsfence was built without libmicrohttpd; use "
		    "metrics.textfile, or \"dnsfence metrics\"");
	return NULL;
}

void metrics_server_free(struct metrics_server *server)
{
	(void)server;
}

void metrics_server_tick(struct metrics_server *server)
{
	(void)server;
}

bool metrics_server_is_at(const struct metrics_server *server, const struct endpoint_config *listen)
{
	(void)server;
	(void)listen;
	return false;
}
