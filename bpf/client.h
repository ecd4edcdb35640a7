/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whose lookup systemd-resolved makes, where nobody has asked it over the network: nss-resolve(8)
 * and others ask it over a unix socket. What they ask is seen nowhere; that they connect is, and
 * if one client alone has within DF_CLIENT_NS, an event of systemd-resolved's names it, marked as
 * known by its connection only. unix.bpf.c sees who connects; this file owns the table and the
 * rules, which leave out a name rather than take the wrong one:
 *
 * - A client is a process in a cgroup; two of them within the time and nobody is named. Whoever has
 *   asked the stub in that time is another one: systemd-resolved may ask more for it than it was
 *   asked (DNSSEC's keys, an alias's target).
 * - A client whose root directory is another one may have met another systemd-resolved behind the
 *   same path: a container's own.
 * - All writers and readers take the lock, so that two at a time can at worst both be met.
 */
#ifndef DNSFENCE_CLIENT_H
#define DNSFENCE_CLIENT_H

#include "asker.h"
#include "flow.h"
#include "maps.h"
#include "task.h"

static __always_inline struct client_slot *clients_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&clients, &zero);
}

/* Under slot->lock. */
static __always_inline int client_is_last(const struct client_slot *slot, const struct df_via *who)
{
	return slot->last.cgroup_id == who->cgroup_id && slot->last.tgid == who->tgid;
}

static __always_inline void clients_note_connection(const struct df_via *who, __u64 root, __u64 now)
{
	struct client_slot *slot = clients_get();

	if (!slot)
		return;
	bpf_spin_lock(&slot->lock);
	if (!client_is_last(slot, who) && slot->others_ns < slot->last_ns)
		slot->others_ns = slot->last_ns;
	slot->last = *who;
	slot->last_root = root;
	slot->last_ns = now;
	bpf_spin_unlock(&slot->lock);
}

/* Where systemd-resolved's stub listens, whatever else it is told to listen on. */
static __always_inline int flow_is_to_stub(const struct df_flow *flow)
{
	return flow->family == 4 && flow->daddr[0] == 127 && !flow->daddr[1] && !flow->daddr[2] &&
	       (flow->daddr[3] == 53 || flow->daddr[3] == 54);
}

static __always_inline void clients_note_asker(const struct df_via *who, __u64 now)
{
	struct client_slot *slot = kernel_connect_unix ? clients_get() : NULL;

	if (!slot)
		return;
	bpf_spin_lock(&slot->lock);
	if (!client_is_last(slot, who))
		slot->others_ns = now;
	bpf_spin_unlock(&slot->lock);
}

static __always_inline int comm_is_resolved(const char comm[16])
{
	const char name[16] = "systemd-resolve"; /* as the kernel cuts it */
	__u64 is[2], wanted[2];

	__builtin_memcpy(is, comm, sizeof(is));
	__builtin_memcpy(wanted, name, sizeof(wanted));
	return is[0] == wanted[0] && is[1] == wanted[1];
}

/* Under slot->lock. What has come after `now` is others' for sure, but not yet the last one's. */
static __always_inline int client_is_alone(const struct client_slot *slot, __u64 now)
{
	return slot->last_ns && slot->last_ns <= now && now - slot->last_ns < DF_CLIENT_NS &&
	       slot->others_ns + DF_CLIENT_NS <= now;
}

/* For a record whose caller runs now and has been set, after event_set_via(). */
static __always_inline void event_set_client(struct df_event *head,
					     const struct df_generation *generation, __u32 rank)
{
	struct client_slot *slot;
	__u64 root;

	if (!kernel_connect_unix || head->via.cgroup_id || !policy_forwards(generation, rank) ||
	    !comm_is_resolved(head->caller.comm))
		return;
	slot = clients_get();
	if (!slot)
		return;
	root = task_current_root();
	bpf_spin_lock(&slot->lock);
	if (client_is_alone(slot, head->time_ns) && slot->last_root == root &&
	    slot->last.cgroup_id != head->cgroup_id) {
		head->via = slot->last;
		head->flags |= DF_EVENT_CONNECTED;
	}
	bpf_spin_unlock(&slot->lock);
}

#endif
