// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/runtimes.c, runtime_files.c and runtime_json.c: files that are broken, huge, half
 * written or somebody else's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "userspace/runtime_json.h"
#include "runtimes_fixture.h"

static void test_broken(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} cases[] = {
		{"", "no JSON"},
		{"{", "no JSON"},
		{"null", "no JSON"},
		{"{\"ID\":\"" ID "\",\"Config\":{\"Image\":\"x\"},\"Name\":\"/we", "no JSON"},
		{"[]", "no container's"},
		{"{}", "no container's"},
		{"{\"ID\":\"" ID "\",\"Name\":\"/web\",\"Config\":7}", "no container's"},
		{"{\"ID\":\"" OTHER "\",\"Name\":\"/web\",\"Config\":{}}", "another container"},
		{"{\"ID\":7,\"Name\":\"/web\",\"Config\":{}}", "another container"},
		{"{\"ID\":\"" ID "\",\"Config\":{}}", "no name"},
		{"{\"ID\":\"" ID "\",\"Name\":\"/\",\"Config\":{}}", "no name"},
		{"{\"ID\":\"" ID "\",\"Name\":[\"/web\"],\"Config\":{}}", "no name"},
		{DOCKER("/../../x", "{}"), "name that no container"},
		{DOCKER("../../x", "{}"), "name that no container"},
		{DOCKER("/web 1", "{}"), "name that no container"},
		{DOCKER("/-web", "{}"), "name that no container"},
		{DOCKER("/web\\n04:42 DENIED", "{}"), "name that no container"},
		{DOCKER("/web\\u0000x", "{}"), "name that no container"},
		{DOCKER("/web\\u202ex", "{}"), "name that no container"},
		{DOCKER("/w\xff"
			"b",
			"{}"),
		 "no JSON"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		put(DOCKER_FILE, cases[i].text);
		assert_int_equal(ask("/docker/" ID), -EPROTO);
		assert_null(facts);
		expect_problem(DOCKER_FILE, cases[i].says);
	}
	put(DOCKER_FILE, DOCKER("/web", "{}"));
	assert_int_equal(ask("/docker/" ID), 0);
}

/* Every piece of a file that somebody is just writing: the whole truth, or nothing. */
static void test_half_written(void **state)
{
	const char *text = DOCKER("/web-1", "{\"app\":\"web\"}");

	(void)state;
	for (size_t length = 0; length < strlen(text); length += 7) {
		put_bytes(DOCKER_FILE, text, length);
		assert_int_equal(ask("/docker/" ID), -EPROTO);
		assert_null(facts);
	}
}

static void test_labels_left_out(void **state)
{
	size_t size = 10u << 20;
	char *huge = malloc(size), *text;

	(void)state;
	memset(huge, 'x', size - 1);
	huge[size - 1] = 0;
	assert_true(asprintf(&text,
			     DOCKER("/web",
				    "{\"app\":\"web\",\"huge\":\"%s\",\"nul\":\"a\\u0000b\","
				    "\"line\":\"a\\nb\",\"esc\":\"\\u001b[2J\",\"c1\":"
				    "\"\\u009b\",\"number\":7,\"\":\"x\",\"last\":\"\xc3\xa9\"}"),
			     huge) > 0);
	put(DOCKER_FILE, text);
	assert_int_equal(ask("/docker/" ID), 0);
	assert_string_equal(facts->container.name, "web");
	assert_int_equal(facts->container.labels.length, 2);
	expect_label(&facts->container.labels, "app", "web");
	expect_label(&facts->container.labels, "last", "\xc3\xa9");
	assert_true(facts->bytes < 2048);
	expect_problem(DOCKER_FILE, "labels");
	free(text);
	free(huge);
	runtimes_idle(runtimes);
}

static void test_many_labels(void **state)
{
	char text[64 << 10], *at = text;

	(void)state;
	at = stpcpy(at, "{\"ID\":\"" ID
			"\",\"Name\":\"/web\",\"Config\":{\"Image\":\"x\",\"Labels\":{");
	for (int i = 0; i < 1000; i++)
		at += sprintf(at, "%s\"key%d\":\"value%d\"", i ? "," : "", i, i);
	strcpy(at, "}}}");
	put(DOCKER_FILE, text);
	assert_int_equal(ask("/docker/" ID), 0);
	assert_int_equal(facts->container.labels.length, FACT_LABELS_MAX);
	expect_problem(DOCKER_FILE, "too many");
}

static void test_too_large(void **state)
{
	(void)state;
	put(DOCKER_FILE, DOCKER("/web", "{}"));
	assert_int_equal(truncate(under(DOCKER_FILE), (off_t)RUNTIMES_FILE_MAX + 1), 0);
	assert_int_equal(ask("/docker/" ID), -EFBIG);
	expect_problem(DOCKER_FILE, "16 MiB");
	/* Behind the JSON nothing but zeroes is no JSON. */
	assert_int_equal(truncate(under(DOCKER_FILE), (off_t)RUNTIMES_FILE_MAX), 0);
	assert_int_equal(ask("/docker/" ID), -EPROTO);
}

/* Users' files together take so long and no longer; the system's are read in any case. */
static void test_limit_of_users(void **state)
{
	const char *path = "/docker/" ID;
	struct identity identity;
	struct runtimes_problem said;
	struct facts *read = NULL;

	(void)state;
	put(DOCKER_FILE, DOCKER("/web", "{}"));
	identity_of_path(path, &identity);
	runtimes_limit_users(runtimes, 1); /* us */
	for (int i = 0; i < 100; i++) {
		int r = runtimes_read(runtimes, &identity, path, 1000, &read, &said);

		assert_true(r == -ENOENT || r == -ETIMEDOUT || i < 99);
		if (r == 0 || r == -EAGAIN)
			facts_unref(read);
	}
	assert_int_equal(runtimes_read(runtimes, &identity, path, 1000, &read, &said), -ETIMEDOUT);
	assert_non_null(strstr(said.text, "too long"));
	assert_int_equal(runtimes_read(runtimes, &identity, path, 0, &read, &said), 0);
	assert_string_equal(read->container.name, "web");
	facts_unref(read);
	runtimes_limit_users(runtimes, 0);
}

/* A list of as many values, itself and commas counted, and one more. */
static void test_many_values(void **state)
{
	const size_t count = RUNTIME_JSON_VALUES_OF_USER - 1;
	char *text = malloc(2 * count + 4), *at = text;
	struct json_t *list = NULL;
	const char *what = NULL;

	(void)state;
	assert_non_null(text);
	*at++ = '[';
	for (size_t i = 0; i < count; i++)
		at = stpcpy(at, i ? ",0" : "0");
	strcpy(at, "]");
	assert_int_equal(
		runtime_json_load(text, strlen(text), RUNTIME_JSON_VALUES_OF_USER, &list, &what),
		0);
	runtime_json_done(&list);
	strcpy(at, ",0]");
	assert_int_equal(
		runtime_json_load(text, strlen(text), RUNTIME_JSON_VALUES_OF_USER, &list, &what),
		-EPROTO);
	assert_non_null(strstr(what, "more values"));
	/* A file of the system's may have them; one that has too many says so. */
	put(DOCKER_FILE, text);
	assert_int_equal(ask("/docker/" ID), -EPROTO);
	expect_problem(DOCKER_FILE, "no container's");
	text = realloc(text, 3 * RUNTIME_JSON_VALUES + 4);
	assert_non_null(text);
	at = stpcpy(text, "[0");
	for (size_t i = 0; i < RUNTIME_JSON_VALUES; i++)
		at = stpcpy(at, ",{}");
	strcpy(at, "]");
	put(DOCKER_FILE, text);
	assert_int_equal(ask("/docker/" ID), -EPROTO);
	expect_problem(DOCKER_FILE, "more values");
	free(text);
	runtimes_idle(runtimes);
}

static void test_deep(void **state)
{
	size_t size = 1u << 20;
	char *text = malloc(size);

	(void)state;
	memset(text, '[', size);
	put_bytes(DOCKER_FILE, text, size);
	assert_int_equal(ask("/docker/" ID), -EPROTO);
	for (size_t i = 0; i + 5 < size; i += 5)
		memcpy(text + i, "{\"a\":", 5);
	put_bytes(DOCKER_FILE, text, size);
	assert_int_equal(ask("/docker/" ID), -EPROTO);
	/* A text within, as CRI-O has them. */
	memset(text, '[', 4000);
	memcpy(text, "{\"annotations\":{\"io.kubernetes.cri-o.Labels\":\"", 46);
	memcpy(text + 4000, "\"}}", 3);
	put_bytes(CRIO_FILE(ID), text, 4003);
	assert_int_equal(ask(POD "/crio-" ID ".scope"), -EPROTO);
	free(text);
}

static void test_no_regular_file(void **state)
{
	(void)state;
	make_parents(DOCKER_FILE);
	assert_int_equal(mkfifo(under(DOCKER_FILE), 0600), 0);
	assert_int_equal(ask("/docker/" ID), -EPROTO);
	expect_problem(DOCKER_FILE, "no regular file");
	assert_int_equal(remove(under(DOCKER_FILE)), 0);
	assert_int_equal(mkdir(under(DOCKER_FILE), 0700), 0);
	assert_int_equal(ask("/docker/" ID), -EPROTO);
	assert_int_equal(remove(under(DOCKER_FILE)), 0);
	assert_int_equal(symlink("/dev/zero", under(DOCKER_FILE)), 0);
	assert_int_equal(ask("/docker/" ID), -ELOOP);
	expect_problem(DOCKER_FILE, "symbolic link");
}

static void test_links(void **state)
{
	(void)state;
	/* The configured directory may be a link of the host's: inside of its root. */
	put("/data/docker/containers/" ID "/config.v2.json", DOCKER("/web", "{}"));
	make_parents("/var/lib/x");
	assert_int_equal(symlink("/data/docker", under("/var/lib/docker")), 0);
	assert_int_equal(ask("/docker/" ID), 0);
	assert_string_equal(facts->container.name, "web");
	/* What is below may not lead anywhere. */
	put("/data/docker/elsewhere/config.v2.json", DOCKER("/web", "{}"));
	assert_int_equal(symlink("../elsewhere", under("/data/docker/containers/" OTHER)), 0);
	assert_int_equal(ask("/docker/" OTHER), -ELOOP);
}

static void test_storage_hostile(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[",
		"[{\"id\":\"" ID "\"}]",
		"[{\"id\":\"" ID "\",\"names\":[7]}]",
		"[{\"id\":\"" ID "\",\"names\":[\"../../x\"]}]",
		"[{\"id\":\"" ID "\",\"names\":[\"\"]}]",
		"[{\"id\":\"" ID "\",\"metadata\":\"{\\\"name\\\":\\\"../x\\\"}\"}]",
		"[{\"id\":\"" ID "\",\"metadata\":\"{\"}]",
		"[{\"id\":\"" ID "\",\"metadata\":\"[]\"}]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		put(STORAGE "/containers.json", texts[i]);
		assert_int_equal(ask("/machine.slice/libpod-" ID ".scope"), -EPROTO);
		assert_null(facts);
		expect_problem("containers.json", "");
	}
	put(STORAGE "/containers.json", "[7,null,{\"id\":{}},{\"id\":\"x\"}]");
	assert_int_equal(ask("/machine.slice/libpod-" ID ".scope"), -ENOENT);
	/* A broken list does not hide the other one. */
	put(STORAGE "/containers.json", "[");
	put(STORAGE "/volatile-containers.json", "[" STORED(ID, "tmp", "busybox") "]");
	assert_int_equal(ask("/machine.slice/libpod-" ID ".scope"), 0);
	assert_string_equal(facts->container.name, "tmp");
	expect_problem("containers.json", "no JSON");
}

static void test_pod_claimed(void **state)
{
	(void)state;
	/* Whoever may start containers may label them; a pod is where the kubelet put it. */
	put(DOCKER_FILE, DOCKER("/web", "{\"io.kubernetes.pod.namespace\":\"kube-system\","
					"\"io.kubernetes.pod.name\":\"coredns\"}"));
	assert_int_equal(ask("/docker/" ID), 0);
	expect_pod("", "");
	put(TASKS "/default/" ID "/config.json",
	    BUNDLE(NERDCTL ",\"io.kubernetes.pod.name\":\"x\""));
	assert_int_equal(ask("/default/" ID), 0);
	expect_pod("", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_broken),          TEST(test_half_written),
		TEST(test_labels_left_out), TEST(test_many_labels),
		TEST(test_too_large),       TEST(test_limit_of_users),
		TEST(test_many_values),     TEST(test_deep),
		TEST(test_no_regular_file), TEST(test_links),
		TEST(test_storage_hostile), TEST(test_pod_claimed),
	};

	return cmocka_run_group_tests_name("runtimes_hostile", tests, NULL, NULL);
}
