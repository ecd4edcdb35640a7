/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's unix socket, DIR/control, 0600. A client sends one line, the request. The answer
 * begins with a line "exit N", the client's exit code; text follows until the daemon closes, or
 * for "events" until the client does.
 */
#ifndef DNSFENCE_CONTROL_H
#define DNSFENCE_CONTROL_H

#include "loop.h"
#include "problem.h"
#include "queue.h"

#define CONTROL_DEFAULT_DIR "/run/dnsfence"
#define CONTROL_REQUEST_MAX 64
#define CONTROL_CLIENTS_MAX 64
#define CONTROL_PATIENCE_S \
	30 /* a client waits so long for the first line; a reload takes a while */
#define CONTROL_QUEUE_MAX (256 * 1024) /* bytes waiting for one client that follows events */

struct control;

/* Answer a request by writing to `to`; the return value is the client's exit code. */
typedef int (*control_handler)(void *context, const char *request, FILE *to);

/* The line that tells a follower of count violations that it was not sent: its length, or 0. */
typedef size_t (*control_teller)(void *context, bool json, uint64_t count, char *to, size_t size);

struct control_owner {
	control_handler answer;
	control_teller tell;
	void *context;
};

/*
 * Take the directory for this instance: make it, lock DIR/lock, listen. The lock keeps a second
 * daemon, load or unload away. NULL with *problem set and a -errno in *ret_error: -EBUSY when
 * another instance holds it.
 */
struct control *control_listen(struct loop *loop, const char *dir,
			       const struct control_owner *owner, struct problem *problem,
			       int *ret_error);
void control_close(struct control *control);

/*
 * A line to every client that follows events: JSON or text, as it asked. Whose queue is full
 * misses it, and is told how many violations it missed before the next line.
 */
void control_send_event(struct control *control, const char *json, size_t json_length,
			const char *text, size_t text_length, struct queue_worth worth);
/* Each second: what was missed is told also when no other line follows. */
void control_tick(struct control *control);
/* Does anybody follow, and in which form? */
bool control_wants_events(const struct control *control);
bool control_wants_text(const struct control *control);
uint64_t control_dropped(const struct control *control);

/* Only the lock, for load and unload. A descriptor; -EBUSY when an instance holds it. */
int control_lock(const char *dir, struct problem *problem);

/* Gets a line of an answer, without its newline. 0: go on; 1: enough; -errno: give up. */
typedef int (*control_taker)(void *context, const char *line, size_t length);

/*
 * The client's side: send a request and hand each line of the answer to `take`. Returns the exit
 * code of the answer, what `take` gave up with, or -errno: -ECONNREFUSED, -ENOENT without a daemon,
 * -EACCES without permission, -ETIMEDOUT when it is stuck, -ECONNRESET when it ended before `take`
 * had enough of events.
 */
int control_follow(const char *dir, const char *request, control_taker take, void *context);

/* For who waits for more than this: the request is sent, the descriptor does not block. Or -errno.
 */
int control_open(const char *dir, const char *request);

/* The same, with the answer copied to `to`; -EPIPE when nobody reads it there. */
int control_request(const char *dir, const char *request, FILE *to);

#endif
