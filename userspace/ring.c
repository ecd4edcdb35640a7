// SPDX-License-Identifier: GPL-2.0-or-later
#include "ring.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "counters.h"
#include "log.h"

#define RING_SURVEYS 3
#define FLUSH_PACKET 64 /* bytes; what BPF_PROG_TEST_RUN wants to see */

struct ring {
	const struct fence *fence;
	struct ring_buffer *buffer;
	struct ring_handler handler;
	struct df_log_state state;
	uint64_t lost_before; /* for the next event */
	int taken; /* in this batch */
	unsigned int surveys; /* still to come, see ring_survey() */
	uint64_t unaccounted; /* the least that the surveys found */
	struct event event;
};

static void ring_deliver(struct ring *ring)
{
	ring->event.sequence = ++ring->state.sequence;
	ring->handler.event(ring->handler.context, &ring->event);
}

static int ring_take(void *context, void *data, size_t size)
{
	struct ring *ring = context;
	const char *problem;

	ring->event.kind = EVENT_LOOKUP;
	if (event_check_record(data, size, &ring->event.record, &problem) < 0) {
		ring->state.rejected += event_record_is_violation(data, size);
		log_debug("a record of the ring buffer is refused: %s", problem);
	} else {
		ring->event.count = ring->event.record.count;
		ring->event.lost_before = ring->lost_before;
		ring->lost_before = 0;
		ring->state.logged += event_violations(&ring->event);
		ring_deliver(ring);
	}
	/* Negative ends the batch: libbpf before 1.5 otherwise reads on as long as records come. */
	return ++ring->taken < RING_BATCH ? 0 : -EAGAIN;
}

struct ring *ring_new(const struct fence *fence, const struct ring_handler *handler)
{
	struct ring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return NULL;
	ring->fence = fence;
	ring->handler = *handler;
	ring->surveys = fence->adopted ? RING_SURVEYS : 0;
	ring->unaccounted = UINT64_MAX;
	ring->buffer = ring_buffer__new(fence->maps[FENCE_EVENTS], ring_take, ring, NULL);
	if (!ring->buffer || log_state_read(fence->maps[FENCE_LOG_STATE], &ring->state) < 0) {
		ring_free(ring);
		return NULL;
	}
	return ring;
}

void ring_free(struct ring *ring)
{
	if (!ring)
		return;
	ring_buffer__free(ring->buffer);
	free(ring);
}

int ring_fd(const struct ring *ring)
{
	return ring_buffer__epoll_fd(ring->buffer);
}

static void ring_report_lost(struct ring *ring, uint64_t count)
{
	ring->event = (struct event){.kind = EVENT_LOST, .count = count};
	clock_gettime(CLOCK_REALTIME, &ring->event.time);
	ring->lost_before += count;
	ring->state.lost_stated += count;
	ring_deliver(ring);
}

void ring_emit(struct ring *ring, struct event *event)
{
	event->sequence = ++ring->state.sequence;
	ring->handler.event(ring->handler.context, event);
	ring->handler.flush(ring->handler.context);
	(void)log_state_write(ring->fence->maps[FENCE_LOG_STATE], &ring->state);
}

/* Losses are stated before the events that came after them. */
static void ring_state_losses(struct ring *ring)
{
	struct df_counters counters;
	uint64_t lost;

	if (counters_read(ring->fence->maps[FENCE_COUNTERS], &counters) < 0)
		return;
	lost = counters_lost(&counters, &ring->state);
	if (lost > ring->state.lost_stated)
		ring_report_lost(ring, lost - ring->state.lost_stated);
}

int ring_consume(struct ring *ring)
{
	struct df_log_state before = ring->state;

	ring->taken = 0;
	ring_state_losses(ring);
	(void)ring_buffer__consume(ring->buffer);
	ring->handler.flush(ring->handler.context);
	if (memcmp(&before, &ring->state, sizeof(before)) != 0)
		(void)log_state_write(ring->fence->maps[FENCE_LOG_STATE], &ring->state);
	return ring->taken;
}

static void ring_flush_folds(struct ring *ring)
{
	static const uint8_t packet[FLUSH_PACKET] = {[12] = 0x08, [14] = 0x45};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = sizeof(packet));
	struct df_counters counters;

	if (counters_read(ring->fence->maps[FENCE_COUNTERS], &counters) < 0 ||
	    counters.folded == counters.flushed)
		return;
	for (int i = 0; i < DF_FOLD_SLOTS / DF_FOLD_BATCH; i++)
		if (bpf_prog_test_run_opts(ring->fence->flush, &options) < 0)
			log_debug("cannot run dnsfence_flush: %s", strerror(errno));
}

static uint64_t ring_violations(const struct df_counters *counters)
{
	return counters_verdicts(counters, DF_VERDICT_DENY) +
	       counters_verdicts(counters, DF_VERDICT_AUDIT);
}

/*
 * A daemon that is killed between taking records and accounting for them leaves violations that
 * nobody will ever log. In a moment without new ones, with the ring empty, they are what the
 * counters know and neither the log nor the fold slots do. A violation is counted before its
 * record is there, so the least that a few such moments show is believed.
 */
static void ring_survey(struct ring *ring)
{
	int map = ring->fence->maps[FENCE_COUNTERS];
	struct df_counters before, after;
	uint64_t pending, folded;

	if (counters_read(map, &before) < 0)
		return;
	if (ring_consume(ring) >= RING_BATCH || counters_read(map, &after) < 0 ||
	    ring_violations(&before) != ring_violations(&after))
		return;
	folded = after.folded - after.flushed;
	pending = counters_pending(&after, &ring->state);
	ring->unaccounted = MIN(ring->unaccounted, pending > folded ? pending - folded : 0);
	if (!--ring->surveys)
		ring->state.interrupted += ring->unaccounted;
}

void ring_tick(struct ring *ring)
{
	if (ring->surveys)
		ring_survey(ring);
	ring_flush_folds(ring);
}
