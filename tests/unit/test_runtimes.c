// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/runtimes.c and runtime_json.c: the files of each runtime, the system's and users' own,
 * in the shapes they have on hosts. Broken and hostile ones: test_runtimes_hostile.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "runtimes_fixture.h"

/* Each runtime ------------------------------------------------------------------------------ */

static void test_docker(void **state)
{
	(void)state;
	assert_int_equal(ask("/docker/" ID), -ENOENT);
	assert_string_equal(problem.text, "");
	put(DOCKER_FILE, DOCKER("/web-1", "{\"app\":\"web\",\"tier\":\"front\"}"));
	assert_int_equal(ask("/docker/" ID), 0);
	expect_facts(RUNTIME_DOCKER, "web-1", "registry.example.org/web:1.2");
	assert_string_equal(facts->container.id, ID);
	assert_string_equal(facts->path, "/docker/" ID);
	assert_int_equal(facts->container.labels.length, 2);
	expect_label(&facts->container.labels, "app", "web");
	expect_label(&facts->container.labels, "tier", "front");
	expect_label(&facts->container.labels, "none", NULL);
	assert_string_equal(problem.text, "");
	/* The systemd driver, a parent of the user's, a process in a cgroup below. */
	assert_int_equal(ask("/system.slice/docker-" ID ".scope"), 0);
	assert_string_equal(facts->container.name, "web-1");
	assert_int_equal(ask("/system.slice/docker-" ID ".scope/init"), 0);
	assert_string_equal(facts->container.name, "web-1");
	assert_int_equal(ask("/mine/" ID), 0);
	expect_facts(RUNTIME_DOCKER, "web-1", "registry.example.org/web:1.2");
	/* Another one is not there; no labels are none. */
	assert_int_equal(ask("/docker/" OTHER), -ENOENT);
	put(DOCKER_FILE, DOCKER("/web-1", "null"));
	assert_int_equal(ask("/docker/" ID), 0);
	assert_int_equal(facts->container.labels.length, 0);
}

static void test_docker_renamed(void **state)
{
	char beside[1024];

	(void)state;
	put(DOCKER_FILE, DOCKER("/before", "{}"));
	settle();
	assert_int_equal(ask("/docker/" ID), 0);
	assert_string_equal(facts->container.name, "before");
	assert_false(runtimes_changed(runtimes, facts));
	/* As Docker writes: beside, and renamed over. */
	put("/var/lib/docker/containers/" ID "/new", DOCKER("/after", "{}"));
	snprintf(beside, sizeof(beside), "%s/var/lib/docker/containers/" ID "/new", root);
	assert_int_equal(rename(beside, under(DOCKER_FILE)), 0);
	assert_true(runtimes_changed(runtimes, facts));
	assert_int_equal(ask("/docker/" ID), 0);
	assert_string_equal(facts->container.name, "after");
	/* Within the grain of the time stamps nothing is sure. */
	assert_true(runtimes_changed(runtimes, facts));
}

static void test_containerd(void **state)
{
	(void)state;
	put(TASKS "/k8s.io/" ID "/config.json", BUNDLE(CRI(UID)));
	assert_int_equal(ask(POD "/cri-containerd-" ID ".scope"), 0);
	expect_facts(RUNTIME_CONTAINERD, "nginx", "docker.io/library/nginx:1.27");
	expect_pod("prod", "web-7848d4b86f-xztfp");
	assert_int_equal(ask("/kubepods/besteffort/pod" UID "/" ID), 0);
	expect_pod("prod", "web-7848d4b86f-xztfp");
	/* Outside of the kubelet's tree a container is no pod's, whatever it says. */
	assert_int_equal(ask("/system.slice/cri-containerd-" ID ".scope"), 0);
	assert_string_equal(facts->container.name, "nginx");
	expect_pod("", "");
	/* The pause container has no name of its own. */
	put(TASKS "/k8s.io/" SANDBOX "/config.json",
	    BUNDLE("\"io.kubernetes.cri.container-type\":\"sandbox\","
		   "\"io.kubernetes.cri.sandbox-name\":\"web-7848d4b86f-xztfp\","
		   "\"io.kubernetes.cri.sandbox-namespace\":\"prod\""));
	assert_int_equal(ask(POD "/cri-containerd-" SANDBOX ".scope"), 0);
	expect_facts(RUNTIME_CONTAINERD, "", "");
	expect_pod("prod", "web-7848d4b86f-xztfp");
	/* A pod of another uid is not this one. */
	put(TASKS "/k8s.io/" ID "/config.json", BUNDLE(CRI("bbbb2b4a-f398")));
	assert_int_equal(ask(POD "/cri-containerd-" ID ".scope"), -EPROTO);
	expect_problem(ID, "another pod");
}

static void test_containerd_elsewhere(void **state)
{
	struct runtime_roots roots = {.host = root};
	struct word words[] = {{.text = (char *)"/data/containerd"}};

	(void)state;
	put("/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/" ID "/config.json",
	    BUNDLE(CRI(UID)));
	assert_int_equal(ask(POD "/cri-containerd-" ID ".scope"), 0);
	assert_string_equal(facts->container.name, "nginx");
	/* A list in the configuration is the whole list. */
	runtimes_free(runtimes);
	roots.containerd = (struct words){words, 1};
	assert_int_equal(runtimes_new(&roots, &runtimes), 0);
	assert_int_equal(ask(POD "/cri-containerd-" ID ".scope"), -ENOENT);
	put("/data/containerd/io.containerd.runtime.v2.task/k8s.io/" ID "/config.json",
	    BUNDLE(CRI(UID)));
	assert_int_equal(ask(POD "/cri-containerd-" ID ".scope"), 0);
}

static void test_nerdctl(void **state)
{
	(void)state;
	put(TASKS "/moby/" ID "/config.json", BUNDLE("\"x\":\"y\"")); /* Docker's: no names */
	assert_int_equal(ask("/system.slice/nerdctl-" ID ".scope"), -ENOENT);
	put(TASKS "/default/" ID "/config.json", BUNDLE(NERDCTL));
	assert_int_equal(ask("/system.slice/nerdctl-" ID ".scope"), 0);
	expect_facts(RUNTIME_NERDCTL, "web-1", "");
	assert_int_equal(facts->container.labels.length, 1);
	expect_label(&facts->container.labels, "com.example.app", "web");
	assert_int_equal(ask("/default/" ID), 0);
	assert_string_equal(facts->container.name, "web-1");
}

static void test_crio(void **state)
{
	(void)state;
	put(CRIO_FILE(ID), BUNDLE(CRIO("container", "app", "")));
	put(CRIO_FILE(SANDBOX),
	    BUNDLE(CRIO("sandbox", "POD", ",\\\"app\\\":\\\"web\\\",\\\"run\\\":\\\"x\\\"")));
	assert_int_equal(ask(POD "/crio-" ID ".scope/container"), 0);
	expect_facts(RUNTIME_CRIO, "app", "registry.example.org/app:3");
	/* By the kubelet's labels, not by annotations of the same names. */
	expect_pod("prod", "web-0");
	assert_int_equal(facts->pod.labels.length, 2);
	expect_label(&facts->pod.labels, "app", "web");
	expect_label(&facts->pod.labels, "run", "x");
	assert_int_equal(ask("/kubepods/besteffort/pod" UID "/crio-" ID), 0);
	assert_string_equal(facts->container.name, "app");
	/* Without the sandbox, without the pod's labels. */
	assert_int_equal(remove(under(CRIO_FILE(SANDBOX))), 0);
	assert_int_equal(ask(POD "/crio-" ID ".scope"), 0);
	assert_int_equal(facts->pod.labels.length, 0);
	/* The static directory has the same file. */
	put(STORAGE "/" OTHER "/userdata/config.json", BUNDLE(CRIO("container", "app2", "")));
	assert_int_equal(ask(POD "/crio-" OTHER ".scope"), 0);
	assert_string_equal(facts->container.name, "app2");
}

static void test_podman(void **state)
{
	(void)state;
	assert_int_equal(ask("/machine.slice/libpod-" ID ".scope/container"), -ENOENT);
	put(STORAGE "/containers.json",
	    "[" STORED(OTHER, "db", "docker.io/library/postgres:14") "," STORED(
		    ID, "stoic_cerf", "quay.io/centos7/httpd-24-centos7:latest") "]");
	assert_int_equal(ask("/machine.slice/libpod-" ID ".scope/container"), 0);
	expect_facts(RUNTIME_PODMAN, "stoic_cerf", "quay.io/centos7/httpd-24-centos7:latest");
	assert_int_equal(ask("/libpod_parent/libpod-" OTHER), 0);
	assert_string_equal(facts->container.name, "db");
	assert_int_equal(ask("/system.slice/web.service/libpod-payload-" ID), 0);
	assert_string_equal(facts->container.name, "stoic_cerf");
	/* podman run --rm: beside the list, in one of its own. */
	assert_int_equal(ask("/machine.slice/libpod-" SANDBOX ".scope"), -ENOENT);
	put(STORAGE "/volatile-containers.json", "[" STORED(SANDBOX, "tmp", "busybox") "]");
	assert_int_equal(ask("/machine.slice/libpod-" SANDBOX ".scope"), 0);
	assert_string_equal(facts->container.name, "tmp");
	assert_int_equal(facts->container.labels.length, 0);
}

/* One list, many containers: parsed once while it stays the same, anew when it does not. */
static void test_podman_list_again(void **state)
{
	(void)state;
	put(STORAGE "/containers.json", "[" STORED(ID, "a", "x") "]");
	settle();
	assert_int_equal(ask("/machine.slice/libpod-" ID ".scope"), 0);
	assert_int_equal(ask("/machine.slice/libpod-" ID ".scope"), 0);
	put(STORAGE "/containers.json", "[" STORED(ID, "b", "x") "]");
	assert_int_equal(ask("/machine.slice/libpod-" ID ".scope"), 0);
	assert_string_equal(facts->container.name, "b");
	put(STORAGE "/containers.json", "[" STORED(ID, "c", "x") "]");
	assert_int_equal(ask("/machine.slice/libpod-" ID ".scope"), 0);
	assert_string_equal(facts->container.name, "c");
	runtimes_idle(runtimes);
	assert_int_equal(ask("/machine.slice/libpod-" ID ".scope"), 0);
	assert_string_equal(facts->container.name, "c");
	/* podman rename changes the one, not the other. */
	put(STORAGE "/containers.json",
	    "[{\"id\":\"" ID "\",\"names\":[\"d\"],\"metadata\":\"{\\\"name\\\":\\\"c\\\"}\"}]");
	assert_int_equal(ask("/machine.slice/libpod-" ID ".scope"), 0);
	assert_string_equal(facts->container.name, "d");
}

static void test_podman_vfs(void **state)
{
	(void)state;
	put("/var/lib/containers/storage/vfs-containers/containers.json",
	    "[" STORED(ID, "a", "x") "]");
	assert_int_equal(ask("/machine.slice/libpod-" ID ".scope"), 0);
	assert_string_equal(facts->container.name, "a");
}

static void test_names_of_paths(void **state)
{
	(void)state;
	assert_int_equal(ask("/lxc.payload.web-1/init.scope"), 0);
	expect_facts(RUNTIME_LXC, "web-1", "");
	assert_int_equal(ask("/machine.slice/systemd-nspawn@web-1.service/payload"), 0);
	expect_facts(RUNTIME_NSPAWN, "web-1", "");
	assert_string_equal(facts->unit, "systemd-nspawn@web-1.service");
	assert_int_equal(ask("/system.slice/nginx.service"), 0);
	expect_facts(RUNTIME_NONE, "", "");
	assert_string_equal(facts->unit, "nginx.service");
}

static void test_pod_logs(void **state)
{
	(void)state;
	assert_int_equal(ask("/kubepods/besteffort/pod" UID), -ENOENT);
	make_parents("/var/log/pods/kube-system_coredns-5d78c9869d-9xk2p_bbbb/x");
	make_parents("/var/log/pods/prod_web-0_" UID "/app/x");
	assert_int_equal(ask("/kubepods/besteffort/pod" UID), 0);
	expect_pod("prod", "web-0");
	/* The container may not be known yet, or never: the pod is. */
	assert_int_equal(ask(POD "/cri-containerd-" ID ".scope"), -EAGAIN);
	expect_facts(RUNTIME_CONTAINERD, "", "");
	expect_pod("prod", "web-0");
	/* What the kubelet calls it counts more than what a runtime heard. */
	put(TASKS "/k8s.io/" ID "/config.json", BUNDLE(CRI(UID)));
	assert_int_equal(ask(POD "/cri-containerd-" ID ".scope"), 0);
	expect_pod("prod", "web-0");
	assert_string_equal(facts->container.name, "nginx");
	/* Docker under cri-dockerd, with the kubelet's labels. */
	put(DOCKER_FILE, DOCKER("/k8s_app_web-0", "{\"io.kubernetes.pod.uid\":\"" UID "\"}"));
	assert_int_equal(ask(POD "/docker-" ID ".scope"), 0);
	expect_pod("prod", "web-0");
}

static void test_pod_logs_hostile(void **state)
{
	(void)state;
	make_parents("/var/log/pods/_web_" UID "/x");
	make_parents("/var/log/pods/prod__" UID "/x");
	make_parents("/var/log/pods/prod_w b_" UID "/x");
	make_parents("/var/log/pods/" UID "/x");
	make_parents("/var/log/pods/prod_web_x_" UID "/x");
	assert_int_equal(ask("/kubepods/besteffort/pod" UID), -ENOENT);
}

/* Users' own ------------------------------------------------------------------------------- */

static void test_rootless(void **state)
{
	(void)state;
	/* The system's files are not asked for a user's containers. */
	put(DOCKER_FILE, DOCKER("/system", "{}"));
	put(STORAGE "/containers.json", "[" STORED(ID, "system", "x") "]");
	assert_int_equal(ask_as(user_path("docker-" ID ".scope"), a_user()), -ENOENT);
	make_user();
	assert_int_equal(ask_as(user_path("docker-" ID ".scope"), a_user()), -ENOENT);
	put("/home/alice/.local/share/docker/containers/" ID "/config.v2.json",
	    DOCKER("/mine", "{}"));
	put("/home/alice/.local/share/containers/storage/overlay-containers/containers.json",
	    "[" STORED(ID, "pod", "x") "]");
	give("/home/alice");
	assert_int_equal(ask_as(user_path("docker-" ID ".scope"), a_user()), 0);
	assert_string_equal(facts->container.name, "mine");
	assert_int_equal(facts->owner, a_user());
	assert_int_equal(ask_as(user_path("libpod-" ID ".scope/container"), a_user()), 0);
	assert_string_equal(facts->container.name, "pod");
	/* Rootless Podman with cgroupfs and runc: the id alone. */
	assert_int_equal(
		remove(under("/home/alice/.local/share/docker/containers/" ID "/config.v2.json")),
		0);
	assert_int_equal(ask_as(user_path(ID), a_user()), 0);
	expect_facts(RUNTIME_PODMAN, "pod", "x");
	put("/home/alice/.local/share/docker/containers/" ID "/config.v2.json",
	    DOCKER("/mine", "{}"));
	give("/home/alice");
	/* And the other way round; a directory that a user was given is a user's. */
	assert_int_equal(ask_as("/delegated/docker-" ID ".scope", a_user()), 0);
	assert_string_equal(facts->container.name, "mine");
	/* Made by anyone: only the path is told. */
	assert_int_equal(ask_as("/delegated/docker-" ID ".scope", IDENTITY_NO_USER), 0);
	assert_string_equal(facts->container.name, "");
	assert_int_equal(facts->owner, IDENTITY_NO_USER);
}

static void test_rootless_not_his(void **state)
{
	(void)state;
	if (geteuid())
		skip(); /* takes chown() */
	make_user();
	put("/home/alice/.local/share/docker/containers/" ID "/config.v2.json",
	    DOCKER("/mine", "{}"));
	assert_int_equal(ask_as(user_path("docker-" ID ".scope"), a_user()), -EPROTO);
	expect_problem("/home/alice/.local/share/docker/containers/" ID "/config.v2.json",
		       "not its user's own");
	give("/home/alice");
	assert_int_equal(ask_as(user_path("docker-" ID ".scope"), a_user()), 0);
	assert_int_equal(lchown(under("/home/alice"), 0, 0), 0);
	assert_int_equal(ask_as(user_path("docker-" ID ".scope"), a_user()), -ENOENT);
}

static void test_rootless_links(void **state)
{
	(void)state;
	make_user();
	put("/secret/containers/" ID "/config.v2.json", DOCKER("/mine", "{}"));
	make_parents("/home/alice/.local/share/x");
	assert_int_equal(symlink("/secret", under("/home/alice/.local/share/docker")), 0);
	give("/home/alice");
	give("/secret");
	assert_int_equal(ask_as(user_path("docker-" ID ".scope"), a_user()), -ELOOP);
	expect_problem("/home/alice", "symbolic link");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_docker),         TEST(test_docker_renamed),
		TEST(test_containerd),     TEST(test_containerd_elsewhere),
		TEST(test_nerdctl),        TEST(test_crio),
		TEST(test_podman),         TEST(test_podman_list_again),
		TEST(test_podman_vfs),     TEST(test_names_of_paths),
		TEST(test_pod_logs),       TEST(test_pod_logs_hostile),
		TEST(test_rootless),       TEST(test_rootless_not_his),
		TEST(test_rootless_links),
	};

	return cmocka_run_group_tests_name("runtimes", tests, NULL, NULL);
}
