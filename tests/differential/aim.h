/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets that have something to do with a configuration: plain ones and chains of headers, most
 * of them to an address and a port that it names or that lie next to one, then damaged.
 */
#ifndef DNSFENCE_TEST_AIM_H
#define DNSFENCE_TEST_AIM_H

#include "tests/unit/packet.h"

#include "userspace/config.h"

/* The same from the same seed and configuration. Never longer than limit, never empty. */
void aim_packet(uint64_t seed, const struct config *config, uint32_t limit, struct packet *packet);

#endif
