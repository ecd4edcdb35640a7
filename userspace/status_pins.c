// SPDX-License-Identifier: GPL-2.0-or-later
/* The state of a fence without its daemon, from what is pinned. */
#include "status_pins.h"

#include "cgroup.h"
#include "enforce.h"
#include "outcome.h"

/* Counters or the policy cannot be read; whether lookups are judged depends on the links alone. */
static int status_maimed(const struct pins *pins)
{
	struct link_state packet;
	bool closed = attach_inspect(pins, DF_HOOK_PACKET, &packet) == 0 && packet.attached;

	log_error("what is pinned in %s is not whole, and the fence is %s; \"dnsfence run\" or "
		  "\"load\" mends it",
		  pins->dir, closed ? "closed" : "open");
	return EXIT_NEGATIVE;
}

static int status_of_maps(const struct options *options, const struct pins *pins,
			  const int maps[FENCE_MAP_MAX], status_writer write)
{
	_cleanup_free_ struct fence_globals *globals = calloc(1, sizeof(*globals));
	_cleanup_free_ struct edge_state *edges = NULL;
	_cleanup_free_ char *mount = NULL;
	struct kernel_features features;
	struct problem ignored;
	struct status_source source = {.pins = pins, .maps = maps};
	char owner[PATH_MAX + 16];

	for (int map = 0; map < FENCE_MAP_MAX; map++)
		if (maps[map] < 0)
			return status_maimed(pins);
	if (!globals || cgroup_find_mount(&mount) < 0 ||
	    fence_read_globals(maps[FENCE_GLOBALS], globals) < 0)
		return status_maimed(pins);
	source.generation = &globals->generations[globals->active & 1];
	source.mount = mount;
	if (fence_probe(&features, &ignored) >= 0)
		source.features = &features;
	enforce_edge_owner(owner, pins->dir, false);
	source.edges_length = edge_states_pinned(maps[FENCE_EDGES], owner, &edges);
	source.edges = edges;
	source.edges_wanted = source.edges_length > 0;
	return write(options, &source);
}

int status_from_pins(const struct options *options, status_writer write)
{
	struct problem problem = {{0}};
	int maps[FENCE_MAP_MAX], r, code;
	struct pins pins;

	r = pins_init(&pins, options->pin_dir, &problem);
	if (r >= 0)
		r = fence_open_pinned(&pins, maps, &problem);
	if (r == -ENOENT)
		return pins_exist(&pins) ? status_maimed(&pins) : write(options, NULL);
	if (r < 0)
		return outcome_fail(r, &problem);
	code = status_of_maps(options, &pins, maps, write);
	fence_close_pinned(maps);
	return code;
}
