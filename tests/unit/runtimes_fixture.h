/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A root directory made here, the files of container runtimes in the shapes they have on hosts, and
 * what is read of them. Behind cmocka.h; tests only.
 */
#ifndef DNSFENCE_RUNTIMES_FIXTURE_H
#define DNSFENCE_RUNTIMES_FIXTURE_H

#include <ftw.h>
#include <sys/stat.h>
#include <time.h>

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

static inline const char *under(const char *path)
{
	static char full[1024];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return full;
}

static inline void make_parents(const char *path)
{
	char full[1024];

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = 0;
		(void)mkdir(full, 0755);
		*at = '/';
	}
}

static inline void put_bytes(const char *path, const char *text, size_t length)
{
	FILE *file;

	make_parents(path);
	file = fopen(under(path), "we");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static inline void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int begin(void **state)
{
	struct runtime_roots roots = {.host = root};

	(void)state;
	strcpy(root, "/tmp/test-runtimes.XXXXXX");
	if (!mkdtemp(root))
		return -1;
	return runtimes_new(&roots, &runtimes);
}

static inline int end(void **state)
{
	(void)state;
	facts_unref(facts);
	facts = NULL;
	runtimes_free(runtimes);
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Asking ----------------------------------------------------------------------------------- */

static inline int ask_as(const char *path, uint32_t owner)
{
	struct identity identity;

	facts_unref(facts);
	facts = NULL;
	identity_of_path(path, &identity);
	return runtimes_read(runtimes, &identity, path, owner, &facts, &problem);
}

static inline int ask(const char *path)
{
	return ask_as(path, 0);
}

static inline void expect_facts(int runtime, const char *name, const char *image)
{
	assert_non_null(facts);
	assert_int_equal(facts->container.runtime, runtime);
	assert_string_equal(facts->container.name, name);
	assert_string_equal(facts->container.image, image);
}

static inline void expect_pod(const char *namespace, const char *name)
{
	assert_string_equal(facts->pod.namespace, namespace);
	assert_string_equal(facts->pod.name, name);
}

static inline void expect_label(const struct fact_labels *labels, const char *key,
				const char *value)
{
	const char *found = fact_labels_find(labels, key);

	if (!value) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_string_equal(found, value);
}

static inline void expect_problem(const char *file, const char *what)
{
	if (!strstr(problem.text, file) || !strstr(problem.text, what))
		fail_msg("'%s' does not say '%s' and '%s'", problem.text, file, what);
}

static inline void settle(void)
{
	const struct timespec grain = {.tv_nsec = 130000000};

	nanosleep(&grain, NULL);
}

/* Users' own ------------------------------------------------------------------------------- */

static inline uint32_t a_user(void)
{
	return geteuid() ? geteuid() : 1000;
}

static inline int give_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return geteuid() ? 0 : lchown(path, a_user(), (gid_t)-1);
}

static inline void give(const char *path)
{
	char full[1024];

	snprintf(full, sizeof(full), "%s%s", root, path);
	assert_int_equal(nftw(full, give_one, 16, FTW_PHYS), 0);
}

static inline const char *user_path(const char *what)
{
	static char path[400];

	snprintf(path, sizeof(path), "/user.slice/user-%u.slice/user@%u.service/user.slice/%s",
		 a_user(), a_user(), what);
	return path;
}

static inline void make_user(void)
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
