// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/queue.c: nothing is torn, doubled or out of order, and what the reader gets and is
 * told of adds up to what was handed over, whatever he takes and when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "userspace/queue.h"

#define LIMIT 8192
#define READ_MAX (4 << 20)

static size_t tell(void *context, uint64_t count, char *to, size_t size)
{
	++*(unsigned int *)context;
	return (size_t)snprintf(to, size, "missed %llu\n", (unsigned long long)count);
}

static void push(struct queue *queue, const char *line, uint64_t count)
{
	queue_push(queue, NULL, 0, line, strlen(line), (struct queue_worth){.violations = count});
}

/* Everything that waits, as a reader would get it. */
static const char *take_all(struct queue *queue)
{
	static char text[READ_MAX];
	struct iovec parts[2];
	size_t length = 0;
	int n;

	while ((n = queue_parts(queue, parts))) {
		size_t taken = 0;

		for (int i = 0; i < n; i++) {
			memcpy(text + length + taken, parts[i].iov_base, parts[i].iov_len);
			taken += parts[i].iov_len;
		}
		length += taken;
		queue_wrote(queue, taken);
	}
	text[length] = 0;
	return text;
}

static void test_order_and_parts(void **state)
{
	unsigned int told = 0;
	struct queue queue;
	const char *text;

	(void)state;
	queue_init(&queue, LIMIT, QUEUE_DROP_NEWEST, tell, &told);
	push(&queue, "one\n", 1);
	queue_push(&queue, "4 ", 2, "two\n", 4, (struct queue_worth){.violations = 1});
	push(&queue, "three\n", 1);
	assert_int_equal(queue_lines(&queue), 3);
	assert_int_equal(queue_bytes(&queue), 16);
	assert_int_equal(queue_first(&queue, &text), 4);
	assert_memory_equal(text, "one\n", 4);
	assert_int_equal(queue_whole(&queue, 11, &text), 10);
	assert_int_equal(queue_whole(&queue, 0, &text), 4);
	assert_string_equal(take_all(&queue), "one\n4 two\nthree\n");
	assert_int_equal(queue.written, 3);
	assert_int_equal(queue_lines(&queue), 0);
	assert_int_equal(queue_first(&queue, &text), 0);
	assert_int_equal(told, 0);
	queue_done(&queue);
}

/* A connection that broke in the middle of a line gets the whole of it when it is there again. */
static void test_torn_line(void **state)
{
	unsigned int told = 0;
	struct queue queue;

	(void)state;
	queue_init(&queue, LIMIT, QUEUE_DROP_OLDEST, tell, &told);
	push(&queue, "one\n", 1);
	push(&queue, "second\n", 1);
	queue_wrote(&queue, 6);
	assert_int_equal(queue.written, 1);
	assert_int_equal(queue_bytes(&queue), 5);
	assert_int_equal(queue_lines(&queue), 1);
	queue_rewind(&queue);
	push(&queue, "third\n", 1);
	assert_string_equal(take_all(&queue), "second\nthird\n");
	assert_int_equal(queue.written, 3);
	queue_done(&queue);
}

static void fill(struct queue *queue, unsigned int lines)
{
	char line[128];

	for (unsigned int i = 0; i < lines; i++) {
		snprintf(line, sizeof(line), "%0100u\n", i);
		push(queue, line, 2);
	}
}

static void test_newest_are_dropped(void **state)
{
	unsigned int told = 0;
	struct queue queue;
	const char *text;

	(void)state;
	queue_init(&queue, LIMIT, QUEUE_DROP_NEWEST, tell, &told);
	fill(&queue, 100);
	assert_int_equal(queue_lines(&queue), LIMIT / 101);
	assert_int_equal(queue.dropped, 100 - LIMIT / 101);
	assert_int_equal(queue.missed, 2 * queue.dropped);
	assert_int_equal(atoi(take_all(&queue)), 0);
	assert_int_equal(told, 0);
	push(&queue, "next\n", 1); /* after the account of what is missing before it */
	text = take_all(&queue);
	assert_string_equal(text, "missed 38\nnext\n");
	assert_int_equal(queue.missed, 0);
	queue_done(&queue);
}

static void test_oldest_are_dropped(void **state)
{
	unsigned int told = 0;
	struct queue queue;
	const char *text;

	(void)state;
	queue_init(&queue, LIMIT, QUEUE_DROP_OLDEST, tell, &told);
	fill(&queue, 100);
	assert_int_equal(queue.dropped, 100 - LIMIT / 101);
	text = take_all(&queue);
	assert_memory_equal(text, "missed 38\n", 10);
	assert_int_equal(strtoul(text + 10, NULL, 10), 19);
	assert_int_equal(queue.missed, 0);
	queue_done(&queue);
}

/* The account itself can be dropped before it is read: the next one has its number, too. */
static void test_account_is_kept(void **state)
{
	unsigned int told = 0;
	struct queue queue;
	struct iovec parts[2];

	(void)state;
	queue_init(&queue, LIMIT, QUEUE_DROP_OLDEST, tell, &told);
	fill(&queue, 100);
	assert_int_equal(queue_parts(&queue, parts), 1); /* the account stands in front now */
	fill(&queue, 100);
	assert_memory_equal(take_all(&queue), "missed 238\n", 11);
	assert_int_equal(queue.dropped, 200 - LIMIT / 101);
	queue_drop_all(&queue);
	queue_done(&queue);
}

static void test_tell_without_a_line(void **state)
{
	unsigned int told = 0;
	struct queue queue;

	(void)state;
	queue_init(&queue, LIMIT, QUEUE_DROP_NEWEST, tell, &told);
	push(&queue, "one\n", 3);
	queue_drop_all(&queue);
	queue_tell_missed(&queue);
	assert_string_equal(take_all(&queue), "missed 3\n");
	queue_tell_missed(&queue);
	assert_string_equal(take_all(&queue), "");
	queue_done(&queue);
}

static void test_too_long(void **state)
{
	static char line[2 * LIMIT];
	unsigned int told = 0;
	struct queue queue;

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	for (int drop = QUEUE_DROP_NEWEST; drop <= QUEUE_DROP_OLDEST; drop++) {
		queue_init(&queue, LIMIT, drop, tell, &told);
		push(&queue, line, 1);
		assert_int_equal(queue.dropped, 1);
		assert_int_equal(queue_lines(&queue), 0);
		queue_done(&queue);
	}
}

static void test_move(void **state)
{
	unsigned int told = 0;
	struct queue from, to;

	(void)state;
	queue_init(&from, LIMIT, QUEUE_DROP_NEWEST, tell, &told);
	queue_init(&to, 2 * LIMIT, QUEUE_DROP_OLDEST, tell, &told);
	push(&from, "one\n", 1);
	queue_wrote(&from, 4);
	push(&from, "two\n", 1);
	queue_move(&from, &to);
	assert_int_equal(to.written, 1);
	assert_int_equal(to.limit, 2 * LIMIT);
	assert_string_equal(take_all(&to), "two\n");
	queue_done(&from);
	queue_done(&to);
}

/* What a reader made of the bytes he got: lines in order, and the sum of what they speak of. */
struct reader {
	char text[256];
	size_t length;
	unsigned long last, lines, notices;
	unsigned long long violations;
};

static void reader_take(struct reader *reader, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned long number, count;

		assert_true(reader->length < sizeof(reader->text));
		reader->text[reader->length++] = bytes[i];
		if (bytes[i] != '\n')
			continue;
		reader->text[reader->length - 1] = 0;
		reader->length = 0;
		reader->lines++;
		if (sscanf(reader->text, "line %lu %lu ", &number, &count) == 2) {
			assert_true(number > reader->last);
			reader->last = number;
		} else {
			assert_int_equal(sscanf(reader->text, "missed %lu", &count), 1);
			reader->notices++;
		}
		reader->violations += count;
	}
}

/* Allowed lookups take half of a queue, whoever comes first; the rest is for violations. */
static void run_spare(int drop)
{
	const struct queue_worth spare = {.spare = true};
	const unsigned int half = LIMIT / 2 / 64, all = LIMIT / 64;
	struct queue queue;
	unsigned int told = 0;
	char line[65];

	queue_init(&queue, LIMIT, drop, tell, &told);
	snprintf(line, sizeof(line), "%063d\n", 1);
	for (unsigned int i = 0; i < 2 * all; i++)
		queue_push(&queue, NULL, 0, line, 64, spare);
	assert_int_equal(queue_lines(&queue), half);
	assert_int_equal(queue.dropped, 2 * all - half);
	for (unsigned int i = half; i < all; i++)
		queue_push(&queue, "2", 1, line + 1, 63, (struct queue_worth){.violations = 1});
	assert_int_equal(queue_lines(&queue), all);
	assert_int_equal(queue.dropped, 2 * all - half);
	assert_int_equal(queue.missed, 0);
	queue_push(&queue, NULL, 0, line, 64, spare);
	assert_int_equal(queue.dropped, 2 * all - half + 1);
	assert_int_equal(queue.missed, 0);
	assert_int_equal(strlen(take_all(&queue)), LIMIT);
	queue_push(&queue, NULL, 0, line, 64, spare);
	assert_int_equal(queue_lines(&queue), 1);
	assert_int_equal(told, 0);
	queue_done(&queue);
}

/* A reader who takes what is there whenever that is long misses none, however small the queue. */
static void test_spare_lines_of_a_reader(void **state)
{
	char line[1001];

	(void)state;
	snprintf(line, sizeof(line), "%0999d\n", 1);
	for (size_t limit = 64 * 1024; limit <= 1024 * 1024; limit *= 2) {
		struct queue queue;
		unsigned int told = 0;

		queue_init(&queue, limit, QUEUE_DROP_NEWEST, tell, &told);
		for (int i = 0; i < 400; i++) {
			queue_push(&queue, NULL, 0, line, 1000,
				   (struct queue_worth){.spare = true});
			if (queue_is_long(&queue))
				(void)take_all(&queue);
		}
		assert_int_equal(queue.dropped, 0);
		queue_done(&queue);
	}
}

static void test_spare_lines(void **state)
{
	(void)state;
	run_spare(QUEUE_DROP_NEWEST);
	run_spare(QUEUE_DROP_OLDEST);
}

static void push_random(struct queue *queue, unsigned long number, unsigned long long *violations)
{
	unsigned long count = (unsigned long)(rand() % 5);
	char line[256];

	snprintf(line, sizeof(line), "line %lu %lu %0*d\n", number, count, 1 + rand() % 150, 7);
	queue_push(queue, line, 3, line + 3, strlen(line) - 3,
		   (struct queue_worth){.violations = count});
	*violations += count;
}

/* He takes any number of bytes at a time, also none for a while, and sometimes line by line. */
static void read_random(struct queue *queue, struct reader *reader)
{
	struct iovec parts[2];
	int n = queue_parts(queue, parts);
	size_t first = n ? parts[0].iov_len : 0;
	size_t taken = n ? (size_t)rand() % (first + 1) : 0;

	if (taken)
		reader_take(reader, parts[0].iov_base, taken);
	queue_wrote(queue, taken);
}

static void run_random(int drop, unsigned int seed)
{
	unsigned long long violations = 0;
	struct reader reader = {0};
	unsigned long handed = 0;
	unsigned int told = 0;
	struct queue queue;

	srand(seed);
	queue_init(&queue, LIMIT, drop, tell, &told);
	for (int step = 0; step < 3000; step++) {
		bool stuck = (step / 200) % 2;

		for (int n = rand() % 4; n > 0; n--)
			push_random(&queue, ++handed, &violations);
		assert_true(queue_bytes(&queue) <= LIMIT + QUEUE_NOTICE_MAX);
		if (!stuck)
			read_random(&queue, &reader);
	}
	while (queue_lines(&queue))
		read_random(&queue, &reader);
	queue_tell_missed(&queue);
	while (queue_lines(&queue))
		read_random(&queue, &reader);
	assert_true(violations == reader.violations);
	assert_int_equal(queue.written, reader.lines);
	assert_int_equal(queue.written - reader.notices + queue.dropped, handed);
	assert_true(queue.dropped > 0 && told > 0);
	queue_done(&queue);
}

static void test_random(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 50; seed++)
		for (int drop = QUEUE_DROP_NEWEST; drop <= QUEUE_DROP_OLDEST; drop++)
			run_random(drop, seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_parts),
		cmocka_unit_test(test_torn_line),
		cmocka_unit_test(test_newest_are_dropped),
		cmocka_unit_test(test_oldest_are_dropped),
		cmocka_unit_test(test_account_is_kept),
		cmocka_unit_test(test_tell_without_a_line),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_move),
		cmocka_unit_test(test_spare_lines),
		cmocka_unit_test(test_spare_lines_of_a_reader),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
