// SPDX-License-Identifier: GPL-2.0-or-later
#include "loop.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>

#define LOOP_EVENTS 16

int loop_init(struct loop *loop)
{
	*loop = (struct loop){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	return loop->epoll < 0 ? -errno : 0;
}

static void loop_sweep(struct loop *loop, bool all)
{
	struct loop_watch **at = &loop->watches;

	while (*at) {
		struct loop_watch *watch = *at;

		if (!all && !watch->gone) {
			at = &watch->next;
			continue;
		}
		*at = watch->next;
		free(watch);
	}
}

void loop_done(struct loop *loop)
{
	loop_sweep(loop, true);
	util_closep(&loop->epoll);
	loop->epoll = -1;
}

struct loop_watch *loop_add(struct loop *loop, int fd, uint32_t events, loop_callback callback,
			    void *context)
{
	struct loop_watch *watch = calloc(1, sizeof(*watch));
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (!watch)
		return NULL;
	*watch = (struct loop_watch){.fd = fd, .callback = callback, .context = context};
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		free(watch);
		return NULL;
	}
	watch->next = loop->watches;
	loop->watches = watch;
	return watch;
}

int loop_change(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	return epoll_ctl(loop->epoll, EPOLL_CTL_MOD, watch->fd, &event) < 0 ? -errno : 0;
}

void loop_remove(struct loop *loop, struct loop_watch *watch)
{
	(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->gone = true;
}

int loop_run_once(struct loop *loop, int timeout_ms)
{
	struct epoll_event events[LOOP_EVENTS];
	int ready = epoll_wait(loop->epoll, events, LOOP_EVENTS, timeout_ms);

	if (ready < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < ready; i++) {
		struct loop_watch *watch = events[i].data.ptr;

		if (!watch->gone)
			watch->callback(watch->context, events[i].events);
	}
	loop_sweep(loop, false);
	return 0;
}

int loop_timer(unsigned int interval_ms)
{
	struct timespec interval = {interval_ms / 1000, (long)(interval_ms % 1000) * 1000000};
	struct itimerspec timer = {interval, interval};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0 && timerfd_settime(fd, 0, &timer, NULL) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

void loop_drain(int fd)
{
	uint64_t count;

	(void)!read(fd, &count, sizeof(count));
}
