// SPDX-License-Identifier: GPL-2.0-or-later
#include "cgroup_table.h"

static uint32_t *bucket_of(struct cgroup_table *table, uint64_t id)
{
	/* Ids are inode numbers, dense in their low bits. */
	uint64_t mixed = id * 0x9e3779b97f4a7c15u;

	return &table->buckets[(mixed >> 32) % table->size];
}

struct cgroup *cgroup_table_find(struct cgroup_table *table, uint64_t id)
{
	for (uint32_t at = *bucket_of(table, id); at; at = table->list[at - 1].next)
		if (table->list[at - 1].id == id)
			return &table->list[at - 1];
	return NULL;
}

uint32_t cgroup_table_slot(const struct cgroup_table *table, const struct cgroup *cgroup)
{
	return (uint32_t)(cgroup - table->list);
}

static void cgroup_unlink(struct cgroup_table *table, struct cgroup *cgroup)
{
	uint32_t *place = bucket_of(table, cgroup->id);

	while (*place != cgroup_table_slot(table, cgroup) + 1)
		place = &table->list[*place - 1].next;
	*place = cgroup->next;
	table->bytes -= cgroup->facts->bytes;
	table->used--;
	table->of_users -= cgroup->of_user;
	facts_unref(cgroup->facts);
	*cgroup = (struct cgroup){0};
}

/*
 * Second chance: the hand takes what nobody asked for since it came by; what has gone at once. For
 * a user's only what is a user's.
 */
static struct cgroup *cgroup_evict(struct cgroup_table *table, bool for_user)
{
	for (uint32_t i = 0; i < 2 * table->length; i++) {
		struct cgroup *cgroup = &table->list[table->hand++ % table->length];

		if (!cgroup->id || (for_user && !cgroup->of_user) ||
		    table->is_busy(table->context, cgroup))
			continue;
		if (cgroup->used && !cgroup->gone) {
			cgroup->used = false;
			continue;
		}
		cgroup_unlink(table, cgroup);
		table->evicted++;
		return cgroup;
	}
	return NULL;
}

static bool users_are_many(const struct cgroup_table *table)
{
	return table->of_users >= MAX(table->size / 4, 1u);
}

static struct cgroup *cgroup_free_slot(struct cgroup_table *table, bool of_user)
{
	if (of_user && users_are_many(table))
		return cgroup_evict(table, true);
	if (table->length < table->size)
		return &table->list[table->length++];
	for (uint32_t i = 0; table->used < table->length && i < table->length; i++)
		if (!table->list[i].id)
			return &table->list[i];
	return cgroup_evict(table, of_user);
}

void cgroup_table_set_facts(struct cgroup_table *table, struct cgroup *cgroup, struct facts *facts)
{
	if (cgroup->facts)
		table->bytes -= cgroup->facts->bytes;
	facts_unref(cgroup->facts);
	cgroup->facts = facts;
	table->bytes += facts->bytes;
	cgroup->used = true;
	while (table->bytes > table->bytes_max && cgroup_evict(table, false))
		;
}

struct cgroup *cgroup_table_add(struct cgroup_table *table, uint64_t id, struct facts *facts,
				bool of_user)
{
	struct cgroup *cgroup = cgroup_free_slot(table, of_user);
	uint32_t *bucket = bucket_of(table, id);

	if (!cgroup)
		return NULL;
	*cgroup = (struct cgroup){
		.id = id,
		.next = *bucket,
		.of_user = of_user,
		.held = true, /* not to be evicted for its own facts */
	};
	*bucket = cgroup_table_slot(table, cgroup) + 1;
	table->used++;
	table->of_users += of_user;
	cgroup_table_set_facts(table, cgroup, facts_ref(facts));
	cgroup->held = false;
	return cgroup;
}

bool cgroup_table_give(struct cgroup_table *table, struct cgroup *cgroup)
{
	if (!cgroup->of_user && users_are_many(table)) {
		cgroup_unlink(table, cgroup);
		return false;
	}
	table->of_users += !cgroup->of_user;
	cgroup->of_user = true;
	return true;
}

int cgroup_table_init(struct cgroup_table *table)
{
	table->list = calloc(table->size, sizeof(*table->list));
	table->buckets = calloc(table->size, sizeof(*table->buckets));
	return table->list && table->buckets ? 0 : -ENOMEM;
}

void cgroup_table_done(struct cgroup_table *table)
{
	for (uint32_t i = 0; i < table->length; i++)
		facts_unref(table->list[i].facts);
	free(table->list);
	free(table->buckets);
}
