/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DNSFENCE_CGROUP_OWNER_H
#define DNSFENCE_CGROUP_OWNER_H

#include "identity.h"

/*
 * Who may have chosen the names of the container and the pod in this path: the owner of the
 * directories that they were made in, which are looked at below the cgroup2 mount. 0 or a uid;
 * IDENTITY_NO_USER when several may, or when nothing is there to look at any more.
 */
uint32_t cgroup_owner(int mount_fd, const char *path, const struct identity *identity);

#endif
