// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy_subjects.h"

static int image_add_origin_of(struct policy_image *image, const struct subject *subject,
			       struct address source)
{
	struct policy_origin *to = ARRAY_APPEND(image->origins, image->origins_length);

	if (!to)
		return -ENOMEM;
	*to = (struct policy_origin){subject->ifindex, source, (uint32_t)subject->policy};
	image->generation.flags |= DF_GEN_ORIGINS;
	return 0;
}

static int image_add_origin(struct policy_image *image, const struct subject *subject)
{
	if (subject->source.family)
		return image_add_origin_of(image, subject, subject->source);
	return image_add_origin_of(image, subject, (struct address){.family = 4})
		       ?: image_add_origin_of(image, subject, (struct address){.family = 6});
}

static int image_add_subject(struct policy_image *image, const struct subject *subject)
{
	struct policy_subject *to;

	if (subject->of_frames)
		return image_add_origin(image, subject);
	if (subject->cgroup_id && subject->level >= DF_LEVEL_MAX)
		return -E2BIG;
	to = ARRAY_APPEND(image->subjects, image->subjects_length);
	if (!to)
		return -ENOMEM;
	to->key.cgroup_id = subject->cgroup_id;
	to->key.uid = subject->uid;
	to->rank = (uint32_t)subject->policy;
	if (subject->cgroup_id)
		image->generation.levels |= 1ull << subject->level;
	if (subject->uid != DF_UID_ANY)
		image->generation.flags |= DF_GEN_USERS;
	return 0;
}

static int subject_compare(const void *left, const void *right)
{
	const struct policy_subject *a = left, *b = right;
	int order = memcmp(&a->key, &b->key, sizeof(a->key));

	if (order)
		return order;
	return a->rank < b->rank ? -1 : a->rank > b->rank;
}

static int origin_compare(const void *left, const void *right)
{
	const struct policy_origin *a = left, *b = right;
	int order;

	if (a->ifindex != b->ifindex)
		return a->ifindex < b->ifindex ? -1 : 1;
	if (a->source.family != b->source.family)
		return a->source.family < b->source.family ? -1 : 1;
	order = memcmp(a->source.bytes, b->source.bytes, sizeof(a->source.bytes));
	if (order)
		return order;
	if (a->source.prefix != b->source.prefix)
		return a->source.prefix < b->source.prefix ? -1 : 1;
	return a->rank < b->rank ? -1 : a->rank > b->rank;
}

/* Sort, keep the lowest rank of equal ones, and hand it down as resolver_list_inherit() does. */
static int origins_finish(struct policy_image *image)
{
	_cleanup_free_ size_t *chain = calloc(image->origins_length + 1, sizeof(*chain));
	struct policy_origin *list = image->origins;
	size_t kept = 0, depth = 0;

	if (!chain)
		return -ENOMEM;
	if (!image->origins_length)
		return 0;
	qsort(list, image->origins_length, sizeof(*list), origin_compare);
	for (size_t i = 1; i < image->origins_length; i++)
		if (list[kept].ifindex != list[i].ifindex ||
		    !address_equal(&list[kept].source, &list[i].source))
			list[++kept] = list[i];
	image->origins_length = kept + 1;
	for (size_t i = 0; i < image->origins_length; i++) {
		while (depth && (list[chain[depth - 1]].ifindex != list[i].ifindex ||
				 !address_covers(&list[chain[depth - 1]].source, &list[i].source)))
			depth--;
		if (depth)
			list[i].rank = MIN(list[i].rank, list[chain[depth - 1]].rank);
		chain[depth++] = i;
	}
	return 0;
}

/* Sorted by rank within a key: the first is the one that decides. */
static void subjects_finish(struct policy_image *image)
{
	size_t kept = 0;

	if (!image->subjects_length)
		return;
	qsort(image->subjects, image->subjects_length, sizeof(*image->subjects), subject_compare);
	for (size_t i = 1; i < image->subjects_length; i++)
		if (memcmp(&image->subjects[kept].key, &image->subjects[i].key,
			   sizeof(image->subjects[i].key)) != 0)
			image->subjects[++kept] = image->subjects[i];
	image->subjects_length = kept + 1;
}

void policy_subjects_sort(struct policy_image *image)
{
	if (image->subjects_length)
		qsort(image->subjects, image->subjects_length, sizeof(*image->subjects),
		      subject_compare);
	if (image->origins_length)
		qsort(image->origins, image->origins_length, sizeof(*image->origins),
		      origin_compare);
}

int policy_subjects_set(struct policy_image *image, const struct subject *subjects,
			size_t subjects_length)
{
	int r = 0;

	for (size_t i = 0; i < subjects_length && r == 0; i++)
		r = image_add_subject(image, &subjects[i]);
	if (r == 0)
		r = origins_finish(image);
	subjects_finish(image);
	return r;
}

int policy_set_frames(struct policy_image *image, const struct subject *subjects,
		      size_t subjects_length)
{
	struct policy_image fresh = *image;
	int r = 0;

	fresh.origins = NULL;
	fresh.origins_length = 0;
	fresh.generation.flags &= ~DF_GEN_ORIGINS;
	for (size_t i = 0; i < subjects_length && r == 0; i++)
		if (subjects[i].of_frames)
			r = image_add_origin(&fresh, &subjects[i]);
	if (r == 0)
		r = origins_finish(&fresh);
	if (r < 0) {
		free(fresh.origins);
		return r;
	}
	free(image->origins);
	*image = fresh;
	return 0;
}

/* Where the first entry is, or would be, whose key begins with these bytes or greater ones. */
static size_t subject_place(const struct policy_image *image, const void *bytes, size_t length)
{
	size_t from = 0, to = image->subjects_length;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (memcmp(&image->subjects[middle].key, bytes, length) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

size_t policy_find_cgroup(const struct policy_image *image, uint64_t cgroup_id, size_t *ret_first)
{
	size_t first = subject_place(image, &cgroup_id, sizeof(cgroup_id)), length = 0;

	while (first + length < image->subjects_length &&
	       image->subjects[first + length].key.cgroup_id == cgroup_id)
		length++;
	*ret_first = first;
	return length;
}

static void subject_move(struct policy_image *image, size_t to, size_t from, size_t length)
{
	memmove(&image->subjects[to], &image->subjects[from], length * sizeof(*image->subjects));
}

int policy_change_subject(struct policy_image *image, const struct subject_change *change)
{
	size_t at = subject_place(image, &change->key, sizeof(change->key));
	bool there = at < image->subjects_length &&
		     memcmp(&image->subjects[at].key, &change->key, sizeof(change->key)) == 0;

	if (change->rank >= DF_POLICY_MAX) {
		if (there)
			subject_move(image, at, at + 1, --image->subjects_length - at);
		return 0;
	}
	if (!there) {
		if (!ARRAY_APPEND(image->subjects, image->subjects_length))
			return -ENOMEM;
		subject_move(image, at + 1, at, image->subjects_length - 1 - at);
	}
	image->subjects[at] = (struct policy_subject){change->key, change->rank};
	if (change->key.cgroup_id)
		image->generation.levels |= 1ull << change->level;
	return 0;
}
