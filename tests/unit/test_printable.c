// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What of other people's text is shown (userspace/printable.c), and how the JSON and the YAML that
 * are written of it hold the rest (json.c, pattern.c): every code point, and bytes that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <jansson.h>
#include <yaml.h>

#include "userspace/json.h"
#include "userspace/pattern.h"
#include "userspace/printable.h"

#define CODE_POINTS 0x110000u

static size_t encode(uint32_t code, unsigned char to[5])
{
	size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = length; i-- > 1; code >>= 6)
		to[i] = 0x80 | (code & 0x3f);
	to[0] = (unsigned char)(first[length] | code);
	to[length] = 0;
	return length;
}

static bool is_surrogate(uint32_t code)
{
	return code >= 0xd800 && code < 0xe000;
}

static bool is_hidden(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c || code == 0x200e ||
	       code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069) || code == 0xfeff || code == 0xfffe ||
	       code == 0xffff;
}

static void test_code_points(void **state)
{
	unsigned char text[5];

	(void)state;
	for (uint32_t code = 0; code < CODE_POINTS; code++) {
		size_t length = encode(code, text);

		assert_int_equal(utf8_length(text, length), is_surrogate(code) ? 0 : length);
		assert_int_equal(printable_length(text, length),
				 is_surrogate(code) || is_hidden(code) ? 0 : length);
		for (size_t cut = 1; cut < length; cut++)
			assert_int_equal(utf8_length(text, cut), 0);
	}
}

static void test_no_utf8(void **state)
{
	static const char *const bad[] = {"\x80",
					  "\xbf",
					  "\xc0\x80",
					  "\xc1\xbf",
					  "\xe0\x9f\xbf",
					  "\xed\xa0\x80",
					  "\xf0\x8f\xbf\xbf",
					  "\xf4\x90\x80\x80",
					  "\xf5\x80\x80\x80",
					  "\xff",
					  "\xc3(",
					  "\xe2\x82("};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(utf8_length((const unsigned char *)bad[i], strlen(bad[i])), 0);
}

static void test_shown(void **state)
{
	static const char *const shown[][2] = {
		{"", ""},
		{"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
		 "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"a\x1b[2Jb\n", "a?[2Jb?"},
		{"\xc2\x9b"
		 "2J",
		 "??2J"},
		{"\xe2\x80\xae"
		 "x",
		 "???x"},
		{"\xff\xc3", "??"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		char text[64];

		strcpy(text, shown[i][0]);
		event_make_printable(text);
		assert_string_equal(text, shown[i][1]);
	}
}

/* A reader of JSON gets the very text, and a terminal nothing to obey. */
static void test_json(void **state)
{
	struct json json = {0};
	unsigned char text[5];

	(void)state;
	for (uint32_t code = 1; code < CODE_POINTS; code += code < 0x3000 ? 1 : 61) {
		size_t length = encode(code, text);
		json_t *read;

		if (is_surrogate(code))
			continue;
		json_reset(&json);
		json_open(&json, NULL);
		json_put(&json, "a", (const char *)text);
		json_close(&json);
		assert_int_equal(json_finish(&json), 0);
		/* Looked for where the value stands: an "a" is elsewhere, too. */
		assert_int_equal(memmem(json.text + 6, json.length - 9, text, length) != NULL,
				 !is_hidden(code));
		read = json_loadb(json.text, json.length, 0, NULL);
		assert_non_null(read);
		assert_string_equal(json_string_value(json_object_get(read, "a")), text);
		json_decref(read);
	}
	json_done(&json);
}

/* libyaml's reading of a pattern. */
static void expect_pattern(const char *text, const char *expected)
{
	char *written;
	size_t size;
	FILE *to = open_memstream(&written, &size);
	yaml_parser_t parser;
	yaml_document_t document;

	pattern_write(to, text, strlen(text), "*");
	assert_int_equal(fclose(to), 0);
	assert_int_equal(yaml_parser_initialize(&parser), 1);
	yaml_parser_set_input_string(&parser, (const unsigned char *)written, size);
	assert_int_equal(yaml_parser_load(&parser, &document), 1);
	assert_string_equal(yaml_document_get_root_node(&document)->data.scalar.value, expected);
	yaml_document_delete(&document);
	yaml_parser_delete(&parser);
	free(written);
}

static void test_pattern(void **state)
{
	unsigned char text[5];
	char expected[8];

	(void)state;
	for (uint32_t code = 1; code < CODE_POINTS; code += code < 0x10000 ? 1 : 997) {
		size_t length = encode(code, text);
		bool plain = printable_length(text, length) &&
			     !(code < 0x80 && strchr("*?[]", (int)code));

		snprintf(expected, sizeof(expected), "%.*s*", (int)length,
			 plain ? (const char *)text : "????");
		expect_pattern((const char *)text, expected);
	}
	expect_pattern("a\\x2d\"b'", "a\\x2d\"b'*");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_code_points), cmocka_unit_test(test_no_utf8),
		cmocka_unit_test(test_shown),       cmocka_unit_test(test_json),
		cmocka_unit_test(test_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
