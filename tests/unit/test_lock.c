// SPDX-License-Identifier: GPL-2.0-or-later
/* An instance's lock: refused while somebody has it, waited for where he is about to let go. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lock.h"

static int open_again(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDWR | O_CLOEXEC);
}

static void test_held(void **state)
{
	char path[] = "/tmp/dnsfence-lock-XXXXXX";
	int one = mkstemp(path), two = open_again(one);

	(void)state;
	assert_true(one >= 0 && two >= 0);
	assert_int_equal(lock_take(one), 0);
	assert_int_equal(lock_take(two), -EWOULDBLOCK);
	assert_int_equal(flock(one, LOCK_UN), 0);
	assert_int_equal(lock_take(two), 0);
	close(one);
	close(two);
	unlink(path);
}

/* The holder has ended, a process that it had just started has the descriptor a moment longer. */
static void test_about_to_let_go(void **state)
{
	char path[] = "/tmp/dnsfence-lock-XXXXXX";
	int one = mkstemp(path), two = open_again(one);
	pid_t child;

	(void)state;
	assert_true(one >= 0 && two >= 0);
	assert_int_equal(lock_take(one), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		usleep(50000);
		_exit(0);
	}
	close(one);
	assert_int_equal(flock(two, LOCK_EX | LOCK_NB), -1);
	assert_int_equal(lock_take(two), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(two);
	unlink(path);
}

static void test_no_descriptor(void **state)
{
	(void)state;
	assert_int_equal(lock_take(-1), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_about_to_let_go),
		cmocka_unit_test(test_no_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
