// SPDX-License-Identifier: GPL-2.0-or-later
/* userspace/cgroup_owner.c: who may have chosen the names in a cgroup's path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <fcntl.h>

#include "userspace/cgroup_owner.h"
#include "runtimes_fixture.h"

static uint32_t owner_of(const char *path)
{
	int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct identity identity;
	uint32_t owner;

	identity_of_path(path, &identity);
	owner = cgroup_owner(fd, path, &identity);
	close(fd);
	return owner;
}

static void test_owner(void **state)
{
	uint32_t me = geteuid();

	(void)state;
	assert_int_equal(chmod(root, 0755), 0);
	make_parents("/docker/" ID "/x");
	make_parents("/kubepods/pod" UID "/x");
	assert_int_equal(owner_of("/docker/" ID), me);
	assert_int_equal(owner_of("/docker/" ID "/a/b"), me);
	assert_int_equal(owner_of("/kubepods/pod" UID "/" ID), me);
	/* The directory has gone, or all may write there. */
	assert_int_equal(owner_of("/gone/docker-" ID ".scope"), IDENTITY_NO_USER);
	assert_int_equal(chmod(under("/docker"), 0777), 0);
	assert_int_equal(owner_of("/docker/" ID), IDENTITY_NO_USER);
	assert_int_equal(chmod(under("/docker"), 0755), 0);
	/* No container, no name to choose. */
	assert_int_equal(owner_of("/system.slice/nginx.service"), 0);
	if (me)
		skip();
	assert_int_equal(lchown(under("/docker"), 1000, 1000), 0);
	assert_int_equal(owner_of("/docker/" ID), 1000);
	assert_int_equal(owner_of("/kubepods/pod" UID "/" ID), 0);
	assert_int_equal(lchown(under("/kubepods/pod" UID), 1000, 1000), 0);
	assert_int_equal(owner_of("/kubepods/pod" UID "/" ID), 1000);
	assert_int_equal(lchown(under("/kubepods"), 1001, 1001), 0);
	assert_int_equal(owner_of("/kubepods/pod" UID "/" ID), IDENTITY_NO_USER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_owner),
	};

	return cmocka_run_group_tests_name("cgroup_owner", tests, NULL, NULL);
}
