/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The record of a violation, or of an allowed lookup that is sampled: its parts, and the way into
 * the ring, for calls and for packets. Who sent a packet is the hook's own matter.
 */
#ifndef DNSFENCE_REPORT_H
#define DNSFENCE_REPORT_H

#include "emit.h"
#include "flow.h"
#include "question.h"
#include "task.h"
#include "verdict.h"

static __always_inline void event_begin(struct df_event *head, __u32 flags)
{
	head->size = DF_EVENT_HEAD_SIZE;
	head->abi = DF_ABI_VERSION;
	head->flags = flags;
	head->time_ns = bpf_ktime_get_ns();
}

/* At a call the one that runs now is the one to name. */
static __always_inline void event_begin_call(struct df_event *head, int errnum)
{
	event_begin(head, DF_EVENT_CALLER | DF_EVENT_UID);
	head->cgroup_id = bpf_get_current_cgroup_id();
	head->errnum = errnum;
	task_identify(&head->caller);
}

static __always_inline void event_write_call(const struct df_event *head)
{
	struct df_event *record = bpf_ringbuf_reserve(&events, DF_EVENT_CALL_SIZE, 0);

	if (!record) {
		count_lost(head->count, head->count - 1);
		return;
	}
	__builtin_memcpy(record, head, DF_EVENT_HEAD_SIZE);
	record->size = DF_EVENT_CALL_SIZE;
	task_read_command(record->command);
	ring_submit(record, DF_EVENT_CALL_SIZE);
	count_record(head->count - 1);
}

static __always_inline void event_send_call(struct df_event *head)
{
	head->count = fold(head);
	if (head->count)
		event_write_call(head);
	else
		count_folded();
}

static __always_inline void event_set_policy(struct df_event *head, enum df_hook hook,
					     const struct df_generation *generation,
					     const struct df_decision *decision)
{
	head->hook = hook;
	head->verdict = decision->verdict;
	head->reason = decision->reason;
	head->service = decision->service;
	head->generation = generation->id;
	if (decision->policy < DF_POLICY_MAX)
		__builtin_memcpy(head->policy,
				 generation_policy(generation, decision->policy)->name,
				 sizeof(head->policy));
}

static __always_inline void event_set_flow(struct df_event *head, const struct df_flow *flow)
{
	head->family = flow->family;
	head->protocol = flow->protocol;
	head->dport = flow->dport;
	head->sport = flow->sport;
	__builtin_memcpy(head->daddr, flow->daddr, sizeof(head->daddr));
	__builtin_memcpy(head->saddr, flow->saddr, sizeof(head->saddr));
}

static __always_inline void event_set_question(struct __sk_buff *skb, struct df_event *head,
					       const struct df_flow *flow,
					       struct question *question)
{
	__builtin_memset(question, 0, sizeof(*question));
	if (head->service != DF_SERVICE_DNS && head->service != DF_SERVICE_MAX)
		return;
	if ((flow->flags & (FLOW_SEALED | FLOW_PORTS)) != FLOW_PORTS)
		return;
	question_find(skb, flow, question);
	if (question->length)
		head->flags |= DF_EVENT_QUESTION;
	else if (question->payload)
		head->flags |= DF_EVENT_MALFORMED;
	head->question_hash = question->hash;
}

static __always_inline void event_count_unwritten(const struct df_event *head)
{
	if (head->verdict == DF_VERDICT_ALLOW)
		count_crowded();
	else
		count_lost(head->count, head->count - 1);
}

static __always_inline void event_count_written(const struct df_event *head)
{
	if (head->verdict == DF_VERDICT_ALLOW)
		count_sampled();
	else
		count_record(head->count - 1);
}

static __always_inline void event_write(struct __sk_buff *skb, const struct df_event *head,
					const struct question *question, int has_current)
{
	struct df_event *record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
	__u32 last = opaque(question->length - 1); /* 6.1 sees a length above 0 only so */

	if (!record) {
		event_count_unwritten(head);
		return;
	}
	__builtin_memcpy(record, head, DF_EVENT_HEAD_SIZE);
	record->size = sizeof(*record);
	record->question_len = 0;
	if (has_current)
		task_read_command(record->command);
	else
		__builtin_memset(record->command, 0, sizeof(record->command));
	__builtin_memset(record->question, 0, sizeof(record->question));
	if (last < DF_QUESTION_MAX &&
	    bpf_skb_load_bytes(skb, question->offset, record->question, last + 1) == 0)
		record->question_len = last + 1;
	ring_submit(record, sizeof(*record));
	event_count_written(head);
}

static __always_inline void event_send(struct __sk_buff *skb, struct df_event *head,
				       const struct question *question, int has_current)
{
	if (head->verdict == DF_VERDICT_ALLOW)
		head->count = ring_has_room();
	else
		head->count = fold(head);
	if (head->count)
		event_write(skb, head, question, has_current);
	else if (head->verdict == DF_VERDICT_ALLOW)
		count_crowded();
	else
		count_folded();
}

#endif
