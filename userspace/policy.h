/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct config + resolved subjects -> the policy image: every word that goes into the kernel's
 * maps, sorted and without duplicates. Pure: no libbpf, no netlink, no clock, no file.
 */
#ifndef DNSFENCE_POLICY_H
#define DNSFENCE_POLICY_H

#include "bpf/abi.h"
#include "config.h"

/*
 * One cgroup, user, or pair of both that a policy is for; or one interface, source, or pair of both
 * of frames without a socket.
 */
struct subject {
	size_t policy; /* index into config->policies, which is the rank */
	uint64_t cgroup_id; /* 0: any */
	uint32_t uid; /* DF_UID_ANY: any */
	unsigned int level; /* of the cgroup, the root is 0 */
	bool of_frames; /* the two below are set, those above are not */
	uint32_t ifindex; /* 0: any */
	struct address source; /* family 0: any */
};

struct policy_resolver {
	struct df_resolver_key key;
	uint32_t prefix; /* bits of the address that count */
	uint32_t mask;
};

struct policy_subject {
	struct df_subject_key key;
	uint32_t rank;
};

/* As a longest-prefix key, see df_origin_key. */
struct policy_origin {
	uint32_t ifindex;
	struct address source; /* prefix 0: any of its family */
	uint32_t rank; /* the lowest of all that cover it */
};

struct policy_image {
	struct df_generation generation; /* but for .id, which the publisher counts */
	struct policy_resolver *exact; /* sorted by key */
	size_t exact_length;
	struct policy_resolver *prefixes; /* a prefix carries what wider ones grant, too */
	size_t prefixes_length;
	struct policy_subject *subjects;
	size_t subjects_length;
	struct policy_origin *origins; /* sorted by interface, family, address, width */
	size_t origins_length;
};

/*
 * Compile a checked configuration. 0 or -ENOMEM; -E2BIG for a cgroup below level DF_LEVEL_MAX - 1.
 * *ret is filled on success only; free it with policy_image_done().
 */
int policy_compile(const struct config *config, const struct subject *subjects,
		   size_t subjects_length, struct policy_image *ret);
/*
 * Other subjects for an image whose policies and resolvers stay. Errors as above; the image is
 * untouched then.
 */
int policy_set_subjects(struct policy_image *image, const struct subject *subjects,
			size_t subjects_length);
void policy_image_done(struct policy_image *image);

/* Put the lists into the order that judge.c searches them in; for who fills an image elsewhere. */
void policy_image_sort(struct policy_image *image);

/* What a resolver is asked on: the services' own ports (0), or one of its own. */
struct resolver_mask {
	uint16_t port;
	uint32_t mask; /* as a table's value, without DF_RESOLVER_TRANSLATED */
};

#define RESOLVER_MASKS_MAX 2

/*
 * A resolver whose port is some fenced service's own, over that service's transport, is that
 * service's resolver, however it was written; the rest has a port of its own. How many of *ret are
 * filled.
 */
int policy_resolver_masks(const struct config *config, const struct resolver *resolver,
			  struct resolver_mask ret[RESOLVER_MASKS_MAX]);

#endif
