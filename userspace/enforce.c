// SPDX-License-Identifier: GPL-2.0-or-later
#include "enforce.h"

#include <fcntl.h>

#include "log.h"

static int cgroup_open(const char *mount, const char *path, struct problem *problem)
{
	char full[PATH_MAX];
	int fd;

	snprintf(full, sizeof(full), "%s%s", mount, path);
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return problem_set(problem, errno,
				   "cannot open the cgroup %s: %s; --cgroup is a path below %s",
				   full, strerror(errno), mount);
	return fd;
}

static void warn_of_errno(const struct enforcement *enforcement)
{
	const struct df_generation *generation =
		&enforcement->fence.generations[*enforcement->fence.active & 1];

	if ((generation->flags & DF_GEN_ERRNO) && !enforcement->fence.features.set_retval)
		log_warning("on_deny: this kernel knows EPERM only (5.18 is needed for another); "
			    "denied all the same");
}

static int enforce_publish(struct enforcement *enforcement, const struct prepared *prepared,
			   struct problem *problem)
{
	int r = publish_policy(&enforcement->fence, &prepared->image, &enforcement->published,
			       problem);

	if (r >= 0)
		log_debug("filled %zu entries in %.1f ms", enforcement->published.entries,
			  enforcement->published.fill_ms);
	return r;
}

static int enforce_attach(struct enforcement *enforcement, struct problem *problem)
{
	return attach_hooks(&enforcement->attachments, &enforcement->fence, enforcement->cgroup_fd,
			    enforcement->pins, &enforcement->plan, problem);
}

static void enforce_plan(struct enforcement *enforcement, const struct prepared *prepared)
{
	attach_plan(&prepared->image.generation, &enforcement->fence.features,
		    prepared->config.hooks, &enforcement->plan);
}

/*
 * The programs of the new policy's hooks come first: they judge by the old policy until the flip,
 * and a failure up to there leaves that in force.
 */
int enforce_policy(struct enforcement *enforcement, const struct prepared *prepared,
		   struct problem *problem)
{
	int r;

	enforce_plan(enforcement, prepared);
	r = enforce_attach(enforcement, problem);
	if (r >= 0)
		r = enforce_publish(enforcement, prepared, problem);
	if (r < 0)
		return r;
	attach_trim(&enforcement->attachments, enforcement->pins, &enforcement->plan);
	warn_of_errno(enforcement);
	return 0;
}

/* The other way round than above: these programs may be new, and their maps empty. */
static int enforce_first(struct enforcement *enforcement, const struct prepared *prepared,
			 struct problem *problem)
{
	int r;

	enforce_plan(enforcement, prepared);
	r = enforce_publish(enforcement, prepared, problem);
	if (r >= 0)
		r = enforce_attach(enforcement, problem);
	if (r < 0)
		return r;
	attach_trim(&enforcement->attachments, enforcement->pins, &enforcement->plan);
	warn_of_errno(enforcement);
	return 0;
}

int enforce_start(const struct options *options, const struct prepared *prepared,
		  const struct pins *pins, struct enforcement *ret, struct problem *problem)
{
	struct enforcement enforcement = {.pins = pins, .pins_lock = -1};
	struct kernel_features features = {0};
	const struct fence_options fence_options = {
		.features = &features,
		.pins = pins,
		.ring_bytes = (uint32_t)prepared->config.ring_kib * 1024,
	};
	bool closed_before = pins && pins_exist(pins);
	struct problem ignored;
	int r;

	attachments_init(&enforcement.attachments);
	enforcement.cgroup_fd = cgroup_open(prepared->mount, options->cgroup, problem);
	if (enforcement.cgroup_fd < 0)
		return enforcement.cgroup_fd;
	r = fence_probe(&features, problem); /* before anything is made */
	if (r >= 0 && pins)
		r = pins_prepare(pins, problem);
	if (r >= 0 && pins)
		r = enforcement.pins_lock = pins_lock(pins, problem);
	if (r >= 0)
		r = fence_open(&fence_options, &enforcement.fence, problem);
	if (r < 0) {
		enforce_close(&enforcement);
		return r;
	}
	if (enforcement.fence.replaced)
		log_info("another version of dnsfence had pinned %s; it is replaced", pins->dir);
	r = enforce_first(&enforcement, prepared, problem);
	if (r < 0) {
		/* A fence that was closed before stays so, whatever version pinned it. */
		if (closed_before || !pins)
			enforce_close(&enforcement);
		else
			(void)enforce_stop(&enforcement, &ignored);
		return r;
	}
	*ret = enforcement;
	return 0;
}

void enforce_close(struct enforcement *enforcement)
{
	attachments_close(&enforcement->attachments);
	fence_close(&enforcement->fence);
	util_closep(&enforcement->cgroup_fd);
	util_closep(&enforcement->pins_lock);
	enforcement->cgroup_fd = enforcement->pins_lock = -1;
}

int enforce_stop(struct enforcement *enforcement, struct problem *problem)
{
	const struct pins *pins = enforcement->pins;

	enforce_close(enforcement);
	return pins ? pins_remove(pins, problem) : 0;
}
