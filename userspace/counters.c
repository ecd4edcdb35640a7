// SPDX-License-Identifier: GPL-2.0-or-later
#include "counters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

int counters_read(int map, struct df_counters *ret)
{
	int cpus = libbpf_num_possible_cpus();
	const size_t words = sizeof(*ret) / sizeof(uint64_t);
	_cleanup_free_ uint64_t *values = NULL;
	uint64_t *sum = (uint64_t *)ret;
	uint32_t zero = 0;

	if (cpus < 0)
		return cpus;
	values = calloc((size_t)cpus, sizeof(*ret));
	if (!values)
		return -ENOMEM;
	if (bpf_map_lookup_elem(map, &zero, values) < 0)
		return -errno;
	memset(ret, 0, sizeof(*ret));
	for (size_t cpu = 0; cpu < (size_t)cpus; cpu++)
		for (size_t word = 0; word < words; word++)
			sum[word] += values[cpu * words + word];
	return 0;
}

int log_state_read(int map, struct df_log_state *ret)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(map, &zero, ret) < 0 ? -errno : 0;
}

int log_state_write(int map, const struct df_log_state *state)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(map, &zero, state, BPF_ANY) < 0 ? -errno : 0;
}

uint64_t counters_hook(const struct df_counters *counters, enum df_hook hook,
		       enum df_verdict verdict)
{
	uint64_t sum = 0;

	for (int reason = 0; reason < DF_REASON_SLOTS; reason++)
		sum += counters->verdicts[hook][verdict][reason];
	return sum;
}

uint64_t counters_verdicts(const struct df_counters *counters, enum df_verdict verdict)
{
	uint64_t sum = 0;

	for (int hook = 0; hook < DF_HOOK_MAX; hook++)
		sum += counters_hook(counters, hook, verdict);
	return sum;
}

uint64_t counters_reason(const struct df_counters *counters, enum df_reason reason)
{
	uint64_t sum = 0;

	for (int hook = 0; hook < DF_HOOK_MAX; hook++)
		for (int verdict = 0; verdict < DF_VERDICT_MAX; verdict++)
			sum += counters->verdicts[hook][verdict][reason];
	return sum;
}

uint64_t counters_lost(const struct df_counters *counters, const struct df_log_state *state)
{
	return counters->lost + state->interrupted;
}

uint64_t counters_pending(const struct df_counters *counters, const struct df_log_state *state)
{
	uint64_t violations = counters_verdicts(counters, DF_VERDICT_DENY) +
			      counters_verdicts(counters, DF_VERDICT_AUDIT);
	uint64_t known = state->logged + state->rejected + counters_lost(counters, state);

	return violations > known ? violations - known : 0;
}
