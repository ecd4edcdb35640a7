// SPDX-License-Identifier: GPL-2.0-or-later
/* unload: the one command that opens the fence. A daemon, if there is one, does it itself. */
#include "control.h"
#include "enforce.h"
#include "outcome.h"
#include "pins.h"

/* Filters outlive even an ephemeral daemon, if that is killed. */
static int unload_edge(const struct pins *pins, struct problem *problem)
{
	_cleanup_close_ int edges = fence_open_edges(pins);
	char owner[PATH_MAX + 16];
	int r;

	enforce_edge_owner(owner, pins->dir, false);
	r = edge_remove(edges, owner, problem);
	if (r < 0)
		return r;
	enforce_edge_owner(owner, pins->dir, true);
	return edge_remove(-1, owner, problem);
}

static int unload_pins(const struct options *options)
{
	_cleanup_close_ int lock = -1, held = -1;
	struct problem problem = {{0}};
	struct pins pins;
	int r = lock = control_lock(options->runtime_dir, &problem);
	bool existed;

	if (r >= 0)
		r = pins_init(&pins, options->pin_dir, &problem);
	if (r < 0)
		return outcome_fail(r, &problem);
	existed = pins_exist(&pins);
	if (existed)
		r = held = pins_lock(&pins, &problem);
	if (r >= 0)
		r = unload_edge(&pins, &problem);
	if (r >= 0)
		r = pins_remove(&pins, &problem);
	if (r < 0)
		return outcome_fail(r, &problem);
	log_info(existed ? "the fence is open; everything pinned in %s is removed"
			 : "nothing was pinned in %s",
		 pins.dir);
	return EXIT_FINE;
}

int cmd_unload(const struct options *options)
{
	int code = control_request(options->runtime_dir, "unload", stderr);

	if (code == -ETIMEDOUT || code == -EACCES)
		return outcome_no_daemon(options->runtime_dir, code, "");
	return code >= 0 ? code : unload_pins(options);
}
