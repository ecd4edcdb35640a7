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

/* Some of a configuration's policies. */
struct rank_set {
	uint64_t bits[DF_POLICY_MAX / 64];
};

static inline void rank_set_add(struct rank_set *set, size_t rank)
{
	set->bits[rank / 64] |= 1ull << rank % 64;
}

static inline bool rank_set_has(const struct rank_set *set, size_t rank)
{
	return set->bits[rank / 64] >> rank % 64 & 1;
}

static inline bool rank_set_is_empty(const struct rank_set *set)
{
	return !(set->bits[0] | set->bits[1] | set->bits[2] | set->bits[3]);
}

struct policy_resolver {
	struct df_resolver_key key;
	uint32_t prefix; /* bits of the address that count */
	uint32_t mask;
};

struct policy_subject {
	struct df_subject_key key;
	uint32_t rank;
};

/* An entry that comes, has another rank now, or goes. */
struct subject_change {
	struct df_subject_key key;
	uint32_t rank; /* DF_POLICY_MAX: it goes */
	uint32_t old; /* likewise: it is new */
	unsigned int level; /* of the cgroup */
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
 * Other subjects of frames for an image of which all else stays; those of sockets are ignored.
 * Errors as above; the image is untouched then.
 */
int policy_set_frames(struct policy_image *image, const struct subject *subjects,
		      size_t subjects_length);
/*
 * Entries of one cgroup as they are in the image: those from *ret_first on that have this id, how
 * many.
 */
size_t policy_find_cgroup(const struct policy_image *image, uint64_t cgroup_id, size_t *ret_first);
/* One entry in its place. 0 or -ENOMEM. */
int policy_change_subject(struct policy_image *image, const struct subject_change *change);
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
