/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines that wait for one reader: a queue of bounded size, which drops whole lines, counts them
 * and has a line of its own tell the reader how many violations those spoke of, where they are
 * missing. The sinks and their subscribers own one each; it knows no descriptor.
 */
#ifndef DNSFENCE_QUEUE_H
#define DNSFENCE_QUEUE_H

#include <sys/uio.h>

#include "util.h"

#define QUEUE_LONG (64 * 1024) /* bytes */
#define QUEUE_NOTICE_MAX 1024 /* bytes of the line that tells of dropped ones */

/* What makes room for a line that finds the queue full. */
enum queue_drop { QUEUE_DROP_NEWEST, QUEUE_DROP_OLDEST };

/* What is lost with a line. */
struct queue_worth {
	uint64_t violations; /* that it tells of */
	bool spare; /* an allowed lookup: it leaves the queue's other half to violations */
};

struct queue_line {
	uint32_t length;
	bool notice; /* of lines dropped: nothing is lost with it, it is made again */
	uint64_t count; /* violations that it tells of */
};

/* The line that tells of count violations in dropped lines: its length, 0 if there can be none. */
typedef size_t (*queue_tell)(void *context, uint64_t count, char *to, size_t size);

struct queue {
	size_t limit; /* bytes */
	int drop; /* enum queue_drop */
	queue_tell tell;
	void *context;
	char *text; /* from head to tail: lines that wait, without a gap */
	size_t size, head, tail;
	struct queue_line *lines; /* of those, a ring: length from first on */
	size_t lines_size, first, length;
	struct { /* a line that has been written in part */
		char *text;
		size_t done;
		struct queue_line line;
	} torn;
	uint64_t missed; /* violations in dropped lines that the reader has not been told of */
	uint64_t written, dropped; /* lines */
};

void queue_init(struct queue *queue, size_t limit, int drop, queue_tell tell, void *context);
void queue_done(struct queue *queue);

/*
 * A line of two parts; begin may be empty. It is in the queue then, or dropped and counted. One to
 * spare is dropped as soon as the queue is half full.
 */
void queue_push(struct queue *queue, const char *begin, size_t begin_length, const char *line,
		size_t length, struct queue_worth worth);

/* Tell of what was dropped without waiting for another line, if there is room. */
void queue_tell_missed(struct queue *queue);

/* Bytes and lines that wait, with the rest of a torn one. */
size_t queue_bytes(const struct queue *queue);
size_t queue_lines(const struct queue *queue);
/* Worth a system call now, before the batch of events is over and before there is no room. */
bool queue_is_long(const struct queue *queue);

/* All that waits, for writev(): the rest of a torn line, then the others. How many parts: 0 to 2.
 */
int queue_parts(struct queue *queue, struct iovec parts[2]);
/* So much of it has been written. */
void queue_wrote(struct queue *queue, size_t bytes);

/* Whole lines only, as many as fit into max bytes, one at least: their length, 0 for none. */
size_t queue_whole(struct queue *queue, size_t max, const char **ret_text);
/* The first whole line alone, for datagrams: its length, 0 for none. */
size_t queue_first(struct queue *queue, const char **ret_text);

/* The reader has to begin again: a torn line goes out from its beginning. */
void queue_rewind(struct queue *queue);
/* Without a reader who could take it: drop the first line, or all. */
void queue_drop_first(struct queue *queue);
void queue_drop_all(struct queue *queue);

/* What waits, and the accounts, go to another queue, which is empty so far. */
void queue_move(struct queue *from, struct queue *to);

#endif
