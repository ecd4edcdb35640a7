/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A prepared policy -> a closed fence. At the start the policy is published before a program is
 * attached; later, programs that the next policy needs are attached before it is published.
 * Shared by run and load.
 */
#ifndef DNSFENCE_ENFORCE_H
#define DNSFENCE_ENFORCE_H

#include "attach.h"
#include "edge.h"
#include "prepare.h"
#include "publish.h"
#include "watch.h"

struct enforcement {
	const struct pins *pins; /* NULL: pin nothing */
	int pins_lock;
	const char *cgroup; /* path below the mount */
	int cgroup_fd;
	struct fence fence;
	struct attachments attachments;
	struct hook_plan plan;
	struct publication published;
	const struct policy_image *image; /* of what is published; see enforce_keep() */
	bool live; /* subjects come and go: set before the start */
	bool unsealed; /* while they do */
	bool learns; /* see struct fence_options; set before the start */
	struct df_seal seal; /* what should be there; also kept in a pinned map */
	struct watch_findings before; /* what was done to a pinned fence while no daemon ran */
	struct edge *edge; /* NULL: no interface is fenced */
	bool edge_wanted; /* the configuration asks for some */
	char edge_owner[PATH_MAX + 16]; /* of the filters */
};

/* Empty, so that enforce_close() may follow. live: see struct enforcement. */
void enforce_init(struct enforcement *enforcement, bool live);

/* 0; -errno with *problem set and, as far as this call began it, nothing attached. */
int enforce_start(const struct options *options, const struct prepared *prepared,
		  const struct pins *pins, struct enforcement *ret, struct problem *problem);

/* Another policy for a fence that is closed. After a failure the old one is in force. */
int enforce_policy(struct enforcement *enforcement, const struct prepared *prepared,
		   struct problem *problem);

/*
 * The packet hook has met packets that IPsec had made unreadable, and refused those of UDP sockets:
 * from here on their calls are judged instead. 0; -errno with *problem set, and they are refused.
 */
int enforce_judge_calls(struct enforcement *enforcement, struct problem *problem);

/* The image that was put in force is now here; the daemon keeps it in step with the subjects. */
void enforce_keep(struct enforcement *enforcement, const struct policy_image *image);

/*
 * One entry of the subjects of the policy in force, as publish_subject(). After the last of
 * several that come together, enforce_subjects_end().
 */
int enforce_subject(struct enforcement *enforcement, const struct subject_change *change);
void enforce_subjects_end(struct enforcement *enforcement);

/*
 * Make what the findings name what it should be again, those of one kind of mending. 0; -errno
 * with *problem set. enforcement->seal is what to compare with from now on.
 */
int enforce_mend(struct enforcement *enforcement, enum watch_mend mend,
		 const struct watch_findings *findings, struct problem *problem);

/* The name that an instance's tc filters have; ephemeral ones have another. */
void enforce_edge_owner(char owner[PATH_MAX + 16], const char *pin_dir, bool ephemeral);

/* Once more, where the interfaces could not even be listed; else nothing. */
void enforce_edge_again(struct enforcement *enforcement, const struct config *config);

/* Say of each interface that is wanted and not fenced why, once. How many that were now. */
size_t enforce_edge_complain(struct enforcement *enforcement);

/* Take the filters away. 0; -errno with *problem set. */
int enforce_open_edge(struct enforcement *enforcement, struct problem *problem);

/* Lets go. What is pinned stays attached, and so do the filters. */
void enforce_close(struct enforcement *enforcement);

#endif
