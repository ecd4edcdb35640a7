/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does this host's IPsec (XFRM) transform what its sockets send? The packet hook then sees ESP, and
 * calls have to be judged where they are made.
 */
#ifndef DNSFENCE_IPSEC_H
#define DNSFENCE_IPSEC_H

#include "util.h"

/*
 * 1: a policy of this network namespace for outgoing packets has a template; 0: none has; -errno:
 * that cannot be told (-EPERM without CAP_NET_ADMIN, -EPROTONOSUPPORT on a kernel without XFRM).
 */
int ipsec_transforms(void);

/* The same of one message of a dump; for the tests. */
bool ipsec_policy_transforms(const void *message, size_t size);

#endif
