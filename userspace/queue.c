// SPDX-License-Identifier: GPL-2.0-or-later
#include "queue.h"

#define QUEUE_SIZE_FIRST 4096
#define QUEUE_LINES_FIRST 64

void queue_init(struct queue *queue, size_t limit, int drop, queue_tell tell, void *context)
{
	*queue = (struct queue){.limit = limit, .drop = drop, .tell = tell, .context = context};
}

void queue_done(struct queue *queue)
{
	free(queue->text);
	free(queue->lines);
	free(queue->torn.text);
	*queue = (struct queue){0};
}

size_t queue_bytes(const struct queue *queue)
{
	return queue->tail - queue->head + queue->torn.line.length - queue->torn.done;
}

size_t queue_lines(const struct queue *queue)
{
	return queue->length + (queue->torn.line.length != 0);
}

bool queue_is_long(const struct queue *queue)
{
	return queue_bytes(queue) >= MIN((size_t)QUEUE_LONG, queue->limit / 2);
}

static struct queue_line *queue_line(struct queue *queue, size_t index)
{
	return &queue->lines[(queue->first + index) % queue->lines_size];
}

/* Room for one more; the ring is laid straight when it grows. */
static bool queue_grow_lines(struct queue *queue)
{
	size_t size = queue->lines_size ? queue->lines_size * 2 : QUEUE_LINES_FIRST;
	struct queue_line *grown;

	if (queue->length < queue->lines_size)
		return true;
	grown = malloc(size * sizeof(*grown));
	if (!grown)
		return false;
	for (size_t i = 0; i < queue->length; i++)
		grown[i] = *queue_line(queue, i);
	free(queue->lines);
	queue->lines = grown;
	queue->lines_size = size;
	queue->first = 0;
	return true;
}

/* Room for length bytes behind the tail; what waits begins at front then, or stays. */
static bool queue_grow_text(struct queue *queue, size_t front, size_t length)
{
	size_t used = queue->tail - queue->head, size = MAX(queue->size, (size_t)QUEUE_SIZE_FIRST);
	char *grown = queue->text;

	if (queue->head >= front && queue->tail + length <= queue->size)
		return true;
	while (size < front + used + length)
		size *= 2;
	if (size > queue->size) {
		grown = realloc(queue->text, size);
		if (!grown)
			return false;
		queue->text = grown;
		queue->size = size;
	}
	memmove(queue->text + front, queue->text + queue->head, used);
	queue->head = front;
	queue->tail = front + used;
	return true;
}

/* Memory of a queue that was long is given back once it is empty. */
static void queue_rest(struct queue *queue)
{
	if (queue->length)
		return;
	queue->head = queue->tail = queue->first = 0;
	if (queue->size <= 32 * QUEUE_SIZE_FIRST)
		return;
	free(queue->text);
	free(queue->lines);
	queue->text = NULL;
	queue->lines = NULL;
	queue->size = queue->lines_size = 0;
}

static void queue_pop(struct queue *queue)
{
	queue->head += queue_line(queue, 0)->length;
	queue->first = (queue->first + 1) % queue->lines_size;
	queue->length--;
}

static void queue_miss(struct queue *queue, const struct queue_line *line)
{
	queue->missed += line->count;
	queue->dropped += !line->notice;
}

void queue_drop_first(struct queue *queue)
{
	if (!queue->length)
		return;
	queue_miss(queue, queue_line(queue, 0));
	queue_pop(queue);
	queue_rest(queue);
}

static void queue_forget_torn(struct queue *queue)
{
	free(queue->torn.text);
	memset(&queue->torn, 0, sizeof(queue->torn));
}

void queue_drop_all(struct queue *queue)
{
	if (queue->torn.line.length)
		queue_miss(queue, &queue->torn.line);
	queue_forget_torn(queue);
	while (queue->length)
		queue_drop_first(queue);
}

static bool queue_append(struct queue *queue, const char *begin, size_t begin_length,
			 const char *text, size_t length, uint64_t count, bool notice)
{
	if (!queue_grow_lines(queue) || !queue_grow_text(queue, 0, begin_length + length))
		return false;
	queue->length++;
	*queue_line(queue, queue->length - 1) =
		(struct queue_line){(uint32_t)(begin_length + length), notice, count};
	if (begin_length)
		memcpy(queue->text + queue->tail, begin, begin_length);
	memcpy(queue->text + queue->tail + begin_length, text, length);
	queue->tail += begin_length + length;
	return true;
}

static bool queue_fits(const struct queue *queue, size_t length)
{
	return queue_bytes(queue) + length <= queue->limit;
}

/* The account of what was dropped, where it is missing: before the next line. */
static void queue_append_notice(struct queue *queue, size_t length)
{
	char notice[QUEUE_NOTICE_MAX];
	size_t notice_length;

	if (!queue->missed || !queue_fits(queue, length + sizeof(notice)))
		return;
	notice_length = queue->tell(queue->context, queue->missed, notice, sizeof(notice));
	if (notice_length &&
	    queue_append(queue, NULL, 0, notice, notice_length, queue->missed, true))
		queue->missed = 0;
}

void queue_tell_missed(struct queue *queue)
{
	if (!queue->length || queue->drop == QUEUE_DROP_NEWEST)
		queue_append_notice(queue, 0);
}

void queue_push(struct queue *queue, const char *begin, size_t begin_length, const char *line,
		size_t length, struct queue_worth worth)
{
	const struct queue_line refused = {.count = worth.violations};
	size_t whole = begin_length + length;

	if (worth.spare && queue_bytes(queue) >= queue->limit / 2) {
		queue_miss(queue, &refused);
		return;
	}
	if (queue->drop == QUEUE_DROP_OLDEST)
		while (queue->length && !queue_fits(queue, whole))
			queue_drop_first(queue);
	else
		queue_append_notice(queue, whole);
	/* With newest dropped, nothing goes in before the account of what is missing is in. */
	if ((queue->drop == QUEUE_DROP_NEWEST && queue->missed) || !queue_fits(queue, whole) ||
	    !queue_append(queue, begin, begin_length, line, length, worth.violations, false))
		queue_miss(queue, &refused);
}

/* Where the oldest are dropped they are missing at the front. */
static void queue_prepend_notice(struct queue *queue)
{
	char notice[QUEUE_NOTICE_MAX];
	size_t length;

	if (queue->drop != QUEUE_DROP_OLDEST || !queue->missed || !queue->length)
		return;
	length = queue->tell(queue->context, queue->missed, notice, sizeof(notice));
	if (!length || !queue_grow_lines(queue) || !queue_grow_text(queue, length, 0))
		return;
	queue->first = (queue->first + queue->lines_size - 1) % queue->lines_size;
	queue->length++;
	*queue_line(queue, 0) = (struct queue_line){(uint32_t)length, true, queue->missed};
	queue->head -= length;
	memcpy(queue->text + queue->head, notice, length);
	queue->missed = 0;
}

int queue_parts(struct queue *queue, struct iovec parts[2])
{
	int length = 0;

	queue_prepend_notice(queue);
	if (queue->torn.line.length)
		parts[length++] = (struct iovec){queue->torn.text + queue->torn.done,
						 queue->torn.line.length - queue->torn.done};
	if (queue->length)
		parts[length++] =
			(struct iovec){queue->text + queue->head, queue->tail - queue->head};
	return length;
}

/* The rest of a line that has begun stays out of the queue, where it could be dropped. */
static void queue_tear(struct queue *queue, size_t done)
{
	const struct queue_line *line = queue_line(queue, 0);
	char *text = malloc(line->length);

	if (!text) /* the reader gets a torn line, and is told of the loss */
		queue_miss(queue, line);
	else
		memcpy(text, queue->text + queue->head, line->length);
	if (text) {
		queue->torn.text = text;
		queue->torn.done = done;
		queue->torn.line = *line;
	}
	queue_pop(queue);
}

void queue_wrote(struct queue *queue, size_t bytes)
{
	size_t part = MIN(bytes, queue->torn.line.length - queue->torn.done);

	queue->torn.done += part;
	bytes -= part;
	if (queue->torn.line.length && queue->torn.done == queue->torn.line.length) {
		queue_forget_torn(queue);
		queue->written++;
	}
	while (queue->length && queue_line(queue, 0)->length <= bytes) {
		bytes -= queue_line(queue, 0)->length;
		queue_pop(queue);
		queue->written++;
	}
	if (bytes && queue->length)
		queue_tear(queue, bytes);
	queue_rest(queue);
}

size_t queue_whole(struct queue *queue, size_t max, const char **ret_text)
{
	size_t length = 0;

	queue_prepend_notice(queue);
	*ret_text = queue->text + queue->head;
	for (size_t i = 0; i < queue->length; i++) {
		if (i && length + queue_line(queue, i)->length > max)
			break;
		length += queue_line(queue, i)->length;
	}
	return length;
}

size_t queue_first(struct queue *queue, const char **ret_text)
{
	return queue_whole(queue, 0, ret_text);
}

void queue_rewind(struct queue *queue)
{
	queue->torn.done = 0;
}

void queue_move(struct queue *from, struct queue *to)
{
	struct queue fresh = *to;

	*to = *from;
	to->limit = fresh.limit;
	to->drop = fresh.drop;
	to->tell = fresh.tell;
	to->context = fresh.context;
	*from = (struct queue){0};
}
