/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links: which hooks a policy needs, putting the programs there, taking over pinned links
 * without a moment between the old program and the new one, and telling what sits there.
 * bpf_link only: a program attached without one can be detached by anybody.
 */
#ifndef DNSFENCE_ATTACH_H
#define DNSFENCE_ATTACH_H

#include "config.h"
#include "loader.h"

struct attachments {
	int links[DF_HOOK_CGROUP_MAX]; /* -1: not attached */
};

/* A hook is wanted, and why, for people; NULL: not wanted. */
struct hook_plan {
	const char *why[DF_HOOK_CGROUP_MAX];
};

void attachments_init(struct attachments *attachments);
/* Without pins this opens the fence at those hooks. */
void attachments_close(struct attachments *attachments);

/* cgroup_level: of the fenced cgroup, the root is 0. */
void attach_plan(const struct df_generation *generation, const struct kernel_features *features,
		 const struct config *config, uint32_t cgroup_level, struct hook_plan *ret);

/* And what judges sendmsg(), for IPsec has been met. */
void attach_plan_ipsec(struct hook_plan *plan);

/*
 * Put the programs of the plan on a cgroup. Pinned links are updated in place; those whose cgroup
 * has gone are replaced. pins may be NULL. 0; -errno with *problem set, and what was attached
 * before still is.
 */
int attach_hooks(struct attachments *attachments, const struct fence *fence, int cgroup_fd,
		 const struct pins *pins, const struct hook_plan *plan, struct problem *problem);

/* Detach what the plan does not want. */
void attach_trim(struct attachments *attachments, const struct pins *pins,
		 const struct hook_plan *plan);

const char *hook_name(enum df_hook hook);

/* A pinned link as the kernel describes it. */
struct link_state {
	bool pinned;
	bool attached; /* false: its cgroup has gone */
	uint32_t link_id, program_id;
	uint64_t cgroup_id;
};

int attach_inspect(const struct pins *pins, enum df_hook hook, struct link_state *ret);
/* Likewise of a descriptor; all zeroes where that is no link. */
void attach_describe(int link, struct link_state *ret);

/* The plan that would keep what is pinned. */
void attach_plan_of_pins(const struct pins *pins, struct hook_plan *ret);

/*
 * Only unload opens a fence: one that is closed around another cgroup is not given up for this
 * one. 0, or -EEXIST with *problem set.
 */
int attach_refuse_elsewhere(const struct pins *pins, int cgroup_fd, struct problem *problem);

/* Put a link's pin back, in place of whatever has its name now. 0; -errno with *problem set. */
int attach_pin(const struct attachments *attachments, const struct pins *pins, enum df_hook hook,
	       struct problem *problem);

/* A program of anybody's; name and tag are empty where the kernel does not tell. */
struct program_state {
	uint32_t id;
	char name[16];
	char tag[17]; /* of its instructions, hexadecimal */
};

void attach_describe_program(uint32_t id, struct program_state *ret);
uint32_t attach_program_id(int program); /* of a descriptor; 0: that is none */

#define ATTACH_ORDER_MAX 128

/*
 * Ids of the programs in effect on a cgroup at a hook, in the order they run; those beyond
 * ATTACH_ORDER_MAX are left out. Their number, or -errno.
 */
int attach_effective(int cgroup_fd, enum df_hook hook, uint32_t ids[ATTACH_ORDER_MAX]);

struct hook_order {
	size_t length;
	struct {
		struct program_state state;
		bool ours;
		bool after; /* runs after ours */
	} programs[ATTACH_ORDER_MAX];
};

int attach_order(int cgroup_fd, enum df_hook hook, uint32_t our_program, struct hook_order *ret);

#endif
