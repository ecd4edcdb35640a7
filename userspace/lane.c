// SPDX-License-Identifier: GPL-2.0-or-later
#include "lane.h"

#include <signal.h>
#include <time.h>

/* JSON of 2048 levels is parsed by recursion; the C library's own size may be much smaller. */
#define STACK_BYTES (4u << 20)

int64_t lane_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

void lane_queue_slot(struct lane *lane, uint32_t slot, enum lane_urgency urgency)
{
	struct lane_queue *queue = &lane->queues[urgency];

	if (lane->queued[slot])
		return;
	lane->queued[slot] = (uint8_t)(urgency + 1);
	lane->links[slot] = 0;
	if (queue->last)
		lane->links[queue->last - 1] = slot + 1;
	else
		queue->first = slot + 1;
	queue->last = slot + 1;
	pthread_cond_signal(&lane->work);
}

static bool lane_take(struct lane *lane, uint32_t *ret)
{
	for (int i = 0; i < LANE_URGENCIES; i++) {
		struct lane_queue *queue = &lane->queues[i];
		uint32_t slot = queue->first - 1;

		if (!queue->first)
			continue;
		queue->first = lane->links[slot];
		if (!queue->first)
			queue->last = 0;
		lane->queued[slot] = 0;
		*ret = slot;
		return true;
	}
	return false;
}

static void lane_sleep(struct lane *lane)
{
	struct timespec until = timespec_of(lane->wake);

	if (!lane->wake)
		(void)pthread_cond_wait(&lane->work, lane->lock);
	else
		(void)pthread_cond_timedwait(&lane->work, lane->lock, &until);
}

static void *lane_main(void *argument)
{
	struct lane *lane = argument;
	uint32_t slot;

	pthread_mutex_lock(lane->lock);
	while (!lane->stop) {
		if (lane_take(lane, &slot)) {
			lane->busy = true;
			lane->perform(lane->context, lane, slot);
			lane->busy = false;
			pthread_cond_broadcast(&lane->done);
			continue;
		}
		lane->late = false;
		lane->wake = 0;
		lane->idle(lane->context, lane);
		if (!lane->stop && !lane->queues[LANE_NOW].first && !lane->queues[LANE_LATER].first)
			lane_sleep(lane);
	}
	lane->ended = true;
	pthread_cond_broadcast(&lane->done);
	pthread_mutex_unlock(lane->lock);
	return NULL;
}

bool lane_wait(struct lane *lane, int64_t deadline)
{
	struct timespec until = timespec_of(deadline);

	return pthread_cond_timedwait(&lane->done, lane->lock, &until) != ETIMEDOUT;
}

void lane_give_up(struct lane *lane)
{
	lane->late = true;
	lane->waits_in_vain++;
}

static void cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attributes);
	pthread_condattr_destroy(&attributes);
}

/* The program's signals are for its main thread. */
static int thread_start(struct lane *lane)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&lane->thread, &attributes, lane_main, lane);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -r;
}

int lane_start(struct lane *lane, uint32_t slots)
{
	int r;

	cond_init(&lane->work);
	cond_init(&lane->done);
	lane->links = calloc(slots, sizeof(*lane->links));
	lane->queued = calloc(slots, sizeof(*lane->queued));
	r = lane->links && lane->queued ? thread_start(lane) : -ENOMEM;
	lane->started = r == 0;
	return r;
}

void lane_stop(struct lane *lane)
{
	lane->stop = true;
	if (lane->started)
		pthread_cond_signal(&lane->work);
}

bool lane_join(struct lane *lane, int wait_ms)
{
	int64_t deadline = lane_now() + (int64_t)wait_ms * 1000000;
	bool ended;

	if (!lane->started)
		return true;
	pthread_mutex_lock(lane->lock);
	while (!lane->ended && lane_wait(lane, deadline))
		;
	ended = lane->ended;
	pthread_mutex_unlock(lane->lock);
	if (ended)
		pthread_join(lane->thread, NULL);
	else
		pthread_detach(lane->thread);
	return ended;
}

void lane_done(struct lane *lane)
{
	free(lane->links);
	free(lane->queued);
	if (!lane->lock)
		return;
	pthread_cond_destroy(&lane->work);
	pthread_cond_destroy(&lane->done);
}
