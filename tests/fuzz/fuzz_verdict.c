// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the first byte chooses a small configuration, the rest is a packet. decide()
 * on the compiled policy has to say what a plain reading of both says (tests/unit/judge.c).
 */
#include <stdio.h>
#include <stdlib.h>

#include "../unit/host_verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Addresses a few bits apart, so that a packet meets them. */
static const char *const lists[] = {
	"[0.0.0.53, 0.0.0.0/30, {address: 0.0.0.2, service: dot}]",
	"[\"::/0\", {address: \"::53\", port: 853}, {address: 0.0.0.3, port: 5300}]",
	"[{address: 0.0.0.0/0, protocol: udp}, {address: 0.0.0.1, port: 53, protocol: tcp}]",
	"[]",
};
static const char *const heads[] = {
	"",
	"mode: audit\n",
	"services: [dns, dot, doq, mdns, llmnr, netbios]\n",
	"services: [doq]\n",
};

struct reading {
	bool ready;
	struct config config;
	struct policy_image image;
};

static void reading_make(unsigned int number, struct reading *reading)
{
	struct diagnostics diagnostics = {0};
	char text[1024];

	snprintf(text, sizeof(text),
		 "apiVersion: dnsfence/v1\n%sresolvers:\n a: %s\n b: %s\npolicies:\n"
		 " - {name: a, match: {cgroup: /a}, resolvers: %s}\n"
		 " - {name: b, resolvers: [b]}\n",
		 heads[number & 3], lists[number >> 2 & 3], lists[number >> 4 & 3],
		 number & 64 ? "any" : "[a]");
	if (config_load_text(text, strlen(text), "fuzz.yaml", &reading->config, &diagnostics) < 0 ||
	    policy_compile(&reading->config, NULL, 0, &reading->image) < 0)
		abort();
	diagnostics_done(&diagnostics);
	reading->ready = true;
}

static void expect_agreement(struct reading *reading, uint32_t rank, const uint8_t *packet,
			     size_t length)
{
	struct judgement judgement = judge_list(&reading->config, rank, packet, length);
	struct df_decision decision = host_decide(&reading->image, rank, packet, (uint32_t)length);

	if (judgement_equal(&judgement, decision.verdict, decision.reason))
		return;
	fprintf(stderr, "policy %u: %s %s, by plain reading %s %s\n", rank,
		event_verdict_name(decision.verdict), event_reason_name(decision.reason),
		judgement.verdict, judgement.reason);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct reading readings[128];
	struct reading *reading;

	if (size < 2 || size > 4096)
		return 0;
	reading = &readings[data[0] % ARRAY_LEN(readings)];
	if (!reading->ready)
		reading_make(data[0] % ARRAY_LEN(readings), reading);
	for (uint32_t rank = 0; rank < 2; rank++)
		expect_agreement(reading, rank, data + 1, size - 1);
	return 0;
}
