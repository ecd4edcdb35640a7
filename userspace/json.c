// SPDX-License-Identifier: GPL-2.0-or-later
#include "json.h"

#include "printable.h"

void json_done(struct json *json)
{
	free(json->text);
	*json = (struct json){0};
}

void json_reset(struct json *json)
{
	json->length = 0;
	json->failed = false;
	json->comma = false;
}

/* Room for length more bytes, or NULL. */
static char *json_reserve(struct json *json, size_t length)
{
	size_t size = MAX(json->size, (size_t)1024);
	char *grown;

	if (json->failed)
		return NULL;
	if (json->length + length <= json->size)
		return json->text + json->length;
	while (size < json->length + length)
		size *= 2;
	grown = realloc(json->text, size);
	if (!grown) {
		json->failed = true;
		return NULL;
	}
	json->text = grown;
	json->size = size;
	return json->text + json->length;
}

static void json_raw(struct json *json, const char *text, size_t length)
{
	char *to = json_reserve(json, length);

	if (!to)
		return;
	memcpy(to, text, length);
	json->length += length;
}

void json_text(struct json *json, const char *text, size_t length)
{
	json_raw(json, text, length);
}

static void json_char(struct json *json, char c)
{
	json_raw(json, &c, 1);
}

/* A code point below U+10000. */
static void json_escape(struct json *json, unsigned int c)
{
	static const char hex[] = "0123456789abcdef";
	char text[] = {'\\', 'u', hex[c >> 12], hex[c >> 8 & 15], hex[c >> 4 & 15], hex[c & 15]};

	if (c == '"' || c == '\\') {
		text[1] = (char)c;
		json_raw(json, text, 2);
	} else if (c == '\n') {
		json_raw(json, "\\n", 2);
	} else if (c == '\t') {
		json_raw(json, "\\t", 2);
	} else {
		json_raw(json, text, sizeof(text));
	}
}

/* Of a sequence of up to three bytes; no longer one is not printable. */
static unsigned int utf8_code(const unsigned char *text, size_t length)
{
	return length == 1   ? text[0]
	       : length == 2 ? (text[0] & 0x1fu) << 6 | (text[1] & 0x3fu)
			     : (text[0] & 0x0fu) << 12 | (text[1] & 0x3fu) << 6 | (text[2] & 0x3fu);
}

static void json_quoted(struct json *json, const char *value, size_t length)
{
	const unsigned char *text = (const unsigned char *)value;

	json_char(json, '"');
	for (size_t i = 0; i < length;) {
		size_t plain = i, sequence;

		while (plain < length && text[plain] >= 0x20 && text[plain] < 0x7f &&
		       text[plain] != '"' && text[plain] != '\\')
			plain++;
		json_raw(json, value + i, plain - i);
		i = plain;
		if (i == length)
			break;
		sequence = utf8_length(text + i, length - i);
		if (!sequence)
			json_raw(json, "\xef\xbf\xbd", 3);
		else if (sequence > 1 && printable_length(text + i, length - i))
			json_raw(json, value + i, sequence);
		else
			json_escape(json, utf8_code(text + i, sequence));
		i += MAX(sequence, (size_t)1);
	}
	json_char(json, '"');
}

/* Keys are the program's own words: nothing in them needs escaping. */
static void json_lead(struct json *json, const char *key)
{
	if (json->comma)
		json_char(json, ',');
	json->comma = true;
	if (!key)
		return;
	json_char(json, '"');
	json_raw(json, key, strlen(key));
	json_raw(json, "\":", 2);
}

static void json_enter(struct json *json, const char *key, char bracket)
{
	json_lead(json, key);
	json_char(json, bracket);
	json->comma = false;
}

static void json_leave(struct json *json, char bracket)
{
	json_char(json, bracket);
	json->comma = true;
}

void json_open(struct json *json, const char *key)
{
	json_enter(json, key, '{');
}

void json_close(struct json *json)
{
	json_leave(json, '}');
}

void json_list(struct json *json, const char *key)
{
	json_enter(json, key, '[');
}

void json_list_end(struct json *json)
{
	json_leave(json, ']');
}

void json_put_n(struct json *json, const char *key, const char *value, size_t length)
{
	json_lead(json, key);
	json_quoted(json, value, length);
}

void json_put(struct json *json, const char *key, const char *value)
{
	json_put_n(json, key, value, strlen(value));
}

void json_put_text(struct json *json, const char *key, const char *value)
{
	if (value && value[0])
		json_put(json, key, value);
}

void json_uint(struct json *json, const char *key, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	json_lead(json, key);
	json_raw(json, digits + at, sizeof(digits) - at);
}

void json_bool(struct json *json, const char *key, bool value)
{
	json_lead(json, key);
	json_raw(json, value ? "true" : "false", value ? 4 : 5);
}

int json_finish(struct json *json)
{
	json_char(json, '\n');
	json->comma = false;
	return json->failed ? -ENOMEM : 0;
}
