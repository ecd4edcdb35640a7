/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A prepared policy -> a closed fence. At the start the policy is published before a program is
 * attached; later, programs that the next policy needs are attached before it is published.
 * Shared by run and load.
 */
#ifndef DNSFENCE_ENFORCE_H
#define DNSFENCE_ENFORCE_H

#include "attach.h"
#include "prepare.h"
#include "publish.h"

struct enforcement {
	const struct pins *pins; /* NULL: pin nothing */
	int pins_lock;
	int cgroup_fd;
	struct fence fence;
	struct attachments attachments;
	struct hook_plan plan;
	struct publish_result published;
};

/* 0; -errno with *problem set and, as far as this call began it, nothing attached. */
int enforce_start(const struct options *options, const struct prepared *prepared,
		  const struct pins *pins, struct enforcement *ret, struct problem *problem);

/* Another policy for a fence that is closed. After a failure the old one is in force. */
int enforce_policy(struct enforcement *enforcement, const struct prepared *prepared,
		   struct problem *problem);

/* Lets go. What is pinned stays attached. */
void enforce_close(struct enforcement *enforcement);

/* Detach and remove the pins. */
int enforce_stop(struct enforcement *enforcement, struct problem *problem);

#endif
