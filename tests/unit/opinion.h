/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plain reading of judge.h on a lookup that is written as a query, not as a packet. Tests only.
 */
#ifndef DNSFENCE_TEST_OPINION_H
#define DNSFENCE_TEST_OPINION_H

#include "userspace/config.h"
#include "userspace/query.h"

/* Verdict and reason as events print them. policy is an index into config->policies. */
void opinion_of(const struct config *config, size_t policy, const struct query *query,
		const char **ret_verdict, const char **ret_reason);

#endif
