// SPDX-License-Identifier: GPL-2.0-or-later
#include "enforce.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cgroup.h"
#include "log.h"
#include "seal.h"

static int cgroup_open(const char *mount, const char *path, struct problem *problem)
{
	_cleanup_close_ int fd = -1;
	char full[PATH_MAX];
	struct statfs fs;

	snprintf(full, sizeof(full), "%s%s", mount, path);
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return problem_set(problem, errno,
				   "cannot open the cgroup %s: %s; --cgroup is a path below %s",
				   full, strerror(errno), mount);
	if (fstatfs(fd, &fs) < 0 || (unsigned long)fs.f_type != CGROUP2_SUPER_MAGIC)
		return problem_set(problem, ENOTDIR, "%s is no cgroup; --cgroup is a path below %s",
				   full, mount);
	return TAKE_FD(fd);
}

void enforce_init(struct enforcement *enforcement, bool live)
{
	*enforcement = (struct enforcement){.pins_lock = -1, .cgroup_fd = -1, .live = live};
	attachments_init(&enforcement->attachments);
	publication_init(&enforcement->published);
}

/* What the policy asks for and this kernel cannot do. It is always the refusing side that stays. */
static void warn_of_kernel(const struct enforcement *enforcement, const struct config *config)
{
	const struct fence *fence = &enforcement->fence;
	uint32_t flags = fence->generations[*fence->active & 1].flags;
	uint32_t needs = kernel_needs(flags, edge_config_asks(&config->edge, fence->cgroup_level));

	for (const struct kernel_feature *feature = kernel_feature_table; feature->name; feature++)
		if (feature->refuses && !kernel_has(&fence->features, feature) &&
		    kernel_feature_is_needed(feature, needs))
			log_warning("this kernel lacks %s (Linux %s); %s", feature->name,
				    feature->since, feature->instead);
	if ((flags & DF_GEN_DEFER) && (flags & DF_GEN_SEVERAL) && !fence->features.packet_cgroup)
		log_warning("deny_at: packet has no effect before Linux 6.12 where there are "
			    "several policies: connect() is refused");
}

static int enforce_publish(struct enforcement *enforcement, const struct prepared *prepared,
			   struct problem *problem)
{
	bool live = enforcement->live && subjects_have_cgroups(&prepared->config);
	int r = publish_policy(&enforcement->fence, &prepared->image, live, &enforcement->published,
			       problem);

	if (r >= 0)
		enforcement->image = &prepared->image;
	if (r >= 0)
		log_debug("filled %zu entries in %.1f ms", enforcement->published.entries,
			  enforcement->published.fill_ms);
	return r;
}

static void enforce_plan(const struct enforcement *enforcement, const struct prepared *prepared,
			 struct hook_plan *ret)
{
	attach_plan(&prepared->image.generation, &enforcement->fence.features, &prepared->config,
		    enforcement->fence.cgroup_level, ret);
}

static int enforce_attach(struct enforcement *enforcement, const struct hook_plan *plan,
			  struct problem *problem)
{
	return attach_hooks(&enforcement->attachments, &enforcement->fence, enforcement->cgroup_fd,
			    enforcement->pins, plan, problem);
}

/* Both are done: what the plan has no use for goes, and the plan is what status tells. */
static void enforce_settle(struct enforcement *enforcement, const struct prepared *prepared,
			   const struct hook_plan *plan)
{
	enforcement->plan = *plan;
	attach_trim(&enforcement->attachments, enforcement->pins, plan);
	warn_of_kernel(enforcement, &prepared->config);
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

size_t enforce_edge_complain(struct enforcement *enforcement)
{
	const struct edge_state *state;
	size_t found = 0;

	while (enforcement->edge && (state = edge_next_untold(enforcement->edge))) {
		log_warning("the interface %s is not fenced: %s", state->name, state->problem);
		found++;
	}
	return found;
}

/*
 * The interfaces that the configuration wants. What could be known to be impossible prepare() has
 * refused; what cannot be fenced all the same is an error at the start, and later it is said, and
 * status goes on saying it.
 */
static int enforce_edge(struct enforcement *enforcement, const struct config *config, bool start,
			struct problem *problem)
{
	int r = 0;

	enforcement->edge_wanted = edge_config_asks(&config->edge, enforcement->fence.cgroup_level);
	if (!enforcement->edge_wanted) {
		/* An earlier process may have left some, whatever became of its pins. */
		if (enforcement->edge || start)
			r = enforce_open_edge(enforcement, problem);
		if (r < 0 && start) {
			log_warning("filters that an earlier process may have left stay: %s",
				    problem->text);
			problem->text[0] = 0;
			return 0;
		}
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
	if (enforce_edge_complain(enforcement) && start && config->edge.mode == EDGE_NAMED)
		return problem_set(problem, ENOTSUP,
				   "edge.interfaces names an interface that cannot be fenced");
	return 0;
}

void enforce_edge_again(struct enforcement *enforcement, const struct config *config)
{
	struct problem ignored;

	if (enforcement->edge_wanted && !enforcement->edge)
		(void)enforce_edge(enforcement, config, false, &ignored);
}

/*
 * The programs of the new policy's hooks come first: they judge by the old policy until the flip,
 * and a failure up to there leaves that in force, at its own hooks.
 */
static int enforce_next(struct enforcement *enforcement, const struct prepared *prepared,
			struct problem *problem)
{
	struct hook_plan plan;
	int r;

	seal_break(enforcement);
	enforce_plan(enforcement, prepared, &plan);
	r = enforce_attach(enforcement, &plan, problem);
	if (r >= 0)
		r = enforce_publish(enforcement, prepared, problem);
	if (r < 0)
		attach_trim(&enforcement->attachments, enforcement->pins, &enforcement->plan);
	else
		enforce_settle(enforcement, prepared, &plan);
	seal_put(enforcement);
	return MIN(r, 0);
}

int enforce_policy(struct enforcement *enforcement, const struct prepared *prepared,
		   struct problem *problem)
{
	int r = enforce_next(enforcement, prepared, problem);

	if (r < 0)
		return r;
	/* The policy is in force by now: what is wrong with an interface is said, and in status. */
	if (enforce_edge(enforcement, &prepared->config, false, problem) < 0) {
		log_warning("the interfaces are not fenced as the new policy says: %s",
			    problem->text);
		problem->text[0] = 0;
	}
	return 0;
}

/* The other way round than above: these programs are new, and their maps empty. */
static int enforce_first(struct enforcement *enforcement, const struct prepared *prepared,
			 struct problem *problem)
{
	struct hook_plan plan;
	int r;

	seal_break(enforcement);
	enforce_plan(enforcement, prepared, &plan);
	r = enforce_publish(enforcement, prepared, problem);
	if (r >= 0)
		r = enforce_attach(enforcement, &plan, problem);
	if (r >= 0 && enforcement->pins)
		r = fence_pin_maps(&enforcement->fence, enforcement->pins, problem);
	if (r < 0)
		return r;
	enforce_settle(enforcement, prepared, &plan);
	seal_put(enforcement);
	if (enforcement->fence.replaced)
		log_info("what was pinned in %s is another version's, or not whole; it is replaced",
			 enforcement->pins->dir);
	return 0;
}

/* The maps that were taken over hold a policy: to the programs just loaded as to those before. */
static bool enforce_took_over(const struct enforcement *enforcement)
{
	const struct fence *fence = &enforcement->fence;

	return fence->adopted && fence->generations[*fence->active & 1].id;
}

/* The pins are ours alone from here on; the programs are loaded, and nothing is attached. */
static int enforce_open(const struct options *options, const struct prepared *prepared,
			struct enforcement *enforcement, bool *ret_closed_before,
			struct problem *problem)
{
	const struct pins *pins = enforcement->pins;
	struct kernel_features features = {0};
	struct fence_options fence_options = {
		.features = &features,
		.pins = pins,
		.cgroup_level = cgroup_level(options->cgroup),
		.ring_bytes = (uint32_t)prepared->config.ring_kib * 1024,
		.learns = enforcement->learns,
	};
	struct stat st;
	int r = fence_probe(&features, problem); /* before anything is made */

	if (fstat(enforcement->cgroup_fd, &st) == 0)
		fence_options.cgroup_id = st.st_ino;
	if (r >= 0 && pins)
		r = pins_prepare(pins, problem);
	if (r >= 0 && pins)
		r = enforcement->pins_lock = pins_lock(pins, problem);
	if (r < 0)
		return r;
	*ret_closed_before = pins && pins_exist(pins);
	if (pins)
		r = attach_refuse_elsewhere(pins, enforcement->cgroup_fd, problem);
	if (r < 0)
		return r;
	if (pins)
		seal_look_back(enforcement);
	r = fence_open(&fence_options, &enforcement->fence, problem);
	if (r < 0)
		return r;
	if (enforce_took_over(enforcement))
		attach_plan_of_pins(pins, &enforcement->plan);
	return 0;
}

/* Detach, remove the pins, take the filters away. */
static int enforce_stop(struct enforcement *enforcement, struct problem *problem)
{
	const struct pins *pins = enforcement->pins;
	int r = enforcement->fence.object ? enforce_open_edge(enforcement, problem) : 0, removed;

	enforce_close(enforcement);
	removed = pins ? pins_remove(pins, problem) : 0;
	return r < 0 ? r : removed;
}

int enforce_start(const struct options *options, const struct prepared *prepared,
		  const struct pins *pins, struct enforcement *ret, struct problem *problem)
{
	struct enforcement enforcement;
	bool closed_before = false;
	struct problem ignored;
	int r;

	enforce_init(&enforcement, ret->live);
	enforcement.learns = ret->learns;
	enforcement.pins = pins;
	enforcement.cgroup = options->cgroup;
	enforcement.cgroup_fd = cgroup_open(prepared->mount, options->cgroup, problem);
	if (enforcement.cgroup_fd < 0)
		return enforcement.cgroup_fd;
	enforce_edge_owner(enforcement.edge_owner, options->pin_dir, !pins);
	r = enforce_open(options, prepared, &enforcement, &closed_before, problem);
	*ret = enforcement; /* the edge keeps a pointer to the fence in it */
	if (r >= 0)
		r = enforce_took_over(ret) ? enforce_next(ret, prepared, problem)
					   : enforce_first(ret, prepared, problem);
	if (r >= 0) {
		r = enforce_edge(ret, &prepared->config, true, problem);
		if (r < 0 && closed_before)
			log_warning("the new policy is in force, but for the interfaces");
	}
	if (r < 0) {
		/* A fence that was closed before stays so, whatever version pinned it. */
		if (closed_before || (pins && ret->pins_lock < 0))
			enforce_close(ret);
		else
			(void)enforce_stop(ret, &ignored);
		attachments_init(&ret->attachments);
	}
	return r;
}

/*
 * Another one by the same name takes the place of a cgroup that has gone. What the edge knows of it
 * comes first: while it cannot be published the descriptor of the old one keeps the finding open.
 */
static int mend_cgroup(struct enforcement *enforcement, const struct watch_findings *findings,
		       struct problem *problem)
{
	_cleanup_free_ char *mount = NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	(void)findings;
	if (cgroup_find_mount(&mount) < 0)
		return problem_set(problem, ENOENT, "no cgroup2 hierarchy is mounted any more");
	fd = cgroup_open(mount, enforcement->cgroup, problem);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return problem_set(problem, errno, "the cgroup: %s", strerror(errno));
	enforcement->fence.cgroup_id = st.st_ino;
	r = publish_again(&enforcement->fence, &enforcement->published, problem);
	if (r < 0)
		return r;
	util_closep(&enforcement->cgroup_fd);
	enforcement->cgroup_fd = TAKE_FD(fd);
	return enforce_attach(enforcement, &enforcement->plan, problem);
}

/* A link made anew is pinned at once, which takes the directories. */
static int mend_attach(struct enforcement *enforcement, const struct watch_findings *findings,
		       struct problem *problem)
{
	int r = enforcement->pins ? pins_prepare(enforcement->pins, problem) : 0;

	(void)findings;
	return r < 0 ? r : enforce_attach(enforcement, &enforcement->plan, problem);
}

int enforce_judge_calls(struct enforcement *enforcement, struct problem *problem)
{
	struct hook_plan plan = enforcement->plan;
	int r;

	attach_plan_ipsec(&plan);
	seal_break(enforcement);
	r = enforce_attach(enforcement, &plan, problem);
	if (r >= 0)
		r = publish_flag(&enforcement->fence, &enforcement->published, DF_GEN_CALLS,
				 problem);
	if (r < 0)
		attach_trim(&enforcement->attachments, enforcement->pins, &enforcement->plan);
	else
		enforcement->plan = plan;
	seal_put(enforcement);
	return MIN(r, 0);
}

void enforce_keep(struct enforcement *enforcement, const struct policy_image *image)
{
	enforcement->image = image;
}

int enforce_subject(struct enforcement *enforcement, const struct subject_change *change)
{
	if (!enforcement->unsealed)
		seal_break(enforcement);
	enforcement->unsealed = true;
	return publish_subject(&enforcement->fence, &enforcement->published, change);
}

void enforce_subjects_end(struct enforcement *enforcement)
{
	if (enforcement->unsealed)
		seal_put_subjects(enforcement);
	enforcement->unsealed = false;
}

/* Entries that were changed one by one are all made anew, in another table. */
static int mend_publish(struct enforcement *enforcement, const struct watch_findings *findings,
			struct problem *problem)
{
	for (size_t i = 0; i < findings->length; i++)
		if (findings->list[i].kind == WATCH_ENTRIES)
			return publish_policy(&enforcement->fence, enforcement->image, true,
					      &enforcement->published, problem);
	return publish_again(&enforcement->fence, &enforcement->published, problem);
}

/* The directories may have gone, too, and the lock with them. */
static int mend_pins(struct enforcement *enforcement, const struct watch_findings *findings,
		     struct problem *problem)
{
	const struct pins *pins = enforcement->pins;
	int r = pins_prepare(pins, problem);

	if (r >= 0 && !pins_lock_holds(pins, enforcement->pins_lock)) {
		util_closep(&enforcement->pins_lock);
		r = enforcement->pins_lock = pins_lock(pins, problem);
	}
	for (size_t i = 0; r >= 0 && i < findings->length; i++) {
		const struct watch_finding *finding = &findings->list[i];

		if (finding->kind == WATCH_LINK_PIN)
			r = attach_pin(&enforcement->attachments, pins, finding->index, problem);
		else if (finding->kind == WATCH_MAP_PIN)
			r = fence_pin_map(&enforcement->fence, pins, finding->index, problem);
	}
	return MIN(r, 0);
}

int enforce_mend(struct enforcement *enforcement, enum watch_mend mend,
		 const struct watch_findings *findings, struct problem *problem)
{
	static int (*const menders[WATCH_MEND_MAX])(
		struct enforcement *, const struct watch_findings *, struct problem *) = {
		[WATCH_MEND_CGROUP] = mend_cgroup,
		[WATCH_MEND_ATTACH] = mend_attach,
		[WATCH_MEND_PUBLISH] = mend_publish,
		[WATCH_MEND_PIN] = mend_pins,
	};
	int r = menders[mend](enforcement, findings, problem);

	seal_put(enforcement);
	return r;
}

void enforce_close(struct enforcement *enforcement)
{
	edge_free(enforcement->edge);
	enforcement->edge = NULL;
	attachments_close(&enforcement->attachments);
	publication_done(&enforcement->published);
	fence_close(&enforcement->fence);
	util_closep(&enforcement->cgroup_fd);
	util_closep(&enforcement->pins_lock);
	enforcement->cgroup_fd = enforcement->pins_lock = -1;
}
