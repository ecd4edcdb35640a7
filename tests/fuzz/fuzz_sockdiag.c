// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any bytes as the kernel's answer about sockets, as every table's. What is
 * handed out must belong to the table and have a name; the outcome is one that callers know.
 */
#include <stdlib.h>

#include "userspace/sockets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check_entry(void *context, const struct socket_entry *entry)
{
	if (entry->table != context || !sockets_state_name(entry->state)[0])
		abort();
	return 0;
}

/* A copy that ends where it ends, aligned as a receive buffer is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	uint32_t sequence = 0;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (size >= 16)
		memcpy(&sequence, copy + 8, sizeof(sequence)); /* the first message is for us */
	for (size_t i = 0; i < socket_tables_length; i++) {
		const struct socket_table *table = &socket_tables[i];
		int r = sockets_read_answer(copy, size, table, sequence, 0, check_entry,
					    (void *)table);

		if (r > 1 || r < -4095)
			abort();
	}
	free(copy);
	return 0;
}
