// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The DNS message that every technique carries.
 */
#include "packet.h"

#include <stdio.h>
#include <string.h>

/* Text of labels to wire format; serial > 0 adds a first label that makes the name unique. */
static bool put_name(struct packet *message, const char *name, unsigned long serial)
{
	char text[256];
	int written = serial ? snprintf(text, sizeof(text), "q%lu.%s", serial, name)
			     : snprintf(text, sizeof(text), "%s", name);
	char *rest = text, *label;

	if (written < 0 || written >= 254)
		return false;
	while ((label = strsep(&rest, ".")) && *label) {
		size_t len = strlen(label);
		unsigned char prefix = (unsigned char)len;

		if (len > 63)
			return false;
		put(message, &prefix, 1);
		put(message, label, len);
	}
	put(message, "", 1);
	return !rest; /* a trailing dot may stand, two may not */
}

bool make_query(struct probe *p, unsigned long serial)
{
	/* RFC 1035 4.1.1: id, recursion desired, one question. */
	const unsigned char header[12] = {0xdf, 0x35, 1, 0, 0, 1};
	const unsigned char type_class[4] = {0, 1, 0, 1};
	struct packet message = {};

	put(&message, header, sizeof(header));
	if (!put_name(&message, p->name, serial))
		return false;
	put(&message, type_class, sizeof(type_class));
	p->query_len = message.len;
	p->query[0] = (unsigned char)(message.len >> 8);
	p->query[1] = (unsigned char)message.len;
	memcpy(p->query + 2, message.bytes, message.len);
	return true;
}
