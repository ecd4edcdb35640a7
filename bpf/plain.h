/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The usual packet, read in place instead of walked: an IP header without options, UDP or TCP
 * behind it. On the path of every packet there is. packet.bpf.c and edge.bpf.c begin with it.
 */
#ifndef DNSFENCE_PLAIN_H
#define DNSFENCE_PLAIN_H

#include <linux/bpf.h>

#include "flow.h"

/*
 * A packet without options or extension headers whose IP header stands at start (a constant):
 * packed as flow_pack() does, its ports in *ret_ports as they stand there. 0: the walker must look.
 */
static __always_inline __u64 plain_parse(const struct __sk_buff *skb, const __u32 start,
					 __u8 ret_ports[4])
{
	const __u8 *data = (const __u8 *)(long)skb->data + start;
	const __u8 *end = (const __u8 *)(long)skb->data_end;
	__u32 protocol, offset;

	if (data + IP4_HEADER + 4 > end)
		return 0;
	if (data[0] == 0x45) {
		if ((data[6] & 0x3f) | data[7])
			return 0;
		protocol = data[9];
		offset = IP4_HEADER;
	} else if (data[0] >> 4 == 6) {
		if (data + IP6_HEADER + 4 > end)
			return 0;
		protocol = data[6];
		offset = IP6_HEADER;
	} else {
		return 0;
	}
	if (protocol != PROTO_UDP && protocol != PROTO_TCP)
		return 0;
	__builtin_memcpy(ret_ports, data + offset, 4);
	return (__u64)(start + offset) << 48 | (__u64)start << 32 | FLOW_PORTS << 16 |
	       (offset == IP4_HEADER ? 4 : 6) << 8 | protocol;
}

#endif
