// SPDX-License-Identifier: GPL-2.0-or-later
#include "census.h"

#include "cgroup_owner.h"
#include "runtimes.h"

void census_init(struct census *census, const struct config *config, int mount_fd)
{
	*census = (struct census){.config = config, .mount_fd = mount_fd};
}

static void cgroup_free(struct census_cgroup *cgroup)
{
	free(cgroup->path);
	free(cgroup);
}

void census_done(struct census *census)
{
	for (size_t i = 0; i < census->length; i++)
		cgroup_free(census->list[i]);
	free(census->list);
	*census = (struct census){.mount_fd = -1};
}

/* Where that id is or would be. New ids are the highest, so the list grows at its end. */
static size_t census_place(const struct census *census, uint64_t id)
{
	size_t from = 0, to = census->length;

	if (to && census->list[to - 1]->id < id)
		return to;
	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (census->list[middle]->id < id)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

struct census_cgroup *census_find(const struct census *census, uint64_t id)
{
	size_t at = census_place(census, id);

	return at < census->length && census->list[at]->id == id ? census->list[at] : NULL;
}

static struct census_cgroup *census_insert(struct census *census, size_t at,
					   const struct cgroup_found *found)
{
	struct census_cgroup *cgroup = calloc(1, sizeof(*cgroup));

	if (!cgroup)
		return NULL;
	*cgroup = (struct census_cgroup){
		.id = found->id, .path = strdup(found->path), .level = found->level};
	if (!cgroup->path || !ARRAY_APPEND(census->list, census->length)) {
		cgroup_free(cgroup);
		return NULL;
	}
	memmove(&census->list[at + 1], &census->list[at],
		(census->length - 1 - at) * sizeof(*census->list));
	census->list[at] = cgroup;
	return cgroup;
}

struct census_cgroup *census_meet(struct census *census, const struct cgroup_found *found,
				  bool *ret_new)
{
	size_t at = census_place(census, found->id);
	struct census_cgroup *cgroup = NULL;

	if (at < census->length && census->list[at]->id == found->id)
		cgroup = census->list[at];
	*ret_new = !cgroup;
	if (!cgroup)
		cgroup = census_insert(census, at, found);
	if (cgroup)
		cgroup->round = census->round;
	return cgroup;
}

void census_remove(struct census *census, uint64_t id)
{
	size_t at = census_place(census, id);

	if (at >= census->length || census->list[at]->id != id)
		return;
	cgroup_free(census->list[at]);
	census->length--;
	memmove(&census->list[at], &census->list[at + 1],
		(census->length - at) * sizeof(*census->list));
}

/* Whoever could make the directory of a container could give it another's name. */
static uint32_t judge_owner(const struct census *census, const char *path,
			    const struct identity *identity)
{
	if (!identity->container.runtime && !identity->pod.uid[0])
		return 0;
	return cgroup_owner(census->mount_fd, path, identity);
}

int census_judge(const struct census *census, struct census_cgroup *cgroup,
		 struct subject_list *list, struct rank_set *ret_unknown)
{
	_cleanup_(facts_unrefp) struct facts *facts = NULL;
	const struct facts_source *source = &census->facts;
	struct identity identity;
	struct match_cgroup known = {.path = cgroup->path, .identity = &identity};
	struct rank_set without_facts;
	size_t before = list->length;
	int r, partial;

	identity_of_path(cgroup->path, &identity);
	known.owner = judge_owner(census, cgroup->path, &identity);
	r = subjects_add_cgroup(census->config, cgroup->id, &known, list, ret_unknown);
	cgroup->of_facts = !rank_set_is_empty(ret_unknown);
	cgroup->waiting = false;
	if (r < 0 || !cgroup->of_facts)
		return r;
	r = source->read ? source->read(source->context, cgroup, &identity, known.owner, &facts)
			 : -ENOENT;
	partial = r == -EAGAIN;
	cgroup->waiting = r < 0;
	if (!facts)
		return 0;
	known.facts = facts;
	list->length = before;
	without_facts = *ret_unknown;
	r = subjects_add_cgroup(census->config, cgroup->id, &known, list, ret_unknown);
	/* What is blank in a part of the facts may be in the rest: nothing is ruled out by it. */
	if (partial)
		*ret_unknown = without_facts;
	return r;
}

int census_fill(struct census *census, const char *top, struct subject_list *list)
{
	_cleanup_free_ struct cgroup_walk *walk = malloc(sizeof(*walk));
	struct cgroup_found found;
	int r = 1;

	if (!walk)
		return -ENOMEM;
	census->round++;
	cgroup_walk_begin(walk, census->mount_fd, top);
	while (r > 0 && (r = cgroup_walk_next(walk, &found)) > 0) {
		struct rank_set unknown;
		bool fresh;
		struct census_cgroup *cgroup = census_meet(census, &found, &fresh);

		if (!cgroup || census_judge(census, cgroup, list, &unknown) < 0)
			r = -ENOMEM;
	}
	cgroup_walk_end(walk);
	return r;
}
