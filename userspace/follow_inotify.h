/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second way of follow.h: a watch on every cgroup's directory. Its owner tells it all there
 * are; what is made in a directory before its watch is there is found by listing it.
 */
#ifndef DNSFENCE_FOLLOW_INOTIFY_H
#define DNSFENCE_FOLLOW_INOTIFY_H

#include "follow.h"

struct follow_inotify;

struct follow_inotify *follow_inotify_new(const struct follow_options *options,
					  const struct follow_handler *handler);
void follow_inotify_free(struct follow_inotify *inotify);
int follow_inotify_fd(const struct follow_inotify *inotify);
bool follow_inotify_read(struct follow_inotify *inotify);
void follow_inotify_meet(struct follow_inotify *inotify, uint64_t id, const char *path);
void follow_inotify_forget(struct follow_inotify *inotify, uint64_t id);

#endif
