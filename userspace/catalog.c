// SPDX-License-Identifier: GPL-2.0-or-later
#include "catalog.h"

#include "cgroup_changes.h"
#include "cgroup_owner.h"
#include "cgroup_table.h"
#include "lane.h"
#include "log.h"
#include "process_cache.h"

#define MS_NS 1000000ll
#define SECOND_NS 1000000000ll
#define FRESH_NS SECOND_NS /* how old an answer may be before its file is looked at again */
#define STEPS 10 /* back-off: 1, 2, 4 ... 1024 ms, */
#define PATIENCE 40 /* then every second, until it was this often, then every minute */
#define REPORTS 256

enum { LANE_SYSTEM, LANE_USERS, LANES };

struct report {
	uint64_t text, state;
};

struct catalog {
	pthread_mutex_t lock;
	struct catalog_options options;
	struct runtimes *runtimes[LANES];
	struct lane lanes[LANES]; /* of cgroups */
	struct cgroup_table table;
	struct cgroup_changes changes;
	struct process_cache processes;
	struct report reports[REPORTS];
	size_t reports_next;
	uint64_t broken; /* files that were reported */
};

/* Reports ------------------------------------------------------------------------------------ */

static uint64_t text_hash(const char *text)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211u;
	return hash;
}

/* The same state of the same file is told once, however many cgroups it is about. */
static bool report_is_new(struct catalog *catalog, const struct runtimes_problem *problem)
{
	const struct report report = {text_hash(problem->text), problem->state};

	for (size_t i = 0; i < REPORTS; i++)
		if (catalog->reports[i].text == report.text &&
		    catalog->reports[i].state == report.state)
			return false;
	catalog->reports[catalog->reports_next++ % REPORTS] = report;
	catalog->broken++;
	return true;
}

/* Reading cgroups: the threads ---------------------------------------------------------------- */

static bool cgroup_is_busy(void *context, const struct cgroup *cgroup)
{
	struct catalog *catalog = context;
	uint32_t slot = cgroup_table_slot(&catalog->table, cgroup);

	return cgroup->held || lane_has_slot(&catalog->lanes[LANE_SYSTEM], slot) ||
	       lane_has_slot(&catalog->lanes[LANE_USERS], slot);
}

/* What the path says, to begin with. */
static int facts_of_path(const struct identity *identity, const char *path, uint32_t owner,
			 struct facts **ret)
{
	struct facts_draft draft;

	facts_draft_init(&draft, identity, path);
	draft.owner = owner;
	return facts_pack(&draft, ret);
}

/* When to look again for what is missing. */
static void cgroup_put_off(struct cgroup *cgroup, int64_t now)
{
	int64_t wait = MS_NS << MIN(cgroup->tries, STEPS);

	if (cgroup->tries >= PATIENCE)
		wait = 60 * SECOND_NS;
	else
		cgroup->tries++;
	cgroup->due = now + wait;
	cgroup->state = READING_AGAIN;
}

/* With what a reading brought, if it brought anything; facts is consumed. */
static void cgroup_settle(struct catalog *catalog, struct cgroup *cgroup, int r,
			  struct facts *facts)
{
	bool had_all = cgroup->state == READING_COMPLETE;
	bool first = cgroup->state == READING_FIRST;
	uint64_t id = cgroup->id;
	bool differs = facts && !facts_equal(facts, cgroup->facts);
	int64_t now = lane_now();

	cgroup->checked = now;
	cgroup->due = 0;
	if (r == 0)
		cgroup->state = READING_COMPLETE;
	else if (!had_all) /* what was complete stays, should its file go or break now */
		cgroup_put_off(cgroup, now);
	if (facts && (r == 0 || !had_all))
		cgroup_table_set_facts(&catalog->table, cgroup, facts);
	else
		facts_unref(facts);
	if (differs || (first && r == 0))
		cgroup_changes_add(&catalog->changes, id);
}

/*
 * A user's files are for the users' thread, however the path looked. Where users have all that they
 * get it is forgotten, and whoever asks for it begins anew.
 */
static void cgroup_change_lane(struct catalog *catalog, struct cgroup *cgroup)
{
	if (!cgroup_table_give(&catalog->table, cgroup))
		return;
	cgroup->lane = LANE_USERS;
	lane_queue_slot(&catalog->lanes[LANE_USERS], cgroup_table_slot(&catalog->table, cgroup),
			cgroup->state == READING_COMPLETE ? LANE_LATER : LANE_NOW);
}

/* What is done without the lock. */
struct attempt {
	struct facts *before, *facts; /* referenced */
	struct runtimes_problem problem;
	uint32_t owner;
	bool check, other_lane;
	int r;
};

static void attempt_run(struct catalog *catalog, struct lane *lane, struct attempt *attempt)
{
	struct runtimes *runtimes = catalog->runtimes[lane - catalog->lanes];
	const char *path = attempt->before->path;
	struct identity identity;

	if (attempt->check &&
	    !catalog->options.changed(catalog->options.context, runtimes, attempt->before))
		return;
	attempt->check = false;
	identity_of_path(path, &identity);
	attempt->owner = catalog->options.owner(catalog->options.context, catalog->options.mount_fd,
						path, &identity);
	if (lane == &catalog->lanes[LANE_SYSTEM] && attempt->owner != 0 &&
	    attempt->owner != IDENTITY_NO_USER) {
		attempt->other_lane = true;
		return;
	}
	attempt->r = catalog->options.read(catalog->options.context, runtimes, &identity, path,
					   attempt->owner, &attempt->facts, &attempt->problem);
	/* Who may have named it is known by now, even where nothing else is. */
	if (attempt->r < 0 && !attempt->facts && attempt->owner != attempt->before->owner)
		(void)facts_of_path(&identity, path, attempt->owner, &attempt->facts);
}

static void attempt_report(struct catalog *catalog, const struct attempt *attempt)
{
	bool is_new;

	/* Just written: perhaps not yet to the end. It is looked at again. */
	if (!attempt->problem.text[0] || !attempt->problem.state)
		return;
	is_new = report_is_new(catalog, &attempt->problem);
	pthread_mutex_unlock(&catalog->lock);
	if (is_new)
		catalog->options.report(catalog->options.context, attempt->problem.text);
	pthread_mutex_lock(&catalog->lock);
}

static void lane_read_cgroup(void *context, struct lane *lane, uint32_t slot)
{
	struct catalog *catalog = context;
	struct cgroup *cgroup = &catalog->table.list[slot];
	struct attempt attempt = {0};

	if (!cgroup->id)
		return;
	attempt.before = facts_ref(cgroup->facts);
	attempt.check = cgroup->state == READING_COMPLETE;
	cgroup->held = true;
	lane->readings++;
	pthread_mutex_unlock(&catalog->lock);
	attempt_run(catalog, lane, &attempt);
	pthread_mutex_lock(&catalog->lock);
	attempt_report(catalog, &attempt);
	if (attempt.check)
		cgroup->checked = lane_now();
	else if (attempt.other_lane)
		cgroup_change_lane(catalog, cgroup);
	else
		cgroup_settle(catalog, cgroup, attempt.r, attempt.facts);
	cgroup->held = false; /* so long the slot was this cgroup's */
	facts_unref(attempt.before);
}

/* Nothing to do: what is due is done, and the next one is the time to wake. */
static void lane_idle(void *context, struct lane *lane)
{
	struct catalog *catalog = context;
	size_t index = (size_t)(lane - catalog->lanes);
	int64_t now;

	pthread_mutex_unlock(&catalog->lock);
	runtimes_idle(catalog->runtimes[index]);
	pthread_mutex_lock(&catalog->lock);
	now = lane_now();
	for (uint32_t i = 0; i < catalog->table.length; i++) {
		struct cgroup *cgroup = &catalog->table.list[i];

		if (!cgroup->id || !cgroup->due || cgroup->gone || cgroup->lane != index)
			continue;
		if (cgroup->due <= now) {
			cgroup->due = 0;
			lane_queue_slot(lane, i, LANE_NOW);
		} else if (!lane->wake || cgroup->due < lane->wake) {
			lane->wake = cgroup->due;
		}
	}
}

/* Asking about cgroups ---------------------------------------------------------------------- */

/* A new slot, and its first reading if there is anything to read. NULL: no room now. */
static struct cgroup *cgroup_add(struct catalog *catalog, uint64_t id,
				 const struct identity *identity, struct facts *facts)
{
	const bool of_user = identity->user != IDENTITY_NO_USER;
	struct cgroup *cgroup = cgroup_table_add(&catalog->table, id, facts, of_user);
	bool named = identity->container.runtime || identity->pod.uid[0];

	if (!cgroup)
		return NULL;
	cgroup->state = named ? READING_FIRST : READING_COMPLETE;
	cgroup->lane = of_user ? LANE_USERS : LANE_SYSTEM;
	cgroup->checked = lane_now();
	if (named)
		lane_queue_slot(&catalog->lanes[cgroup->lane],
				cgroup_table_slot(&catalog->table, cgroup), LANE_NOW);
	return cgroup;
}

/* The slot may be another's afterwards. */
static void cgroup_wait(struct catalog *catalog, uint64_t id, int wait_ms)
{
	int64_t deadline = lane_now() + wait_ms * MS_NS;
	struct cgroup *cgroup;

	while ((cgroup = cgroup_table_find(&catalog->table, id)) &&
	       cgroup->state == READING_FIRST) {
		struct lane *lane = &catalog->lanes[cgroup->lane];

		if (lane->late)
			return;
		if (!lane_wait(lane, deadline) &&
		    (cgroup = cgroup_table_find(&catalog->table, id)) &&
		    cgroup->state == READING_FIRST) {
			lane_give_up(&catalog->lanes[cgroup->lane]);
			return;
		}
	}
}

static void cgroup_look_again(struct catalog *catalog, struct cgroup *cgroup)
{
	if (cgroup->state == READING_COMPLETE && cgroup->facts->source[0] && !cgroup->held &&
	    !cgroup->gone)
		lane_queue_slot(&catalog->lanes[cgroup->lane],
				cgroup_table_slot(&catalog->table, cgroup), LANE_LATER);
}

static int cgroup_answer(struct catalog *catalog, struct cgroup *cgroup, struct facts **ret)
{
	cgroup->used = true;
	if (lane_now() - cgroup->checked > FRESH_NS)
		cgroup_look_again(catalog, cgroup);
	*ret = facts_ref(cgroup->facts);
	return cgroup->state == READING_COMPLETE ? 0 : -EAGAIN;
}

static int ask_new(struct catalog *catalog, uint64_t id, const char *path, int wait_ms,
		   struct facts **ret)
{
	_cleanup_(facts_unrefp) struct facts *facts = NULL;
	struct identity identity;
	struct cgroup *cgroup;
	bool named;
	int r;

	identity_of_path(path, &identity);
	named = identity.container.runtime || identity.pod.uid[0];
	r = facts_of_path(&identity, path, named ? IDENTITY_NO_USER : 0, &facts);
	if (r < 0)
		return r;
	pthread_mutex_lock(&catalog->lock);
	cgroup = cgroup_table_find(&catalog->table, id); /* another thread's, meanwhile */
	if (!cgroup)
		cgroup = cgroup_add(catalog, id, &identity, facts);
	if (cgroup && cgroup->state == READING_FIRST && wait_ms > 0)
		cgroup_wait(catalog, id, wait_ms);
	cgroup = cgroup_table_find(&catalog->table, id);
	if (cgroup)
		r = cgroup_answer(catalog, cgroup, ret);
	pthread_mutex_unlock(&catalog->lock);
	if (!cgroup) {
		*ret = TAKE_PTR(facts);
		r = named ? -EAGAIN : 0;
	}
	return r;
}

int catalog_ask(struct catalog *catalog, uint64_t cgroup_id, const char *path, int wait_ms,
		struct facts **ret)
{
	struct cgroup *cgroup;
	int r = -ENOENT;

	pthread_mutex_lock(&catalog->lock);
	cgroup = cgroup_table_find(&catalog->table, cgroup_id);
	if (cgroup && cgroup->state == READING_FIRST && wait_ms > 0) {
		cgroup_wait(catalog, cgroup_id, wait_ms);
		cgroup = cgroup_table_find(&catalog->table, cgroup_id);
	}
	if (cgroup)
		r = cgroup_answer(catalog, cgroup, ret);
	pthread_mutex_unlock(&catalog->lock);
	if (cgroup || !path || !cgroup_id)
		return r;
	return ask_new(catalog, cgroup_id, path, wait_ms, ret);
}

void catalog_forget(struct catalog *catalog, uint64_t cgroup_id)
{
	struct cgroup *cgroup;

	pthread_mutex_lock(&catalog->lock);
	cgroup = cgroup_table_find(&catalog->table, cgroup_id);
	if (cgroup)
		cgroup->gone = true;
	pthread_mutex_unlock(&catalog->lock);
}

void catalog_recheck(struct catalog *catalog)
{
	pthread_mutex_lock(&catalog->lock);
	for (uint32_t i = 0; i < catalog->table.length; i++)
		if (catalog->table.list[i].id)
			cgroup_look_again(catalog, &catalog->table.list[i]);
	pthread_mutex_unlock(&catalog->lock);
}

int catalog_ask_process(struct catalog *catalog, uint32_t pid, const char *comm, int64_t when_ns,
			int wait_ms, struct ancestry **ret)
{
	struct ancestry *ancestry;

	pthread_mutex_lock(&catalog->lock);
	ancestry = process_cache_ask(&catalog->processes, pid, comm, when_ns, wait_ms);
	pthread_mutex_unlock(&catalog->lock);
	*ret = ancestry ? ancestry : ancestry_blank(pid);
	return *ret ? 0 : -ENOMEM;
}

/* What has changed, and how much there is ---------------------------------------------------- */

int catalog_fd(const struct catalog *catalog)
{
	return catalog->changes.fd;
}

size_t catalog_changes(struct catalog *catalog, uint64_t *ids, size_t max, bool *ret_lost)
{
	size_t length;

	pthread_mutex_lock(&catalog->lock);
	length = cgroup_changes_take(&catalog->changes, ids, max, ret_lost);
	pthread_mutex_unlock(&catalog->lock);
	return length;
}

void catalog_count(struct catalog *catalog, struct catalog_counts *ret)
{
	const struct lane *const lanes[] = {&catalog->lanes[LANE_SYSTEM],
					    &catalog->lanes[LANE_USERS], &catalog->processes.lane};

	pthread_mutex_lock(&catalog->lock);
	*ret = (struct catalog_counts){
		.cgroups = catalog->table.used,
		.processes = catalog->processes.used,
		.bytes = catalog->table.bytes,
		.evicted = catalog->table.evicted,
		.broken = catalog->broken,
	};
	for (size_t i = 0; i < ARRAY_LEN(lanes); i++) {
		ret->readings += lanes[i]->readings;
		ret->waits_in_vain += lanes[i]->waits_in_vain;
		ret->late[i] = lanes[i]->late;
	}
	pthread_mutex_unlock(&catalog->lock);
}

/* Beginning and end ------------------------------------------------------------------------- */

static uint32_t standard_owner(void *context, int mount_fd, const char *path,
			       const struct identity *identity)
{
	(void)context;
	return cgroup_owner(mount_fd, path, identity);
}

static int standard_read(void *context, struct runtimes *runtimes, const struct identity *identity,
			 const char *path, uint32_t owner, struct facts **ret,
			 struct runtimes_problem *problem)
{
	(void)context;
	return runtimes_read(runtimes, identity, path, owner, ret, problem);
}

static bool standard_changed(void *context, struct runtimes *runtimes, const struct facts *facts)
{
	(void)context;
	return runtimes_changed(runtimes, facts);
}

static int standard_read_process(void *context, uint32_t pid, struct ancestry **ret)
{
	(void)context;
	return ancestry_read(pid, ret);
}

static void standard_report(void *context, const char *text)
{
	(void)context;
	log_warning("%s", text);
}

static void options_fill(struct catalog_options *options)
{
	options->cgroups = options->cgroups ? options->cgroups : CATALOG_CGROUPS;
	options->processes = options->processes ? options->processes : CATALOG_PROCESSES;
	options->bytes = options->bytes ? options->bytes : CATALOG_BYTES;
	options->owner = options->owner ? options->owner : standard_owner;
	options->read = options->read ? options->read : standard_read;
	options->changed = options->changed ? options->changed : standard_changed;
	options->read_process =
		options->read_process ? options->read_process : standard_read_process;
	options->report = options->report ? options->report : standard_report;
}

static int catalog_start(struct catalog *catalog)
{
	int r = 0;

	for (int i = 0; i < LANES && r == 0; i++) {
		struct lane *lane = &catalog->lanes[i];

		lane->lock = &catalog->lock;
		lane->context = catalog;
		lane->perform = lane_read_cgroup;
		lane->idle = lane_idle;
		r = lane_start(lane, catalog->options.cgroups);
	}
	return r < 0 ? r : process_cache_start(&catalog->processes, &catalog->lock);
}

int catalog_new(const struct catalog_options *options, struct catalog **ret)
{
	struct catalog *catalog = calloc(1, sizeof(*catalog));
	int r = 0;

	if (!catalog)
		return -ENOMEM;
	pthread_mutex_init(&catalog->lock, NULL);
	catalog->options = *options;
	options_fill(&catalog->options);
	catalog->table = (struct cgroup_table){.size = catalog->options.cgroups,
					       .bytes_max = catalog->options.bytes,
					       .context = catalog,
					       .is_busy = cgroup_is_busy};
	catalog->processes = (struct process_cache){.size = catalog->options.processes,
						    .context = catalog->options.context,
						    .read = catalog->options.read_process};
	r = cgroup_changes_init(&catalog->changes);
	if (r == 0)
		r = cgroup_table_init(&catalog->table);
	for (size_t i = 0; i < ARRAY_LEN(catalog->runtimes) && r == 0; i++)
		r = runtimes_new(options->roots, &catalog->runtimes[i]);
	catalog->options.roots = NULL; /* copied by those */
	if (r == 0)
		r = catalog_start(catalog);
	if (r < 0) {
		catalog_free(catalog);
		return r;
	}
	*ret = catalog;
	return 0;
}

/* False: a thread hangs; it may come back, and then uses what is here. */
static bool catalog_stop(struct catalog *catalog)
{
	struct lane *const lanes[] = {&catalog->lanes[LANE_SYSTEM], &catalog->lanes[LANE_USERS],
				      &catalog->processes.lane};
	bool ended = true;

	pthread_mutex_lock(&catalog->lock);
	for (size_t i = 0; i < ARRAY_LEN(lanes); i++)
		lane_stop(lanes[i]);
	pthread_mutex_unlock(&catalog->lock);
	for (size_t i = 0; i < ARRAY_LEN(lanes); i++)
		ended &= lane_join(lanes[i], 500);
	return ended;
}

void catalog_free(struct catalog *catalog)
{
	if (!catalog || !catalog_stop(catalog))
		return;
	for (int i = 0; i < LANES; i++) {
		lane_done(&catalog->lanes[i]);
		runtimes_free(catalog->runtimes[i]);
	}
	process_cache_done(&catalog->processes);
	cgroup_table_done(&catalog->table);
	cgroup_changes_done(&catalog->changes);
	pthread_mutex_destroy(&catalog->lock);
	free(catalog);
}
