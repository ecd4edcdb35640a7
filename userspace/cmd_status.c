// SPDX-License-Identifier: GPL-2.0-or-later
/* status: from the daemon, or without one from the pins. */
#include "cgroup.h"
#include "control.h"
#include "enforce.h"
#include "outcome.h"
#include "status.h"

static int status_write(const struct options *options, const struct status_source *source)
{
	struct json json = {0};
	bool closed;

	if (options->json) {
		closed = status_write_json(source, &json);
		(void)fwrite(json.text, 1, json.length, stdout);
		json_done(&json);
	} else {
		closed = status_write_text(source, stdout);
	}
	return closed ? EXIT_UNREACHABLE : EXIT_NEGATIVE;
}

static int status_open(const struct options *options)
{
	if (options->json)
		printf("{\"fence\":\"open\",\"daemon\":false}\n");
	else
		printf("fence        OPEN: nothing is loaded; \"dnsfence run\" closes it\n");
	return EXIT_NEGATIVE;
}

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
			  const int maps[FENCE_MAP_MAX])
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
	return status_write(options, &source);
}

static int status_from_pins(const struct options *options)
{
	struct problem problem = {{0}};
	int maps[FENCE_MAP_MAX], r, code;
	struct pins pins;

	r = pins_init(&pins, options->pin_dir, &problem);
	if (r >= 0)
		r = fence_open_pinned(&pins, maps, &problem);
	if (r == -ENOENT)
		return pins_exist(&pins) ? status_maimed(&pins) : status_open(options);
	if (r < 0)
		return outcome_fail(r, &problem);
	code = status_of_maps(options, &pins, maps);
	fence_close_pinned(maps);
	return code;
}

int cmd_status(const struct options *options)
{
	int code = control_request(options->runtime_dir,
				   options->json ? "status json" : "status text", 0, stdout);

	if (code == -ETIMEDOUT)
		(void)outcome_no_daemon(options->runtime_dir, code, "");
	return code >= 0 ? code : status_from_pins(options);
}
