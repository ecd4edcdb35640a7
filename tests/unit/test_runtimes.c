// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/runtimes.c and runtime_json.c: the files of each runtime, in the shapes they have on
 * hosts, below a root directory made here; and broken, huge, half-written and hostile ones.
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
#include <time.h>

#include "userspace/cgroup_owner.h"
#include "userspace/runtime_json.h"
#include "userspace/runtimes.h"

#define ID "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970"
#define OTHER "9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d"
#define SANDBOX "134b58ab2e0cfd7432a9db818b1b4ec52fdc747333f0ba2c9342860dc2ea7c50"
#define UID "aaaa2b4a-f398-41c0-928b-049e1cc4ec40"
#define UID_ "aaaa2b4a_f398_41c0_928b_049e1cc4ec40"
#define POD "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice"

#define DOCKER_FILE "/var/lib/docker/containers/" ID "/config.v2.json"
#define DOCKER(name, labels)                                                                \
	"{\"StreamConfig\":{},\"State\":{\"Running\":true,\"Pid\":4242,\"ExitCode\":0,"     \
	"\"StartedAt\":\"2024-05-02T10:11:12.131415161Z\",\"Health\":null},\"ID\":\"" ID    \
	"\",\"Created\":\"2024-05-02T10:11:11.1Z\",\"Managed\":false,\"Path\":\"sh\","      \
	"\"Args\":[\"-c\",\"sleep 9\"],\"Config\":{\"Hostname\":\"4f797c539e6c\",\"Env\":[" \
	"\"PATH=/bin\"],\"Cmd\":[\"sh\"],\"Image\":\"registry.example.org/web:1.2\","       \
	"\"Volumes\":null,\"Labels\":" labels "},\"Image\":\"sha256:" OTHER                 \
	"\",\"NetworkSettings\":{\"Networks\":{\"bridge\":{\"IPAMConfig\":null}}},"         \
	"\"LogPath\":\"\",\"Name\":\"" name "\",\"Driver\":\"overlay2\",\"RestartCount\":0}"

#define TASKS "/run/containerd/io.containerd.runtime.v2.task"
#define BUNDLE(annotations)                                                                   \
	"{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"/pause\"],\"user\":{\"uid\":0}}," \
	"\"root\":{\"path\":\"rootfs\"},\"hostname\":\"web\",\"mounts\":[{\"destination\":"   \
	"\"/proc\",\"type\":\"proc\"}],\"annotations\":{" annotations                         \
	"},\"linux\":{\"cgroupsPath\":\"x.slice:cri-containerd:" ID "\",\"namespaces\":[]}}"
#define CRI(uid)                                                                               \
	"\"io.kubernetes.cri.container-name\":\"nginx\",\"io.kubernetes.cri.container-type\":" \
	"\"container\",\"io.kubernetes.cri.image-name\":\"docker.io/library/nginx:1.27\","     \
	"\"io.kubernetes.cri.sandbox-id\":\"" SANDBOX "\",\"io.kubernetes.cri.sandbox-name\":" \
	"\"web-7848d4b86f-xztfp\",\"io.kubernetes.cri.sandbox-namespace\":\"prod\","           \
	"\"io.kubernetes.cri.sandbox-uid\":\"" uid "\""
#define NERDCTL                                                                               \
	"\"com.example.app\":\"web\",\"nerdctl/hostname\":\"4f79\",\"nerdctl/name\":"         \
	"\"web-1\",\"nerdctl/namespace\":\"default\",\"nerdctl/networks\":\"[\\\"bridge\\\"]" \
	"\",\"nerdctl/state-dir\":\"/var/lib/nerdctl/1935db59/containers/default/" ID "\""

#define STORAGE "/var/lib/containers/storage/overlay-containers"
#define CRIO_FILE(id) "/run/containers/storage/overlay-containers/" id "/userdata/config.json"
#define CRIO(type, name, more)                                                                 \
	"\"io.container.manager\":\"cri-o\",\"io.kubernetes.container.name\":\"claimed\","     \
	"\"io.kubernetes.pod.namespace\":\"claimed\",\"io.kubernetes.pod.name\":\"claimed\","  \
	"\"io.kubernetes.cri-o.ContainerType\":\"" type "\",\"io.kubernetes.cri-o.ImageName\"" \
	":\"registry.example.org/app:3\",\"io.kubernetes.cri-o.Image\":\"3.5\","               \
	"\"io.kubernetes.cri-o.SandboxID\":\"" SANDBOX "\",\"io.kubernetes.cri-o.Labels\":"    \
	"\"{\\\"io.kubernetes.container.name\\\":\\\"" name                                    \
	"\\\",\\\"io.kubernetes.pod.name\\\":\\\"web-0\\\",\\\"io.kubernetes.pod.namespace"    \
	"\\\":\\\"prod\\\",\\\"io.kubernetes.pod.uid\\\":\\\"" UID "\\\"" more "}\""

#define STORED(id, name, image)                                                                 \
	"{\"id\":\"" id "\",\"names\":[\"" name "\"],\"image\":\"" OTHER "\",\"layer\":\"" ID   \
	"\",\"metadata\":\"{\\\"image-name\\\":\\\"" image "\\\",\\\"image-id\\\":\\\"" OTHER   \
	"\\\",\\\"name\\\":\\\"" name                                                           \
	"\\\",\\\"created-at\\\":1711009710}\",\"created\":\"2024-03-21T08:28:30.380877163Z\"," \
	"\"flags\":{\"MountLabel\":\"\",\"ProcessLabel\":\"\"}}"

static char root[64];
static struct runtimes *runtimes;
static struct facts *facts;
static struct runtimes_problem problem;

/* Files ------------------------------------------------------------------------------------ */

static const char *under(const char *path)
{
	static char full[1024];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return full;
}

static void make_parents(const char *path)
{
	char full[1024];

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = 0;
		(void)mkdir(full, 0755);
		*at = '/';
	}
}

static void put_bytes(const char *path, const char *text, size_t length)
{
	FILE *file;

	make_parents(path);
	file = fopen(under(path), "we");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int begin(void **state)
{
	struct runtime_roots roots = {.host = root};

	(void)state;
	strcpy(root, "/tmp/test-runtimes.XXXXXX");
	if (!mkdtemp(root))
		return -1;
	return runtimes_new(&roots, &runtimes);
}

static int end(void **state)
{
	(void)state;
	facts_unref(facts);
	facts = NULL;
	runtimes_free(runtimes);
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Asking ----------------------------------------------------------------------------------- */

static int ask_as(const char *path, uint32_t owner)
{
	struct identity identity;

	facts_unref(facts);
	facts = NULL;
	identity_of_path(path, &identity);
	return runtimes_read(runtimes, &identity, path, owner, &facts, &problem);
}

static int ask(const char *path)
{
	return ask_as(path, 0);
}

static void expect_facts(int runtime, const char *name, const char *image)
{
	assert_non_null(facts);
	assert_int_equal(facts->container.runtime, runtime);
	assert_string_equal(facts->container.name, name);
	assert_string_equal(facts->container.image, image);
}

static void expect_pod(const char *namespace, const char *name)
{
	assert_string_equal(facts->pod.namespace, namespace);
	assert_string_equal(facts->pod.name, name);
}

static void expect_label(const struct fact_labels *labels, const char *key, const char *value)
{
	const char *found = fact_labels_find(labels, key);

	if (!value) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_string_equal(found, value);
}

static void expect_problem(const char *file, const char *what)
{
	if (!strstr(problem.text, file) || !strstr(problem.text, what))
		fail_msg("'%s' does not say '%s' and '%s'", problem.text, file, what);
}

static void settle(void)
{
	const struct timespec grain = {.tv_nsec = 130000000};

	nanosleep(&grain, NULL);
}

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

static uint32_t a_user(void)
{
	return geteuid() ? geteuid() : 1000;
}

static int give_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return geteuid() ? 0 : lchown(path, a_user(), (gid_t)-1);
}

static void give(const char *path)
{
	char full[1024];

	snprintf(full, sizeof(full), "%s%s", root, path);
	assert_int_equal(nftw(full, give_one, 16, FTW_PHYS), 0);
}

static const char *user_path(const char *what)
{
	static char path[400];

	snprintf(path, sizeof(path), "/user.slice/user-%u.slice/user@%u.service/user.slice/%s",
		 a_user(), a_user(), what);
	return path;
}

static void make_user(void)
{
	char passwd[300];

	snprintf(passwd, sizeof(passwd),
		 "root:x:0:0:root:/root:/bin/bash\nbroken\n:::\nx:x:%u0:1::/nowhere:\n"
		 "alice::%u:100::/home/alice:/bin/sh\nbob:x:%u:1:again:/home/bob:/bin/sh",
		 a_user(), a_user(), a_user());
	put("/etc/passwd", passwd);
	make_parents("/home/alice/x");
	give("/home/alice");
}

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

/* Broken and hostile ------------------------------------------------------------------------- */

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

/* Owners ----------------------------------------------------------------------------------- */

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
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_docker),         TEST(test_docker_renamed),
		TEST(test_containerd),     TEST(test_containerd_elsewhere),
		TEST(test_nerdctl),        TEST(test_crio),
		TEST(test_podman),         TEST(test_podman_list_again),
		TEST(test_podman_vfs),     TEST(test_names_of_paths),
		TEST(test_pod_logs),       TEST(test_pod_logs_hostile),
		TEST(test_rootless),       TEST(test_rootless_not_his),
		TEST(test_rootless_links), TEST(test_broken),
		TEST(test_half_written),   TEST(test_labels_left_out),
		TEST(test_many_labels),    TEST(test_too_large),
		TEST(test_many_values),    TEST(test_limit_of_users),
		TEST(test_deep),           TEST(test_no_regular_file),
		TEST(test_links),          TEST(test_storage_hostile),
		TEST(test_pod_claimed),    TEST(test_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
