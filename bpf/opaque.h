/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Checks that the verifier of every kernel must see where a value is used. Clang knows that a
 * check made elsewhere, or a type, says the same, and would leave it out; older verifiers do not
 * remember it for the register in hand.
 */
#ifndef DNSFENCE_OPAQUE_H
#define DNSFENCE_OPAQUE_H

#include <linux/types.h>

/* value, of which the compiler knows nothing. */
static __always_inline __u32 opaque(__u32 value)
{
	asm volatile("" : "+r"(value));
	return value;
}

/* index, below a power of two. */
static __always_inline __u32 index_below(__u32 index, __u32 power)
{
	return opaque(index) & (power - 1);
}

#endif
