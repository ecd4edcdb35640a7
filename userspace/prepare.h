/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that can be wrong before the kernel is touched: find the configuration or make the
 * built-in one, read it, resolve what it names on this host, compile the policy image.
 */
#ifndef DNSFENCE_PREPARE_H
#define DNSFENCE_PREPARE_H

#include "census.h"
#include "command.h"
#include "config.h"
#include "policy.h"
#include "problem.h"

struct prepared {
	char *mount; /* of cgroup2; NULL: not found yet, and mount_fd is nothing */
	int mount_fd;
	struct config config;
	struct census census; /* empty where no policy speaks of cgroups */
	struct subject_list frames; /* the subjects of frames */
	struct policy_image image;
};

/*
 * facts: who knows what the runtimes' files say; NULL: they are read, and only now. 0 with *ret
 * filled; -EINVAL when the configuration is wrong, after all its errors have been written to `to`,
 * as JSON with options->json; any other -errno with *problem set. Warnings go to `to` on success,
 * too.
 */
int prepare(const struct options *options, const struct facts_source *facts, struct prepared *ret,
	    FILE *to, struct problem *problem);
void prepared_done(struct prepared *prepared);
/* *to, which is empty, has it all, and *from nothing any more. */
void prepared_move(struct prepared *to, struct prepared *from);

/*
 * The same configuration against the interfaces that exist now. 1 when that gave another image, 0
 * when nothing has changed, -errno otherwise; what was prepared before is kept then.
 */
int prepare_again(struct prepared *prepared);

/*
 * Once it is in force: give back what a daemon does not need to follow its subjects. 100,000
 * resolvers are some 15 MB before and at most 4 MB after.
 */
void prepared_shrink(struct prepared *prepared);

#endif
