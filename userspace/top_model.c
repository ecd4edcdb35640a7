// SPDX-License-Identifier: GPL-2.0-or-later
#include "top_model.h"

const char *const top_grouping_names[TOP_GROUPING_MAX] = {
	[TOP_SUBJECT] = "subject", [TOP_RESOLVER] = "resolver", [TOP_QUESTION] = "question",
	[TOP_PROCESS] = "process", [TOP_POLICY] = "policy",
};

const char *const top_order_names[TOP_ORDER_MAX] = {
	[TOP_BY_RATE] = "rate",       [TOP_BY_TOTAL] = "total",     [TOP_BY_DENIED] = "denied",
	[TOP_BY_AUDITED] = "audited", [TOP_BY_ALLOWED] = "allowed", [TOP_BY_LAST] = "last",
	[TOP_BY_NAME] = "name",
};

/* A row in its table: in a chain of keys, and in a heap whose first row is the next to give way. */
struct slot {
	struct top_row row;
	uint64_t measured;
	uint32_t hash;
	size_t place; /* in the heap */
	struct slot *next;
};

struct top_table {
	struct slot **chains;
	size_t chains_length; /* a power of two */
	struct slot **heap;
	size_t length;
	uint64_t evicted;
	uint64_t others[TOP_VERDICT_MAX];
};

static uint32_t key_hash(const char *key)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * 16777619u;
	return hash;
}

static struct top_event *event_new(const struct top_sample *sample)
{
	size_t length = sample->line_length <= TOP_EVENT_MAX ? sample->line_length : 0;
	struct top_event *event = malloc(sizeof(*event) + length + 1);

	if (!event)
		return NULL;
	event->references = 1;
	event->line_length = length;
	(void)snprintf(event->detail, sizeof(event->detail), "%s", sample->detail ?: "");
	if (length)
		memcpy(event->line, sample->line, length);
	event->line[length] = 0;
	return event;
}

static struct top_event *event_hold(struct top_event *event)
{
	if (event)
		event->references++;
	return event;
}

static void event_release(struct top_event *event)
{
	if (event && --event->references == 0)
		free(event);
}

/* The heap: the smallest total first, of equal ones the one that was quiet longest. */
static bool slot_goes_before(const struct slot *a, const struct slot *b)
{
	return a->row.total != b->row.total ? a->row.total < b->row.total
					    : a->row.last < b->row.last;
}

static void heap_put(struct top_table *table, size_t place, struct slot *slot)
{
	table->heap[place] = slot;
	slot->place = place;
}

static void heap_rise(struct top_table *table, struct slot *slot)
{
	size_t place = slot->place;

	while (place && slot_goes_before(slot, table->heap[(place - 1) / 2])) {
		heap_put(table, place, table->heap[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	heap_put(table, place, slot);
}

static void heap_sink(struct top_table *table, struct slot *slot)
{
	size_t place = slot->place, below;

	while ((below = 2 * place + 1) < table->length) {
		if (below + 1 < table->length &&
		    slot_goes_before(table->heap[below + 1], table->heap[below]))
			below++;
		if (!slot_goes_before(table->heap[below], slot))
			break;
		heap_put(table, place, table->heap[below]);
		place = below;
	}
	heap_put(table, place, slot);
}

static void table_done(struct top_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->length; i++) {
		event_release(table->heap[i]->row.event);
		free(table->heap[i]);
	}
	free(table->heap);
	free(table->chains);
	free(table);
}

static struct top_table *table_new(size_t rows_max)
{
	struct top_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->chains_length = 1;
	while (table->chains_length < rows_max)
		table->chains_length *= 2;
	table->chains = calloc(table->chains_length, sizeof(struct slot *));
	table->heap = calloc(rows_max, sizeof(struct slot *));
	if (!table->chains || !table->heap) {
		table_done(table);
		return NULL;
	}
	return table;
}

static struct slot **table_chain(struct top_table *table, uint32_t hash)
{
	return &table->chains[hash & (table->chains_length - 1)];
}

static struct slot *table_find(struct top_table *table, const char *key, uint32_t hash)
{
	struct slot *slot = *table_chain(table, hash);

	while (slot && (slot->hash != hash || !util_streq(slot->row.key, key)))
		slot = slot->next;
	return slot;
}

/* Out of its chain, its counts to the others; it stays in the heap for another key. */
static void table_evict(struct top_table *table, struct slot *slot)
{
	struct slot **at = table_chain(table, slot->hash);

	while (*at != slot)
		at = &(*at)->next;
	*at = slot->next;
	for (int verdict = 0; verdict < TOP_VERDICT_MAX; verdict++)
		table->others[verdict] += slot->row.counts[verdict];
	table->evicted++;
	event_release(slot->row.event);
}

static struct slot *table_make(struct top_table *table, const char *key, uint32_t hash,
			       size_t rows_max)
{
	struct slot **chain = table_chain(table, hash), *slot;
	size_t place;

	if (table->length < rows_max) {
		slot = malloc(sizeof(*slot));
		if (!slot)
			return NULL;
		place = table->length++;
	} else {
		slot = table->heap[0];
		table_evict(table, slot);
		place = 0;
	}
	*slot = (struct slot){.hash = hash, .next = *chain};
	(void)snprintf(slot->row.key, sizeof(slot->row.key), "%s", key);
	*chain = slot;
	heap_put(table, place, slot);
	heap_rise(table, slot);
	return slot;
}

static int table_add(struct top_table *table, const char *text, const struct top_sample *sample,
		     struct top_event *event, size_t rows_max)
{
	char key[TOP_KEY_MAX];
	struct slot *slot;
	uint32_t hash;

	(void)snprintf(key, sizeof(key), "%s", text);
	hash = key_hash(key);
	slot = table_find(table, key, hash);
	if (!slot)
		slot = table_make(table, key, hash, rows_max);
	if (!slot)
		return -ENOMEM;
	slot->row.counts[sample->verdict] += sample->count;
	slot->row.total += sample->count;
	slot->row.estimated |= sample->estimated;
	slot->row.last = MAX(slot->row.last, sample->time);
	event_release(slot->row.event);
	slot->row.event = event_hold(event);
	heap_sink(table, slot);
	return 0;
}

int top_model_init(struct top_model *model, size_t rows_max, int64_t now)
{
	*model = (struct top_model){.rows_max = MAX(rows_max, (size_t)1), .since = now};
	for (int grouping = 0; grouping < TOP_GROUPING_MAX; grouping++) {
		model->tables[grouping] = table_new(model->rows_max);
		if (!model->tables[grouping])
			return -ENOMEM;
	}
	return 0;
}

void top_model_done(struct top_model *model)
{
	for (int grouping = 0; grouping < TOP_GROUPING_MAX; grouping++)
		table_done(model->tables[grouping]);
	*model = (struct top_model){0};
}

static void table_clear(struct top_table *table)
{
	for (size_t i = 0; i < table->length; i++) {
		event_release(table->heap[i]->row.event);
		free(table->heap[i]);
	}
	memset(table->chains, 0, table->chains_length * sizeof(struct slot *));
	table->length = 0;
	table->evicted = 0;
	memset(table->others, 0, sizeof(table->others));
}

void top_model_clear(struct top_model *model, int64_t now)
{
	for (int grouping = 0; grouping < TOP_GROUPING_MAX; grouping++)
		table_clear(model->tables[grouping]);
	memset(model->counts, 0, sizeof(model->counts));
	memset(model->measured, 0, sizeof(model->measured));
	memset(model->rates, 0, sizeof(model->rates));
	model->estimated = false;
	model->lost = model->notices = model->broken = 0;
	model->since = now;
}

int top_model_add(struct top_model *model, const struct top_sample *sample)
{
	struct top_event *event = event_new(sample);
	int r = event ? 0 : -ENOMEM;

	model->counts[sample->verdict] += sample->count;
	model->estimated |= sample->estimated;
	for (int grouping = 0; grouping < TOP_GROUPING_MAX; grouping++)
		if (table_add(model->tables[grouping], sample->keys[grouping], sample, event,
			      model->rows_max) < 0)
			r = -ENOMEM;
	event_release(event);
	return r;
}

static double per_second(uint64_t count, uint64_t before, int64_t elapsed)
{
	return elapsed > 0 ? (double)(count - before) * 1e6 / (double)elapsed : 0;
}

void top_model_measure(struct top_model *model, int64_t now)
{
	int64_t elapsed = now - model->since;

	for (int verdict = 0; verdict < TOP_VERDICT_MAX; verdict++) {
		model->rates[verdict] =
			per_second(model->counts[verdict], model->measured[verdict], elapsed);
		model->measured[verdict] = model->counts[verdict];
	}
	for (int grouping = 0; grouping < TOP_GROUPING_MAX; grouping++)
		for (size_t i = 0; i < model->tables[grouping]->length; i++) {
			struct slot *slot = model->tables[grouping]->heap[i];

			slot->row.rate = per_second(slot->row.total, slot->measured, elapsed);
			slot->measured = slot->row.total;
		}
	model->since = now;
}

/* Negative: `a` stands above. */
static int compare_by(const struct top_row *a, const struct top_row *b, enum top_order order)
{
	switch (order) {
	case TOP_BY_RATE:
		return (a->rate < b->rate) - (a->rate > b->rate);
	case TOP_BY_DENIED:
		return (a->counts[TOP_DENIED] < b->counts[TOP_DENIED]) -
		       (a->counts[TOP_DENIED] > b->counts[TOP_DENIED]);
	case TOP_BY_AUDITED:
		return (a->counts[TOP_AUDITED] < b->counts[TOP_AUDITED]) -
		       (a->counts[TOP_AUDITED] > b->counts[TOP_AUDITED]);
	case TOP_BY_ALLOWED:
		return (a->counts[TOP_ALLOWED] < b->counts[TOP_ALLOWED]) -
		       (a->counts[TOP_ALLOWED] > b->counts[TOP_ALLOWED]);
	case TOP_BY_LAST:
		return (a->last < b->last) - (a->last > b->last);
	case TOP_BY_NAME:
		return strcmp(a->key, b->key);
	default:
		return 0;
	}
}

struct ordering {
	enum top_order order;
	bool reverse;
};

/* What is equal stands by total, then by name, so that rows do not dance. */
static int row_compare(const void *left, const void *right, void *context)
{
	const struct top_row *a = left, *b = right;
	const struct ordering *ordering = context;
	int order = compare_by(a, b, ordering->order);

	if (!order)
		order = (a->total < b->total) - (a->total > b->total);
	if (!order)
		order = strcmp(a->key, b->key);
	return ordering->reverse ? -order : order;
}

static bool row_matches(const struct top_row *row, const char *filter)
{
	return !filter || !*filter || strcasestr(row->key, filter) ||
	       (row->event && strcasestr(row->event->detail, filter));
}

int top_model_view(const struct top_model *model, enum top_grouping grouping, enum top_order order,
		   bool reverse, const char *filter, struct top_view *ret)
{
	const struct top_table *table = model->tables[grouping];
	struct ordering ordering = {order, reverse};
	struct top_view view = {.evicted = table->evicted};

	memcpy(view.others, table->others, sizeof(view.others));
	view.rows = malloc(MAX(table->length, (size_t)1) * sizeof(*view.rows));
	if (!view.rows)
		return -ENOMEM;
	for (size_t i = 0; i < table->length; i++) {
		const struct top_row *row = &table->heap[i]->row;

		if (!row_matches(row, filter)) {
			view.hidden++;
			continue;
		}
		view.rows[view.length] = *row;
		(void)event_hold(view.rows[view.length++].event);
	}
	qsort_r(view.rows, view.length, sizeof(*view.rows), row_compare, &ordering);
	*ret = view;
	return 0;
}

void top_view_done(struct top_view *view)
{
	for (size_t i = 0; i < view->length; i++)
		event_release(view->rows[i].event);
	free(view->rows);
	*view = (struct top_view){0};
}

static int name_find(const char *const *names, size_t length, const char *name)
{
	for (size_t i = 0; i < length; i++)
		if (util_streq(names[i], name))
			return (int)i;
	return -EINVAL;
}

int top_grouping_find(const char *name, enum top_grouping *ret)
{
	int found = name_find(top_grouping_names, TOP_GROUPING_MAX, name);

	if (found < 0)
		return found;
	*ret = (enum top_grouping)found;
	return 0;
}

int top_order_find(const char *name, enum top_order *ret)
{
	int found = name_find(top_order_names, TOP_ORDER_MAX, name);

	if (found < 0)
		return found;
	*ret = (enum top_order)found;
	return 0;
}
