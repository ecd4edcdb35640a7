/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the question section of a DNS message in a packet lies, and its hash. Only on the path
 * of a violation, or of any lookup while some policy forwards. Compression pointers cannot stand in
 * a first question (RFC 1035 4.1.4: they point to a prior occurrence), so a label over 63 bytes
 * ends the reading.
 */
#ifndef DNSFENCE_QUESTION_H
#define DNSFENCE_QUESTION_H

#include "emit.h"
#include "flow.h"
#include "name.h"

#define DNS_HEADER 12
#define DNS_LABEL_MAX 63
#define DNS_LABELS_MAX 128 /* a name of 255 bytes holds 127 labels and the root */
#define DNS_NAME_MAX 255
#define DNS_FLAGS 2 /* byte offsets in the header, RFC 1035 4.1.1 */
#define DNS_QDCOUNT 4
#define DNS_FLAG_ANSWER 0x80 /* QR */

struct question {
	__u32 offset; /* from the start of the packet */
	__u32 length; /* 0: none */
	__u64 hash;
	__u32 payload; /* the packet carries bytes behind its L4 header */
	__u32 pad;
};

#define QUESTION_LENGTH_BITS 16

/* Offset of a DNS message behind a UDP, UDP-Lite or TCP header; 0 when there is none. */
static __always_inline __u32 question_message(struct __sk_buff *skb, const struct df_flow *flow)
{
	__u8 doff;

	if (flow->protocol == PROTO_UDP || flow->protocol == PROTO_UDPLITE)
		return flow->l4_offset + 8;
	if (flow->protocol != PROTO_TCP ||
	    bpf_skb_load_bytes(skb, flow->l4_offset + 12, &doff, 1) < 0)
		return 0;
	return flow->l4_offset + (doff >> 4) * 4 + 2; /* two bytes of length, RFC 1035 4.2.2 */
}

/* A header that asks one question; later segments of a stream seldom look like that. */
static __always_inline int question_is_query(struct __sk_buff *skb, __u32 message)
{
	__u8 header[DNS_HEADER];

	return bpf_skb_load_bytes(skb, message, header, sizeof(header)) == 0 &&
	       !(header[DNS_FLAGS] & DNS_FLAG_ANSWER) && !header[DNS_QDCOUNT] &&
	       header[DNS_QDCOUNT + 1] == 1;
}

/*
 * Length and hash of the question section at an offset, the length in the low bits; 0: none. The
 * hash is that of the same question in lower case, see name.h. Global, so that the verifier
 * explores the loop once.
 */
df_global __u64 question_measure(struct __sk_buff *skb, __u32 start)
{
	__u32 offset = start;
	__u64 words[8];
	__u64 hash = 0;

	for (int i = 0; i < DNS_LABELS_MAX; i++) {
		__u8 length;
		__u32 last;

		if (bpf_skb_load_bytes(skb, offset, &length, 1) < 0 ||
		    offset - start + length >= DNS_NAME_MAX)
			return 0;
		if (!length)
			break;
		last = opaque(length - 1); /* 6.1 sees a length above 0 only so */
		if (last >= DNS_LABEL_MAX)
			return 0;
		__builtin_memset(words, 0, sizeof(words));
		if (bpf_skb_load_bytes(skb, offset + 1, words, last + 1) < 0)
			return 0;
		((__u8 *)words)[sizeof(words) - 1] = length;
#pragma unroll
		for (int word = 0; word < 8; word++) {
			hash = hash_mix(hash, name_fold_case(words[word]));
			/* One after the other: side by side they take more stack than there is. */
			asm volatile("" : "+r"(hash)::"memory");
		}
		offset += 1 + length;
	}
	words[0] = 0;
	if (bpf_skb_load_bytes(skb, offset + 1, words, 4) < 0) /* type and class */
		return 0;
	return hash_mix(hash, words[0]) << QUESTION_LENGTH_BITS | (__u16)(offset + 5 - start);
}

static __always_inline void question_find(struct __sk_buff *skb, const struct df_flow *flow,
					  struct question *question)
{
	__u32 message = question_message(skb, flow);

	__builtin_memset(question, 0, sizeof(*question));
	if (!message || message >= skb->len)
		return;
	question->payload = 1;
	if (!question_is_query(skb, message))
		return;
	question->hash = question_measure(skb, message + DNS_HEADER);
	question->offset = message + DNS_HEADER;
	question->length = (__u16)question->hash;
}

/*
 * A DNS answer. From a server's own, fenced port it goes to whatever port its client asked from;
 * no resolver takes it for a question. Of several datagrams in one packet (UDP_SEGMENT) only the
 * first can be seen here: it does not speak for the others, and no DNS server answers so.
 */
static __always_inline int question_is_answer(struct __sk_buff *skb, const struct df_flow *flow)
{
	__u8 flags;

	if (flow->protocol != PROTO_UDP && flow->protocol != PROTO_UDPLITE)
		return 0;
	if (skb->gso_size) /* 5.7; gso_segs is 0 where a virtual machine cuts */
		return 0;
	if (bpf_skb_load_bytes(skb, flow->l4_offset + 8 + DNS_FLAGS, &flags, 1) < 0)
		return 0;
	return flags & DNS_FLAG_ANSWER;
}

#endif
