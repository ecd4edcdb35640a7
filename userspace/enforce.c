// SPDX-License-Identifier: GPL-2.0-or-later
#include "enforce.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "cgroup.h"
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
	attach_plan(&prepared->image.generation, &enforcement->fence.features, &prepared->config,
		    &enforcement->plan);
}

void enforce_edge_owner(char owner[PATH_MAX + 16], const char *pin_dir, bool ephemeral)
{
	(void)snprintf(owner, PATH_MAX + 16, "%s%s", pin_dir, ephemeral ? " ephemeral" : "");
}

int enforce_open_edge(struct enforcement *enforcement, struct problem *problem)
{
	edge_free(enforcement->edge);
	enforcement->edge = NULL;
	return edge_remove(enforcement->fence.maps[FENCE_EDGES], enforcement->edge_owner, problem);
}

/* Interfaces that are wanted and not fenced: each by name. How many those are. */
static size_t edge_complain(const struct enforcement *enforcement)
{
	const struct edge_state *states;
	size_t length = edge_states(enforcement->edge, &states), found = 0;

	for (size_t i = 0; i < length; i++) {
		if (!states[i].problem[0])
			continue;
		log_warning("the interface %s is not fenced: %s", states[i].name,
			    states[i].problem);
		found++;
	}
	return found;
}

/*
 * The interfaces that the configuration wants. What cannot be fenced is an error at the start;
 * later it is said, and status goes on saying it.
 */
static int enforce_edge(struct enforcement *enforcement, const struct config *config, bool start,
			struct problem *problem)
{
	int r = 0;

	if (config->edge.mode == EDGE_OFF) {
		/* An earlier daemon may have left some. */
		if (enforcement->edge || (start && enforcement->fence.adopted))
			r = enforce_open_edge(enforcement, problem);
		return r;
	}
	if (enforcement->edge)
		r = edge_apply(enforcement->edge, &config->edge);
	else
		r = edge_new(&enforcement->fence, &config->edge, enforcement->edge_owner,
			     &enforcement->edge, problem);
	if (r < 0)
		return r;
	if (!enforcement->fence.features.sockopt)
		log_warning("this kernel cannot refuse sockets that send past the edge "
			    "(PACKET_QDISC_BYPASS, AF_XDP)");
	if (edge_complain(enforcement) && start && config->edge.mode == EDGE_NAMED)
		return problem_set(problem, ENOTSUP,
				   "edge.interfaces names an interface that cannot be fenced");
	return 0;
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
	return enforce_edge(enforcement, &prepared->config, false, problem);
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
	struct fence_options fence_options = {
		.features = &features,
		.pins = pins,
		.cgroup_level = cgroup_level(options->cgroup),
		.ring_bytes = (uint32_t)prepared->config.ring_kib * 1024,
	};
	bool closed_before = pins && pins_exist(pins);
	struct problem ignored;
	struct stat st;
	int r;

	attachments_init(&enforcement.attachments);
	enforcement.cgroup_fd = cgroup_open(prepared->mount, options->cgroup, problem);
	if (enforcement.cgroup_fd < 0)
		return enforcement.cgroup_fd;
	if (fstat(enforcement.cgroup_fd, &st) == 0)
		fence_options.cgroup_id = st.st_ino;
	enforce_edge_owner(enforcement.edge_owner, options->pin_dir, !pins);
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
	*ret = enforcement; /* the edge keeps a pointer to the fence in it */
	if (r >= 0)
		r = enforce_edge(ret, &prepared->config, true, problem);
	if (r < 0) {
		/* A fence that was closed before stays so, whatever version pinned it. */
		if (closed_before)
			enforce_close(ret);
		else
			(void)enforce_stop(ret, &ignored);
		attachments_init(&ret->attachments);
	}
	return r;
}

void enforce_close(struct enforcement *enforcement)
{
	edge_free(enforcement->edge);
	enforcement->edge = NULL;
	attachments_close(&enforcement->attachments);
	fence_close(&enforcement->fence);
	util_closep(&enforcement->cgroup_fd);
	util_closep(&enforcement->pins_lock);
	enforcement->cgroup_fd = enforcement->pins_lock = -1;
}

int enforce_stop(struct enforcement *enforcement, struct problem *problem)
{
	const struct pins *pins = enforcement->pins;
	int r = enforce_open_edge(enforcement, problem), removed;

	enforce_close(enforcement);
	removed = pins ? pins_remove(pins, problem) : 0;
	return r < 0 ? r : removed;
}
