// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/control.c: who follows events gets whole lines, and is told what he missed while he
 * did not read, with another line or without; an answer is not cut at what a follower's queue
 * holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "userspace/control.h"

#define EVENTS 20000
#define ANSWER_LINES 40000

struct fixture {
	char dir[32];
	struct loop loop;
	struct control *control;
	char text[EVENTS * 64];
	size_t length;
};

static int answer(void *context, const char *request, FILE *to)
{
	(void)context;
	(void)request;
	for (int i = 0; i < ANSWER_LINES; i++)
		fputs("a line of a long answer\n", to);
	return 3;
}

static size_t tell(void *context, bool json, uint64_t count, char *to, size_t size)
{
	(void)context;
	return (size_t)snprintf(to, size, "%s missed %llu\n", json ? "json" : "text",
				(unsigned long long)count);
}

static int set_up(void **state)
{
	const struct control_owner owner = {answer, tell, NULL};
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct problem problem;
	int error;

	assert_non_null(fixture);
	strcpy(fixture->dir, "/tmp/test-control.XXXXXX");
	assert_non_null(mkdtemp(fixture->dir));
	assert_int_equal(loop_init(&fixture->loop), 0);
	fixture->control = control_listen(&fixture->loop, fixture->dir, &owner, &problem, &error);
	assert_non_null(fixture->control);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	char lock[64];

	control_close(fixture->control);
	loop_done(&fixture->loop);
	snprintf(lock, sizeof(lock), "%s/lock", fixture->dir);
	(void)unlink(lock);
	(void)rmdir(fixture->dir);
	free(fixture);
	return 0;
}

static void turn(struct fixture *fixture)
{
	for (int round = 0; round < 4; round++)
		assert_true(loop_run_once(&fixture->loop, 0) >= 0);
}

/* All that comes without waiting, behind what was read before. */
static void read_on(struct fixture *fixture, int fd)
{
	ssize_t length;

	do {
		turn(fixture);
		length = recv(fd, fixture->text + fixture->length,
			      sizeof(fixture->text) - 1 - fixture->length, MSG_DONTWAIT);
		if (length > 0)
			fixture->length += (size_t)length;
	} while (length > 0);
	fixture->text[fixture->length] = 0;
}

static int follow(struct fixture *fixture, const char *request)
{
	int fd = control_open(fixture->dir, request);

	assert_true(fd >= 0);
	fixture->length = 0;
	turn(fixture);
	return fd;
}

static void send_events(struct fixture *fixture, unsigned int begin, unsigned int end)
{
	char json[64], text[64];

	for (unsigned int i = begin; i < end; i++) {
		int length = snprintf(json, sizeof(json), "json %06u of this test's events\n", i);

		snprintf(text, sizeof(text), "text %06u of this test's events\n", i);
		control_send_event(fixture->control, json, (size_t)length, text, (size_t)length,
				   (struct queue_worth){.violations = 2});
	}
}

/* Lines in order without a gap that they do not tell of; how many violations that is in all. */
static unsigned long long account(const char *at, const char *form, unsigned long long *ret_missed)
{
	unsigned long long sum = 0, number;
	char word[8];
	int end;

	*ret_missed = 0;
	assert_int_equal(strncmp(at, "exit 0\n", 7), 0);
	for (at += 7; *at; at += end) {
		end = 0;
		if (sscanf(at, "%7s missed %llu%n", word, &number, &end) == 2 && end) {
			*ret_missed += number;
			sum += number;
		} else {
			assert_int_equal(
				sscanf(at, "%7s %llu of this test's events%n", word, &number, &end),
				2);
			assert_int_equal(number * 2, sum);
			sum += 2;
		}
		assert_string_equal(word, form);
		assert_int_equal(at[end++], '\n');
	}
	return sum;
}

/* One who does not read at first; more events after that, or only time. */
static void expect_balance(struct fixture *fixture, const char *form, bool more)
{
	char request[16];
	unsigned long long missed;
	uint64_t dropped = control_dropped(fixture->control);
	int fd;

	snprintf(request, sizeof(request), "events %s", form);
	fd = follow(fixture, request);
	send_events(fixture, 0, EVENTS - 10);
	dropped = control_dropped(fixture->control) - dropped;
	assert_true(dropped > 0);
	read_on(fixture, fd);
	assert_true(account(fixture->text, form, &missed) < 2 * (EVENTS - 10));
	if (more)
		send_events(fixture, EVENTS - 10, EVENTS);
	else
		control_tick(fixture->control);
	read_on(fixture, fd);
	assert_int_equal(account(fixture->text, form, &missed), 2 * (EVENTS - (more ? 0 : 10)));
	assert_int_equal(missed, 2 * dropped);
	close(fd);
}

static void test_told_with_the_next_line(void **state)
{
	expect_balance(*state, "json", true);
	expect_balance(*state, "text", true);
}

static void test_told_by_the_tick(void **state)
{
	expect_balance(*state, "json", false);
	expect_balance(*state, "text", false);
}

static void test_long_answer(void **state)
{
	struct fixture *fixture = *state;
	int fd = follow(fixture, "status");

	read_on(fixture, fd);
	assert_int_equal(strncmp(fixture->text, "exit 3\n", 7), 0);
	assert_int_equal(fixture->length, 7 + ANSWER_LINES * strlen("a line of a long answer\n"));
	assert_true(fixture->length > CONTROL_QUEUE_MAX);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_told_with_the_next_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_told_by_the_tick, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long_answer, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
