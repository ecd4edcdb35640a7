// SPDX-License-Identifier: GPL-2.0-or-later
#include "catalog.h"

#include <sys/eventfd.h>
#include <time.h>

#include "cgroup_table.h"
#include "lane.h"
#include "log.h"

#define MS_NS 1000000ll
#define SECOND_NS 1000000000ll
#define FRESH_NS SECOND_NS /* how old an answer may be before its file is looked at again */
#define STEPS 10 /* back-off: 1, 2, 4 ... 1024 ms, */
#define PATIENCE 40 /* then every second, until it was this often, then every minute */
#define PROCESS_NS (10 * SECOND_NS) /* how long what was read of a process is believed, */
#define PROCESS_FRESH_NS (2 * SECOND_NS) /* and how long before it is read again */
#define GONE_NS SECOND_NS /* the same for one that was not there */
#define STARTED_GRAIN_NS (20 * MS_NS) /* of a process' start time: a clock tick, rounded */
#define CHANGES 1024
#define REPORTS 256

enum { LANE_SYSTEM, LANE_USERS, LANE_PROCESSES, LANES };

struct process {
	struct ancestry *ancestry;
	int64_t read_at;
	uint32_t pid; /* 0: free */
	char comm[16];
	bool pending; /* nobody has looked yet */
	bool gone; /* it was not there */
	bool held;
};

struct report {
	uint64_t text, state;
};

struct catalog {
	pthread_mutex_t lock;
	struct catalog_options options;
	struct runtimes *runtimes[2]; /* LANE_SYSTEM's and LANE_USERS' */
	struct lane lanes[LANES];
	struct cgroup_table table;
	struct process *processes; /* direct-mapped: a collision costs one more reading */
	uint64_t changes[CHANGES];
	size_t changes_length;
	bool changes_lost;
	int fd;
	struct report reports[REPORTS];
	size_t reports_next;
	struct catalog_counts counts; /* the table has those of cgroups */
};

/* Reports and changes ---------------------------------------------------------------------- */

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
	catalog->counts.broken++;
	return true;
}

static void change_add(struct catalog *catalog, uint64_t id)
{
	const uint64_t one = 1;

	if (catalog->changes_length < CHANGES)
		catalog->changes[catalog->changes_length++] = id;
	else
		catalog->changes_lost = true;
	(void)!write(catalog->fd, &one, sizeof(one)); /* EAGAIN: it is readable already */
}

int catalog_fd(const struct catalog *catalog)
{
	return catalog->fd;
}

size_t catalog_changes(struct catalog *catalog, uint64_t *ids, size_t max, bool *ret_lost)
{
	uint64_t count;
	size_t length;

	pthread_mutex_lock(&catalog->lock);
	length = MIN(max, catalog->changes_length);
	memcpy(ids, catalog->changes, length * sizeof(*ids));
	catalog->changes_length -= length;
	memmove(catalog->changes, catalog->changes + length,
		catalog->changes_length * sizeof(*ids));
	*ret_lost = catalog->changes_lost;
	catalog->changes_lost = false;
	if (!catalog->changes_length)
		(void)!read(catalog->fd, &count, sizeof(count));
	pthread_mutex_unlock(&catalog->lock);
	return length;
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

static bool labels_are_same(const struct fact_labels *a, const struct fact_labels *b)
{
	if (a->length != b->length)
		return false;
	for (size_t i = 0; i < a->length; i++)
		if (!util_streq(a->list[i].key, b->list[i].key) ||
		    !util_streq(a->list[i].value, b->list[i].value))
			return false;
	return true;
}

/* All that a policy can match, or an event tell. */
static bool facts_are_same(const struct facts *a, const struct facts *b)
{
	return a->owner == b->owner && a->container.runtime == b->container.runtime &&
	       util_streq(a->container.name, b->container.name) &&
	       util_streq(a->container.image, b->container.image) &&
	       util_streq(a->pod.namespace, b->pod.namespace) &&
	       util_streq(a->pod.name, b->pod.name) &&
	       labels_are_same(&a->container.labels, &b->container.labels) &&
	       labels_are_same(&a->pod.labels, &b->pod.labels);
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
	bool differs = facts && !facts_are_same(facts, cgroup->facts);
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
		change_add(catalog, id);
}

/* A user's files are for the users' thread, however the path looked. */
static void cgroup_change_lane(struct catalog *catalog, struct cgroup *cgroup)
{
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
	catalog->counts.readings++;
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
	struct cgroup *cgroup = cgroup_table_add(&catalog->table, id, facts);
	bool named = identity->container.runtime || identity->pod.uid[0];

	if (!cgroup)
		return NULL;
	cgroup->state = named ? READING_FIRST : READING_COMPLETE;
	cgroup->lane = identity->user == IDENTITY_NO_USER ? LANE_SYSTEM : LANE_USERS;
	cgroup->checked = lane_now();
	if (named)
		lane_queue_slot(&catalog->lanes[cgroup->lane],
				cgroup_table_slot(&catalog->table, cgroup), LANE_NOW);
	return cgroup;
}

static void lane_gave_up(struct catalog *catalog, struct lane *lane)
{
	lane->late = true;
	catalog->counts.waits_in_vain++;
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
			lane_gave_up(catalog, &catalog->lanes[cgroup->lane]);
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

/* Processes ---------------------------------------------------------------------------------- */

static void lane_read_process(void *context, struct lane *lane, uint32_t slot)
{
	struct catalog *catalog = context;
	struct process *process = &catalog->processes[slot];
	struct ancestry *ancestry = NULL;
	uint32_t pid = process->pid;

	(void)lane;
	process->held = true;
	catalog->counts.readings++;
	pthread_mutex_unlock(&catalog->lock);
	(void)catalog->options.read_process(catalog->options.context, pid, &ancestry);
	pthread_mutex_lock(&catalog->lock);
	process->held = false;
	process->read_at = lane_now();
	process->pending = false;
	process->gone = !ancestry;
	if (!ancestry) /* what was read while it lived is kept until it is too old */
		return;
	ancestry_unref(process->ancestry);
	process->ancestry = ancestry;
}

static void lane_rest(void *context, struct lane *lane)
{
	(void)context;
	(void)lane;
}

static uint32_t process_slot(const struct catalog *catalog, uint32_t pid)
{
	return (uint32_t)((pid * 0x9e3779b97f4a7c15u) >> 32) % catalog->options.processes;
}

static bool process_is(const struct process *process, uint32_t pid, const char *comm)
{
	return process->pid == pid && strncmp(process->comm, comm, sizeof(process->comm)) == 0;
}

static void process_set(struct catalog *catalog, struct process *process, uint32_t pid,
			const char *comm)
{
	if (!process->pid)
		catalog->counts.processes++;
	ancestry_unref(process->ancestry);
	*process = (struct process){.pid = pid, .pending = true};
	memcpy(process->comm, comm, strnlen(comm, sizeof(process->comm)));
}

/* In its slot, being read or read. NULL: the slot is being read for another one. */
static struct process *process_get(struct catalog *catalog, uint32_t pid, const char *comm)
{
	struct lane *lane = &catalog->lanes[LANE_PROCESSES];
	uint32_t slot = process_slot(catalog, pid);
	struct process *process = &catalog->processes[slot];
	int64_t age = lane_now() - process->read_at;

	if (process_is(process, pid, comm) && !process->pending &&
	    age < (process->gone && !process->ancestry ? GONE_NS : PROCESS_NS)) {
		if (age > PROCESS_FRESH_NS && !process->held && !process->gone)
			lane_queue_slot(lane, slot, LANE_LATER);
		return process;
	}
	if (process_is(process, pid, comm) && process->pending)
		return process;
	if (process->held || lane_has_slot(lane, slot))
		return NULL;
	process_set(catalog, process, pid, comm);
	lane_queue_slot(lane, slot, LANE_NOW);
	return process;
}

static void process_wait(struct catalog *catalog, struct process *process, uint32_t pid,
			 const char *comm, int wait_ms)
{
	struct lane *lane = &catalog->lanes[LANE_PROCESSES];
	int64_t deadline = lane_now() + wait_ms * MS_NS;

	while (process_is(process, pid, comm) && process->pending && !lane->late)
		if (!lane_wait(lane, deadline) && process->pending) {
			lane_gave_up(catalog, lane);
			return;
		}
}

int catalog_ask_process(struct catalog *catalog, uint32_t pid, const char *comm, int64_t when_ns,
			int wait_ms, struct ancestry **ret)
{
	struct ancestry *ancestry = NULL;
	struct process *process;

	pthread_mutex_lock(&catalog->lock);
	process = pid ? process_get(catalog, pid, comm) : NULL;
	if (process && process->pending && wait_ms > 0)
		process_wait(catalog, process, pid, comm, wait_ms);
	if (process && process_is(process, pid, comm) && process->ancestry &&
	    (!when_ns || process->ancestry->started <= when_ns + STARTED_GRAIN_NS))
		ancestry = ancestry_ref(process->ancestry);
	pthread_mutex_unlock(&catalog->lock);
	*ret = ancestry ? ancestry : ancestry_blank(pid);
	return *ret ? 0 : -ENOMEM;
}

/* All ------------------------------------------------------------------------------------- */

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
		bool processes = i == LANE_PROCESSES;

		lane->lock = &catalog->lock;
		lane->context = catalog;
		lane->perform = processes ? lane_read_process : lane_read_cgroup;
		lane->idle = processes ? lane_rest : lane_idle;
		r = lane_start(lane,
			       processes ? catalog->options.processes : catalog->options.cgroups);
	}
	return r;
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
	catalog->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	catalog->table = (struct cgroup_table){.size = catalog->options.cgroups,
					       .bytes_max = catalog->options.bytes,
					       .context = catalog,
					       .is_busy = cgroup_is_busy};
	r = cgroup_table_init(&catalog->table);
	catalog->processes = calloc(catalog->options.processes, sizeof(*catalog->processes));
	if (catalog->fd < 0)
		r = -errno;
	else if (!catalog->processes)
		r = -ENOMEM;
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

void catalog_free(struct catalog *catalog)
{
	bool ended = true;

	if (!catalog)
		return;
	pthread_mutex_lock(&catalog->lock);
	for (int i = 0; i < LANES; i++)
		lane_stop(&catalog->lanes[i]);
	pthread_mutex_unlock(&catalog->lock);
	for (int i = 0; i < LANES; i++)
		ended &= lane_join(&catalog->lanes[i], 500);
	if (!ended) /* it may come back, and then uses what is here */
		return;
	for (int i = 0; i < LANES; i++)
		lane_done(&catalog->lanes[i]);
	for (uint32_t i = 0; catalog->processes && i < catalog->options.processes; i++)
		ancestry_unref(catalog->processes[i].ancestry);
	for (size_t i = 0; i < ARRAY_LEN(catalog->runtimes); i++)
		runtimes_free(catalog->runtimes[i]);
	cgroup_table_done(&catalog->table);
	free(catalog->processes);
	util_closep(&catalog->fd);
	pthread_mutex_destroy(&catalog->lock);
	free(catalog);
}

void catalog_count(struct catalog *catalog, struct catalog_counts *ret)
{
	pthread_mutex_lock(&catalog->lock);
	*ret = catalog->counts;
	ret->cgroups = catalog->table.used;
	ret->bytes = catalog->table.bytes;
	ret->evicted = catalog->table.evicted;
	for (int i = 0; i < LANES; i++)
		ret->late[i] = catalog->lanes[i].late;
	pthread_mutex_unlock(&catalog->lock);
}
