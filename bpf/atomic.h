/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Addition in the one atomic form that every kernel has (BPF_XADD). With an order, as in
 * __sync_fetch_and_add(), clang 22 takes the form that returns the old value: Linux 5.12.
 */
#ifndef DNSFENCE_ATOMIC_H
#define DNSFENCE_ATOMIC_H

#define atomic_add(to, value) ((void)__atomic_fetch_add(to, value, __ATOMIC_RELAXED))

#endif
