// SPDX-License-Identifier: GPL-2.0-or-later
/* What all sinks have in common. */
#include "sink.h"

#include <sys/epoll.h>

#include "log.h"

struct sink *sink_new(size_t size, const struct sink_kind *kind, enum sink_format format,
		      struct loop *loop, const char *target)
{
	struct sink *sink = calloc(1, size);

	if (!sink)
		return NULL;
	sink->kind = kind;
	sink->format = format;
	sink->loop = loop;
	sink->fd = -1;
	snprintf(sink->target, sizeof(sink->target), "%s", target);
	return sink;
}

void sink_free(struct sink *sink)
{
	if (!sink)
		return;
	if (sink->kind->close)
		sink->kind->close(sink);
	if (sink->watch)
		loop_remove(sink->loop, sink->watch);
	util_closep(&sink->fd);
	queue_done(&sink->queue);
	free(sink);
}

void sink_push(struct sink *sink, const char *line, size_t length, struct queue_worth worth)
{
	char octets[24];
	int begin = 0;

	if (sink->kind->push) {
		sink->kind->push(sink, line, length, worth);
		return;
	}
	if (sink->counted)
		begin = snprintf(octets, sizeof(octets), "%zu ", length);
	queue_push(&sink->queue, octets, (size_t)begin, line, length, worth);
	if (queue_is_long(&sink->queue))
		sink_flush(sink);
}

void sink_flush(struct sink *sink)
{
	if (!sink->blocked && sink->kind->flush)
		sink->kind->flush(sink);
}

void sink_say(struct sink *sink, int error)
{
	const char *name = *sink->target ? sink->target : sink->kind->name;

	if (error && error != sink->error)
		log_warning("events to %s: %s; they wait there, and are dropped and counted when "
			    "the queue is full",
			    name, strerror(error));
	if (!error && sink->error)
		log_info("events to %s: writing again, %llu lines were dropped", name,
			 (unsigned long long)sink->queue.dropped);
	sink->error = error;
}

static void sink_on_writable(void *context, uint32_t events)
{
	struct sink *sink = context;

	(void)events;
	loop_remove(sink->loop, sink->watch);
	sink->watch = NULL;
	sink->blocked = false;
	sink_flush(sink);
}

/* Watched for so long only: epoll tells of a reader who has gone whether it is asked or not. */
void sink_await(struct sink *sink)
{
	sink->blocked = true;
	if (!sink->watch)
		sink->watch = loop_add(sink->loop, sink->fd, EPOLLOUT, sink_on_writable, sink);
}

void sink_describe(const struct sink *sink, struct sink_state *ret)
{
	*ret = (struct sink_state){
		.name = sink->kind->name,
		.target = sink->target,
		.written = sink->queue.written,
		.dropped = sink->queue.dropped,
		.queued = queue_lines(&sink->queue),
		.queued_bytes = queue_bytes(&sink->queue),
		.queue_size = sink->queue.limit,
		.drop = sink->queue.drop == QUEUE_DROP_OLDEST ? "oldest" : "newest",
		.readers = -1,
		.error = sink->error,
	};
	if (sink->kind->describe)
		sink->kind->describe(sink, ret);
}
