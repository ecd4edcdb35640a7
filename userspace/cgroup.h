/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cgroup2 hierarchy: where it is mounted, ids of paths, paths of ids. Paths are relative to
 * the mount and begin with a slash.
 */
#ifndef DNSFENCE_CGROUP_H
#define DNSFENCE_CGROUP_H

#include "problem.h"

/*
 * The first cgroup2 mount in /proc/self/mountinfo that shows the whole hierarchy (field 4 is /).
 * 0 with *ret allocated; -ENOENT without one.
 */
int cgroup_find_mount(char **ret);

/* What to say when that has failed; -ENOTSUP. */
int cgroup_refuse_mount(int error, struct problem *problem);

/* 64-bit id as bpf_get_current_cgroup_id() tells it; 0 or -errno. fd: the mount's directory. */
int cgroup_id_of(int mount_fd, const char *path, uint64_t *ret);

/* 0 with *ret allocated; -ESTALE when the cgroup has gone, -EPERM without CAP_DAC_READ_SEARCH. */
int cgroup_path_of(int mount_fd, const char *mount, uint64_t id, char **ret);

/* Is path top, or below it? Both as cgroup_path_of() writes them. */
bool cgroup_is_below(const char *path, const char *top);

/*
 * The ids of a path as cgroup_path_of() writes it and of everything above it, the root first: how
 * many were written, at most max, which is not 0; or -errno.
 */
int cgroup_ancestors(int mount_fd, const char *path, uint64_t *ids, size_t max);

/*
 * A path as people write it, as the kernel does: one slash between components, none at the end.
 * 0, or -EINVAL: it does not begin with a slash, has a "." or "..", or does not fit into to.
 */
int cgroup_path_clean(const char *path, char *to, size_t size);

/* Slashes with something behind them: the level in the hierarchy, "/" is 0. */
unsigned int cgroup_level(const char *path);

#endif
