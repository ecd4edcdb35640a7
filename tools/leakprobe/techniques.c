// SPDX-License-Identifier: GPL-2.0-or-later
/* All of them, for leakprobe and for "dnsfence leaktest". */
#include "probe.h"

#include <string.h>

const struct technique *const technique_tables[] = {
	udp_techniques,     tcp_techniques, data_techniques,  uring_techniques, trick_techniques,
	options_techniques, raw_techniques, frame_techniques, tun_techniques,
};

const size_t technique_tables_len = sizeof(technique_tables) / sizeof(technique_tables[0]);

const struct technique *find_technique(const char *name)
{
	for (size_t i = 0; i < technique_tables_len; i++)
		for (const struct technique *row = technique_tables[i]; row->name; row++)
			if (!strcmp(row->name, name))
				return row;
	return NULL;
}
