// SPDX-License-Identifier: GPL-2.0-or-later
/* userspace/json.c: commas, escapes, bytes that are no UTF-8, reuse. Compared byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "userspace/json.h"

static void expect(struct json *json, const char *text)
{
	assert_int_equal(json_finish(json), 0);
	assert_int_equal(json->length, strlen(text) + 1);
	assert_int_equal(json->text[json->length - 1], '\n');
	assert_memory_equal(json->text, text, strlen(text));
}

static void test_structure(void **state)
{
	_cleanup_(json_done) struct json json = {0};

	(void)state;
	json_open(&json, NULL);
	json_put(&json, "a", "b");
	json_open(&json, "c");
	json_close(&json);
	json_list(&json, "d");
	json_uint(&json, NULL, 1);
	json_uint(&json, NULL, 2);
	json_list(&json, NULL);
	json_list_end(&json);
	json_open(&json, NULL);
	json_bool(&json, "e", true);
	json_bool(&json, "f", false);
	json_close(&json);
	json_list_end(&json);
	json_close(&json);
	expect(&json, "{\"a\":\"b\",\"c\":{},\"d\":[1,2,[],{\"e\":true,\"f\":false}]}");
}

static void test_numbers(void **state)
{
	_cleanup_(json_done) struct json json = {0};

	(void)state;
	json_list(&json, NULL);
	json_uint(&json, NULL, 0);
	json_uint(&json, NULL, 9);
	json_uint(&json, NULL, 10);
	json_uint(&json, NULL, UINT64_MAX);
	json_list_end(&json);
	expect(&json, "[0,9,10,18446744073709551615]");
}

struct string_case {
	const char *bytes;
	size_t length;
	const char *written; /* without the quotes */
};

#define BYTES(text) (text), sizeof(text) - 1
#define BAD "\xef\xbf\xbd" /* U+FFFD */

static const struct string_case strings[] = {
	{BYTES(""), ""},
	{BYTES("plain text, with / and '"), "plain text, with / and '"},
	{BYTES("\"quoted\\\""), "\\\"quoted\\\\\\\""},
	{BYTES("\n\t\r\b\f"), "\\n\\t\\u000d\\u0008\\u000c"},
	{BYTES("\0\1\x1f"), "\\u0000\\u0001\\u001f"},
	{BYTES("\x7f"), "\\u007f"},
	/* RFC 3629: the smallest and largest of each length pass. */
	{BYTES("\xc2\xa0\xdf\xbf"), "\xc2\xa0\xdf\xbf"},
	{BYTES("\xc2\x80\xc2\x9f"), "\\u0080\\u009f"},
	{BYTES("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd"),
	 "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd"},
	{BYTES("\xe2\x80\xa8\xef\xbf\xbf"), "\\u2028\\uffff"},
	{BYTES("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
	/* Continuation without a start, overlong forms, surrogates, beyond U+10FFFF, cut short. */
	{BYTES("a\x80z"), "a" BAD "z"},
	{BYTES("\xc0\x80"), BAD BAD},
	{BYTES("\xc1\xbf"), BAD BAD},
	{BYTES("\xe0\x9f\xbf"), BAD BAD BAD},
	{BYTES("\xed\xa0\x80"), BAD BAD BAD},
	{BYTES("\xf0\x8f\xbf\xbf"), BAD BAD BAD BAD},
	{BYTES("\xf4\x90\x80\x80"), BAD BAD BAD BAD},
	{BYTES("\xf5\x80"), BAD BAD},
	{BYTES("\xff\xfe"), BAD BAD},
	{BYTES("\xc3"), BAD},
	{BYTES("\xe2\x82"), BAD BAD},
	{BYTES("\xc3\""), BAD "\\\""},
	{BYTES("\xe2\x82z"), BAD BAD "z"},
};

static void test_strings(void **state)
{
	_cleanup_(json_done) struct json json = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		char expected[128];

		json_reset(&json);
		json_put_n(&json, NULL, strings[i].bytes, strings[i].length);
		snprintf(expected, sizeof(expected), "\"%s\"", strings[i].written);
		expect(&json, expected);
	}
}

/* A sequence that the length cuts is bad, even when its rest follows in memory. */
static void test_length_cuts_a_sequence(void **state)
{
	_cleanup_(json_done) struct json json = {0};

	(void)state;
	json_put_n(&json, NULL, "\xe2\x82\xac", 2);
	expect(&json, "\"" BAD BAD "\"");
}

static void test_reuse_and_growth(void **state)
{
	_cleanup_(json_done) struct json json = {0};
	const char *place;
	size_t size;

	(void)state;
	json_list(&json, NULL);
	for (unsigned int i = 0; i < 10000; i++)
		json_put(&json, NULL, "0123456789");
	json_list_end(&json);
	assert_int_equal(json_finish(&json), 0);
	assert_int_equal(json.length, 10000 * 13 + 2);
	place = json.text;
	size = json.size;
	json_reset(&json);
	json_uint(&json, NULL, 7);
	expect(&json, "7");
	assert_ptr_equal(json.text, place);
	assert_int_equal(json.size, size);
}

/* Two lines in one buffer, as a sink batches them. */
static void test_lines(void **state)
{
	_cleanup_(json_done) struct json json = {0};

	(void)state;
	json_uint(&json, NULL, 1);
	assert_int_equal(json_finish(&json), 0);
	json_uint(&json, NULL, 2);
	expect(&json, "1\n2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_structure),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_length_cuts_a_sequence),
		cmocka_unit_test(test_reuse_and_growth),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
