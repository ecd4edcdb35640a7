/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one place that counts a verdict and writes the ring buffer.
 *
 * The first of a kind gets a record at once, with its question. Equal ones within DF_FOLD_NS
 * only raise a number in a slot. What a slot holds is reported by the next record of the same
 * kind, by a violation that needs the slot, or by dnsfence_flush, which the daemon runs. Nothing
 * is ever dropped from a slot, so that always
 *
 *   denied + audited = counts of all records + pending in slots + lost
 *
 * Allowed lookups that are sampled are neither folded nor in this account. They have the ring only
 * while it is less than half full: the other half is the violations' alone.
 */
#ifndef DNSFENCE_EMIT_H
#define DNSFENCE_EMIT_H

#include "atomic.h"
#include "maps.h"

static __always_inline struct df_counters *counters_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

static __always_inline void count_verdict(enum df_hook hook, __u32 verdict, __u32 reason)
{
	struct df_counters *mine = counters_get();

	if (!mine)
		return;
	atomic_add(&mine->verdicts[hook][index_below(verdict, DF_VERDICT_MAX)]
				  [index_below(reason, DF_REASON_SLOTS)],
		   1);
}

/* violations that no record will report; repeats of them had waited in a slot. */
static __always_inline void count_lost(__u32 violations, __u32 repeats)
{
	struct df_counters *mine = counters_get();

	if (!mine)
		return;
	atomic_add(&mine->lost, violations);
	atomic_add(&mine->flushed, repeats);
}

static __always_inline void count_record(__u32 repeats)
{
	struct df_counters *mine = counters_get();

	if (!mine)
		return;
	atomic_add(&mine->records, 1);
	if (repeats)
		atomic_add(&mine->flushed, repeats);
}

static __always_inline void count_sampled(void)
{
	struct df_counters *mine = counters_get();

	if (mine)
		atomic_add(&mine->sampled, 1);
}

static __always_inline void count_crowded(void)
{
	struct df_counters *mine = counters_get();

	if (mine)
		atomic_add(&mine->crowded, 1);
}

static __always_inline void count_folded(void)
{
	struct df_counters *mine = counters_get();

	if (mine)
		atomic_add(&mine->folded, 1);
}

static __always_inline __u64 hash_mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
	return hash ^ (hash >> 29);
}

/* Where the violations that are equal to this one are counted. */
static __always_inline __u32 fold_index(const struct df_event *head)
{
	const __u64 *words = (const __u64 *)head;
	__u64 hash = 0;

#pragma unroll
	for (unsigned int i = 0; i < DF_EVENT_KEY_SIZE / 8; i++)
		hash = hash_mix(hash, words[i]);
	return (__u32)(hash >> 32) % DF_FOLD_SLOTS;
}

/*
 * Submit a record of size bytes. It wakes the reader only when nothing else is waiting for it;
 * while it is behind it comes by itself. A record that wakes costs its sender some 300 ns, one
 * that does not 60 to 80.
 */
static __always_inline void ring_submit(struct df_event *record, __u32 size)
{
	__u64 waiting = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
	__u32 own = (size + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;

	bpf_ringbuf_submit(record, waiting > own ? BPF_RB_NO_WAKEUP : BPF_RB_FORCE_WAKEUP);
}

/* Room for what is no violation. Several CPUs may find it at once: each adds one record. */
static __always_inline int ring_has_room(void)
{
	return bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) <
	       bpf_ringbuf_query(&events, BPF_RB_RING_SIZE) / 2;
}

/* Under slot->lock: the slot's own record, which takes its pending count along. */
static __always_inline __u32 slot_take(struct fold_slot *slot, struct df_event *record)
{
	__u32 count = slot->pending;

	if (record) {
		__builtin_memcpy(record, slot->head, DF_EVENT_HEAD_SIZE);
		record->count = count;
		record->size = DF_EVENT_HEAD_SIZE;
		record->question_len = 0;
	}
	slot->pending = 0;
	return count;
}

/* A record that slot_take() filled, or could not for want of room. */
static __always_inline void slot_report(struct df_event *record, __u32 count)
{
	if (record && count) {
		ring_submit(record, DF_EVENT_HEAD_SIZE);
		count_record(count);
	} else if (record) {
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
	} else if (count) {
		count_lost(count, count);
	}
}

/*
 * Is it this violation that a slot counts? By every byte: whoever violates chooses much of them,
 * and could make two that share any hash.
 */
static __always_inline int slot_holds(const struct fold_slot *slot, const struct df_event *head)
{
	const __u64 *words = (const __u64 *)head;
	__u64 differing = 0;

#pragma unroll
	for (unsigned int i = 0; i < DF_EVENT_KEY_SIZE / 8; i++)
		differing |= slot->head[i] ^ words[i];
	return !differing;
}

static __always_inline __u32 fold_enter(struct fold_slot *slot, const struct df_event *head,
					struct df_event *record)
{
	__u32 count = 1, others = 0;
	int equal;

	bpf_spin_lock(&slot->lock);
	equal = slot_holds(slot, head);
	if (equal && head->time_ns - slot->since < DF_FOLD_NS) {
		slot->pending++;
		((struct df_event *)slot->head)->time_ns = head->time_ns;
		count = 0;
	} else {
		if (equal) {
			count += slot->pending;
			slot->pending = 0;
		} else {
			others = slot_take(slot, record);
		}
		__builtin_memcpy(slot->head, head, DF_EVENT_HEAD_SIZE);
		slot->since = head->time_ns;
	}
	bpf_spin_unlock(&slot->lock);
	slot_report(record, others);
	return count;
}

/*
 * Enter a violation into its slot. 0: folded, nothing to write. Otherwise the count for its own
 * record: itself and the repeats that the slot still held.
 *
 * A record is tested once, and then the code without one is another copy: the verifier of 6.1
 * follows a second test of the same ringbuf pointer into its NULL branch and finds it leaked.
 */
static __always_inline __u32 fold(const struct df_event *head)
{
	__u32 index = fold_index(head);
	struct fold_slot *slot = bpf_map_lookup_elem(&folds, &index);

	if (!slot)
		return 1;
	if (slot->pending && !slot_holds(slot, head)) {
		struct df_event *record = bpf_ringbuf_reserve(&events, DF_EVENT_HEAD_SIZE, 0);

		if (record)
			return fold_enter(slot, head, record);
	}
	return fold_enter(slot, head, NULL);
}

#endif
