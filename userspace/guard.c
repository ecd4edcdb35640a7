// SPDX-License-Identifier: GPL-2.0-or-later
#include "guard.h"

#define LOOKS_LIKE_SUCCESS \
	"it can make a denied call look like a success, the packet is denied all the same"

/* Where a program that runs later can undo a denial, and what that comes to. */
static const struct {
	enum df_hook hook;
	const char *consequence;
} softened[] = {
	{DF_HOOK_CONNECT4, LOOKS_LIKE_SUCCESS},
	{DF_HOOK_CONNECT6, LOOKS_LIKE_SUCCESS},
	{DF_HOOK_SENDMSG4, LOOKS_LIKE_SUCCESS},
	{DF_HOOK_SENDMSG6, LOOKS_LIKE_SUCCESS},
	{DF_HOOK_SETSOCKOPT, "it can permit a socket whose frames pass by the edge"},
};

static struct event_tamper *event_begin(struct guard *guard, const char *object, const char *name)
{
	guard->event = (struct event){
		.kind = EVENT_TAMPER,
		.tamper = {.object = object, .name = name},
	};
	clock_gettime(CLOCK_REALTIME, &guard->event.time);
	return &guard->event.tamper;
}

/* One event for a finding, and another when what could not be mended at first is. */
static void guard_report(struct guard *guard, const struct watch_finding *finding, int result,
			 const char *when, const struct problem *problem)
{
	uint32_t bit = 1u << (finding->index & 31), *open = &guard->open[finding->kind];
	bool told = *open & bit, restored = result >= 0;
	struct event_tamper *tamper;

	*open = restored ? *open & ~bit : *open | bit;
	guard->tampered += !told;
	guard->restored += restored;
	if (told && !restored)
		return;
	tamper = event_begin(guard, watch_object(finding->kind), watch_name(finding));
	tamper->restored = restored;
	snprintf(tamper->what, sizeof(tamper->what), "%s%s%s%.128s", watch_what(finding->kind),
		 when, restored ? "" : ": ", restored ? "" : problem->text);
	ring_emit(guard->ring, &guard->event);
}

void guard_init(struct guard *guard, struct enforcement *enforcement, struct ring *ring)
{
	const struct watch_findings *before = &enforcement->before;
	const struct problem none = {{0}};

	guard->enforcement = enforcement;
	guard->ring = ring;
	for (size_t i = 0; i < before->length; i++)
		guard_report(guard, &before->list[i], 0, " while no daemon ran", &none);
}

static void guard_read(const struct guard *guard, struct watch_findings *ret)
{
	const struct enforcement *enforcement = guard->enforcement;
	const struct fence *fence = &enforcement->fence;
	const struct watch_source source = {
		.pins = enforcement->pins,
		.attached = &enforcement->attachments,
		.maps = fence->maps,
		.active = *fence->active,
		.generations = fence->generations,
		.cgroup_fd = enforcement->cgroup_fd,
		.subjects = enforcement->published.tables[PUBLISH_SUBJECTS],
	};
	struct df_seal is;

	watch_read(&enforcement->seal, &source, &is);
	watch_compare(&enforcement->seal, &is, ret);
}

static bool needs(const struct watch_findings *findings, enum watch_mend mend)
{
	for (size_t i = 0; i < findings->length; i++)
		if (watch_mend_of(findings->list[i].kind) == mend)
			return true;
	return false;
}

/* What somebody else has put right meanwhile is no open finding any more. */
static void guard_forget(struct guard *guard, const struct watch_findings *findings)
{
	uint32_t found[WATCH_KIND_MAX] = {0};

	for (size_t i = 0; i < findings->length; i++)
		found[findings->list[i].kind] |= 1u << (findings->list[i].index & 31);
	for (int kind = 0; kind < WATCH_KIND_MAX; kind++)
		guard->open[kind] &= found[kind];
}

static void guard_mend(struct guard *guard, const struct watch_findings *findings)
{
	for (enum watch_mend mend = 0; mend < WATCH_MEND_MAX; mend++) {
		struct problem problem = {{0}};
		int r;

		if (!needs(findings, mend))
			continue;
		r = enforce_mend(guard->enforcement, mend, findings, &problem);
		for (size_t i = 0; i < findings->length; i++)
			if (watch_mend_of(findings->list[i].kind) == mend)
				guard_report(guard, &findings->list[i], r, "", &problem);
	}
}

static bool neighbours_hold(const struct guard_neighbours *neighbours, uint32_t id)
{
	for (size_t i = 0; i < neighbours->length; i++)
		if (neighbours->ids[i] == id)
			return true;
	return false;
}

static void guard_report_neighbour(struct guard *guard, enum df_hook hook, const char *consequence,
				   uint32_t id)
{
	struct event_tamper *tamper = event_begin(guard, "order", hook_name(hook));
	struct program_state program;

	attach_describe_program(id, &program);
	tamper->neighbour = true;
	tamper->program.id = id;
	memcpy(tamper->program.name, program.name, sizeof(tamper->program.name));
	memcpy(tamper->program.tag, program.tag, sizeof(tamper->program.tag));
	snprintf(tamper->what, sizeof(tamper->what), "program %u '%s', tag %s, runs after ours: %s",
		 id, program.name, program.tag[0] ? program.tag : "unknown", consequence);
	ring_emit(guard->ring, &guard->event);
}

static void guard_look_behind(struct guard *guard, enum df_hook hook, const char *consequence)
{
	const struct enforcement *enforcement = guard->enforcement;
	uint32_t ours = enforcement->seal.programs[hook], ids[ATTACH_ORDER_MAX];
	struct guard_neighbours after = {0};
	int count = ours ? attach_effective(enforcement->cgroup_fd, hook, ids) : 0;
	int at = 0;

	while (at < count && ids[at] != ours)
		at++;
	for (at++; at < count; at++)
		after.ids[after.length++] = ids[at];
	for (size_t i = 0; i < after.length; i++)
		if (!neighbours_hold(&guard->after[hook], after.ids[i]))
			guard_report_neighbour(guard, hook, consequence, after.ids[i]);
	guard->after[hook] = after;
}

void guard_tick(struct guard *guard)
{
	struct watch_findings findings;

	guard_read(guard, &findings);
	guard_forget(guard, &findings);
	if (findings.length)
		guard_mend(guard, &findings);
	for (size_t i = 0; i < ARRAY_LEN(softened); i++)
		guard_look_behind(guard, softened[i].hook, softened[i].consequence);
}

static unsigned int edge_open_sides(const struct edge *edge)
{
	const struct edge_state *states;
	size_t length = edge_states(edge, &states);
	unsigned int open = 0;

	for (size_t i = 0; i < length; i++)
		open += (unsigned int)__builtin_popcount(states[i].sides & ~states[i].fenced);
	return open;
}

static void guard_report_edge(struct guard *guard, unsigned int count, const char *what,
			      bool restored)
{
	struct event_tamper *tamper;

	if (!count)
		return;
	tamper = event_begin(guard, "edge", "");
	tamper->restored = restored;
	snprintf(tamper->what, sizeof(tamper->what), "%u of the tc filters %s", count, what);
	guard->tampered++;
	guard->restored += restored;
	ring_emit(guard->ring, &guard->event);
}

void guard_check_edge(struct guard *guard)
{
	struct edge *edge = guard->enforcement->edge;
	unsigned int before = edge_open_sides(edge);
	const struct edge_findings findings = edge_verify(edge);
	bool restored = edge_open_sides(edge) <= before;

	guard_report_edge(guard, findings.missing, "were taken away", restored);
	guard_report_edge(guard, findings.replaced, "had another program put into them", restored);
}
