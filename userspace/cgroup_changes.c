// SPDX-License-Identifier: GPL-2.0-or-later
#include "cgroup_changes.h"

#include <sys/eventfd.h>

int cgroup_changes_init(struct cgroup_changes *changes)
{
	changes->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return changes->fd < 0 ? -errno : 0;
}

void cgroup_changes_done(struct cgroup_changes *changes)
{
	util_closep(&changes->fd);
}

void cgroup_changes_add(struct cgroup_changes *changes, uint64_t id)
{
	const uint64_t one = 1;

	if (changes->length < CGROUP_CHANGES_MAX)
		changes->ids[changes->length++] = id;
	else
		changes->lost = true;
	(void)!write(changes->fd, &one, sizeof(one)); /* EAGAIN: it is readable already */
}

size_t cgroup_changes_take(struct cgroup_changes *changes, uint64_t *ids, size_t max,
			   bool *ret_lost)
{
	size_t length = MIN(max, changes->length);
	uint64_t count;

	memcpy(ids, changes->ids, length * sizeof(*ids));
	changes->length -= length;
	memmove(changes->ids, changes->ids + length, changes->length * sizeof(*ids));
	*ret_lost = changes->lost;
	changes->lost = false;
	if (!changes->length)
		(void)!read(changes->fd, &count, sizeof(count));
	return length;
}
