/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF"; one round for each word
 * and three at the end, as for hash tables): of words that an adversary chooses, nobody without the
 * key finds two texts with the same hash. A message goes in by words of eight bytes, the first byte
 * lowest, then what is left of it with its length. No BPF in here, so that the host compiler tests
 * it.
 */
#ifndef DNSFENCE_SIPHASH_H
#define DNSFENCE_SIPHASH_H

#include <linux/types.h>

struct siphash {
	__u64 v0, v1, v2, v3;
};

static __always_inline __u64 siphash_rotl(__u64 word, unsigned int bits)
{
	return word << bits | word >> (64 - bits);
}

static __always_inline void siphash_round(struct siphash *sip)
{
	sip->v0 += sip->v1;
	sip->v2 += sip->v3;
	sip->v1 = siphash_rotl(sip->v1, 13) ^ sip->v0;
	sip->v3 = siphash_rotl(sip->v3, 16) ^ sip->v2;
	sip->v0 = siphash_rotl(sip->v0, 32) + sip->v3;
	sip->v2 += sip->v1;
	sip->v3 = siphash_rotl(sip->v3, 21) ^ sip->v0;
	sip->v1 = siphash_rotl(sip->v1, 17) ^ sip->v2;
	sip->v2 = siphash_rotl(sip->v2, 32);
}

static __always_inline void siphash_begin(struct siphash *sip, __u64 key0, __u64 key1)
{
	sip->v0 = key0 ^ 0x736f6d6570736575ull;
	sip->v1 = key1 ^ 0x646f72616e646f6dull;
	sip->v2 = key0 ^ 0x6c7967656e657261ull;
	sip->v3 = key1 ^ 0x7465646279746573ull;
}

static __always_inline void siphash_word(struct siphash *sip, __u64 word)
{
	sip->v3 ^= word;
	siphash_round(sip);
	sip->v0 ^= word;
}

/* rest: the last 0 to 7 bytes; length: of the whole message, bytes. */
static __always_inline __u64 siphash_end(struct siphash *sip, __u64 rest, __u32 length)
{
	siphash_word(sip, rest | (__u64)length << 56);
	sip->v2 ^= 0xff;
	siphash_round(sip);
	siphash_round(sip);
	siphash_round(sip);
	return sip->v0 ^ sip->v1 ^ sip->v2 ^ sip->v3;
}

#endif
