// SPDX-License-Identifier: GPL-2.0-or-later
#include "inforce.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>

#include "attach.h"
#include "cgroup.h"
#include "counters.h"

#define TRIES 20 /* a reload may come in between */
#define KEY_MAX sizeof(struct df_origin_key)

#define ETHERNET 14
#define ETHERTYPE_IP4 0x0800
#define ETHERTYPE_IP6 0x86dd
#define TRANSPORT 20 /* bytes: a TCP header, or a UDP one and the beginning of a question */
#define FRAME_MAX (ETHERNET + IP6_HEADER + TRANSPORT)

_Static_assert(sizeof(struct df_resolver_prefix_key) <= KEY_MAX &&
		       sizeof(struct df_resolver_key) <= KEY_MAX &&
		       sizeof(struct df_subject_key) <= KEY_MAX,
	       "any table's key");

/* An entry of one of the tables into the image. */
typedef int (*table_taker)(struct policy_image *image, const void *key, uint32_t value);

static int take_exact(struct policy_image *image, const void *key, uint32_t value)
{
	struct policy_resolver *entry = ARRAY_APPEND(image->exact, image->exact_length);

	if (!entry)
		return -ENOMEM;
	memcpy(&entry->key, key, sizeof(entry->key));
	entry->prefix = entry->key.family == 4 ? 32 : 128;
	entry->mask = value;
	return 0;
}

static int take_prefix(struct policy_image *image, const void *key, uint32_t value)
{
	struct policy_resolver *entry = ARRAY_APPEND(image->prefixes, image->prefixes_length);
	const struct df_resolver_prefix_key *from = key;

	if (!entry)
		return -ENOMEM;
	memcpy(&entry->key, &from->key, sizeof(entry->key));
	entry->prefix = from->prefixlen - DF_PREFIX_BASE;
	entry->mask = value;
	return 0;
}

static int take_subject(struct policy_image *image, const void *key, uint32_t value)
{
	struct policy_subject *entry = ARRAY_APPEND(image->subjects, image->subjects_length);

	if (!entry)
		return -ENOMEM;
	memcpy(&entry->key, key, sizeof(entry->key));
	entry->rank = value;
	return 0;
}

static const struct {
	enum fence_map outer;
	table_taker take;
} tables[] = {
	{FENCE_RESOLVERS, take_exact},
	{FENCE_PREFIXES, take_prefix},
	{FENCE_SUBJECTS, take_subject},
};

/* The table of one generation. -EAGAIN when it has just been replaced. */
static int table_open(int outer, uint32_t slot, uint32_t *ret_entries)
{
	struct bpf_map_info info = {0};
	uint32_t id, size = sizeof(info);
	int fd;

	if (bpf_map_lookup_elem(outer, &slot, &id) < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0) {
		close(fd);
		return -EIO;
	}
	*ret_entries = info.max_entries;
	return fd;
}

/* An entry that goes while we walk makes the kernel begin anew: hence the bound. */
static int table_read(int outer, uint32_t slot, table_taker take, struct policy_image *image)
{
	uint8_t keys[2][KEY_MAX] __attribute__((aligned(8)));
	uint32_t entries = 0, value;
	_cleanup_close_ int fd = table_open(outer, slot, &entries);
	const void *key = NULL;

	if (fd < 0)
		return fd;
	for (uint64_t turn = 0; turn <= 2ull * entries; turn++) {
		void *next = keys[turn & 1];

		if (bpf_map_get_next_key(fd, key, next) < 0)
			return errno == ENOENT ? 0 : -errno;
		if (bpf_map_lookup_elem(fd, next, &value) == 0 && take(image, next, value) < 0)
			return -ENOMEM;
		key = next;
	}
	return -EAGAIN;
}

static void globals_take(const struct fence_globals *globals, struct policy_image *image)
{
	image->generation = globals->generations[globals->active & 1];
}

static int image_read_once(const int maps[FENCE_MAP_MAX], struct fence_globals *globals,
			   struct policy_image *image)
{
	uint32_t slot;
	uint64_t id;
	int r = fence_read_globals(maps[FENCE_GLOBALS], globals);

	if (r < 0)
		return r;
	globals_take(globals, image);
	slot = globals->active & 1;
	id = image->generation.id;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(tables); i++)
		r = table_read(maps[tables[i].outer], slot, tables[i].take, image);
	if (r == 0)
		r = fence_read_globals(maps[FENCE_GLOBALS], globals);
	if (r == 0 && (slot != (globals->active & 1) || globals->generations[slot].id != id))
		r = -EAGAIN;
	return r;
}

static int image_read(struct inforce *inforce, struct problem *problem)
{
	_cleanup_free_ struct fence_globals *globals = calloc(1, sizeof(*globals));
	int r = globals ? -EAGAIN : -ENOMEM;

	for (int try = 0; r == -EAGAIN && try < TRIES; try++) {
		policy_image_done(&inforce->image);
		r = image_read_once(inforce->maps, globals, &inforce->image);
	}
	if (r < 0)
		return problem_set(problem, -r, "cannot read the policy that is in force: %s%s",
				   strerror(-r), r == -EPERM ? "; run as root" : "");
	if (!inforce->image.generation.id)
		return problem_set(problem, ENOTSUP,
				   "no policy has been published; \"dnsfence run\" or \"load\" "
				   "mends it");
	inforce->slot = globals->active & 1;
	policy_image_sort(&inforce->image);
	return 0;
}

/* Which hooks there are, and around which cgroup. */
static int inforce_inspect(struct inforce *inforce, uint32_t *ret_program, struct problem *problem)
{
	_cleanup_close_ int fd = open(inforce->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct link_state packet = {0};

	for (int hook = 0; hook < DF_HOOK_CGROUP_MAX; hook++) {
		struct link_state state = {0};

		(void)attach_inspect(&inforce->pins, hook, &state);
		inforce->surroundings.attached[hook] = state.attached;
		if (hook == DF_HOOK_PACKET)
			packet = state;
	}
	if (!packet.attached)
		return problem_set(problem, ENOTSUP,
				   "the fence is open: its packet hook is not attached; \"dnsfence "
				   "run\" or \"load\" closes it");
	free(inforce->scope);
	inforce->scope = NULL;
	if (cgroup_path_of(fd, inforce->mount, packet.cgroup_id, &inforce->scope) < 0)
		return problem_set(problem, ENOTSUP,
				   "the fenced cgroup is gone, or not to be seen "
				   "from here; \"dnsfence status\" says more");
	*ret_program = packet.program_id;
	return 0;
}

static const char *inforce_no_program(struct inforce *inforce, const char *why)
{
	snprintf(inforce->why, sizeof(inforce->why), "%s", why);
	return inforce->why;
}

/* The copy, its globals those of the policy in force. */
static void inforce_open_program(struct inforce *inforce, uint32_t loaded)
{
	struct program_state here, there;
	struct problem problem = {{0}};
	int program;

	if (fence_open_beside(inforce->maps, &inforce->features, &inforce->beside, &problem) < 0) {
		inforce->program_why = inforce_no_program(inforce, problem.text);
		return;
	}
	program = inforce->beside.programs[DF_HOOK_PACKET];
	attach_describe_program(attach_program_id(program), &here);
	attach_describe_program(loaded, &there);
	if (!here.tag[0] || !util_streq(here.tag, there.tag))
		inforce->program_why =
			"it is another version's; \"dnsfence reload\" of this one, after "
			"a start of its daemon, replaces it";
}

int inforce_open(const char *pin_dir, const char *mount, struct inforce *ret,
		 struct problem *problem)
{
	struct inforce inforce = {.mount = mount};
	uint32_t program = 0;
	int r;

	for (int map = 0; map < FENCE_MAP_MAX; map++)
		inforce.maps[map] = -1;
	r = pins_init(&inforce.pins, pin_dir, problem);
	if (r >= 0)
		r = fence_open_pinned(&inforce.pins, inforce.maps, problem);
	if (r == -ENOENT)
		r = problem_set(
			problem, ENOTSUP,
			"nothing is pinned in %s: the fence is open, and \"dnsfence run\" closes "
			"it, or it is ephemeral, and cannot be asked; without --live the "
			"configuration is",
			pin_dir);
	if (r >= 0)
		r = fence_probe(&inforce.features, problem);
	if (r >= 0)
		r = inforce_inspect(&inforce, &program, problem);
	if (r >= 0)
		r = image_read(&inforce, problem);
	if (r >= 0)
		inforce_open_program(&inforce, program);
	*ret = inforce;
	ret->surroundings.features = &ret->features;
	if (ret->program_why == inforce.why)
		ret->program_why = ret->why;
	if (r < 0)
		inforce_done(ret);
	return r;
}

int inforce_refresh(struct inforce *inforce, struct problem *problem)
{
	uint32_t ignored;
	int r = inforce_inspect(inforce, &ignored, problem);

	return r < 0 ? r : image_read(inforce, problem);
}

void inforce_done(struct inforce *inforce)
{
	policy_image_done(&inforce->image);
	fence_close_pinned(inforce->maps);
	fence_close(&inforce->beside);
	free(inforce->scope);
	*inforce = (struct inforce){0};
}

static void put16(uint8_t *place, uint32_t value)
{
	place[0] = (uint8_t)(value >> 8);
	place[1] = (uint8_t)value;
}

/* From a port that is nobody's service: what leaves one that is may be an answer. */
static uint16_t source_port(const struct policy_image *image)
{
	uint16_t port = 49152; /* RFC 6335 6: dynamic ports begin there */

	while (port < 65535 && judge_fences(image, port))
		port++;
	return port;
}

/* The lookup's first packet. Its length. */
static uint32_t frame_fill(uint8_t frame[FRAME_MAX], const struct inforce *inforce,
			   const struct query *query)
{
	const struct df_flow flow = query_flow(query);
	uint32_t header = flow.family == 4 ? IP4_HEADER : IP6_HEADER;
	uint8_t *ip = frame + ETHERNET, *transport = ip + header;

	memset(frame, 0, FRAME_MAX);
	put16(frame + 12, flow.family == 4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6);
	if (flow.family == 4) {
		ip[0] = 0x45;
		put16(ip + 2, IP4_HEADER + TRANSPORT);
		ip[8] = 64;
		ip[9] = flow.protocol;
		memcpy(ip + 16, flow.daddr, 4);
	} else {
		ip[0] = 0x60;
		put16(ip + 4, TRANSPORT);
		ip[6] = flow.protocol;
		ip[7] = 64;
		memcpy(ip + 24, flow.daddr, 16);
	}
	put16(transport, source_port(&inforce->image));
	put16(transport + 2, flow.dport);
	if (flow.protocol == PROTO_TCP) {
		transport[12] = 5 << 4;
		transport[13] = 0x02; /* SYN */
	} else {
		put16(transport + 4, TRANSPORT);
	}
	return ETHERNET + header + TRANSPORT;
}

/* As it is for this process; of others only the policy that is theirs. */
static bool generation_fill(const struct inforce *inforce, const struct asker *asker, uint32_t rank)
{
	struct df_generation *generation = &inforce->beside.generations[inforce->slot];
	bool walks = asker->self &&
		     (asker->uid == 0 || !(inforce->image.generation.flags & DF_GEN_USERS));

	*inforce->beside.active = inforce->slot;
	*generation = inforce->image.generation;
	if (walks)
		return true;
	generation->default_policy = rank;
	generation->flags &= ~(DF_GEN_SEVERAL | DF_GEN_USERS);
	generation->levels = 0;
	return false;
}

/* Are the tables still those of the image? */
static int inforce_check(const struct inforce *inforce)
{
	_cleanup_free_ struct fence_globals *globals = calloc(1, sizeof(*globals));
	int r = globals ? fence_read_globals(inforce->maps[FENCE_GLOBALS], globals) : -ENOMEM;

	if (r < 0)
		return r;
	return globals->generations[globals->active & 1].id == inforce->image.generation.id
		       ? 0
		       : -EAGAIN;
}

/* Which verdict the packet hook has counted between the two; none: it was no name resolution. */
static bool counted(const struct df_counters *before, const struct df_counters *after,
		    struct inforce_answer *ret)
{
	for (uint8_t verdict = 0; verdict < DF_VERDICT_MAX; verdict++)
		for (uint8_t reason = 0; reason < DF_REASON_MAX; reason++)
			if (before->verdicts[DF_HOOK_PACKET][verdict][reason] !=
			    after->verdicts[DF_HOOK_PACKET][verdict][reason]) {
				ret->verdict = verdict;
				ret->reason = reason;
				return true;
			}
	return false;
}

int inforce_ask(const struct inforce *inforce, const struct asker *asker, const struct query *query,
		uint32_t rank, struct inforce_answer *ret)
{
	int map = inforce->beside.maps[FENCE_COUNTERS];
	struct inforce_answer answer = {.verdict = DF_VERDICT_PASS, .reason = DF_REASON_NONE};
	struct df_counters before, after;
	uint8_t frame[FRAME_MAX];
	int r;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame,
		    .data_size_in = frame_fill(frame, inforce, query), .repeat = 1);

	answer.walked = generation_fill(inforce, asker, rank);
	if (counters_read(map, &before) < 0)
		return -EIO;
	if (bpf_prog_test_run_opts(inforce->beside.programs[DF_HOOK_PACKET], &options) < 0)
		return -errno;
	if (counters_read(map, &after) < 0)
		return -EIO;
	(void)counted(&before, &after, &answer);
	r = inforce_check(inforce);
	if (r < 0)
		return r;
	if ((answer.verdict == DF_VERDICT_DENY) != (options.retval == 0))
		return -EPROTO;
	*ret = answer;
	return 0;
}
