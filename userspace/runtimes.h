/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of the container runtimes, and what is read of them; runtime_places.c knows where they
 * are, runtime_files.c opens them. No runtime's daemon is asked. Everything here may wait for a
 * file system that does not answer: catalog.c calls it from threads of its own, commands call it
 * directly.
 *
 *	Docker               containers/ID/config.v2.json
 *	containerd, nerdctl  io.containerd.runtime.v2.task/NAMESPACE/ID/config.json
 *	CRI-O                overlay-containers/ID/userdata/config.json, of it and of its sandbox
 *	Podman               overlay-containers/containers.json and volatile-containers.json
 *	pods                 /var/log/pods/NAMESPACE_NAME_UID, names of directories
 *	LXC, nspawn          none: the path has the name
 *
 * What the files do not have stays blank: Podman's and containerd's labels are in databases only.
 *
 * A cgroup of the system's is looked up below the configured roots, one of a user (facts->owner)
 * only in his home and runtime directories, and only in files that he owns. Regular files of at
 * most 16 MiB and as many values as runtime_json.h says, no symbolic links below a root or home;
 * the host's root directory may be elsewhere.
 */
#ifndef DNSFENCE_RUNTIMES_H
#define DNSFENCE_RUNTIMES_H

#include "config.h"
#include "facts.h"
#include "runtime_files.h"

struct runtimes; /* one thread at a time */

/* The roots are copied. */
int runtimes_new(const struct runtime_roots *roots, struct runtimes **ret);
void runtimes_free(struct runtimes *runtimes);
void runtimes_freep(struct runtimes **runtimes);

/*
 * For a command that reads one after the other: how long users' files may take, all together. Users
 * make as many as they like, and as large; -ETIMEDOUT is the answer to those that come later.
 */
#define RUNTIMES_USERS_US 2000000
void runtimes_limit_users(struct runtimes *runtimes, int64_t us);

/*
 * All that is known of the cgroup with that path and identity, whose owner (see facts.h) is asked
 * for by cgroup_owner(). 0; -EAGAIN with *ret, too: a part, the rest may come; -ENOENT: nothing
 * but what the path says, the runtime may not have written it yet; -EPROTO, -EFBIG...: the files
 * are broken, *problem says how; -ETIMEDOUT: see above. *problem may be set beside a 0, if
 * something was left out.
 */
int runtimes_read(struct runtimes *runtimes, const struct identity *identity, const char *path,
		  uint32_t owner, struct facts **ret, struct runtimes_problem *problem);

/* Is the file that told these facts another one by now? False when it told none. */
bool runtimes_changed(struct runtimes *runtimes, const struct facts *facts);

/* Give back what is kept between reads that follow each other: lists of all containers. */
void runtimes_idle(struct runtimes *runtimes);

#endif
