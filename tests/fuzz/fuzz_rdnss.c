// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any bytes as a datagram of the kernel's about routers' advertisements. What is
 * handed out has an address in it, and all of them are IPv6 ones.
 */
#include <stdlib.h>

#include "userspace/rdnss.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *context, const struct rdnss *rdnss)
{
	(void)context;
	if (!rdnss->length || rdnss->length > RDNSS_RESOLVERS_MAX)
		abort();
	for (size_t i = 0; i < rdnss->length; i++)
		if (rdnss->resolvers[i].family != 6 || !address_is_single(&rdnss->resolvers[i]))
			abort();
}

/* A copy that ends where it ends, aligned as a receive buffer is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	rdnss_read_datagram(copy, size, check, NULL);
	free(copy);
	return 0;
}
