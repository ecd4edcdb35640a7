/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The locks that keep two of us from one instance: flock() on an open file. */
#ifndef DNSFENCE_LOCK_H
#define DNSFENCE_LOCK_H

/*
 * 0, or -errno: -EWOULDBLOCK when somebody else has had it for half a second. A daemon that was
 * killed as it started a process (sweep.c) leaves it for the moment which that one takes to let go.
 */
int lock_take(int fd);

#endif
