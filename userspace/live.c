// SPDX-License-Identifier: GPL-2.0-or-later
#include "live.h"

#include "log.h"

#define WALK_STEPS 256 /* cgroups at a time, well below a millisecond */
#define WALK_EVERY 10 /* ticks from one walk to the next, where news comes */
#define FACTS_BATCH 64
#define ASK_STEPS 6 /* 2^6 ticks at most from one asking to the next */

struct live {
	struct prepared *prepared;
	struct enforcement *enforcement;
	struct catalog *catalog;
	const char *cgroup;
	enum follow_way wanted;
	struct follower *follower; /* NULL: no policy speaks of cgroups */
	struct cgroup_walk walk;
	bool walking;
	bool stale; /* an entry could not be put where it belongs: publish anew */
	bool complained;
	unsigned int idle; /* ticks since the last walk */
	uint64_t ticks, scope; /* id of the fenced cgroup that the follower was made for */
	uint64_t lost, walks;
};

static int facts_of_catalog(void *context, const struct census_cgroup *cgroup,
			    const struct identity *identity, uint32_t owner, struct facts **ret)
{
	(void)identity;
	(void)owner;
	return catalog_ask(context, cgroup->id, cgroup->path, 0, ret);
}

struct facts_source live_facts(struct catalog *catalog)
{
	return (struct facts_source){facts_of_catalog, catalog};
}

/* Entries ---------------------------------------------------------------------------------- */

static void live_change(struct live *live, const struct subject_change *change)
{
	int r = 0;

	if (!live->stale)
		r = enforce_subject(live->enforcement, change);
	live->stale |= r < 0;
	if (policy_change_subject(&live->prepared->image, change) < 0)
		live->stale = true;
}

/* The lowest rank that the list has for a user; DF_POLICY_MAX: none. */
static uint32_t list_rank(const struct subject_list *list, uint32_t uid)
{
	uint32_t rank = DF_POLICY_MAX;

	for (size_t i = 0; i < list->length; i++)
		if (list->list[i].uid == uid)
			rank = MIN(rank, (uint32_t)list->list[i].policy);
	return rank;
}

/* What it has now and should not have. An entry that depends on facts not known now stays. */
static void live_take_away(struct live *live, uint64_t id, const struct subject_list *wanted,
			   const struct rank_set *unknown)
{
	const struct policy_image *image = &live->prepared->image;
	size_t at, length = policy_find_cgroup(image, id, &at);

	while (length--) {
		struct policy_subject entry = image->subjects[at];
		struct subject_change change = {entry.key, DF_POLICY_MAX, entry.rank, 0};

		if (list_rank(wanted, entry.key.uid) < DF_POLICY_MAX ||
		    rank_set_has(unknown, entry.rank))
			at++;
		else
			live_change(live, &change);
	}
}

static uint32_t image_rank(const struct policy_image *image, uint64_t id, uint32_t uid)
{
	size_t at, length = policy_find_cgroup(image, id, &at);

	for (; length--; at++)
		if (image->subjects[at].key.uid == uid)
			return image->subjects[at].rank;
	return DF_POLICY_MAX;
}

static void live_put(struct live *live, const struct census_cgroup *cgroup,
		     const struct subject_list *wanted, const struct rank_set *unknown)
{
	for (size_t i = 0; i < wanted->length; i++) {
		uint32_t uid = wanted->list[i].uid;
		struct subject_change change = {
			.key = {.cgroup_id = cgroup->id, .uid = uid},
			.rank = list_rank(wanted, uid),
			.old = image_rank(&live->prepared->image, cgroup->id, uid),
			.level = cgroup->level,
		};

		if (change.old == change.rank ||
		    (change.old < change.rank && rank_set_has(unknown, change.old)))
			continue;
		live_change(live, &change);
	}
}

static void live_judge(struct live *live, struct census_cgroup *cgroup)
{
	_cleanup_(subjects_done) struct subject_list wanted = {0};
	struct rank_set unknown;

	if (census_judge(&live->prepared->census, cgroup, &wanted, &unknown) < 0) {
		live->stale = true;
		return;
	}
	live_take_away(live, cgroup->id, &wanted, &unknown);
	live_put(live, cgroup, &wanted, &unknown);
}

/* The table was too small, or the kernel had no memory: all of it again, in a larger one. */
static void live_settle(struct live *live)
{
	struct problem problem = {{0}};

	enforce_subjects_end(live->enforcement);
	if (!live->stale)
		return;
	live->stale = enforce_policy(live->enforcement, live->prepared, &problem) < 0;
	if (live->stale && !live->complained)
		log_warning("cannot follow the cgroups that the policy names: %s", problem.text);
	live->complained = live->stale;
}

/* News ------------------------------------------------------------------------------------- */

static void live_meet(struct live *live, const struct cgroup_found *found)
{
	bool fresh;
	struct census_cgroup *cgroup = census_meet(&live->prepared->census, found, &fresh);

	if (!cgroup || !fresh)
		return;
	live_judge(live, cgroup);
	follower_meet(live->follower, found->id, found->path);
}

static void live_forget(struct live *live, uint64_t id)
{
	static const struct subject_list nothing;
	static const struct rank_set none;

	if (!census_find(&live->prepared->census, id))
		return;
	live_take_away(live, id, &nothing, &none);
	census_remove(&live->prepared->census, id);
	catalog_forget(live->catalog, id);
	follower_forget(live->follower, id);
}

static void live_walk(struct live *live)
{
	if (live->walking)
		return;
	live->walking = true;
	live->idle = 0;
	live->prepared->census.round++;
	cgroup_walk_begin(&live->walk, live->prepared->mount_fd, live->cgroup);
}

/* A parent that is not known was itself lost, or is outside. */
static void live_on_came(void *context, uint64_t id, uint64_t parent, const char *name)
{
	struct live *live = context;
	const struct census_cgroup *above = census_find(&live->prepared->census, parent);
	char path[PATH_MAX];

	if (!above) {
		live_walk(live);
		return;
	}
	if (above->level + 1 >= DF_LEVEL_MAX ||
	    (size_t)snprintf(path, sizeof(path), "%s/%s", above->path[1] ? above->path : "",
			     name) >= sizeof(path))
		return;
	live_meet(live, &(struct cgroup_found){id, path, above->level + 1});
}

static void live_on_went(void *context, uint64_t id)
{
	live_forget(context, id);
}

/* What the walk has not met has gone, and nobody has said so. */
static void live_sweep(struct live *live)
{
	struct census *census = &live->prepared->census;

	for (size_t i = census->length; i > 0; i--)
		if (census->list[i - 1]->round != census->round)
			live_forget(live, census->list[i - 1]->id);
}

bool live_work(struct live *live)
{
	struct cgroup_found found;
	int r = 1;

	if (!live->walking)
		return false;
	for (int step = 0; step < WALK_STEPS && r > 0; step++) {
		r = cgroup_walk_next(&live->walk, &found);
		if (r > 0)
			live_meet(live, &found);
	}
	if (r == 0)
		live_sweep(live);
	if (r <= 0) {
		cgroup_walk_end(&live->walk);
		live->walking = false;
		live->walks++;
	}
	live_settle(live);
	return live->walking;
}

void live_read(struct live *live)
{
	if (!live->follower)
		return;
	if (follower_read(live->follower)) {
		live->lost++;
		live_walk(live);
	}
	live_settle(live);
}

void live_read_facts(struct live *live)
{
	const struct census *census = &live->prepared->census;
	uint64_t ids[FACTS_BATCH];
	size_t length;
	bool lost = false;

	do {
		length = catalog_changes(live->catalog, ids, FACTS_BATCH, &lost);
		for (size_t i = 0; i < length; i++) {
			struct census_cgroup *cgroup = census_find(census, ids[i]);

			if (cgroup && cgroup->of_facts)
				live_judge(live, cgroup);
		}
	} while (length == FACTS_BATCH);
	for (size_t i = 0; lost && i < census->length; i++)
		if (census->list[i]->of_facts)
			live_judge(live, census->list[i]);
	live_settle(live);
}

static void live_stop_walk(struct live *live)
{
	if (live->walking)
		cgroup_walk_end(&live->walk);
	live->walking = false;
}

/* What came between prepare()'s walk and the follower is found by another one. */
static int live_follow(struct live *live)
{
	const struct follow_handler handler = {live, live_on_came, live_on_went};
	const struct follow_options options = {
		.way = live->wanted,
		.mount_fd = live->prepared->mount_fd,
		.mount = live->prepared->mount,
		.cgroup = live->cgroup,
	};

	live->scope = live->enforcement->fence.cgroup_id;
	live->follower = follower_new(&options, &handler);
	if (!live->follower)
		return -ENOMEM;
	live_walk(live);
	return 0;
}

/* Of whom the catalog had no room, or has forgotten, nobody would ever say that more is known. */
static void live_ask_again(struct live *live)
{
	const struct census *census = &live->prepared->census;

	live->ticks++;
	for (size_t i = 0; i < census->length; i++) {
		struct census_cgroup *cgroup = census->list[i];

		if (!cgroup->waiting) {
			cgroup->tries = 0;
			continue;
		}
		if (cgroup->due > live->ticks)
			continue;
		live_judge(live, cgroup);
		cgroup->due = live->ticks + (1u << MIN(cgroup->tries, (unsigned int)ASK_STEPS));
		cgroup->tries++;
	}
}

/* The fenced cgroup was made anew: what the follower has to tell is of the one that has gone. */
static bool live_follow_scope(struct live *live)
{
	if (live->scope == live->enforcement->fence.cgroup_id)
		return false;
	live_stop_walk(live);
	follower_free(live->follower);
	if (live_follow(live) < 0)
		log_warning("cannot follow the cgroups that the policy names: out of memory");
	return true;
}

bool live_tick(struct live *live)
{
	bool other;

	if (!live->follower)
		return false;
	other = live_follow_scope(live);
	if (!live->follower)
		return other;
	live_ask_again(live);
	live->idle++;
	if (live->idle >= WALK_EVERY || follower_fd(live->follower) < 0)
		live_walk(live);
	live_settle(live);
	return other;
}

/* Setting up ------------------------------------------------------------------------------- */

static void live_stop(struct live *live)
{
	live_stop_walk(live);
	follower_free(live->follower);
	live->follower = NULL;
}

/* Every cgroup that prepare() has found is asked for again: the catalog keeps an eye on them. */
static void live_adopt(struct live *live)
{
	const struct census *census = &live->prepared->census;

	for (size_t i = 0; i < census->length; i++) {
		if (census->list[i]->of_facts)
			live_judge(live, census->list[i]);
		follower_meet(live->follower, census->list[i]->id, census->list[i]->path);
	}
}

/* A follower stays: what it has to tell of the time since is news to the next policy's list, too.
 */
static int live_start(struct live *live)
{
	const struct config *config = &live->prepared->config;

	if (!subjects_have_cgroups(config) || live->wanted != (enum follow_way)config->follow)
		live_stop(live);
	if (!subjects_have_cgroups(config))
		return 0;
	live->wanted = (enum follow_way)config->follow;
	if (!live->follower && live_follow(live) < 0)
		return -ENOMEM;
	if (subjects_need_facts(&live->prepared->config))
		live->prepared->census.facts = live_facts(live->catalog);
	live_adopt(live);
	live_settle(live);
	return 0;
}

struct live *live_new(struct prepared *prepared, struct enforcement *enforcement,
		      struct catalog *catalog, const char *cgroup)
{
	struct live *live = calloc(1, sizeof(*live));

	if (!live)
		return NULL;
	*live = (struct live){
		.prepared = prepared,
		.enforcement = enforcement,
		.catalog = catalog,
		.cgroup = cgroup,
	};
	if (live_start(live) < 0) {
		free(live);
		return NULL;
	}
	return live;
}

void live_free(struct live *live)
{
	if (!live)
		return;
	live_stop(live);
	free(live);
}

void live_reload(struct live *live, struct catalog *catalog)
{
	live_stop_walk(live);
	live->catalog = catalog;
	live->stale = false;
	if (live_start(live) < 0)
		log_warning("cannot follow the cgroups that the policy names: out of memory");
}

int live_fd(const struct live *live)
{
	return live->follower ? follower_fd(live->follower) : -1;
}

void live_count(const struct live *live, struct live_counts *ret)
{
	*ret = (struct live_counts){
		.way = live->follower ? follow_way_name(follower_way(live->follower)) : NULL,
		.cgroups = live->prepared->census.length,
		.entries = live->enforcement->published.subjects,
		.room = live->enforcement->published.room,
		.lost = live->lost,
		.walks = live->walks,
	};
}
