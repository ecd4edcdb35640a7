/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Names in any case are the same name (RFC 1035 2.3.3), by ASCII alone (RFC 4343 3): what a client
 * asks and what a forwarder that mixes cases (0x20) makes of it have to be equal. No BPF in here,
 * so that the host compiler tests it.
 */
#ifndef DNSFENCE_NAME_H
#define DNSFENCE_NAME_H

#include <linux/types.h>

#define NAME_EVERY_BYTE(byte) ((byte)*0x0101010101010101ull)

/* Eight bytes at once, A to Z made small. */
static __always_inline __u64 name_fold_case(__u64 word)
{
	__u64 low = word & NAME_EVERY_BYTE(0x7f);
	__u64 from_a = low + NAME_EVERY_BYTE(0x80 - 'A'); /* the top bits, without a carry */
	__u64 beyond_z = low + NAME_EVERY_BYTE(0x7f - 'Z');
	__u64 capital = from_a & ~beyond_z & ~word & NAME_EVERY_BYTE(0x80);

	return word | capital >> 2;
}

#endif
