/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf/flow.h for the host compiler: df_load() reads a plain buffer, bounds checked, as
 * bpf_skb_load_bytes() reads a packet. The unit tests and the fuzzer so run the kernel's very
 * own parser. Tests only.
 */
#ifndef DNSFENCE_HOST_FLOW_H
#define DNSFENCE_HOST_FLOW_H

#include <stdint.h>
#include <string.h>

typedef struct {
	const uint8_t *data;
	uint32_t len;
} df_load_ctx;

static inline int host_load(const df_load_ctx *ctx, uint32_t offset, void *to, uint32_t length)
{
	if (offset > ctx->len || length > ctx->len - offset)
		return -1;
	memcpy(to, ctx->data + offset, length);
	return 0;
}

#define df_load(ctx, offset, to, length) host_load(ctx, offset, to, length)

#include "bpf/flow.h"

/* What packet_walk() of bpf/packet.bpf.c does: any version but 6 is read as 4, and refused there.
 */
static inline void host_flow_parse(const uint8_t *data, uint32_t len, struct df_flow *flow)
{
	df_load_ctx ctx = {.data = data, .len = len};

	flow_parse(&ctx, flow, len && data[0] >> 4 == 6 ? 6 : 4);
}

/* As the packet hook keeps it: packed into a word, and the rest read again from the packet. */
static inline void host_flow_reparse(const uint8_t *data, uint32_t len, const struct df_flow *from,
				     struct df_flow *flow)
{
	df_load_ctx ctx = {.data = data, .len = len};

	flow_unpack(flow, flow_pack(from));
	flow_reload(&ctx, flow);
}

#endif
