/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's per-CPU counters, summed, and what the log has taken in.
 */
#ifndef DNSFENCE_COUNTERS_H
#define DNSFENCE_COUNTERS_H

#include "bpf/abi.h"
#include "util.h"

/* counters, log_state: descriptors of those maps. 0 or -errno. */
int counters_read(int counters, struct df_counters *ret);
int log_state_read(int log_state, struct df_log_state *ret);
int log_state_write(int log_state, const struct df_log_state *state);

uint64_t counters_hook(const struct df_counters *counters, enum df_hook hook,
		       enum df_verdict verdict);
uint64_t counters_reason(const struct df_counters *counters, enum df_reason reason);
/* Sum over the hooks. */
uint64_t counters_verdicts(const struct df_counters *counters, enum df_verdict verdict);

/* Violations that no event will ever speak of. */
uint64_t counters_lost(const struct df_counters *counters, const struct df_log_state *state);

/*
 * Violations that neither an event nor the losses speak of yet: in a fold slot, or in the ring.
 * denied + audited = logged + lost + pending, by definition of the last.
 */
uint64_t counters_pending(const struct df_counters *counters, const struct df_log_state *state);

#endif
