/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A streaming JSON writer into a growing buffer, for the event path: no tree, no format strings.
 * Errors stick: after one, everything is ignored and json_finish() tells. Strings need not be
 * UTF-8; bytes that are not become U+FFFD.
 */
#ifndef DNSFENCE_JSON_H
#define DNSFENCE_JSON_H

#include "util.h"

struct json {
	char *text; /* not terminated */
	size_t length;
	size_t size;
	bool failed;
	bool comma; /* the next value needs one in front */
};

void json_done(struct json *json);
/* Forget the text, keep the memory. */
void json_reset(struct json *json);

/*
 * An object from json_open() to json_close(), a list, a string... key NULL inside a list or at the
 * top. No name of jansson, which is in the same program.
 */
void json_open(struct json *json, const char *key);
void json_close(struct json *json);
void json_list(struct json *json, const char *key);
void json_list_end(struct json *json);
void json_put(struct json *json, const char *key, const char *value);
/* Nothing for NULL or "". */
void json_put_text(struct json *json, const char *key, const char *value);
void json_put_n(struct json *json, const char *key, const char *value, size_t length);
void json_uint(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);

/* Text as it is, for lines that are no JSON or not all of it. */
void json_text(struct json *json, const char *text, size_t length);

/* Ends the line. 0, or -ENOMEM if anything was lost since json_reset(). */
int json_finish(struct json *json);

#endif
