// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/cgroup_walk.c and census.c, on a tree of plain directories: every one below the fenced
 * one is met once, with what is above it, and the list is kept by id.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "one_match.h"
#include "userspace/census.h"

struct fixture {
	char top[64];
	int fd;
	struct config config;
	struct census census;
	struct subject_list subjects;
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	strcpy(fixture->top, "/tmp/census.XXXXXX");
	if (!mkdtemp(fixture->top))
		return -1;
	fixture->fd = open(fixture->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	subjects_done(&fixture->subjects);
	census_done(&fixture->census);
	config_done(&fixture->config);
	close(fixture->fd);
	(void)nftw(fixture->top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(fixture);
	return 0;
}

static void make(struct fixture *fixture, const char *path)
{
	char part[512];

	for (size_t i = 1; path[i - 1]; i++) {
		if (path[i] && path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = 0;
		assert_true(mkdirat(fixture->fd, part + 1, 0755) == 0 || errno == EEXIST);
	}
}

static void configure(struct fixture *fixture, const char *match)
{
	struct diagnostics diagnostics = {0};

	assert_int_equal(config_of_match(match, &fixture->config, &diagnostics), 0);
	diagnostics_done(&diagnostics);
	census_init(&fixture->census, &fixture->config, fixture->fd);
}

static uint64_t id_of(const struct fixture *fixture, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(fixture->fd, path + 1, &st, 0), 0);
	return st.st_ino;
}

static void test_walk(void **state)
{
	static const char *const paths[] = {
		"/a.slice/fenced/one",
		"/a.slice/fenced/two/deep/er",
		"/a.slice/fenced/.hidden",
		"/a.slice/beside/x",
		"/other",
	};
	static const char *const expected[] = {
		"/",
		"/a.slice",
		"/a.slice/fenced",
		"/a.slice/fenced/one",
		"/a.slice/fenced/two",
		"/a.slice/fenced/two/deep",
		"/a.slice/fenced/two/deep/er",
		"/a.slice/fenced/.hidden",
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		make(fixture, paths[i]);
	assert_int_equal(
		close(openat(fixture->fd, "a.slice/fenced/file", O_CREAT | O_WRONLY, 0644)), 0);
	configure(fixture, "cgroup: ['/a.slice/*/two', /a.slice/beside]");
	assert_int_equal(census_fill(&fixture->census, "/a.slice/fenced/", &fixture->subjects), 0);
	assert_int_equal(fixture->census.length, ARRAY_LEN(expected));
	for (size_t i = 1; i < ARRAY_LEN(expected); i++) {
		const struct census_cgroup *cgroup =
			census_find(&fixture->census, id_of(fixture, expected[i]));

		assert_non_null(cgroup);
		assert_string_equal(cgroup->path, expected[i]);
		assert_int_equal(cgroup->round, fixture->census.round);
	}
	assert_int_equal(fixture->subjects.length, 1);
	assert_int_equal(fixture->subjects.list[0].cgroup_id,
			 id_of(fixture, "/a.slice/fenced/two"));
	assert_int_equal(fixture->subjects.list[0].level, 3);
	assert_int_equal(census_fill(&fixture->census, "/a.slice/gone", &fixture->subjects),
			 -ENOENT);
}

/* As deep as a policy may name, and no deeper. */
static void test_depth(void **state)
{
	struct fixture *fixture = *state;
	char path[512] = "";

	for (int i = 0; i < 60; i++)
		strcat(path, "/d");
	make(fixture, path);
	configure(fixture, "cgroup: /none");
	assert_int_equal(census_fill(&fixture->census, "/", &fixture->subjects), 0);
	assert_int_equal(fixture->census.length, DF_LEVEL_MAX);
}

static void test_list(void **state)
{
	struct fixture *fixture = *state;
	struct census *census = &fixture->census;
	struct cgroup_found found = {.path = "/x", .level = 1};
	bool fresh;

	configure(fixture, "cgroup: /none");
	for (uint64_t i = 0; i < 1000; i++) {
		found.id = i * 7919 % 1000 + 1;
		assert_non_null(census_meet(census, &found, &fresh));
		assert_true(fresh);
	}
	assert_int_equal(census->length, 1000);
	assert_non_null(census_meet(census, &found, &fresh));
	assert_false(fresh);
	for (uint64_t i = 1; i <= 1000; i += 2)
		census_remove(census, i);
	census_remove(census, 1); /* no more */
	census_remove(census, 5000);
	assert_int_equal(census->length, 500);
	for (uint64_t i = 1; i <= 1000; i++)
		assert_int_equal(census_find(census, i) != NULL, i % 2 == 0);
}

#define HEX64 "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970"

static int read_nothing(void *context, const struct census_cgroup *cgroup,
			const struct identity *identity, uint32_t owner, struct facts **ret)
{
	unsigned int *asked = context;

	(void)cgroup;
	(void)identity;
	(void)owner;
	(void)ret;
	++*asked;
	return -ENOENT;
}

/* Files are asked for containers alone, and only while a policy wants to know. */
static void test_facts(void **state)
{
	struct fixture *fixture = *state;
	struct census *census = &fixture->census;
	unsigned int asked = 0, waiting = 0;

	make(fixture, "/lxc.payload.web/init.scope"); /* below it nothing can begin */
	make(fixture, "/lxc.payload.db");
	make(fixture, "/system.slice/a.service");
	configure(fixture, "container: {name: web}");
	census->facts = (struct facts_source){read_nothing, &asked};
	assert_int_equal(census_fill(census, "/", &fixture->subjects), 0);
	assert_int_equal(asked, 2);
	for (size_t i = 0; i < census->length; i++)
		waiting += census->list[i]->waiting;
	assert_int_equal(waiting, 2);
	assert_int_equal(fixture->subjects.length, 0);
}

/* The path alone, so far: the rest may come. */
static int read_part(void *context, const struct census_cgroup *cgroup,
		     const struct identity *identity, uint32_t owner, struct facts **ret)
{
	struct facts_draft draft;

	facts_draft_init(&draft, identity, cgroup->path);
	draft.owner = owner;
	assert_int_equal(facts_pack(&draft, ret), 0);
	return *(int *)context;
}

/* What a part of the facts does not say is unknown, and an entry that is there stays; see live.c.
 */
static void test_part(void **state)
{
	struct fixture *fixture = *state;
	struct census *census = &fixture->census;
	struct census_cgroup *cgroup = NULL;
	struct rank_set unknown;
	int answer = -EAGAIN;

	make(fixture, "/system.slice/docker-" HEX64 ".scope");
	configure(fixture, "container: {name: web}");
	census->facts = (struct facts_source){read_part, &answer};
	assert_int_equal(census_fill(census, "/", &fixture->subjects), 0);
	for (size_t i = 0; i < census->length; i++)
		if (census->list[i]->waiting)
			cgroup = census->list[i];
	assert_non_null(cgroup);
	assert_int_equal(census_judge(census, cgroup, &fixture->subjects, &unknown), 0);
	assert_true(cgroup->waiting);
	assert_false(rank_set_is_empty(&unknown));
	answer = 0; /* that was all */
	assert_int_equal(census_judge(census, cgroup, &fixture->subjects, &unknown), 0);
	assert_false(cgroup->waiting);
	assert_true(rank_set_is_empty(&unknown));
	assert_int_equal(fixture->subjects.length, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_walk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_depth, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_facts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_part, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
