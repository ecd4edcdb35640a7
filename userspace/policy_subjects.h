/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose policy counts, in a policy image: its subjects and origins, filled, sorted, and changed one
 * by one as cgroups and interfaces come and go. What everybody may call of it is in policy.h.
 */
#ifndef DNSFENCE_POLICY_SUBJECTS_H
#define DNSFENCE_POLICY_SUBJECTS_H

#include "policy.h"

/* Those of an image that has none yet. Errors as of policy_compile(). */
int policy_subjects_set(struct policy_image *image, const struct subject *subjects,
			size_t subjects_length);
/* Their part of policy_image_sort(). */
void policy_subjects_sort(struct policy_image *image);

#endif
