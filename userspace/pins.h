/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pin directory: bpffs below it, what may stand in it, where each map and link is pinned.
 *
 *   DIR/maps/NAME    DIR/links/HOOK    DIR 0700, pins 0600 (the kernel's own mode)
 */
#ifndef DNSFENCE_PINS_H
#define DNSFENCE_PINS_H

#include <limits.h>

#include "problem.h"

#define PINS_DEFAULT_DIR "/sys/fs/bpf/dnsfence"

struct pins {
	char maps[PATH_MAX];
	char links[PATH_MAX];
	char dir[PATH_MAX];
};

/* Names only, nothing is touched. -ENAMETOOLONG. */
int pins_init(struct pins *pins, const char *dir, struct problem *problem);

/*
 * Make the directories, mounting bpffs on /sys/fs/bpf if it is missing there. -EEXIST when the
 * directory holds something that is not ours, -EPERM when others may write into it.
 */
int pins_prepare(const struct pins *pins, struct problem *problem);

/* Is there anything pinned? false when the directory does not exist. */
bool pins_exist(const struct pins *pins);

/*
 * Remove every pin and the directories. 0 also when there was nothing; -EEXIST when there is
 * something that is not ours, and nothing is removed then.
 */
int pins_remove(const struct pins *pins, struct problem *problem);

/*
 * Keep other instances away from the directory, which must exist. A descriptor to hold; -EBUSY
 * when another one holds it.
 */
int pins_lock(const struct pins *pins, struct problem *problem);

/* Is the lock on the directory that has the name now? */
bool pins_lock_holds(const struct pins *pins, int lock);

const char *pins_path(char path[PATH_MAX], const char *dir, const char *name);

#endif
