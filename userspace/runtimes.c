// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtimes.h"

#include <fcntl.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <time.h>

#include "runtime_json.h"
#include "runtime_places.h"

#define RELATIVE_BYTES 512 /* what the runtime calls a file below its place */
#define NAMESPACES_MAX 64 /* of containerd */
#define PODS_MAX 8192 /* log directories that are looked at */
#define MEMOS 4
#define TRIM_BYTES (1u << 20)

/* A list that many containers are looked up in, parsed. */
struct memo {
	char path[RUNTIME_PATH_BYTES];
	uint64_t state;
	struct json_t *root;
};

struct runtimes {
	struct runtime_roots roots;
	struct memo memos[MEMOS];
	size_t memo_next;
	bool read_much; /* since the last idle moment */
	int64_t users_us, users_us_max; /* 0: no limit */
};

/* One lookup. */
struct reading {
	struct runtimes *runtimes;
	const struct identity *identity;
	const char *path;
	uint32_t owner;
	struct facts_draft draft;
	struct runtimes_problem *problem;
};

static int file_json(struct reading *reading, const struct runtime_file *file, struct json_t **ret)
{
	_cleanup_free_ char *text = NULL;
	const char *what = NULL;
	size_t length;
	int r = runtime_file_text(file, &text, &length);

	if (r < 0)
		return r == -ENOMEM ? r
				    : runtime_file_trouble(reading->problem, file, strerror(-r));
	reading->runtimes->read_much |= length > TRIM_BYTES;
	r = runtime_json_load(text, length,
			      reading->owner ? RUNTIME_JSON_VALUES_OF_USER : RUNTIME_JSON_VALUES,
			      ret, &what);
	return r == -EPROTO ? runtime_file_trouble(reading->problem, file, what) : r;
}

/* Reading ---------------------------------------------------------------------------------- */

static void draft_again(struct reading *reading)
{
	facts_draft_done(&reading->draft);
	facts_draft_init(&reading->draft, reading->identity, reading->path);
	reading->draft.owner = reading->owner;
}

typedef int (*json_reader)(struct json_t *root, struct facts_draft *draft, const char **problem);

static int take_json(struct reading *reading, const struct runtime_file *file, struct json_t *root,
		     json_reader reader)
{
	const char *what = NULL;
	int r;

	draft_again(reading);
	r = reader(root, &reading->draft, &what);
	if (what)
		(void)runtime_file_trouble(reading->problem, file, what);
	if (r < 0)
		return r;
	snprintf(reading->draft.source, sizeof(reading->draft.source), "%s", file->path);
	reading->draft.source_state = file->state;
	return 0;
}

static int read_file_at(struct reading *reading, const struct runtime_place *place,
			const char *relative, json_reader reader, struct json_t **ret_root)
{
	_cleanup_(runtime_file_done) struct runtime_file file = {.fd = -1};
	_cleanup_(runtime_json_done) struct json_t *root = NULL;
	int r = runtime_file_open(reading->runtimes->roots.host, place, relative, &file,
				  reading->problem);

	if (r == 0)
		r = file_json(reading, &file, &root);
	if (r == 0)
		r = take_json(reading, &file, root, reader);
	if (r == 0 && ret_root)
		*ret_root = TAKE_PTR(root);
	return r;
}

static size_t places_of_user(const struct reading *reading, const char *in_home, const char *in_run,
			     struct runtime_place places[RUNTIME_PLACES_MAX])
{
	return runtime_places_of_user(reading->runtimes->roots.host, reading->owner, in_home,
				      in_run, places);
}

/* Of several places the first that knows it; of several errors the one that says something. */
static int better(int before, int now)
{
	return now == 0 || before == -ENOENT ? now : before;
}

static int read_docker(struct reading *reading)
{
	static const char *const standard[] = {"/var/lib/docker",
					       "/var/snap/docker/common/var-lib-docker", NULL};
	struct runtime_place places[RUNTIME_PLACES_MAX];
	size_t length = reading->owner
				? places_of_user(reading, ".local/share/docker", NULL, places)
				: runtime_places_of_system(&reading->runtimes->roots.docker,
							   standard, places);
	char relative[RELATIVE_BYTES];
	int r = -ENOENT;

	snprintf(relative, sizeof(relative), "containers/%s/config.v2.json",
		 reading->identity->container.id);
	for (size_t i = 0; i < length && r != 0; i++)
		r = better(r,
			   read_file_at(reading, &places[i], relative, runtime_json_docker, NULL));
	return r;
}

/* The id in any of containerd's namespaces: k8s.io, default, whatever nerdctl was told. */
static int read_tasks(struct reading *reading, const struct runtime_place *place, const char *tasks)
{
	_cleanup_(runtime_directory_close) DIR *directory =
		runtime_directory_open(reading->runtimes->roots.host, place, tasks);
	const struct dirent *entry;
	char relative[RELATIVE_BYTES];
	int r = -ENOENT;

	for (int i = 0; directory && i < NAMESPACES_MAX && r != 0; i++) {
		entry = readdir(directory);
		if (!entry)
			break;
		if (entry->d_name[0] == '.')
			continue;
		snprintf(relative, sizeof(relative), "%s/%s/%s/config.json", tasks, entry->d_name,
			 reading->identity->container.id);
		r = better(r, read_file_at(reading, place, relative, runtime_json_bundle, NULL));
	}
	return r;
}

static int read_containerd(struct reading *reading)
{
	static const char *const standard[] = {"/run/containerd", "/run/k3s/containerd",
					       "/var/snap/microk8s/common/run/containerd", NULL};
	static const char *const tasks[] = {"io.containerd.runtime.v2.task",
					    "io.containerd.runtime.v1.linux"};
	struct runtime_place places[RUNTIME_PLACES_MAX];
	size_t length = reading->owner
				? places_of_user(reading, NULL, "containerd", places)
				: runtime_places_of_system(&reading->runtimes->roots.containerd,
							   standard, places);
	int r = -ENOENT;

	for (size_t i = 0; i < length && r != 0; i++)
		for (size_t j = 0; j < ARRAY_LEN(tasks) && r != 0; j++)
			r = better(r, read_tasks(reading, &places[i], tasks[j]));
	return r;
}

/* DRIVER-containers, by how common they are. */
static const char *const storage_drivers[] = {"overlay", "vfs", "btrfs", "zfs"};

/* The pod's own labels are with its sandbox. What it does not tell is not known, that is all. */
static void read_crio_sandbox(struct reading *reading, const struct runtime_place *place,
			      const char *driver, struct json_t *bundle)
{
	_cleanup_(runtime_file_done) struct runtime_file file = {.fd = -1};
	_cleanup_(runtime_json_done) struct json_t *root = NULL;
	char id[65], relative[RELATIVE_BYTES];
	const char *what = NULL;

	runtime_json_sandbox(bundle, id);
	if (!id[0] || !reading->identity->pod.uid[0])
		return;
	snprintf(relative, sizeof(relative), "%s-containers/%s/userdata/config.json", driver, id);
	if (runtime_file_open(reading->runtimes->roots.host, place, relative, &file,
			      reading->problem) < 0 ||
	    file_json(reading, &file, &root) < 0)
		return;
	(void)runtime_json_pod_labels(root, &reading->draft, &what);
	if (what)
		(void)runtime_file_trouble(reading->problem, &file, what);
}

static int read_crio_at(struct reading *reading, const struct runtime_place *place,
			const char *driver)
{
	_cleanup_(runtime_json_done) struct json_t *bundle = NULL;
	char relative[RELATIVE_BYTES];
	int r;

	snprintf(relative, sizeof(relative), "%s-containers/%s/userdata/config.json", driver,
		 reading->identity->container.id);
	r = read_file_at(reading, place, relative, runtime_json_bundle, &bundle);
	if (r == 0 && reading->draft.runtime == RUNTIME_CRIO)
		read_crio_sandbox(reading, place, driver, bundle);
	return r;
}

static int read_crio(struct reading *reading)
{
	static const char *const standard[] = {"/run/containers/storage",
					       "/var/lib/containers/storage", NULL};
	struct runtime_place places[RUNTIME_PLACES_MAX];
	size_t length = reading->owner ? 0
				       : runtime_places_of_system(&reading->runtimes->roots.crio,
								  standard, places);
	int r = -ENOENT;

	for (size_t i = 0; i < length && r != 0; i++)
		for (size_t j = 0; j < ARRAY_LEN(storage_drivers) && r != 0; j++)
			r = better(r, read_crio_at(reading, &places[i], storage_drivers[j]));
	return r;
}

/* A list is the same for all containers in it: kept while many are looked up. */
static struct memo *memo_find(struct runtimes *runtimes, const struct runtime_file *file)
{
	for (size_t i = 0; file->state && i < MEMOS; i++)
		if (runtimes->memos[i].root && runtimes->memos[i].state == file->state &&
		    util_streq(runtimes->memos[i].path, file->path))
			return &runtimes->memos[i];
	return NULL;
}

static struct memo *memo_keep(struct runtimes *runtimes, const struct runtime_file *file,
			      struct json_t *root)
{
	struct memo *memo = &runtimes->memos[runtimes->memo_next++ % MEMOS];

	runtime_json_done(&memo->root);
	memcpy(memo->path, file->path, sizeof(memo->path));
	memo->state = file->state;
	memo->root = root;
	return memo;
}

static int read_storage_at(struct reading *reading, const struct runtime_place *place,
			   const char *driver, const char *list)
{
	_cleanup_(runtime_file_done) struct runtime_file file = {.fd = -1};
	struct json_t *root = NULL;
	char relative[64];
	struct memo *memo;
	int r;

	snprintf(relative, sizeof(relative), "%s-containers/%s", driver, list);
	r = runtime_file_open(reading->runtimes->roots.host, place, relative, &file,
			      reading->problem);
	if (r < 0)
		return r;
	memo = memo_find(reading->runtimes, &file);
	if (!memo) {
		r = file_json(reading, &file, &root);
		if (r < 0)
			return r;
		memo = memo_keep(reading->runtimes, &file, root);
	}
	return take_json(reading, &file, memo->root, runtime_json_storage);
}

static int read_podman(struct reading *reading)
{
	static const char *const standard[] = {"/var/lib/containers/storage",
					       "/run/containers/storage", NULL};
	static const char *const lists[] = {"containers.json", "volatile-containers.json"};
	struct runtime_place places[RUNTIME_PLACES_MAX];
	size_t length = reading->owner ? places_of_user(reading, ".local/share/containers/storage",
							"containers", places)
				       : runtime_places_of_system(&reading->runtimes->roots.podman,
								  standard, places);
	int r = -ENOENT;

	for (size_t i = 0; i < length && r != 0; i++)
		for (size_t j = 0; j < ARRAY_LEN(storage_drivers) && r != 0; j++)
			for (size_t k = 0; k < ARRAY_LEN(lists) && r != 0; k++)
				r = better(r, read_storage_at(reading, &places[i],
							      storage_drivers[j], lists[k]));
	return r;
}

/* LXC and nspawn: the name is in the path. */
static int read_name(struct reading *reading)
{
	snprintf(reading->draft.name, sizeof(reading->draft.name), "%s",
		 reading->identity->container.id);
	return 0;
}

/* In this order. The path may not say whose it is, or be wrong about cri-dockerd's. */
static int (*const readers[RUNTIME_MAX][4])(struct reading *reading) = {
	[RUNTIME_DOCKER] = {read_docker},
	[RUNTIME_CONTAINERD] = {read_containerd, read_docker},
	[RUNTIME_CRIO] = {read_crio},
	[RUNTIME_PODMAN] = {read_podman},
	[RUNTIME_NERDCTL] = {read_containerd},
	[RUNTIME_LXC] = {read_name},
	[RUNTIME_NSPAWN] = {read_name},
	[RUNTIME_UNKNOWN] = {read_docker, read_containerd, read_crio, read_podman},
};

static int read_container(struct reading *reading)
{
	enum runtime runtime = reading->identity->container.runtime;
	int r = -ENOENT;

	if (runtime == RUNTIME_NONE)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(readers[runtime]) && readers[runtime][i] && r != 0; i++)
		r = better(r, readers[runtime][i](reading));
	return r;
}

/* Pods ------------------------------------------------------------------------------------- */

/* NAMESPACE_NAME_UID: none of them has a "_". */
static bool pod_of_name(const char *directory, struct facts_draft *draft)
{
	const char *name = strchr(directory, '_');
	const char *uid = name ? strchr(name + 1, '_') : NULL;

	return uid && util_streq(uid + 1, draft->identity->pod.uid) &&
	       fact_text(directory, (size_t)(name - directory), draft->pod_namespace,
			 sizeof(draft->pod_namespace)) &&
	       fact_text(name + 1, (size_t)(uid - name - 1), draft->pod_name,
			 sizeof(draft->pod_name)) &&
	       runtime_name_is_sound(draft->pod_namespace) &&
	       runtime_name_is_sound(draft->pod_name);
}

/*
 * The kubelet makes these directories. Where they are, they decide: what else tells the pod's name
 * is written by runtimes from what pods say about themselves, too.
 */
static int read_pod(struct reading *reading)
{
	static const char *const standard[] = {"/var/log/pods", NULL};
	struct facts_draft found = {.identity = reading->identity};
	struct runtime_place places[RUNTIME_PLACES_MAX];
	size_t length;

	if (!reading->identity->pod.uid[0])
		return 0;
	length = reading->owner ? 0
				: runtime_places_of_system(&reading->runtimes->roots.pods, standard,
							   places);
	for (size_t i = 0; i < length; i++) {
		_cleanup_(runtime_directory_close) DIR *directory =
			runtime_directory_open(reading->runtimes->roots.host, &places[i], ".");
		const struct dirent *entry = NULL;

		for (int j = 0; directory && j < PODS_MAX; j++) {
			entry = readdir(directory);
			if (!entry)
				break;
			if (!pod_of_name(entry->d_name, &found))
				continue;
			memcpy(reading->draft.pod_namespace, found.pod_namespace,
			       sizeof(found.pod_namespace));
			memcpy(reading->draft.pod_name, found.pod_name, sizeof(found.pod_name));
			return 0;
		}
	}
	return reading->draft.pod_name[0] ? 0 : -ENOENT;
}

/* All ------------------------------------------------------------------------------------- */

static int reading_run(struct reading *reading, struct facts **ret)
{
	int container, pod, r;

	draft_again(reading);
	container = reading->owner == IDENTITY_NO_USER ? 0 : read_container(reading);
	if (container == -ENOMEM)
		return container;
	if (container < 0)
		draft_again(reading);
	pod = reading->owner == IDENTITY_NO_USER ? 0 : read_pod(reading);
	if (container < 0 && container != -ENOENT && !reading->draft.pod_name[0])
		return container;
	if (container == -ENOENT && !reading->draft.pod_name[0])
		return -ENOENT;
	if (container == 0 && pod < 0 && !reading->identity->container.runtime)
		return -ENOENT;
	r = facts_pack(&reading->draft, ret);
	if (r < 0)
		return r;
	return container < 0 || pod < 0 ? -EAGAIN : 0;
}

static int64_t monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int runtimes_read(struct runtimes *runtimes, const struct identity *identity, const char *path,
		  uint32_t owner, struct facts **ret, struct runtimes_problem *problem)
{
	struct reading reading = {
		.runtimes = runtimes,
		.identity = identity,
		.path = path,
		.owner = owner,
		.problem = problem,
	};
	int64_t began = monotonic_us();
	int r;

	*problem = (struct runtimes_problem){0};
	if (owner && runtimes->users_us_max && runtimes->users_us >= runtimes->users_us_max) {
		snprintf(
			problem->text, sizeof(problem->text),
			"the files of users' containers take too long to read: the rest of them is "
			"left out here; the daemon reads them in time");
		return -ETIMEDOUT;
	}
	r = reading_run(&reading, ret);
	facts_draft_done(&reading.draft);
	if (owner)
		runtimes->users_us += monotonic_us() - began;
	return r;
}

void runtimes_limit_users(struct runtimes *runtimes, int64_t us)
{
	runtimes->users_us_max = us;
}

bool runtimes_changed(struct runtimes *runtimes, const struct facts *facts)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (!facts->source[0])
		return false;
	fd = runtime_host_open(runtimes->roots.host, facts->source, O_PATH | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0)
		return true;
	return !facts->source_state || runtime_file_state(&st) != facts->source_state;
}

void runtimes_idle(struct runtimes *runtimes)
{
	for (size_t i = 0; i < MEMOS; i++)
		runtime_json_done(&runtimes->memos[i].root);
#ifdef __GLIBC__
	if (runtimes->read_much) /* a large file need not stay as this process' size */
		(void)malloc_trim(0);
#endif
	runtimes->read_much = false;
}

int runtimes_new(const struct runtime_roots *roots, struct runtimes **ret)
{
	struct runtimes *runtimes = calloc(1, sizeof(*runtimes));

	if (!runtimes || runtime_roots_copy(roots, &runtimes->roots) < 0) {
		free(runtimes);
		return -ENOMEM;
	}
	*ret = runtimes;
	return 0;
}

void runtimes_free(struct runtimes *runtimes)
{
	if (!runtimes)
		return;
	for (size_t i = 0; i < MEMOS; i++)
		runtime_json_done(&runtimes->memos[i].root);
	runtime_roots_done(&runtimes->roots);
	free(runtimes);
}

void runtimes_freep(struct runtimes **runtimes)
{
	runtimes_free(*runtimes);
}
