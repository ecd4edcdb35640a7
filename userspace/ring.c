// SPDX-License-Identifier: GPL-2.0-or-later
#include "ring.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "counters.h"
#include "log.h"

#define FLUSH_PACKET 64 /* bytes; what BPF_PROG_TEST_RUN wants to see */

struct ring {
	const struct fence *fence;
	struct ring_buffer *buffer;
	ring_handler handler;
	void *context;
	struct df_log_state state;
	uint64_t lost_before; /* for the next event */
	int taken; /* in this batch */
	struct event event;
};

static void ring_deliver(struct ring *ring)
{
	ring->event.sequence = ++ring->state.sequence;
	ring->handler(ring->context, &ring->event);
}

static int ring_take(void *context, void *data, size_t size)
{
	struct ring *ring = context;
	const char *problem;

	ring->event.kind = EVENT_VIOLATION;
	if (event_check_record(data, size, &ring->event.record, &problem) < 0) {
		ring->state.rejected++;
		log_debug("a record of the ring buffer is refused: %s", problem);
	} else {
		ring->event.count = ring->event.record.count;
		ring->event.lost_before = ring->lost_before;
		ring->lost_before = 0;
		ring->state.logged += ring->event.count;
		ring_deliver(ring);
	}
	/* Negative ends the batch: libbpf before 1.5 otherwise reads on as long as records come. */
	return ++ring->taken < RING_BATCH ? 0 : -EAGAIN;
}

struct ring *ring_new(const struct fence *fence, ring_handler handler, void *context)
{
	struct ring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return NULL;
	ring->fence = fence;
	ring->handler = handler;
	ring->context = context;
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

/* Losses are stated before the events that came after them. */
static void ring_state_losses(struct ring *ring)
{
	struct df_counters counters;

	if (counters_read(ring->fence->maps[FENCE_COUNTERS], &counters) < 0 ||
	    counters.lost <= ring->state.lost_stated)
		return;
	ring->event = (struct event){
		.kind = EVENT_LOST,
		.count = counters.lost - ring->state.lost_stated,
	};
	clock_gettime(CLOCK_REALTIME, &ring->event.time);
	ring->lost_before += ring->event.count;
	ring->state.lost_stated = counters.lost;
	ring_deliver(ring);
}

int ring_consume(struct ring *ring)
{
	uint64_t sequence = ring->state.sequence, rejected = ring->state.rejected;

	ring->taken = 0;
	ring_state_losses(ring);
	(void)ring_buffer__consume(ring->buffer);
	if (ring->state.sequence != sequence || ring->state.rejected != rejected)
		(void)log_state_write(ring->fence->maps[FENCE_LOG_STATE], &ring->state);
	return ring->taken;
}

void ring_flush(struct ring *ring)
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
