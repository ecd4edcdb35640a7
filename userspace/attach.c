// SPDX-License-Identifier: GPL-2.0-or-later
#include "attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sys/stat.h>

static const struct {
	const char *name;
	enum bpf_attach_type type;
} hooks[DF_HOOK_CGROUP_MAX] = {
#define X(id, name, attach) [DF_HOOK_##id] = {name, attach},
	DF_CGROUP_HOOKS(X)
#undef X
};

static const char *const edge_names[] = {
#define X(id, name) [DF_HOOK_##id - DF_HOOK_CGROUP_MAX] = name,
	DF_EDGE_HOOKS(X)
#undef X
};

const char *hook_name(enum df_hook hook)
{
	if (hook < DF_HOOK_CGROUP_MAX)
		return hooks[hook].name;
	return hook < DF_HOOK_MAX ? edge_names[hook - DF_HOOK_CGROUP_MAX] : "?";
}

void attachments_init(struct attachments *attachments)
{
	for (int hook = 0; hook < DF_HOOK_CGROUP_MAX; hook++)
		attachments->links[hook] = -1;
}

void attachments_close(struct attachments *attachments)
{
	for (int hook = 0; hook < DF_HOOK_CGROUP_MAX; hook++) {
		util_closep(&attachments->links[hook]);
		attachments->links[hook] = -1;
	}
}

#define ATTACH_IPSEC_WHY "this host's IPsec hides from the packet hook where sendto() goes"

static const char *sendmsg_why(const struct df_generation *generation,
			       const struct kernel_features *features, int wanted)
{
	if (generation->flags & DF_GEN_TRANSLATED)
		return "a resolver is behind this host's NAT";
	if ((generation->flags & DF_GEN_ERRNO) && features->set_retval)
		return "on_deny asks for another errno than EPERM";
	if (!features->packet_task)
		return "this kernel's packet hook cannot tell who sends";
	if ((generation->flags & DF_GEN_SEVERAL) && !features->packet_cgroup)
		return "this kernel's packet hook cannot tell the sender's cgroup";
	if (wanted == HOOKS_ALL)
		return "hooks: all";
	return generation->flags & DF_GEN_CALLS ? ATTACH_IPSEC_WHY : NULL;
}

void attach_plan_ipsec(struct hook_plan *plan)
{
	for (int hook = DF_HOOK_SENDMSG4; hook <= DF_HOOK_SENDMSG6; hook++)
		if (!plan->why[hook])
			plan->why[hook] = ATTACH_IPSEC_WHY;
}

void attach_plan(const struct df_generation *generation, const struct kernel_features *features,
		 const struct config *config, uint32_t cgroup_level, struct hook_plan *ret)
{
	const char *sendmsg = sendmsg_why(generation, features, config->hooks);

	*ret = (struct hook_plan){.why = {
					  [DF_HOOK_PACKET] = "the authority: sees every packet",
					  [DF_HOOK_CONNECT4] = "errno at once, and who asked",
					  [DF_HOOK_CONNECT6] = "errno at once, and who asked",
					  [DF_HOOK_SENDMSG4] = sendmsg,
					  [DF_HOOK_SENDMSG6] = sendmsg,
				  }};
	if (generation->flags & DF_GEN_USERS)
		ret->why[DF_HOOK_SOCK_CREATE] = "a policy names a user";
	else if ((generation->flags & DF_GEN_FORWARDS) && !features->packet_cgroup)
		ret->why[DF_HOOK_SOCK_CREATE] = "a policy forwards, and this kernel's packet hook "
						"cannot tell the sender's cgroup";
	else if (config->hooks == HOOKS_ALL)
		ret->why[DF_HOOK_SOCK_CREATE] = "hooks: all";
	if ((generation->flags & DF_GEN_FORWARDS) && features->connect_unix)
		ret->why[DF_HOOK_CONNECT_UNIX] = "a policy forwards: who connects to "
						 "systemd-resolved";
	if (edge_config_asks(&config->edge, cgroup_level) && features->sockopt)
		ret->why[DF_HOOK_SETSOCKOPT] = "no socket may send past the edge";
}

static int link_info(int fd, struct bpf_link_info *ret)
{
	uint32_t size = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	return bpf_obj_get_info_by_fd(fd, ret, &size) < 0 ? -errno : 0;
}

/* A link that is already on this cgroup takes the new program without a moment between. */
static bool link_take_over(int link, uint64_t cgroup_id, int program)
{
	struct bpf_link_info info;

	return link >= 0 && link_info(link, &info) == 0 && info.type == BPF_LINK_TYPE_CGROUP &&
	       info.cgroup.cgroup_id == cgroup_id && bpf_link_update(link, program, NULL) == 0;
}

static const char *link_fresh_path(char path[PATH_MAX], const struct pins *pins, enum df_hook hook)
{
	char name[64];

	snprintf(name, sizeof(name), "%s-new", hooks[hook].name);
	return pins_path(path, pins->links, name);
}

/* Pinned beside and renamed over: the old name always means an attached program. */
static int link_pin(int link, const struct pins *pins, enum df_hook hook, struct problem *problem)
{
	char path[PATH_MAX], fresh[PATH_MAX];

	link_fresh_path(fresh, pins, hook);
	pins_path(path, pins->links, hooks[hook].name);
	(void)unlink(fresh);
	if (bpf_obj_pin(link, fresh) < 0)
		return problem_set(problem, errno, "cannot pin %s: %s", fresh, strerror(errno));
	(void)unlink(path); /* bpffs renames onto nothing only; both links are attached here */
	if (rename(fresh, path) < 0)
		return problem_set(problem, errno, "cannot pin %s: %s", path, strerror(errno));
	return 0;
}

static int hook_attach(struct attachments *attachments, const struct fence *fence, int cgroup_fd,
		       uint64_t cgroup_id, const struct pins *pins, enum df_hook hook,
		       struct problem *problem)
{
	int *link = &attachments->links[hook], fresh, r;
	char path[PATH_MAX];

	if (*link < 0 && pins) {
		*link = bpf_obj_get(pins_path(path, pins->links, hooks[hook].name));
		if (*link < 0)
			*link = -1;
	}
	if (link_take_over(*link, cgroup_id, fence->programs[hook]))
		return 0;
	fresh = bpf_link_create(fence->programs[hook], cgroup_fd, hooks[hook].type, NULL);
	if (fresh < 0)
		return problem_set(
			problem, errno == EPERM ? EPERM : ENOTSUP,
			"cannot attach %s to the cgroup: %s%s", hooks[hook].name, strerror(errno),
			errno == EPERM ? " (another program there forbids company)" : "");
	r = pins ? link_pin(fresh, pins, hook, problem) : 0;
	if (r < 0) {
		close(fresh);
		return r;
	}
	util_closep(link);
	*link = fresh;
	return 0;
}

static void hook_detach(struct attachments *attachments, const struct pins *pins, enum df_hook hook)
{
	char path[PATH_MAX];

	if (pins) {
		(void)unlink(pins_path(path, pins->links, hooks[hook].name));
		/* left by a death in link_pin(), and attached */
		(void)unlink(link_fresh_path(path, pins, hook));
	}
	util_closep(&attachments->links[hook]);
	attachments->links[hook] = -1;
}

int attach_hooks(struct attachments *attachments, const struct fence *fence, int cgroup_fd,
		 const struct pins *pins, const struct hook_plan *plan, struct problem *problem)
{
	struct stat st;

	if (fstat(cgroup_fd, &st) < 0)
		return problem_set(problem, errno, "cannot look at the fenced cgroup: %s",
				   strerror(errno));
	for (int hook = 0; hook < DF_HOOK_CGROUP_MAX; hook++) {
		int r = plan->why[hook] ? hook_attach(attachments, fence, cgroup_fd, st.st_ino,
						      pins, hook, problem)
					: 0;

		if (r < 0)
			return r;
	}
	return 0;
}

void attach_trim(struct attachments *attachments, const struct pins *pins,
		 const struct hook_plan *plan)
{
	for (int hook = 0; hook < DF_HOOK_CGROUP_MAX; hook++)
		if (!plan->why[hook])
			hook_detach(attachments, pins, hook);
}

int attach_pin(const struct attachments *attachments, const struct pins *pins, enum df_hook hook,
	       struct problem *problem)
{
	return link_pin(attachments->links[hook], pins, hook, problem);
}

void attach_describe(int link, struct link_state *ret)
{
	struct bpf_link_info info;

	*ret = (struct link_state){0};
	if (link < 0 || link_info(link, &info) < 0 || info.type != BPF_LINK_TYPE_CGROUP)
		return;
	*ret = (struct link_state){
		.attached = info.cgroup.cgroup_id != 0,
		.link_id = info.id,
		.program_id = info.prog_id,
		.cgroup_id = info.cgroup.cgroup_id,
	};
}

int attach_inspect(const struct pins *pins, enum df_hook hook, struct link_state *ret)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	*ret = (struct link_state){0};
	fd = bpf_obj_get(pins_path(path, pins->links, hooks[hook].name));
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	attach_describe(fd, ret);
	ret->pinned = ret->link_id != 0;
	return 0;
}

void attach_plan_of_pins(const struct pins *pins, struct hook_plan *ret)
{
	struct link_state state;

	for (int hook = 0; hook < DF_HOOK_CGROUP_MAX; hook++)
		ret->why[hook] = attach_inspect(pins, hook, &state) == 0 && state.pinned
					 ? "it was attached before"
					 : NULL;
}

int attach_refuse_elsewhere(const struct pins *pins, int cgroup_fd, struct problem *problem)
{
	struct link_state state;
	struct stat st;

	if (fstat(cgroup_fd, &st) < 0)
		return problem_set(problem, errno, "cannot look at the fenced cgroup: %s",
				   strerror(errno));
	for (int hook = 0; hook < DF_HOOK_CGROUP_MAX; hook++)
		if (attach_inspect(pins, hook, &state) == 0 && state.attached &&
		    state.cgroup_id != st.st_ino)
			return problem_set(
				problem, EEXIST,
				"the fence pinned in %s is around another cgroup; \"dnsfence "
				"unload\" opens it, or give another --pin-dir and --runtime-dir "
				"for a second one",
				pins->dir);
	return 0;
}

void attach_describe_program(uint32_t id, struct program_state *ret)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	*ret = (struct program_state){.id = id};
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return;
	snprintf(ret->name, sizeof(ret->name), "%s", info.name);
	for (size_t i = 0; i < sizeof(info.tag); i++)
		snprintf(ret->tag + 2 * i, 3, "%02x", info.tag[i]);
}

uint32_t attach_program_id(int program)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(program, &info, &size) == 0 ? info.id : 0;
}

int attach_effective(int cgroup_fd, enum df_hook hook, uint32_t ids[ATTACH_ORDER_MAX])
{
	uint32_t flags, count = ATTACH_ORDER_MAX;

	if (bpf_prog_query(cgroup_fd, hooks[hook].type, BPF_F_QUERY_EFFECTIVE, &flags, ids,
			   &count) < 0 &&
	    errno != ENOSPC) /* that many it has told all the same */
		return -errno;
	return (int)MIN(count, (uint32_t)ATTACH_ORDER_MAX);
}

int attach_order(int cgroup_fd, enum df_hook hook, uint32_t our_program, struct hook_order *ret)
{
	uint32_t ids[ATTACH_ORDER_MAX];
	int count = attach_effective(cgroup_fd, hook, ids);
	bool after = false;

	*ret = (struct hook_order){0};
	for (int i = 0; i < count; i++) {
		attach_describe_program(ids[i], &ret->programs[i].state);
		ret->programs[i].ours = ids[i] == our_program;
		ret->programs[i].after = after;
		after |= ret->programs[i].ours;
		ret->length++;
	}
	return MIN(count, 0);
}
