/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where event lines go: one sink is one place, with a queue of its own. Sinks see text, never
 * events nor BPF. None of them ever waits: what cannot be written at once stays in the queue until
 * epoll or the next second says otherwise, and what the queue cannot hold is dropped, whole lines,
 * and counted. sinks.c owns all of them.
 */
#ifndef DNSFENCE_SINK_H
#define DNSFENCE_SINK_H

#include "loop.h"
#include "queue.h"
#include "endpoint.h"

#define SINK_TARGET_MAX 256
#define SINK_READERS_MAX 64

/* What a sink wants to be told, see sinks.c. */
enum sink_format {
	SINK_JSON,
	SINK_TEXT, /* readable */
	SINK_COLOR, /* the same for a terminal */
	SINK_SYSLOG,
	SINK_SYSLOG_LOCAL,
	SINK_JOURNAL,
	SINK_FORMAT_MAX,
};

struct sink;
struct sinks;

/* What status and metrics show of one. */
struct sink_state {
	const char *name;
	const char *target; /* may be empty */
	uint64_t written, dropped; /* lines */
	size_t queued, queued_bytes, queue_size;
	const char *drop; /* which lines are dropped: newest or oldest */
	int readers; /* that are connected; -1: it is no such sink */
	int error; /* errno of what keeps it from writing; 0: nothing */
};

/* What sinks differ in. Functions that are NULL have nothing to do. */
struct sink_kind {
	const char *name; /* in status and metrics */
	/* Write what can be written at once. */
	void (*flush)(struct sink *sink);
	/* Once a second: try again what failed. */
	void (*tick)(struct sink *sink);
	/* After SIGUSR1: open it by its name again. */
	void (*reopen)(struct sink *sink);
	/* A line goes somewhere else than into the sink's queue. */
	void (*push)(struct sink *sink, const char *line, size_t length, struct queue_worth worth);
	/* Add what waits in queues elsewhere, and their accounts. */
	void (*describe)(const struct sink *sink, struct sink_state *state);
	/* Everything but the queue and the sink itself. */
	void (*close)(struct sink *sink);
};

struct sink {
	const struct sink_kind *kind;
	const struct sinks *owner; /* who makes the line that tells of dropped ones */
	enum sink_format format;
	char target[SINK_TARGET_MAX]; /* a path, or as the configuration says it; may be empty */
	struct loop *loop;
	struct loop_watch *watch; /* of fd */
	int fd; /* -1: not open, not connected */
	bool blocked; /* nothing can be written before epoll or a tick says so */
	bool counted; /* octet counting: a message has its length in front */
	int error; /* errno of what keeps it from writing, 0: nothing does. Said once. */
	struct queue queue;
};

void sink_push(struct sink *sink, const char *line, size_t length, struct queue_worth worth);
void sink_flush(struct sink *sink);
void sink_describe(const struct sink *sink, struct sink_state *ret);
void sink_free(struct sink *sink);

/* For the kinds: a sink of that size, which begins with a struct sink; NULL without memory. */
struct sink *sink_new(size_t size, const struct sink_kind *kind, enum sink_format format,
		      struct loop *loop, const char *target);
/* Say an error, or with 0 that it has passed, once each. */
void sink_say(struct sink *sink, int error);
/* Have epoll tell, once, when it can be written to; it is blocked until then. */
void sink_await(struct sink *sink);

/*
 * Each of these returns a sink, or NULL with errno. sink_file.c: append lines to a file; rotate:
 * bytes after which it is rotated, 0: never.
 */
struct sink *sink_file_new(const char *path, uint64_t rotate, int keep);

/* sink_stdout.c: to the standard output, readable if that is a terminal. */
struct sink *sink_stdout_new(struct loop *loop);

/* sink_datagram.c: a message a datagram, to a syslog daemon or to the journal. */
struct sink *sink_syslog_datagram_new(struct loop *loop, const struct endpoint_config *target);
struct sink *sink_journal_new(struct loop *loop);

/* sink_tcp.c: to a syslog daemon over a connection. */
struct sink *sink_syslog_tcp_new(struct loop *loop, const struct endpoint_config *target);

/* sink_socket.c: to everyone who connects to a unix socket. */
struct sink *sink_socket_new(struct loop *loop, const char *path);

#endif
