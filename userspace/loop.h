/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's event loop: epoll and callbacks. Level-triggered; a callback may remove any
 * watch, also its own.
 */
#ifndef DNSFENCE_LOOP_H
#define DNSFENCE_LOOP_H

#include "util.h"

typedef void (*loop_callback)(void *context, uint32_t events);

struct loop_watch {
	int fd;
	loop_callback callback;
	void *context;
	bool gone;
	struct loop_watch *next;
};

struct loop {
	int epoll;
	bool stop;
	struct loop_watch *watches; /* with those removed during this round */
};

int loop_init(struct loop *loop);
void loop_done(struct loop *loop);

/* events: EPOLLIN, EPOLLOUT. NULL with errno on failure. The fd stays the caller's. */
struct loop_watch *loop_add(struct loop *loop, int fd, uint32_t events, loop_callback callback,
			    void *context);
int loop_change(struct loop *loop, struct loop_watch *watch, uint32_t events);
void loop_remove(struct loop *loop, struct loop_watch *watch);

/* Wait for at most timeout_ms, then run the callbacks. 0 or -errno. */
int loop_run_once(struct loop *loop, int timeout_ms);

/* A timer that reads as ready every interval_ms; -1 with errno. */
int loop_timer(unsigned int interval_ms);
/* Empty a timer's or a signal descriptor's count. */
void loop_drain(int fd);

#endif
