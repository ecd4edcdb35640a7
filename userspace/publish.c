// SPDX-License-Identifier: GPL-2.0-or-later
#include "publish.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <time.h>

#define PUBLISH_BATCH 4096
#define PUBLISH_KEEP 1024 /* entries */
#define PUBLISH_ROOM 512 /* for subjects to come; as many as there are, if they are more */
#define SUM_BEGIN 0x6a09e667f3bcc909ull /* of an empty table */

/* An inner map and what goes into it, as two parallel arrays. */
struct table {
	const char *name;
	enum bpf_map_type type;
	uint32_t key_size;
	uint32_t flags;
	uint8_t *keys;
	uint32_t *values;
	size_t length;
	size_t room; /* beyond those; 0: it is frozen */
	int fd;
};

static const enum fence_map outers[DF_SEAL_TABLES] = {FENCE_RESOLVERS, FENCE_PREFIXES,
						      FENCE_SUBJECTS, FENCE_ORIGINS};

enum fence_map publish_outer(unsigned int table)
{
	return table < DF_SEAL_TABLES ? outers[table] : FENCE_MAP_MAX;
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void table_done(struct table *table)
{
	free(table->keys);
	free(table->values);
	util_closep(&table->fd);
}

static int table_allocate(struct table *table, size_t length)
{
	table->fd = -1;
	table->length = length;
	table->keys = calloc(length + 1, table->key_size);
	table->values = calloc(length + 1, sizeof(*table->values));
	return table->keys && table->values ? 0 : -ENOMEM;
}

static int table_from_exact(struct table *table, const struct policy_image *image)
{
	*table = (struct table){.name = "dnsfence_exact",
				.type = BPF_MAP_TYPE_HASH,
				.key_size = sizeof(struct df_resolver_key)};
	if (table_allocate(table, image->exact_length) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < table->length; i++) {
		memcpy(table->keys + i * table->key_size, &image->exact[i].key, table->key_size);
		table->values[i] = image->exact[i].mask;
	}
	return 0;
}

static int table_from_prefixes(struct table *table, const struct policy_image *image)
{
	*table = (struct table){.name = "dnsfence_prefix",
				.type = BPF_MAP_TYPE_LPM_TRIE,
				.flags = BPF_F_NO_PREALLOC,
				.key_size = sizeof(struct df_resolver_prefix_key)};
	if (table_allocate(table, image->prefixes_length) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < table->length; i++) {
		struct df_resolver_prefix_key key = {
			.prefixlen = DF_PREFIX_BASE + image->prefixes[i].prefix,
			.key = image->prefixes[i].key,
		};

		memcpy(table->keys + i * sizeof(key), &key, sizeof(key));
		table->values[i] = image->prefixes[i].mask;
	}
	return 0;
}

static int table_from_subjects(struct table *table, const struct policy_image *image)
{
	*table = (struct table){.name = "dnsfence_subj",
				.type = BPF_MAP_TYPE_HASH,
				.key_size = sizeof(struct df_subject_key)};
	if (table_allocate(table, image->subjects_length) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < table->length; i++) {
		memcpy(table->keys + i * table->key_size, &image->subjects[i].key, table->key_size);
		table->values[i] = image->subjects[i].rank;
	}
	return 0;
}

static int table_from_origins(struct table *table, const struct policy_image *image)
{
	*table = (struct table){.name = "dnsfence_origin",
				.type = BPF_MAP_TYPE_LPM_TRIE,
				.flags = BPF_F_NO_PREALLOC,
				.key_size = sizeof(struct df_origin_key)};
	if (table_allocate(table, image->origins_length) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < table->length; i++) {
		const struct policy_origin *origin = &image->origins[i];
		struct df_origin_key key = {
			.prefixlen = DF_ORIGIN_BASE + origin->source.prefix,
			.ifindex = origin->ifindex,
			.family = origin->source.family,
		};

		memcpy(key.addr, origin->source.bytes, sizeof(key.addr));
		memcpy(table->keys + i * sizeof(key), &key, sizeof(key));
		table->values[i] = origin->rank;
	}
	return 0;
}

static int table_fill_singly(const struct table *table, size_t from)
{
	for (size_t i = from; i < table->length; i++)
		if (bpf_map_update_elem(table->fd, table->keys + i * table->key_size,
					&table->values[i], BPF_ANY) < 0)
			return -errno;
	return 0;
}

/* In batches (5.6), or one by one where this kind of map has none. */
static int table_fill(const struct table *table)
{
	for (size_t done = 0; done < table->length;) {
		uint32_t count = (uint32_t)MIN(table->length - done, (size_t)PUBLISH_BATCH);

		if (bpf_map_update_batch(table->fd, table->keys + done * table->key_size,
					 table->values + done, &count, NULL) < 0)
			return table_fill_singly(table, done);
		done += count;
	}
	return 0;
}

static int table_create(struct table *table, struct problem *problem)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = table->flags);
	uint32_t size = (uint32_t)MAX(table->length + table->room, (size_t)1);
	int r;

	table->fd = bpf_map_create(table->type, table->name, table->key_size, sizeof(uint32_t),
				   size, &options);
	if (table->fd < 0)
		return problem_set(problem, errno, "cannot create a policy map of %u entries: %s",
				   size, strerror(errno));
	r = table_fill(table);
	if (r < 0)
		return problem_set(problem, -r, "cannot fill a policy map of %u entries: %s", size,
				   strerror(-r));
	if (!table->room && bpf_map_freeze(table->fd) < 0)
		return problem_set(problem, errno, "cannot freeze a policy map: %s",
				   strerror(errno));
	return 0;
}

/* Returns after a grace period: the kernel waits for the readers of an outer map's old entry. */
static int outer_install(const struct fence *fence, unsigned int table, uint32_t slot, int fd)
{
	if (bpf_map_update_elem(fence->maps[outers[table]], &slot, &fd, BPF_ANY) < 0)
		return -errno;
	return 0;
}

static uint64_t generation_next_id(const struct fence *fence, const struct publication *before)
{
	uint64_t last = MAX(fence->generations[0].id, fence->generations[1].id);

	return (before->generation ? before->generation : last) + 1;
}

/*
 * The word that every program reads first. What it points to must be visible before it, and
 * nobody may still read the old generation when this returns: entering the new table once more
 * makes the kernel wait for that.
 */
static int generation_flip(struct fence *fence, int table, uint32_t idle)
{
	__atomic_store_n(fence->active, idle, __ATOMIC_RELEASE);
	return outer_install(fence, 0, idle, table);
}

/* old: the slot in force; the generation goes into the other one. */
/* old_entries: in the tables of the slot `old`. */
static int generation_publish(struct fence *fence, uint32_t old, size_t old_entries,
			      const struct df_generation *generation,
			      const int tables[DF_SEAL_TABLES], struct problem *problem)
{
	uint32_t idle = !old;

	for (unsigned int i = 0; i < DF_SEAL_TABLES; i++) {
		int r = outer_install(fence, i, idle, tables[i]);

		if (r < 0)
			return problem_set(problem, -r, "cannot install a policy map: %s",
					   strerror(-r));
	}
	fence->generations[idle] = *generation;
	(void)generation_flip(fence, tables[0], idle);
	/* Each deletion waits for all readers; small tables stay until the next policy comes. */
	for (unsigned int i = 0; old_entries > PUBLISH_KEEP && i < DF_SEAL_TABLES; i++)
		(void)bpf_map_delete_elem(fence->maps[outers[i]], &old);
	return 0;
}

void publication_init(struct publication *publication)
{
	*publication = (struct publication){0};
	for (unsigned int i = 0; i < DF_SEAL_TABLES; i++)
		publication->tables[i] = -1;
}

void publication_done(struct publication *publication)
{
	for (unsigned int i = 0; i < DF_SEAL_TABLES; i++)
		util_closep(&publication->tables[i]);
	free(publication->copy);
	publication_init(publication);
}

/* MurmurHash3's finalizer: every bit of an entry moves about half of the sum's. */
static uint64_t subject_mix(uint64_t word)
{
	word = (word ^ word >> 33) * 0xff51afd7ed558ccdull;
	word = (word ^ word >> 33) * 0xc4ceb9fe1a85ec53ull;
	return word ^ word >> 33;
}

static uint64_t subject_hash(const struct df_subject_key *key, uint32_t rank)
{
	return subject_mix(subject_mix(key->cgroup_id) ^ ((uint64_t)key->uid << 32 | rank));
}

int publish_sum(int table, uint64_t *ret)
{
	_cleanup_free_ struct df_subject_key *keys = calloc(PUBLISH_BATCH, sizeof(*keys));
	_cleanup_free_ uint32_t *ranks = calloc(PUBLISH_BATCH, sizeof(*ranks));
	uint64_t sum = SUM_BEGIN;
	uint32_t at = 0, next = 0;
	bool begun = false;
	int r = 0;

	if (!keys || !ranks)
		return -ENOMEM;
	while (r == 0) {
		uint32_t count = PUBLISH_BATCH;

		r = bpf_map_lookup_batch(table, begun ? &at : NULL, &next, keys, ranks, &count,
					 NULL) < 0
			    ? -errno
			    : 0;
		if (r < 0 && r != -ENOENT)
			return r;
		for (uint32_t i = 0; i < count; i++)
			sum += subject_hash(&keys[i], ranks[i]);
		at = next;
		begun = true;
	}
	*ret = sum;
	return 0;
}

/* Where no policy looked before they look from now on, and find nothing there yet. */
static void level_look(struct fence *fence, struct publication *publication, unsigned int level)
{
	__u64 *levels = &fence->generations[publication->slot].levels;

	publication->copy->levels |= 1ull << level;
	__atomic_store_n(levels, publication->copy->levels, __ATOMIC_RELEASE);
}

/* The sum and the number follow the table. */
static void subject_count(struct publication *publication, const struct subject_change *change)
{
	if (change->old < DF_POLICY_MAX) {
		publication->sum -= subject_hash(&change->key, change->old);
		publication->subjects--;
	}
	if (change->rank < DF_POLICY_MAX) {
		publication->sum += subject_hash(&change->key, change->rank);
		publication->subjects++;
	}
}

int publish_subject(struct fence *fence, struct publication *publication,
		    const struct subject_change *change)
{
	int table = publication->tables[PUBLISH_SUBJECTS], r;

	if (!publication->room)
		return -ENOSPC;
	if (change->rank >= DF_POLICY_MAX) {
		r = bpf_map_delete_elem(table, &change->key);
		r = r < 0 && errno != ENOENT ? -errno : 0;
	} else {
		if (change->old >= DF_POLICY_MAX && publication->subjects >= publication->room)
			return -ENOSPC;
		if (change->key.cgroup_id)
			level_look(fence, publication, change->level);
		r = bpf_map_update_elem(table, &change->key, &change->rank, BPF_ANY) < 0 ? -errno
											 : 0;
	}
	if (r == 0)
		subject_count(publication, change);
	return r == -E2BIG ? -ENOSPC : r;
}

static int tables_publish(struct fence *fence, const struct policy_image *image,
			  struct table *tables, struct publication *publication,
			  struct problem *problem)
{
	uint32_t old = publication->generation ? publication->slot : *fence->active & 1;
	struct publication fresh;
	int r;

	publication_init(&fresh);
	fresh.slot = !old;
	fresh.generation = generation_next_id(fence, publication);
	fresh.copy = malloc(sizeof(*fresh.copy));
	if (!fresh.copy)
		return problem_set(problem, ENOMEM, "out of memory");
	fresh.subjects = (uint32_t)tables[PUBLISH_SUBJECTS].length;
	if (tables[PUBLISH_SUBJECTS].room)
		fresh.room = (uint32_t)(fresh.subjects + tables[PUBLISH_SUBJECTS].room);
	fresh.sum = SUM_BEGIN;
	for (size_t j = 0; j < image->subjects_length; j++)
		fresh.sum += subject_hash(&image->subjects[j].key, image->subjects[j].rank);
	*fresh.copy = image->generation;
	fresh.copy->id = fresh.generation;
	fresh.copy->cgroup_id = fence->cgroup_id;
	for (unsigned int i = 0; i < DF_SEAL_TABLES; i++) {
		fresh.entries += tables[i].length + tables[i].room;
		fresh.tables[i] = TAKE_FD(tables[i].fd);
	}
	/* How much an earlier process has left there nobody knows. */
	r = generation_publish(fence, old,
			       publication->generation ? publication->entries : SIZE_MAX,
			       fresh.copy, fresh.tables, problem);
	if (r < 0) {
		publication_done(&fresh);
		return r;
	}
	publication_done(publication);
	*publication = fresh;
	return 0;
}

int publish_policy(struct fence *fence, const struct policy_image *image, bool live,
		   struct publication *publication, struct problem *problem)
{
	struct table tables[DF_SEAL_TABLES] = {{.fd = -1}, {.fd = -1}, {.fd = -1}, {.fd = -1}};
	double start = now_ms(), filled;
	int r = 0;

	if (!image->generation.policies_len) /* it would fence nothing */
		return problem_set(problem, EINVAL, "there is no policy to put in force");
	if (table_from_exact(&tables[0], image) < 0 || table_from_prefixes(&tables[1], image) < 0 ||
	    table_from_subjects(&tables[2], image) < 0 || table_from_origins(&tables[3], image) < 0)
		r = problem_set(problem, ENOMEM, "out of memory");
	if (live)
		tables[PUBLISH_SUBJECTS].room =
			MAX(tables[PUBLISH_SUBJECTS].length, (size_t)PUBLISH_ROOM);
	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(tables); i++)
		r = table_create(&tables[i], problem);
	filled = now_ms();
	if (r >= 0)
		r = tables_publish(fence, image, tables, publication, problem);
	if (r >= 0)
		publication->fill_ms = filled - start;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		table_done(&tables[i]);
	return r;
}

int publish_again(struct fence *fence, struct publication *publication, struct problem *problem)
{
	int r;

	/* Whatever the word says now: the slot that is filled must be one that nobody reads. */
	__atomic_store_n(fence->active, publication->slot, __ATOMIC_RELEASE);
	publication->copy->id = publication->generation + 1;
	publication->copy->cgroup_id = fence->cgroup_id;
	r = generation_publish(fence, publication->slot, publication->entries, publication->copy,
			       publication->tables, problem);
	if (r < 0) {
		publication->copy->id = publication->generation;
		return r;
	}
	publication->slot = !publication->slot;
	publication->generation++;
	return 0;
}

int publish_flag(struct fence *fence, struct publication *publication, uint32_t flag,
		 struct problem *problem)
{
	uint32_t before = publication->copy->flags;
	int r;

	publication->copy->flags |= flag;
	r = publish_again(fence, publication, problem);
	if (r < 0)
		publication->copy->flags = before;
	return r;
}

/* Both tables of one scope; a prefix is found by any address in it. */
static bool scope_names(const struct publication *publication, uint32_t scope,
			const struct address *resolver)
{
	struct df_resolver_prefix_key key = {
		.prefixlen = DF_PREFIX_BASE + resolver->prefix,
		.key = {.scope = scope, .family = resolver->family},
	};
	uint32_t mask;

	memcpy(key.key.addr, resolver->bytes, sizeof(key.key.addr));
	return bpf_map_lookup_elem(publication->tables[0], &key.key, &mask) == 0 ||
	       bpf_map_lookup_elem(publication->tables[1], &key, &mask) == 0;
}

bool publish_names(const struct publication *publication, const struct address *resolver)
{
	const struct df_generation *generation = publication->copy;

	for (uint32_t i = 0; generation && i < generation->policies_len; i++) {
		const struct df_policy *policy = &generation->policies[i];

		if (policy->scope != i + 1 || policy->flags & DF_POLICY_EXEMPT)
			continue; /* another's scope, which is looked at there */
		if (scope_names(publication, policy->scope, resolver))
			return true;
	}
	return false;
}
