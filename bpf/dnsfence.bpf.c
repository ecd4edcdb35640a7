// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The BPF object: every hook in one translation unit, so that they share the maps and the
 * globals of maps.h. bpftool 7.1 cannot link objects that share an array of maps.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

typedef struct __sk_buff df_load_ctx;
#define df_load(ctx, offset, to, length) bpf_skb_load_bytes(ctx, offset, to, length)

/*
 * Verified once, with any arguments. Weak, so that the compiler believes the signature, too: clang
 * from 16 on leaves a register unset for an argument that it sees a function not use, and the
 * verifier wants all of them.
 */
#define df_global __attribute__((noinline, weak))

#include "socket.bpf.c"
#include "packet.bpf.c"
#include "flush.bpf.c"
#include "edge.bpf.c"
#include "bypass.bpf.c"
#include "unix.bpf.c"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
