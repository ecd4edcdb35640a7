/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the files of container runtimes may be: the configuration's places, or a user's own. */
#ifndef DNSFENCE_RUNTIME_PLACES_H
#define DNSFENCE_RUNTIME_PLACES_H

#include "config.h"
#include "runtime_files.h"

#define RUNTIME_PLACES_MAX RUNTIME_ROOTS_MAX

/* The words of the configuration, or the standard ones up to NULL. How many places there are. */
size_t runtime_places_of_system(const struct words *words, const char *const *standard,
				struct runtime_place places[RUNTIME_PLACES_MAX]);

/*
 * Below a user's home, as the host's passwd(5) has it, and below his runtime directory; NULL: not
 * there. How many places there are.
 */
size_t runtime_places_of_user(const char *host, uint32_t uid, const char *in_home,
			      const char *in_run, struct runtime_place places[RUNTIME_PLACES_MAX]);

#endif
