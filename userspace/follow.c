// SPDX-License-Identifier: GPL-2.0-or-later
#include "follow.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "cgroup.h"
#include "follow.skel.h"
#include "follow_inotify.h"
#include "log.h"

#define CHANGES_MAX 256 /* in one turn: of some microseconds each */

struct follower {
	enum follow_way way;
	struct follow_handler handler;
	struct follow_bpf *object;
	struct ring_buffer *ring;
	unsigned int taken; /* changes in this turn */
	uint64_t lost; /* as last told */
	struct follow_inotify *inotify;
};

const char *follow_way_name(enum follow_way way)
{
	static const char *const names[FOLLOW_WAYS] = {
		[FOLLOW_TRACEPOINT] = "tracepoint",
		[FOLLOW_INOTIFY] = "inotify",
		[FOLLOW_NONE] = "walk",
	};

	return way < FOLLOW_WAYS ? names[way] : "?";
}

/*
 * A ring that only its daemon's own program writes to; checked all the same. Whoever makes and
 * removes cgroups faster than they are judged does not keep the daemon: an error ends this turn,
 * and the ring stays readable.
 */
static int take_change(void *context, void *data, size_t size)
{
	struct follower *follower = context;
	const struct df_cgroup_change *change = data;
	const size_t head = offsetof(struct df_cgroup_change, name);

	if (size < head || size > sizeof(*change))
		return 0;
	if (change->gone)
		follower->handler.went(follower->handler.context, change->id);
	else if (size > head && !change->name[size - head - 1])
		follower->handler.came(follower->handler.context, change->id, change->parent,
				       change->name);
	return ++follower->taken < CHANGES_MAX ? 0 : -EAGAIN;
}

static int tracepoint_open(struct follower *follower, const struct follow_options *options)
{
	struct follow_bpf *object = follow_bpf__open();
	uint64_t id;
	int r;

	if (!object)
		return -errno;
	follower->object = object;
	r = cgroup_id_of(options->mount_fd, options->cgroup, &id);
	if (r < 0)
		return r;
	object->rodata->scope_cgroup = id;
	object->rodata->scope_level = cgroup_level(options->cgroup);
	r = follow_bpf__load(object);
	if (r == 0 && !object->bss)
		r = -EINVAL;
	if (r == 0)
		r = follow_bpf__attach(object);
	if (r < 0)
		return r;
	follower->ring =
		ring_buffer__new(bpf_map__fd(object->maps.changes), take_change, follower, NULL);
	return follower->ring ? 0 : -errno;
}

static void tracepoint_close(struct follower *follower)
{
	ring_buffer__free(follower->ring);
	follow_bpf__destroy(follower->object);
	follower->ring = NULL;
	follower->object = NULL;
}

struct follower *follower_new(const struct follow_options *options,
			      const struct follow_handler *handler)
{
	struct follower *follower = calloc(1, sizeof(*follower));
	int r = -ENOTSUP;

	if (!follower)
		return NULL;
	*follower = (struct follower){.way = options->way, .handler = *handler};
	if (follower->way == FOLLOW_TRACEPOINT) {
		r = tracepoint_open(follower, options);
		if (r < 0) {
			log_debug("cgroups cannot be followed by tracepoints: %s", strerror(-r));
			tracepoint_close(follower);
			follower->way = FOLLOW_INOTIFY;
		}
	}
	if (follower->way == FOLLOW_INOTIFY) {
		follower->inotify = follow_inotify_new(options, handler);
		if (!follower->inotify)
			follower->way = FOLLOW_NONE;
	}
	return follower;
}

void follower_free(struct follower *follower)
{
	if (!follower)
		return;
	tracepoint_close(follower);
	follow_inotify_free(follower->inotify);
	free(follower);
}

enum follow_way follower_way(const struct follower *follower)
{
	return follower->way;
}

int follower_fd(const struct follower *follower)
{
	if (follower->ring)
		return ring_buffer__epoll_fd(follower->ring);
	return follower->inotify ? follow_inotify_fd(follower->inotify) : -1;
}

bool follower_read(struct follower *follower)
{
	uint64_t before = follower->lost;

	if (follower->inotify)
		return follow_inotify_read(follower->inotify);
	if (!follower->ring)
		return false;
	follower->taken = 0;
	(void)ring_buffer__consume(follower->ring);
	follower->lost = __atomic_load_n(&follower->object->bss->lost, __ATOMIC_RELAXED);
	return follower->lost != before;
}

void follower_meet(struct follower *follower, uint64_t id, const char *path)
{
	if (follower->inotify)
		follow_inotify_meet(follower->inotify, id, path);
}

void follower_forget(struct follower *follower, uint64_t id)
{
	if (follower->inotify)
		follow_inotify_forget(follower->inotify, id);
}
