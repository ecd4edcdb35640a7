// SPDX-License-Identifier: GPL-2.0-or-later
#include "loader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/utsname.h>

#include "dnsfence.skel.h"
#include "log.h"

/* The map is not padded as the structure is. */
#define GLOBALS_SIZE_MIN                                   \
	(offsetof(struct dnsfence_bpf__bss, generations) + \
	 sizeof(((struct dnsfence_bpf__bss *)0)->generations))

/* bpffs takes no dots in names, which libbpf's own .bss has. */
static const char *const map_names[FENCE_MAP_MAX] = {
	[FENCE_RESOLVERS] = "resolvers", [FENCE_PREFIXES] = "prefixes",
	[FENCE_SUBJECTS] = "subjects",   [FENCE_ORIGINS] = "origins",
	[FENCE_OWNERS] = "owners",       [FENCE_COUNTERS] = "counters",
	[FENCE_LOG_STATE] = "log_state", [FENCE_FOLDS] = "folds",
	[FENCE_EVENTS] = "events",       [FENCE_GLOBALS] = "globals",
	[FENCE_EDGES] = "edges",         [FENCE_SEAL] = "seal",
	[FENCE_ASKERS] = "askers",       [FENCE_CLIENTS] = "clients",
};

const char *fence_map_name(enum fence_map map)
{
	return map < FENCE_MAP_MAX ? map_names[map] : "?";
}

static struct bpf_map *fence_map(const struct dnsfence_bpf *object, enum fence_map map)
{
	switch (map) {
	case FENCE_RESOLVERS:
		return object->maps.resolvers;
	case FENCE_PREFIXES:
		return object->maps.prefixes;
	case FENCE_SUBJECTS:
		return object->maps.subjects;
	case FENCE_ORIGINS:
		return object->maps.origins;
	case FENCE_OWNERS:
		return object->maps.owners;
	case FENCE_COUNTERS:
		return object->maps.counters;
	case FENCE_LOG_STATE:
		return object->maps.log_state;
	case FENCE_FOLDS:
		return object->maps.folds;
	case FENCE_EVENTS:
		return object->maps.events;
	case FENCE_GLOBALS:
		return object->maps.bss;
	case FENCE_EDGES:
		return object->maps.edges;
	case FENCE_SEAL:
		return object->maps.seal;
	case FENCE_ASKERS:
		return object->maps.askers;
	case FENCE_CLIENTS:
		return object->maps.clients;
	case FENCE_MAP_MAX:
		break;
	}
	return NULL;
}

/* libbpf's words, one level quieter than it says: the caller explains a failure. */
static int loader_print(enum libbpf_print_level level, const char *format, va_list args)
{
	if (!log_wants(LOG_LEVEL_DEBUG) || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, format, args);
}

static int map_get_pinned(const struct pins *pins, enum fence_map map, struct bpf_map_info *ret)
{
	uint32_t size = sizeof(*ret);
	char path[PATH_MAX];
	int fd = bpf_obj_get(pins_path(path, pins->maps, map_names[map]));

	memset(ret, 0, sizeof(*ret));
	if (fd >= 0 && bpf_obj_get_info_by_fd(fd, ret, &size) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

/* Of an outer map the kernel does not tell the value's flags; of the ring the size may differ. */
static bool map_fits(enum fence_map kind, const struct bpf_map *map,
		     const struct bpf_map_info *info)
{
	const uint32_t ignored = BPF_F_RDONLY_PROG | BPF_F_MMAPABLE;

	return info->type == (uint32_t)bpf_map__type(map) &&
	       info->key_size == bpf_map__key_size(map) &&
	       info->value_size == bpf_map__value_size(map) &&
	       (info->map_flags & ~ignored) == (bpf_map__map_flags(map) & ~ignored) &&
	       (kind == FENCE_EVENTS || info->max_entries == bpf_map__max_entries(map));
}

/* Can everything pinned be used by these programs? 1 yes, 0 no, -ENOENT: nothing is pinned. */
static int fence_match_pins(const struct pins *pins, struct dnsfence_bpf *object)
{
	struct df_log_state state = {0};
	uint32_t zero = 0, found = 0;

	for (int map = 0; map < FENCE_MAP_MAX; map++) {
		struct bpf_map_info info;
		_cleanup_close_ int fd = map_get_pinned(pins, map, &info);

		if (fd < 0)
			continue;
		found++;
		if (!map_fits(map, fence_map(object, map), &info))
			return 0;
		if (map == FENCE_LOG_STATE &&
		    (bpf_map_lookup_elem(fd, &zero, &state) < 0 || state.abi != DF_ABI_VERSION))
			return 0;
		if (map == FENCE_EVENTS)
			(void)bpf_map__set_max_entries(object->maps.events, info.max_entries);
	}
	if (!found)
		return -ENOENT;
	return found == FENCE_MAP_MAX;
}

/* What is pinned and fits is taken over: libbpf opens a map's pin instead of making another. */
static int fence_adopt_pins(const struct pins *pins, struct fence *fence, struct problem *problem)
{
	int match = fence_match_pins(pins, fence->object);
	char path[PATH_MAX];

	fence->adopted = match == 1;
	fence->replaced = match == 0;
	for (int map = 0; fence->adopted && map < FENCE_MAP_MAX; map++)
		if (bpf_map__set_pin_path(fence_map(fence->object, map),
					  pins_path(path, pins->maps, map_names[map])) < 0)
			return problem_set(problem, ENOMEM, "out of memory");
	return 0;
}

static const char *kernel_release(struct utsname *name)
{
	return uname(name) == 0 ? name->release : "?";
}

/* probed: a program of two instructions could be loaded before. */
static int fence_explain(int error, bool probed, struct problem *problem)
{
	struct utsname name;

	if (error == -EPERM || (error == -EACCES && !probed))
		return problem_set(problem, EPERM,
				   "the kernel refuses to load BPF programs: run as root, or with "
				   "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON");
	if (probed && (error == -EACCES || error == -E2BIG || error == -EINVAL))
		return problem_set(problem, ENOTSUP,
				   "this kernel, %s, refuses the programs or their maps: %s (-v "
				   "shows why); they need Linux 5.10 or later with BTF",
				   kernel_release(&name), strerror(-error));
	if (error == -ENOSYS || error == -EINVAL)
		return problem_set(
			problem, ENOTSUP,
			"this kernel, %s, cannot run the fence (%s); it needs Linux 5.10 or later "
			"with CONFIG_CGROUP_BPF and BTF",
			kernel_release(&name), strerror(-error));
	return problem_set(problem, -error, "cannot load the BPF programs: %s%s", strerror(-error),
			   log_wants(LOG_LEVEL_DEBUG) ? "" : " (-v shows what the kernel says)");
}

static void fence_fill(struct fence *fence)
{
	const struct dnsfence_bpf *object = fence->object;

	for (int map = 0; map < FENCE_MAP_MAX; map++)
		fence->maps[map] = bpf_map__fd(fence_map(object, map));
	fence->programs[DF_HOOK_CONNECT4] = bpf_program__fd(object->progs.dnsfence_connect4);
	fence->programs[DF_HOOK_CONNECT6] = bpf_program__fd(object->progs.dnsfence_connect6);
	fence->programs[DF_HOOK_SENDMSG4] = bpf_program__fd(object->progs.dnsfence_sendmsg4);
	fence->programs[DF_HOOK_SENDMSG6] = bpf_program__fd(object->progs.dnsfence_sendmsg6);
	fence->programs[DF_HOOK_PACKET] = bpf_program__fd(object->progs.dnsfence_packet);
	fence->programs[DF_HOOK_SOCK_CREATE] = bpf_program__fd(object->progs.dnsfence_sock_create);
	fence->programs[DF_HOOK_SETSOCKOPT] = bpf_program__fd(object->progs.dnsfence_setsockopt);
	fence->programs[DF_HOOK_CONNECT_UNIX] =
		bpf_program__fd(object->progs.dnsfence_connect_unix);
	fence->edge_programs[EDGE_PROGRAM_ETHERNET_IN] =
		bpf_program__fd(object->progs.dnsfence_eth_in);
	fence->edge_programs[EDGE_PROGRAM_ETHERNET_OUT] =
		bpf_program__fd(object->progs.dnsfence_eth_out);
	fence->edge_programs[EDGE_PROGRAM_IP_IN] = bpf_program__fd(object->progs.dnsfence_ip_in);
	fence->edge_programs[EDGE_PROGRAM_IP_OUT] = bpf_program__fd(object->progs.dnsfence_ip_out);
	fence->flush = bpf_program__fd(object->progs.dnsfence_flush);
}

/*
 * The programs' globals, mapped. Not by libbpf's object->bss: of a pinned map that is taken over,
 * libbpf 1.5 leaves there a private image, and what is written to that reaches no program.
 */
static int fence_map_globals(struct fence *fence)
{
	struct dnsfence_bpf__bss *bss = mmap(NULL, sizeof(*bss), PROT_READ | PROT_WRITE, MAP_SHARED,
					     fence->maps[FENCE_GLOBALS], 0);

	if (bss == MAP_FAILED)
		return -errno;
	fence->globals = bss;
	fence->active = (uint32_t *)&bss->active;
	fence->generations = bss->generations;
	return 0;
}

static int fence_load_object(struct fence *fence)
{
	int r = dnsfence_bpf__load(fence->object);

	if (r < 0)
		return r;
	fence_fill(fence);
	return fence_map_globals(fence);
}

static int fence_mark_abi(const struct fence *fence)
{
	struct df_log_state state = {.abi = DF_ABI_VERSION};
	uint32_t zero = 0;

	if (fence->adopted)
		return 0;
	return bpf_map_update_elem(fence->maps[FENCE_LOG_STATE], &zero, &state, BPF_ANY);
}

int fence_probe(struct kernel_features *ret, struct problem *problem)
{
	int r;

	libbpf_set_print(loader_print);
	r = probe_kernel(ret);
	return r < 0 ? fence_explain(r, false, problem) : 0;
}

/* libbpf before 1.3 does not know what programs of this section are. */
static void fence_configure_unix(struct bpf_program *program, bool can)
{
	(void)bpf_program__set_type(program, BPF_PROG_TYPE_CGROUP_SOCK_ADDR);
	(void)bpf_program__set_expected_attach_type(program, DF_ATTACH_UNIX_CONNECT);
	(void)bpf_program__set_autoload(program, can);
}

void fence_configure(struct dnsfence_bpf *object, const struct kernel_features *features)
{
	object->rodata->kernel_packet_task = features->packet_task;
	object->rodata->kernel_packet_cgroup = features->packet_cgroup;
	object->rodata->kernel_sockopt_cgroup = features->sockopt_cgroup;
	object->rodata->kernel_set_retval = features->set_retval;
	object->rodata->kernel_connect_unix = features->connect_unix;
	/* 0 where the kernel cannot tell: translated resolvers then match no packet. */
	object->rodata->host_netns_cookie = probe_netns_cookie();
	(void)bpf_program__set_autoload(object->progs.dnsfence_setsockopt, features->sockopt);
	fence_configure_unix(object->progs.dnsfence_connect_unix, features->connect_unix);
}

/* On failure fence->object is gone again. */
static int fence_load(const struct fence_options *options, struct fence *fence,
		      struct problem *problem)
{
	int r = 0;

	fence->object = dnsfence_bpf__open();
	if (!fence->object)
		return fence_explain(-errno, true, problem);
	fence_configure(fence->object, &fence->features);
	fence->object->rodata->fence_level = options->cgroup_level;
	fence->object->rodata->fence_learns = options->learns;
	(void)bpf_map__set_max_entries(fence->object->maps.events, options->ring_bytes);
	if (getrandom(fence->object->rodata->question_key,
		      sizeof(fence->object->rodata->question_key), 0) < 0)
		r = problem_set(problem, errno, "the kernel gives no random key: %s",
				strerror(errno));
	else if (options->pins)
		r = fence_adopt_pins(options->pins, fence, problem);
	if (r >= 0) {
		r = fence_load_object(fence);
		if (r < 0)
			r = fence_explain(r, true, problem);
	}
	if (r < 0) {
		dnsfence_bpf__destroy(fence->object);
		fence->object = NULL;
	}
	return MIN(r, 0);
}

int fence_open(const struct fence_options *options, struct fence *ret, struct problem *problem)
{
	struct fence fence = {.features = *options->features,
			      .cgroup_id = options->cgroup_id,
			      .cgroup_level = options->cgroup_level};
	int r = fence_load(options, &fence, problem);

	/* A kernel may have the hook and yet refuse its program, which judges nothing. */
	if (r == -ENOTSUP && fence.features.connect_unix) {
		fence.features.connect_unix = false;
		r = fence_load(options, &fence, problem);
	}
	if (r < 0)
		return r;
	r = fence_mark_abi(&fence);
	if (r < 0) {
		fence_close(&fence);
		return problem_set(problem, EIO, "cannot write the log state map: %s",
				   strerror(-r));
	}
	*ret = fence;
	return 0;
}

static const enum fence_map shared_tables[] = {FENCE_RESOLVERS, FENCE_PREFIXES, FENCE_SUBJECTS,
					       FENCE_ORIGINS};

static int beside_prepare(struct dnsfence_bpf *object, const int pinned[FENCE_MAP_MAX])
{
	struct bpf_program *program;
	int r = 0;

	bpf_object__for_each_program(program, object->obj)(void)
		bpf_program__set_autoload(program, program == object->progs.dnsfence_packet);
	(void)bpf_map__set_max_entries(object->maps.events, (uint32_t)sysconf(_SC_PAGESIZE));
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(shared_tables); i++)
		r = bpf_map__reuse_fd(fence_map(object, shared_tables[i]),
				      pinned[shared_tables[i]]);
	return r;
}

int fence_open_beside(const int pinned[FENCE_MAP_MAX], const struct kernel_features *features,
		      struct fence *ret, struct problem *problem)
{
	struct fence fence = {.features = *features, .object = dnsfence_bpf__open()};
	int r;

	if (!fence.object)
		return fence_explain(-errno, true, problem);
	fence_configure(fence.object, features);
	r = beside_prepare(fence.object, pinned);
	if (r == 0)
		r = fence_load_object(&fence);
	if (r < 0) {
		fence_close(&fence);
		return fence_explain(r, true, problem);
	}
	*ret = fence;
	return 0;
}

/* All names go before the first new one comes: a death between leaves too few, not a mixture. */
int fence_pin_maps(const struct fence *fence, const struct pins *pins, struct problem *problem)
{
	char path[PATH_MAX];

	if (fence->adopted)
		return 0;
	for (int map = 0; map < FENCE_MAP_MAX; map++)
		if (unlink(pins_path(path, pins->maps, map_names[map])) < 0 && errno != ENOENT)
			return problem_set(problem, errno, "cannot replace %s: %s", path,
					   strerror(errno));
	for (int map = 0; map < FENCE_MAP_MAX; map++)
		if (bpf_obj_pin(fence->maps[map], pins_path(path, pins->maps, map_names[map])) < 0)
			return problem_set(problem, errno, "cannot pin %s: %s", path,
					   strerror(errno));
	return 0;
}

void fence_close(struct fence *fence)
{
	if (fence->globals)
		munmap(fence->globals, sizeof(struct dnsfence_bpf__bss));
	if (fence->object)
		dnsfence_bpf__destroy(fence->object);
	*fence = (struct fence){0};
}

static bool pinned_fits(enum fence_map map, const struct bpf_map_info *info)
{
	switch (map) {
	case FENCE_COUNTERS:
		return info->value_size == sizeof(struct df_counters);
	case FENCE_LOG_STATE:
		return info->value_size == sizeof(struct df_log_state);
	case FENCE_SEAL:
		return info->value_size == sizeof(struct df_seal);
	case FENCE_GLOBALS:
		return info->value_size >= GLOBALS_SIZE_MIN &&
		       info->value_size <= sizeof(struct dnsfence_bpf__bss);
	default:
		return true;
	}
}

int fence_open_pinned(const struct pins *pins, int maps[FENCE_MAP_MAX], struct problem *problem)
{
	struct bpf_map_info info;
	int found = 0, r = 0;

	libbpf_set_print(loader_print);
	for (int map = 0; map < FENCE_MAP_MAX; map++)
		maps[map] = -1;
	for (int map = 0; map < FENCE_MAP_MAX && r == 0; map++) {
		maps[map] = map_get_pinned(pins, map, &info);
		if (maps[map] == -EACCES || maps[map] == -EPERM)
			r = problem_set(problem, EPERM,
					"cannot read %s: run as root, or with CAP_BPF", pins->dir);
		else if (maps[map] >= 0 && !pinned_fits(map, &info))
			r = problem_set(
				problem, EEXIST,
				"%s was pinned by another version of dnsfence; \"dnsfence run\" or "
				"\"load\" replaces it",
				pins->dir);
		found += maps[map] >= 0;
	}
	if (r == 0 && !found)
		r = problem_set(problem, ENOENT, "nothing is pinned in %s", pins->dir);
	if (r < 0)
		fence_close_pinned(maps);
	return r;
}

int fence_open_edges(const struct pins *pins)
{
	struct bpf_map_info info;
	int fd = map_get_pinned(pins, FENCE_EDGES, &info);

	return fd < 0 ? -1 : fd;
}

void fence_close_pinned(int maps[FENCE_MAP_MAX])
{
	for (int map = 0; map < FENCE_MAP_MAX; map++)
		util_closep(&maps[map]);
}

int fence_pin_map(const struct fence *fence, const struct pins *pins, enum fence_map map,
		  struct problem *problem)
{
	char path[PATH_MAX];

	(void)unlink(pins_path(path, pins->maps, map_names[map]));
	if (bpf_obj_pin(fence->maps[map], path) < 0)
		return problem_set(problem, errno, "cannot pin %s: %s", path, strerror(errno));
	return 0;
}

int fence_read_globals(int globals, struct fence_globals *ret)
{
	_cleanup_free_ struct dnsfence_bpf__bss *bss = calloc(1, sizeof(*bss));
	uint32_t zero = 0;

	if (!bss)
		return -ENOMEM;
	if (bpf_map_lookup_elem(globals, &zero, bss) < 0)
		return -errno;
	ret->active = bss->active;
	memcpy(ret->generations, bss->generations, sizeof(ret->generations));
	return 0;
}
