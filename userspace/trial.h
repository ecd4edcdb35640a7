/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One technique of tools/leakprobe, tried as the one who is asked about, in a network of our own
 * (stage.h): whether anything has arrived at its far end, and which hook refused it.
 */
#ifndef DNSFENCE_TRIAL_H
#define DNSFENCE_TRIAL_H

#include "asker.h"
#include "loader.h"
#include "stage.h"

struct technique; /* tools/leakprobe/probe.h */

enum leak_verdict {
	LEAK_CLOSED, /* nothing arrived */
	LEAK_OPEN,
	LEAK_AUDITED, /* it arrived, and is in the log */
	LEAK_IMPOSSIBLE, /* the technique does not work here */
	LEAK_VERDICT_MAX,
};

struct trial {
	struct stage *stage;
	const struct technique *technique;
	int family; /* 4 or 6 */
	uint16_t port;
};

/* What the one who tried says. */
struct report {
	int error;
	char step[16];
};

struct outcome {
	enum leak_verdict verdict;
	int hook; /* enum df_hook that refused it; -1: not known */
	struct report report;
};

/* Who tries, and what is known of the fence that is to stop him. */
struct tester {
	struct asker asker;
	int procs; /* of the asker's cgroup */
	struct stage *frames; /* its far end is this host's, at the edge; NULL: none */
	int maps[FENCE_MAP_MAX];
	bool loaded; /* the maps are there */
	char token[17]; /* in every name, so that nobody else's lookups are taken for ours */
	unsigned long serial;
	const char *targets[2]; /* IPv4, IPv6 */
};

/* Is it one that can leak from such a network? */
bool trial_is_possible(const struct technique *technique);

/* 0, or -errno when there was no trying, as of a cgroup that takes no process. */
int trial_judge(struct tester *tester, const struct trial *trial, struct outcome *ret);

#endif
