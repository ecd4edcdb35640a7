// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/catalog.c with readers of the test's own, which can be late, wrong, or never come back;
 * and once with real files and /proc.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "userspace/catalog.h"

#define ID "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970"
#define DOCKER_PATH "/docker/" ID

/* What the readers do; one lock for all of it, as the catalog's threads call them. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t released;
	bool hang_system, hang_users, hang_processes; /* until released */
	bool changed;
	int result; /* of read() */
	char name[FACT_NAME_MAX];
	const char *problem;
	uint64_t problem_state;
	size_t label_bytes;
	int reads, process_reads, reports;
	uint32_t owner; /* of the directories that cgroups are made in */
} world = {.lock = PTHREAD_MUTEX_INITIALIZER, .released = PTHREAD_COND_INITIALIZER};

static char mount[64];
static int mount_fd = -1;
static struct catalog *catalog;
static struct facts *facts;
static const struct runtime_roots roots;

static void hang_while(const bool *flag)
{
	while (*flag)
		pthread_cond_wait(&world.released, &world.lock);
}

static void set(bool *flag, bool value)
{
	pthread_mutex_lock(&world.lock);
	*flag = value;
	pthread_cond_broadcast(&world.released);
	pthread_mutex_unlock(&world.lock);
}

static void say(int result, const char *name)
{
	pthread_mutex_lock(&world.lock);
	world.result = result;
	snprintf(world.name, sizeof(world.name), "%s", name);
	pthread_mutex_unlock(&world.lock);
}

static void own(uint32_t owner)
{
	pthread_mutex_lock(&world.lock);
	world.owner = owner;
	pthread_mutex_unlock(&world.lock);
}

static int get(const int *number)
{
	int value;

	pthread_mutex_lock(&world.lock);
	value = *number;
	pthread_mutex_unlock(&world.lock);
	return value;
}

static int draft_labels(struct facts_draft *draft, size_t bytes)
{
	char value[FACT_LABEL_MAX], key[16];

	memset(value, 'x', sizeof(value));
	for (size_t i = 0; i * 4000 < bytes; i++) {
		snprintf(key, sizeof(key), "k%zu", i);
		(void)draft_labels_add(&draft->labels, key, strlen(key), value, 4000);
	}
	return 0;
}

static uint32_t test_owner(void *context, int fd, const char *path, const struct identity *identity)
{
	uint32_t owner;

	(void)context;
	(void)fd;
	(void)path;
	(void)identity;
	pthread_mutex_lock(&world.lock);
	owner = world.owner;
	pthread_mutex_unlock(&world.lock);
	return owner;
}

static int test_read(void *context, struct runtimes *runtimes, const struct identity *identity,
		     const char *path, uint32_t owner, struct facts **ret,
		     struct runtimes_problem *problem)
{
	struct facts_draft draft;
	int r;

	(void)context;
	(void)runtimes;
	facts_draft_init(&draft, identity, path);
	draft.owner = owner;
	pthread_mutex_lock(&world.lock);
	world.reads++;
	hang_while(owner ? &world.hang_users : &world.hang_system);
	r = world.result;
	snprintf(draft.name, sizeof(draft.name), "%s", world.name);
	snprintf(draft.source, sizeof(draft.source), "/file");
	if (world.problem)
		snprintf(problem->text, sizeof(problem->text), "%s", world.problem);
	problem->state = world.problem_state;
	draft_labels(&draft, world.label_bytes);
	pthread_mutex_unlock(&world.lock);
	if (r == 0 || r == -EAGAIN)
		assert_int_equal(facts_pack(&draft, ret), 0);
	facts_draft_done(&draft);
	return r;
}

static bool test_changed(void *context, struct runtimes *runtimes, const struct facts *about)
{
	bool changed;

	(void)context;
	(void)runtimes;
	(void)about;
	pthread_mutex_lock(&world.lock);
	hang_while(&world.hang_system);
	changed = world.changed;
	pthread_mutex_unlock(&world.lock);
	return changed;
}

static int test_read_process(void *context, uint32_t pid, struct ancestry **ret)
{
	(void)context;
	pthread_mutex_lock(&world.lock);
	world.process_reads++;
	hang_while(&world.hang_processes);
	pthread_mutex_unlock(&world.lock);
	*ret = ancestry_blank(pid);
	return 0;
}

static void test_report(void *context, const char *text)
{
	(void)context;
	(void)text;
	pthread_mutex_lock(&world.lock);
	world.reports++;
	pthread_mutex_unlock(&world.lock);
}

static void make_dir(const char *path)
{
	char full[400];

	snprintf(full, sizeof(full), "%s%s", mount, path);
	assert_int_equal(mkdir(full, 0755), 0);
}

static void start(uint32_t cgroups, size_t bytes)
{
	struct catalog_options options = {
		.roots = &roots,
		.mount_fd = mount_fd,
		.cgroups = cgroups,
		.bytes = bytes,
		.owner = test_owner,
		.read = test_read,
		.changed = test_changed,
		.read_process = test_read_process,
		.report = test_report,
	};

	assert_int_equal(catalog_new(&options, &catalog), 0);
}

static int begin(void **state)
{
	(void)state;
	world.hang_system = world.hang_users = world.hang_processes = world.changed = false;
	world.result = world.reads = world.process_reads = world.reports = 0;
	world.label_bytes = 0;
	world.problem = NULL;
	world.problem_state = 1;
	snprintf(world.name, sizeof(world.name), "web");
	strcpy(mount, "/tmp/test-catalog.XXXXXX");
	if (!mkdtemp(mount))
		return -1;
	mount_fd = open(mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	world.owner = 0;
	start(0, 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	set(&world.hang_system, false);
	set(&world.hang_users, false);
	set(&world.hang_processes, false);
	facts_unref(facts);
	facts = NULL;
	catalog_free(catalog);
	catalog = NULL;
	close(mount_fd);
	return rmdir(mount);
}

static int ask(uint64_t id, const char *path, int wait_ms)
{
	facts_unref(facts);
	facts = NULL;
	return catalog_ask(catalog, id, path, wait_ms, &facts);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until asking gives that, at most that long; asking itself does not wait. */
static bool comes(uint64_t id, int result, const char *name, int ms)
{
	int64_t until = now_ms() + ms;

	while (now_ms() < until) {
		if (ask(id, NULL, 0) == result && strcmp(facts->container.name, name) == 0)
			return true;
		usleep(1000);
	}
	return false;
}

static bool reaches(const int *number, int value, int ms)
{
	int64_t until = now_ms() + ms;

	while (now_ms() < until && get(number) < value)
		usleep(1000);
	return get(number) >= value;
}

static void expect_counts(uint64_t in_vain, bool late_system)
{
	struct catalog_counts counts;

	catalog_count(catalog, &counts);
	assert_int_equal(counts.waits_in_vain, in_vain);
	assert_int_equal(counts.late[0], late_system);
}

/* ------------------------------------------------------------------------------------------ */

static void test_path_alone(void **state)
{
	(void)state;
	assert_int_equal(ask(7, NULL, 100), -ENOENT);
	assert_null(facts);
	assert_int_equal(ask(7, "/system.slice/nginx.service", 0), 0);
	assert_string_equal(facts->unit, "nginx.service");
	assert_int_equal(facts->owner, 0);
	assert_int_equal(ask(7, NULL, 0), 0);
	assert_string_equal(facts->path, "/system.slice/nginx.service");
	assert_int_equal(get(&world.reads), 0);
	assert_int_equal(ask(0, "/", 0), -ENOENT);
}

static void test_first_answer(void **state)
{
	(void)state;
	assert_int_equal(ask(7, DOCKER_PATH, 2000), 0);
	assert_string_equal(facts->container.name, "web");
	assert_int_equal(ask(7, NULL, 0), 0);
	assert_int_equal(get(&world.reads), 1);
	expect_counts(0, false);
}

/* Without waiting: what the path says, nobody's to match, and later the rest. */
static void test_no_wait(void **state)
{
	uint64_t ids[4];
	bool lost;
	struct pollfd changes = {.fd = catalog_fd(catalog), .events = POLLIN};

	(void)state;
	set(&world.hang_system, true);
	assert_int_equal(ask(7, DOCKER_PATH, 0), -EAGAIN);
	assert_string_equal(facts->container.id, ID);
	assert_string_equal(facts->container.name, "");
	assert_int_equal(facts->owner, IDENTITY_NO_USER);
	assert_int_equal(poll(&changes, 1, 0), 0);
	set(&world.hang_system, false);
	assert_int_equal(poll(&changes, 1, 2000), 1);
	assert_int_equal(catalog_changes(catalog, ids, 4, &lost), 1);
	assert_int_equal(ids[0], 7);
	assert_false(lost);
	assert_int_equal(poll(&changes, 1, 0), 0);
	assert_int_equal(ask(7, NULL, 0), 0);
	assert_string_equal(facts->container.name, "web");
	assert_int_equal(facts->owner, 0);
}

/* A reading that does not end: one wait, once, however many ask; then it catches up. */
static void test_hang(void **state)
{
	int64_t begun;

	(void)state;
	assert_int_equal(ask(1, DOCKER_PATH, 2000), 0);
	set(&world.hang_system, true);
	begun = now_ms();
	assert_int_equal(ask(2, DOCKER_PATH, 50), -EAGAIN);
	assert_in_range(now_ms() - begun, 45, 10000);
	expect_counts(1, true);
	begun = now_ms();
	for (uint64_t id = 3; id < 1000; id++) {
		assert_int_equal(ask(id, DOCKER_PATH, 50), -EAGAIN);
		assert_string_equal(facts->container.id, ID);
	}
	assert_in_range(now_ms() - begun, 0, 10000); /* and not 50 s */
	expect_counts(1, true);
	/* What is known is told; the users' thread and that for processes are others. */
	assert_int_equal(ask(1, NULL, 50), 0);
	assert_string_equal(facts->container.name, "web");
	set(&world.hang_system, false);
	for (uint64_t id = 2; id < 1000; id++)
		assert_true(comes(id, 0, "web", 10000));
	usleep(100000);
	expect_counts(1, false);
	/* And it is waited for again. */
	assert_int_equal(ask(1000, DOCKER_PATH, 2000), 0);
}

static void test_hang_of_a_user(void **state)
{
	(void)state;
	set(&world.hang_users, true);
	/* A directory that was given to somebody: found out by the one thread, left to the other.
	 */
	own(1000);
	assert_int_equal(ask(1, DOCKER_PATH, 50), -EAGAIN);
	assert_true(reaches(&world.reads, 1, 10000)); /* by now the users' thread has it */
	own(0);
	assert_int_equal(ask(2, DOCKER_PATH, 2000), 0);
	assert_int_equal(facts->owner, 0);
	set(&world.hang_users, false);
	assert_true(comes(1, 0, "web", 10000));
	assert_int_equal(facts->owner, 1000);
}

static void test_hang_of_proc(void **state)
{
	struct ancestry *ancestry;
	int64_t begun;

	(void)state;
	set(&world.hang_processes, true);
	begun = now_ms();
	for (uint32_t pid = 1; pid < 2000; pid++) {
		assert_int_equal(catalog_ask_process(catalog, pid, "dig", 0, 20, &ancestry), 0);
		assert_int_equal(ancestry->pid, pid);
		assert_string_equal(ancestry->executable, "");
		ancestry_unref(ancestry);
	}
	assert_in_range(now_ms() - begun, 15, 10000); /* and not 40 s */
	assert_int_equal(ask(2, DOCKER_PATH, 2000), 0);
}

static int log2_of(int64_t number)
{
	int log = 0;

	while (number >>= 1)
		log++;
	return log;
}

/* Files that come late are looked for again, sooner and then less often. */
static void test_late_files(void **state)
{
	int64_t begun;
	int reads;

	(void)state;
	say(-ENOENT, "");
	assert_int_equal(ask(7, DOCKER_PATH, 2000), -EAGAIN);
	assert_int_equal(facts->owner, 0); /* that much is known */
	begun = now_ms();
	assert_true(reaches(&world.reads, 6, 10000)); /* after 1 + 2 + ... + 16 = 31 ms */
	usleep(100000);
	reads = get(&world.reads);
	assert_true(reads <= 2 + log2_of(now_ms() - begun + 100));
	say(0, "late");
	assert_true(comes(7, 0, "late", 10000));
	reads = get(&world.reads);
	usleep(50000);
	assert_int_equal(get(&world.reads), reads);
}

static void test_part(void **state)
{
	(void)state;
	say(-EAGAIN, "half");
	assert_int_equal(ask(7, DOCKER_PATH, 2000), -EAGAIN);
	assert_string_equal(facts->container.name, "half");
	say(0, "whole");
	assert_true(comes(7, 0, "whole", 10000));
}

/* Told once for each state of a file, whoever it is about; not while it is being written. */
static void test_broken_files(void **state)
{
	(void)state;
	world.problem = "/file: it is no JSON";
	world.problem_state = 0;
	say(-EPROTO, "");
	for (uint64_t id = 1; id <= 20; id++)
		assert_int_equal(ask(id, DOCKER_PATH, 2000), -EAGAIN);
	assert_int_equal(get(&world.reports), 0);
	pthread_mutex_lock(&world.lock);
	world.problem_state = 5;
	pthread_mutex_unlock(&world.lock);
	assert_true(reaches(&world.reports, 1, 10000));
	usleep(100000);
	assert_int_equal(get(&world.reports), 1);
	pthread_mutex_lock(&world.lock);
	world.problem_state = 6;
	pthread_mutex_unlock(&world.lock);
	assert_true(reaches(&world.reports, 2, 10000));
	usleep(100000);
	assert_int_equal(get(&world.reports), 2);
	world.problem = NULL;
	say(0, "mended");
	assert_true(comes(20, 0, "mended", 10000));
}

static void test_renamed(void **state)
{
	uint64_t ids[4];
	bool lost;

	(void)state;
	assert_int_equal(ask(7, DOCKER_PATH, 2000), 0);
	(void)catalog_changes(catalog, ids, 4, &lost);
	say(0, "renamed");
	catalog_recheck(catalog); /* the file is the same: not read */
	usleep(50000);
	assert_int_equal(get(&world.reads), 1);
	set(&world.changed, true);
	assert_int_equal(ask(7, NULL, 100), 0);
	assert_string_equal(facts->container.name, "web"); /* never waited for */
	catalog_recheck(catalog);
	assert_true(comes(7, 0, "renamed", 10000));
	assert_int_equal(catalog_changes(catalog, ids, 4, &lost), 1);
	assert_int_equal(ids[0], 7);
	/* Asking alone does it, too, once a second. */
	say(0, "again");
	assert_true(comes(7, 0, "again", 10000));
	/* A file that goes or breaks takes nothing away. */
	say(-ENOENT, "");
	catalog_recheck(catalog);
	usleep(50000);
	assert_int_equal(ask(7, NULL, 0), 0);
	assert_string_equal(facts->container.name, "again");
}

static bool is_kept(uint64_t id, const char *path, int ms)
{
	int64_t until = now_ms() + ms;

	while (now_ms() < until && ask(id, NULL, 0) == -ENOENT) {
		(void)ask(id, path, 0);
		usleep(1000);
	}
	return ask(id, NULL, 0) == 0;
}

static void test_eviction(void **state)
{
	struct catalog_counts counts;

	(void)state;
	catalog_free(catalog);
	start(64, 0);
	for (uint64_t id = 1; id <= 10000; id++) {
		assert_true(ask(id, DOCKER_PATH, 0) <= 0);
		assert_non_null(facts);
		assert_string_equal(facts->container.id, ID);
		if (id % 16 == 0)
			(void)ask(1, "/system.slice/kept.service", 0);
	}
	catalog_count(catalog, &counts);
	assert_in_range(counts.cgroups, 1, 64);
	assert_int_equal(ask(10001, "/system.slice/new.service", 0), 0);
	/* Places that wait for their turn are not taken: there may be none at first. */
	assert_true(is_kept(10001, "/system.slice/new.service", 10000));
	/* What has gone goes first. */
	catalog_forget(catalog, 10001);
	assert_int_equal(ask(10001, NULL, 0), 0);
	for (uint64_t id = 20000; id < 20064; id++)
		(void)ask(id, "/system.slice/x.service", 0);
	assert_int_equal(ask(10001, NULL, 0), -ENOENT);
}

/* Whoever makes more cgroups than are remembered, and files that are read for ever, takes no place
 * from those of the system. */
static void test_crowd_of_a_user(void **state)
{
	struct catalog_counts counts;

	(void)state;
	catalog_free(catalog);
	start(64, 0);
	set(&world.hang_users, true);
	own(1000);
	for (uint64_t id = 1; id <= 200; id++)
		(void)ask(id, DOCKER_PATH, 50);
	assert_true(reaches(&world.reads, 1, 10000));
	own(0);
	for (uint64_t id = 1000; id < 1040; id++) {
		assert_int_equal(ask(id, DOCKER_PATH, 2000), 0);
		assert_string_equal(facts->container.name, "web");
	}
	catalog_count(catalog, &counts);
	assert_in_range(counts.cgroups, 40, 64);
	set(&world.hang_users, false);
}

static void test_bytes(void **state)
{
	struct catalog_counts counts;

	(void)state;
	catalog_free(catalog);
	start(0, 1 << 20);
	world.label_bytes = 60000;
	for (uint64_t id = 1; id <= 200; id++)
		assert_int_equal(ask(id, DOCKER_PATH, 2000), 0);
	catalog_count(catalog, &counts);
	assert_in_range(counts.bytes, 100000, 1 << 20);
	assert_true(counts.evicted > 150);
	assert_int_equal(ask(200, NULL, 0), 0);
}

/* A thread that never comes back does not keep the program from ending. */
static void test_free_while_hanging(void **state)
{
	int64_t begun;
	static struct catalog *volatile left; /* for LeakSanitizer: it is left behind on purpose */

	(void)state;
	set(&world.hang_system, true);
	assert_int_equal(ask(7, DOCKER_PATH, 10), -EAGAIN);
	begun = now_ms();
	left = catalog;
	catalog_free(left);
	assert_in_range(now_ms() - begun, 400, 10000);
	/* It does in this test; what it finds is still there. */
	set(&world.hang_system, false);
	usleep(100000);
	start(0, 0);
}

struct crowd {
	uint64_t first;
	int failed;
};

static void *crowd_main(void *argument)
{
	struct crowd *crowd = argument;

	for (uint64_t i = 0; i < 4000; i++) {
		struct ancestry *ancestry = NULL;
		struct facts *got = NULL;
		uint64_t id = 1 + (crowd->first + i * 7) % 300;

		(void)catalog_ask(catalog, id, DOCKER_PATH, i % 5 ? 0 : 5, &got);
		crowd->failed += !got || strcmp(got->container.id, ID) != 0;
		facts_unref(got);
		(void)catalog_ask_process(catalog, (uint32_t)id, "dig", 0, 0, &ancestry);
		crowd->failed += !ancestry;
		ancestry_unref(ancestry);
		if (i % 50 == 0)
			catalog_recheck(catalog);
		if (i % 31 == 0)
			catalog_forget(catalog, id);
	}
	return NULL;
}

/* For ThreadSanitizer, above all. */
static void test_crowd(void **state)
{
	pthread_t threads[4];
	struct crowd crowds[4];

	(void)state;
	catalog_free(catalog);
	start(128, 0);
	set(&world.changed, true);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		crowds[i] = (struct crowd){.first = i * 37};
		assert_int_equal(pthread_create(&threads[i], NULL, crowd_main, &crowds[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(crowds[i].failed, 0);
	}
}

/* Processes: this one, its parent, and one that has gone. */
static void test_real_processes(void **state)
{
	struct catalog_options options = {.roots = &roots, .mount_fd = mount_fd};
	char executable[4096];
	struct ancestry *ancestry;
	ssize_t length = readlink("/proc/self/exe", executable, sizeof(executable) - 1);
	struct timespec now;
	pid_t child;

	(void)state;
	executable[length > 0 ? length : 0] = 0;
	catalog_free(catalog);
	assert_int_equal(catalog_new(&options, &catalog), 0);
	assert_int_equal(
		catalog_ask_process(catalog, (uint32_t)getpid(), "test", 0, 2000, &ancestry), 0);
	assert_string_equal(ancestry->executable, executable);
	assert_int_equal(ancestry->parent, getppid());
	assert_string_not_equal(ancestry->parent_name, "");
	ancestry_unref(ancestry);
	/* Seen before it began: another process had the number. */
	assert_int_equal(catalog_ask_process(catalog, (uint32_t)getpid(), "test", 1, 0, &ancestry),
			 0);
	assert_string_equal(ancestry->executable, "");
	ancestry_unref(ancestry);
	clock_gettime(CLOCK_BOOTTIME, &now);
	assert_int_equal(catalog_ask_process(catalog, (uint32_t)getpid(), "test",
					     (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, 0,
					     &ancestry),
			 0);
	assert_string_equal(ancestry->executable, executable);
	ancestry_unref(ancestry);
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	assert_int_equal(catalog_ask_process(catalog, (uint32_t)child, "child", 0, 2000, &ancestry),
			 0);
	assert_string_equal(ancestry->executable, executable);
	assert_string_equal(ancestry->parent_executable, executable);
	assert_int_equal(ancestry->parent, getpid());
	ancestry_unref(ancestry);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	/* It has gone; what was known of it is still. Another name, another process. */
	assert_int_equal(catalog_ask_process(catalog, (uint32_t)child, "child", 0, 2000, &ancestry),
			 0);
	assert_string_equal(ancestry->executable, executable);
	ancestry_unref(ancestry);
	assert_int_equal(catalog_ask_process(catalog, (uint32_t)child, "other", 0, 2000, &ancestry),
			 0);
	assert_string_equal(ancestry->executable, "");
	ancestry_unref(ancestry);
}

static void write_docker(const char *host, const char *name)
{
	char path[400], beside[420];
	FILE *file;

	snprintf(path, sizeof(path), "%s/var/lib/docker/containers/" ID "/config.v2.json", host);
	snprintf(beside, sizeof(beside), "%s.new", path);
	file = fopen(beside, "we");
	assert_non_null(file);
	fprintf(file, "{\"ID\":\"" ID "\",\"Name\":\"/%s\",\"Config\":{\"Image\":\"x\"}}", name);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(beside, path), 0);
}

static void test_real_files(void **state)
{
	static const char *const parts[] = {"/host",
					    "/host/var",
					    "/host/var/lib",
					    "/host/var/lib/docker",
					    "/host/var/lib/docker/containers",
					    "/host/var/lib/docker/containers/" ID};
	char host[128], file[400];
	struct runtime_roots at = {.host = host};
	struct catalog_options options = {.roots = &at, .owner = test_owner, .report = test_report};

	(void)state;
	snprintf(host, sizeof(host), "%s/host", mount);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		make_dir(parts[i]);
	catalog_free(catalog);
	assert_int_equal(catalog_new(&options, &catalog), 0);
	assert_int_equal(ask(7, DOCKER_PATH, 2000), -EAGAIN);
	write_docker(host, "web");
	assert_true(comes(7, 0, "web", 10000));
	write_docker(host, "renamed");
	catalog_recheck(catalog);
	assert_true(comes(7, 0, "renamed", 10000));
	snprintf(file, sizeof(file), "%s/var/lib/docker/containers/" ID "/config.v2.json", host);
	assert_int_equal(remove(file), 0);
	for (size_t i = ARRAY_LEN(parts); i-- > 0;) {
		snprintf(file, sizeof(file), "%s%s", mount, parts[i]);
		assert_int_equal(rmdir(file), 0);
	}
	assert_int_equal(get(&world.reports), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_path_alone),     TEST(test_first_answer),
		TEST(test_no_wait),        TEST(test_hang),
		TEST(test_hang_of_a_user), TEST(test_hang_of_proc),
		TEST(test_late_files),     TEST(test_part),
		TEST(test_broken_files),   TEST(test_renamed),
		TEST(test_eviction),       TEST(test_crowd_of_a_user),
		TEST(test_bytes),          TEST(test_free_while_hanging),
		TEST(test_crowd),          TEST(test_real_processes),
		TEST(test_real_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
