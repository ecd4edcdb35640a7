/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the path of a cgroup alone says about who lives there: unit, slices, container, pod. Pure
 * text: opens no file and knows no runtime's. Used by the matcher, by catalog.c and by events.
 *
 * Position decides what is believed. Whoever may make a cgroup names it, so:
 *  - a unit has nothing but slices above it, as systemd itself reads paths
 *    (systemd's cg_path_get_unit()); what a service, a container or a user makes below its own
 *    cgroup is no unit, whatever its name;
 *  - a user's units stand below /user.slice/user-UID.slice/user@UID.service, slices between;
 *  - the container and the pod of a path are the outermost ones; what stands below that container
 *    was named by whoever is root in it, and is told apart as "nested": for the log, never for a
 *    policy. A Kubernetes node that is itself a container (kind) is such a case.
 * Names below a user's manager, or below a directory that its owner was given, are that user's
 * choice: identity->user says the first, facts->owner (runtimes.h) both.
 */
#ifndef DNSFENCE_IDENTITY_H
#define DNSFENCE_IDENTITY_H

#include "util.h"

#define IDENTITY_NO_USER UINT32_MAX
#define IDENTITY_UNIT_MAX 256 /* systemd's UNIT_NAME_MAX */
#define IDENTITY_ID_MAX 129
#define IDENTITY_POD_MAX 64

/* Symbol and name, as ECS' container.runtime and the configuration write it. */
#define IDENTITY_RUNTIMES(X)                \
	X(RUNTIME_DOCKER, "docker")         \
	X(RUNTIME_CONTAINERD, "containerd") \
	X(RUNTIME_CRIO, "cri-o")            \
	X(RUNTIME_PODMAN, "podman")         \
	X(RUNTIME_NERDCTL, "nerdctl")       \
	X(RUNTIME_LXC, "lxc")               \
	X(RUNTIME_NSPAWN, "systemd-nspawn")

enum runtime {
	RUNTIME_NONE, /* no container */
#define IDENTITY_RUNTIME_ENUM(symbol, name) symbol,
	IDENTITY_RUNTIMES(IDENTITY_RUNTIME_ENUM)
#undef IDENTITY_RUNTIME_ENUM
		RUNTIME_UNKNOWN, /* the id of a container, but whose? the files may tell */
	RUNTIME_MAX
};

/* The name; NULL for RUNTIME_NONE and RUNTIME_UNKNOWN. And back; RUNTIME_NONE for no runtime's. */
const char *identity_runtime_name(enum runtime runtime);
enum runtime identity_runtime_find(const char *name);

/*
 * The levels say which cgroup of the path *is* the unit, the slice, ...; the root is level 0, as
 * in cgroup_level(). A level counts only where there is a name.
 */
struct identity_unit {
	char name[IDENTITY_UNIT_MAX]; /* as systemctl shows it; "": none */
	unsigned int level;
};

struct identity_container {
	enum runtime runtime; /* RUNTIME_NONE: no container */
	/* 64 hexadecimal digits in lower case; a name for LXC and nspawn. Safe as a path part. */
	char id[IDENTITY_ID_MAX];
	unsigned int level;
};

struct identity_pod {
	/* With dashes, as the API server has it; a static pod's has none. Safe as a path part. */
	char uid[IDENTITY_POD_MAX]; /* "": none */
	unsigned int level;
};

struct identity {
	struct identity_unit unit; /* of the system's manager, no slice: nginx.service */
	struct identity_unit slice; /* the innermost of the slices above that unit */
	struct identity_unit user_unit, user_slice; /* the same of a user's own manager */
	uint32_t user; /* whose manager that is, for all that is below it; IDENTITY_NO_USER */
	struct identity_container container; /* the outermost one */
	struct identity_container nested; /* the innermost one, if that is another */
	struct identity_pod pod; /* the outermost one, not in a container */
	struct identity_pod nested_pod; /* the innermost one in a container */
	unsigned int level; /* of the path */
};

/*
 * Path as cgroup_path_of() writes it; any other text is safe, too. What is not there, or is no
 * name such a thing can have, is blank.
 */
void identity_of_path(const char *path, struct identity *ret);

/* Is the cgroup of this path itself the unit, the slice...? Not one below it. */
static inline bool identity_is_at(const struct identity *identity, const struct identity_unit *unit)
{
	return unit->name[0] && unit->level == identity->level;
}

#endif
