// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Repeats of a violation that no later record has told of, see emit.h. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "emit.h"
#include "maps.h"

/* Report what a slot holds, if it has held it for long enough. Verified once, not per turn. */
df_global int flush_slot(__u32 index, __u64 now)
{
	struct fold_slot *slot = bpf_map_lookup_elem(&folds, &index);
	struct df_event *record;
	__u32 count;

	if (!slot || !slot->pending || now - slot->since < DF_FOLD_NS)
		return 0;
	record = bpf_ringbuf_reserve(&events, DF_EVENT_HEAD_SIZE, 0);
	if (!record)
		return 0; /* full: the slot keeps its count for the next run */
	bpf_spin_lock(&slot->lock);
	count = slot_take(slot, record);
	bpf_spin_unlock(&slot->lock);
	slot_report(record, count);
	return 0;
}

/*
 * Never attached: the daemon runs it (BPF_PROG_TEST_RUN) to report repeats that no later
 * violation has reported. One run walks DF_FOLD_BATCH slots, the next goes on behind them.
 */
SEC("cgroup_skb/egress")
int dnsfence_flush(struct __sk_buff *skb)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 first = flush_next;

	(void)skb;
	flush_next = (first + DF_FOLD_BATCH) % DF_FOLD_SLOTS;
	for (int i = 0; i < DF_FOLD_BATCH; i++)
		flush_slot((first + i) % DF_FOLD_SLOTS, now);
	return 1; /* pass: nobody asks */
}
