/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy without a configuration file, as YAML text: what resolv.conf names is sanctioned,
 * enforced; a resolver on this host's loopback is a forwarder, so its own process may ask its
 * upstreams. `run` loads this text, `init` prints it.
 */
#ifndef DNSFENCE_BUILTIN_H
#define DNSFENCE_BUILTIN_H

#include "util.h"

#define BUILTIN_NAME "built-in policy" /* where others have a file's name */

/* Where to read from; NULL means the host's own files. */
struct builtin_sources {
	const char *resolv_conf; /* /etc/resolv.conf */
	const char *resolved_resolv_conf; /* /run/systemd/resolve/resolv.conf */
	const char *proc; /* /proc */
};

/*
 * 0 with *ret allocated; 1 when it is, but somebody on this host's loopback forwards who got no
 * policy and would be blocked with everyone: a comment in it says why. -errno when resolv.conf
 * exists but cannot be read.
 */
int builtin_policy(const struct builtin_sources *sources, char **ret);

#endif
