// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtimes.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <time.h>

#include "runtime_json.h"

#define RELATIVE_BYTES 512 /* what the runtime calls a file below its place */
#define PLACES_MAX RUNTIME_ROOTS_MAX
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

/* Where ------------------------------------------------------------------------------------ */

/* The field of that number, from 0, of a line of passwd(5), without its colon. */
static const char *passwd_field(const char *line, unsigned int number, size_t *ret_length)
{
	while (number && *line && *line != '\n')
		number -= *line++ == ':';
	*ret_length = number ? 0 : strcspn(line, ":\n");
	return line;
}

static bool passwd_home(const char *text, uint32_t uid, char home[RUNTIME_PLACE_BYTES])
{
	char number[16];
	size_t length, number_length = (size_t)snprintf(number, sizeof(number), "%u", uid);

	for (const char *line = text; *line; line += *line == '\n') {
		const char *field = passwd_field(line, 2, &length);

		if (length == number_length && memcmp(field, number, length) == 0) {
			field = passwd_field(line, 5, &length);
			if (length && length < RUNTIME_PLACE_BYTES && field[0] == '/') {
				memcpy(home, field, length);
				home[length] = 0;
				return true;
			}
		}
		line += strcspn(line, "\n");
	}
	return false;
}

/* From the file, not the name service, which may ask the network: the host's, not this root's. */
static int home_find(const struct runtimes *runtimes, uint32_t uid, char home[RUNTIME_PLACE_BYTES])
{
	_cleanup_(runtime_file_done) struct runtime_file file = {.fd = -1};
	_cleanup_free_ char *text = NULL;
	size_t length;

	file.fd = runtime_host_open(runtimes->roots.host, "/etc/passwd",
				    O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (file.fd < 0 || fstat(file.fd, &file.st) < 0 || !S_ISREG(file.st.st_mode) ||
	    file.st.st_size > (off_t)RUNTIMES_FILE_MAX ||
	    runtime_file_text(&file, &text, &length) < 0)
		return -ENOENT;
	return passwd_home(text, uid, home) ? 0 : -ENOENT;
}

static void place_add(struct runtime_place *places, size_t *length, const char *base,
		      const char *under, uint32_t owner)
{
	struct runtime_place *place = &places[*length];

	if (*length >= PLACES_MAX || strlen(base) >= sizeof(place->base))
		return;
	strcpy(place->base, base);
	place->under = under;
	place->owner = owner;
	(*length)++;
}

/* The words of the configuration, or the standard ones up to NULL. */
static size_t places_of_system(const struct words *words, const char *const *standard,
			       struct runtime_place *places)
{
	size_t length = 0;

	for (size_t i = 0; i < words->length; i++)
		place_add(places, &length, words->list[i].text, "", 0);
	for (; !words->length && *standard; standard++)
		place_add(places, &length, *standard, "", 0);
	return length;
}

/* Below the home and, if that is not NULL, below the runtime directory. */
static size_t places_of_user(const struct reading *reading, const char *in_home, const char *in_run,
			     struct runtime_place *places)
{
	char path[RUNTIME_PLACE_BYTES];
	size_t length = 0;

	if (in_home && home_find(reading->runtimes, reading->owner, path) == 0)
		place_add(places, &length, path, in_home, reading->owner);
	snprintf(path, sizeof(path), "/run/user/%u", reading->owner);
	if (in_run)
		place_add(places, &length, path, in_run, reading->owner);
	return length;
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

/* Of several places the first that knows it; of several errors the one that says something. */
static int better(int before, int now)
{
	return now == 0 || before == -ENOENT ? now : before;
}

static int read_docker(struct reading *reading)
{
	static const char *const standard[] = {"/var/lib/docker",
					       "/var/snap/docker/common/var-lib-docker", NULL};
	struct runtime_place places[PLACES_MAX];
	size_t length =
		reading->owner
			? places_of_user(reading, ".local/share/docker", NULL, places)
			: places_of_system(&reading->runtimes->roots.docker, standard, places);
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
	struct runtime_place places[PLACES_MAX];
	size_t length = reading->owner ? places_of_user(reading, NULL, "containerd", places)
				       : places_of_system(&reading->runtimes->roots.containerd,
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
	struct runtime_place places[PLACES_MAX];
	size_t length =
		reading->owner ? 0
			       : places_of_system(&reading->runtimes->roots.crio, standard, places);
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
	struct runtime_place places[PLACES_MAX];
	size_t length = reading->owner ? places_of_user(reading, ".local/share/containers/storage",
							"containers", places)
				       : places_of_system(&reading->runtimes->roots.podman,
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
	struct runtime_place places[PLACES_MAX];
	size_t length;

	if (!reading->identity->pod.uid[0])
		return 0;
	length = reading->owner
			 ? 0
			 : places_of_system(&reading->runtimes->roots.pods, standard, places);
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

/* Owners ----------------------------------------------------------------------------------- */

/* The owner of the directory above the component at that level; others must not write there. */
static uint32_t owner_above(int mount_fd, const char *path, unsigned int level)
{
	char above[4096] = ".";
	struct stat st;
	const char *end = path;

	for (unsigned int i = 1; i < level; i++) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
	}
	if ((size_t)(end - path) >= sizeof(above))
		return IDENTITY_NO_USER;
	path += strspn(path, "/");
	if (end > path)
		snprintf(above, sizeof(above), "%.*s", (int)(end - path), path);
	if (fstatat(mount_fd, above, &st, AT_SYMLINK_NOFOLLOW) < 0 || (st.st_mode & 022))
		return IDENTITY_NO_USER;
	return st.st_uid;
}

static uint32_t owner_both(uint32_t a, uint32_t b)
{
	return a == b || !b ? a : !a ? b : IDENTITY_NO_USER;
}

uint32_t cgroup_owner(int mount_fd, const char *path, const struct identity *identity)
{
	uint32_t owner = identity->user == IDENTITY_NO_USER ? 0 : identity->user;

	if (identity->container.runtime)
		owner = owner_both(owner, owner_above(mount_fd, path, identity->container.level));
	if (identity->pod.uid[0])
		owner = owner_both(owner, owner_above(mount_fd, path, identity->pod.level));
	return owner;
}
