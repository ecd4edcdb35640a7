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
#include "siphash.h"

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
 * Length of the name at an offset, with the byte that ends it; 0: none. Global, as the next one, so
 * that the verifier explores each loop once.
 */
df_global __u32 question_name_length(struct __sk_buff *skb, __u32 start)
{
	__u32 offset = start;

	for (int i = 0; i < DNS_LABELS_MAX; i++) {
		__u8 length;

		if (bpf_skb_load_bytes(skb, offset, &length, 1) < 0 || length > DNS_LABEL_MAX ||
		    offset - start + length >= DNS_NAME_MAX)
			return 0;
		offset += 1 + length;
		if (!length)
			return offset - start;
	}
	return 0;
}

/*
 * Of the name at an offset, with this fence's own key: kind, which is type and class, as a word,
 * then the name in lower case, see name.h; no length of a label (0 to 63) is a letter.
 */
df_global __u64 question_hash(struct __sk_buff *skb, __u32 start, __u32 length, __u32 kind)
{
	struct siphash sip;
	__u64 word = 0;
	__u32 at = 0;

	siphash_begin(&sip, question_key[0], question_key[1]);
	siphash_word(&sip, kind);
	for (int i = 0; i < DNS_NAME_MAX / 8 && length - at >= 8; i++, at += 8) {
		if (bpf_skb_load_bytes(skb, start + at, &word, 8) < 0)
			return 0;
		siphash_word(&sip, name_fold_case(word));
	}
	word = 0;
	if (length > at) {
		__u32 last = opaque(length - at - 1); /* 6.1 sees a length above 0 only so */

		if (last >= 7 || bpf_skb_load_bytes(skb, start + at, &word, last + 1) < 0)
			return 0;
	}
	return siphash_end(&sip, name_fold_case(word), 8 + length);
}

static __always_inline void question_find(struct __sk_buff *skb, const struct df_flow *flow,
					  struct question *question)
{
	__u32 message = question_message(skb, flow), name, kind;

	__builtin_memset(question, 0, sizeof(*question));
	if (!message || message >= skb->len)
		return;
	question->payload = 1;
	if (!question_is_query(skb, message))
		return;
	question->offset = message + DNS_HEADER;
	name = question_name_length(skb, question->offset);
	if (!name || bpf_skb_load_bytes(skb, question->offset + name, &kind, 4) < 0)
		return;
	question->length = name + 4;
	question->hash = question_hash(skb, question->offset, name, kind);
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
