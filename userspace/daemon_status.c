// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon.h"

void daemon_describe(struct daemon *daemon, struct status_daemon *self,
		     struct sink_state states[SINKS_MAX], struct status_source *ret)
{
	const struct config *config = &daemon->prepared.config;
	const struct fence *fence = &daemon->enforcement.fence;

	*self = (struct status_daemon){
		.pid = (uint32_t)getpid(),
		.uptime_s = (uint64_t)(time(NULL) - daemon->started),
		.config = config->files_length ? config->files[0] : "?",
		.reloads = daemon->reloads,
		.reload_failures = daemon->reload_failures,
		.tampered = daemon->guard.tampered,
		.restored = daemon->guard.restored,
		.sinks = states,
		.sinks_length = daemon->sinks.length,
		.sink_written = daemon->sinks.gone_written,
		.sink_dropped = daemon->sinks.gone_dropped + control_dropped(daemon->control),
	};
	sinks_describe(&daemon->sinks, states);
	for (size_t i = 0; i < self->sinks_length; i++) {
		self->sink_written += states[i].written;
		self->sink_dropped += states[i].dropped;
	}
	*ret = (struct status_source){
		.pins = daemon->options->ephemeral ? NULL : &daemon->pins,
		.maps = fence->maps,
		.generation = &fence->generations[*fence->active & 1],
		.mount = daemon->prepared.mount,
		.plan = &daemon->enforcement.plan,
		.attached = &daemon->enforcement.attachments,
		.daemon = self,
		.features = &fence->features,
	};
	live_count(daemon->live, &daemon->live_counts);
	ret->live = &daemon->live_counts;
	ret->edges_length = edge_states(daemon->enforcement.edge, &ret->edges);
	ret->edges_wanted = daemon->enforcement.edge_wanted;
	ret->edges_missing = daemon->enforcement.edge_wanted && !daemon->enforcement.edge;
}
