// SPDX-License-Identifier: GPL-2.0-or-later
/* userspace/question.c: the question section as text, and what is refused as one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "bpf/name.h"
#include "userspace/question.h"

struct question_case {
	const char *bytes;
	size_t length;
	const char *name, *type, *class; /* name NULL: refused */
};

/* A literal with its length, without the terminating zero. */
#define BYTES(text) (text), sizeof(text) - 1

static const struct question_case cases[] = {
	{BYTES("\7example\3org\0\0\1\0\1"), "example.org", "A", "IN"},
	{BYTES("\7example\3org\0\0\x1c\0\1"), "example.org", "AAAA", "IN"},
	{BYTES("\7EXAMPLE\3Org\0\0\x41\0\1"), "EXAMPLE.Org", "HTTPS", "IN"},
	{BYTES("\0\0\2\0\1"), ".", "NS", "IN"},
	{BYTES("\1a\0\0\xff\0\xff"), "a", "ANY", "ANY"},
	{BYTES("\7version\4bind\0\0\x10\0\3"), "version.bind", "TXT", "CH"},
	{BYTES("\1a\0\0\x06\0\4"), "a", "SOA", "HS"},
	/* RFC 3597 5: what has no name is a number. */
	{BYTES("\1a\0\xff\0\0\1"), "a", "TYPE65280", "IN"},
	{BYTES("\1a\0\0\0\0\0"), "a", "TYPE0", "CLASS0"},
	{BYTES("\1a\0\xff\xff\xff\xff"), "a", "TYPE65535", "CLASS65535"},
	/* RFC 1035 5.1: dots and backslashes within a label, bytes that cannot be shown. */
	{BYTES("\3a.b\1c\0\0\1\0\1"), "a\\.b.c", "A", "IN"},
	{BYTES("\3a\\b\0\0\1\0\1"), "a\\\\b", "A", "IN"},
	{BYTES("\1.\0\0\1\0\1"), "\\.", "A", "IN"},
	{BYTES("\5\0 \x1f\x7f\xff\0\0\1\0\1"), "\\000\\032\\031\\127\\255", "A", "IN"},
	{BYTES("\4a\"b\n\0\0\1\0\1"), "a\"b\\010", "A", "IN"},
	{BYTES("\x11_dns-sd._udp.x-~!\0\0\x0c\0\1"), "_dns-sd\\._udp\\.x-~!", "PTR", "IN"},

	{BYTES(""), NULL, NULL, NULL},
	{BYTES("\0"), NULL, NULL, NULL},
	{BYTES("\0\0\1\0"), NULL, NULL, NULL},
	{BYTES("\0\0\1\0\1\0"), NULL, NULL, NULL}, /* a byte too many */
	{BYTES("\7example\3org\0\0\1\0"), NULL, NULL, NULL},
	{BYTES("\7example\3org"), NULL, NULL, NULL}, /* no root */
	{BYTES("\7exam"), NULL, NULL, NULL},
	{BYTES("\7example\3org\0\0\1\0\1\1a\0\0\1\0\1"), NULL, NULL, NULL}, /* two questions */
	{BYTES("\xc0\x0c\0\1\0\1"), NULL, NULL, NULL}, /* compression, RFC 1035 4.1.4 */
	{BYTES("\1a\xc0\x0c\0\1\0\1"), NULL, NULL, NULL},
	{BYTES("\x40"
	       "a\0\0\1\0\1"),
	 NULL, NULL, NULL}, /* reserved label types */
	{BYTES("\x80"
	       "a\0\0\1\0\1"),
	 NULL, NULL, NULL},
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct question_text text = {.name = "untouched"};
		int r = question_decode((const uint8_t *)cases[i].bytes, cases[i].length, &text);

		if (!cases[i].name) {
			assert_int_equal(r, -EINVAL);
			assert_string_equal(text.name, "untouched");
			continue;
		}
		assert_int_equal(r, 0);
		assert_string_equal(text.name, cases[i].name);
		assert_string_equal(text.type, cases[i].type);
		assert_string_equal(text.class, cases[i].class);
	}
}

/* labels of 63 bytes and one of the rest, so that the name takes size bytes with its root. */
static size_t long_question(uint8_t *bytes, size_t size, uint8_t fill)
{
	size_t at = 0;

	while (at + 1 < size) {
		size_t label = MIN(size - at - 2, (size_t)63);

		bytes[at++] = (uint8_t)label;
		memset(bytes + at, fill, label);
		at += label;
	}
	memcpy(bytes + at, "\0\0\1\0\1", 5);
	return at + 5;
}

/* RFC 1035 2.3.4: a name has at most 255 bytes, a label 63. */
static void test_longest_name(void **state)
{
	struct question_text text;
	uint8_t bytes[512];

	(void)state;
	assert_int_equal(question_decode(bytes, long_question(bytes, 255, 'a'), &text), 0);
	assert_int_equal(strlen(text.name), 253);
	assert_int_equal(question_decode(bytes, long_question(bytes, 255, 0xff), &text), 0);
	assert_int_equal(strlen(text.name), 250 * 4 + 3);
	assert_int_equal(question_decode(bytes, long_question(bytes, 256, 'a'), &text), -EINVAL);
	assert_int_equal(question_decode(bytes, long_question(bytes, 300, 'a'), &text), -EINVAL);
}

static void test_longest_label(void **state)
{
	struct question_text text;
	uint8_t bytes[128] = {0};

	(void)state;
	for (size_t label = 62; label < 66; label++) {
		bytes[0] = (uint8_t)label;
		memset(bytes + 1, 'a', label);
		memcpy(bytes + 1 + label, "\0\0\1\0\1", 5);
		assert_int_equal(question_decode(bytes, label + 6, &text),
				 label <= 63 ? 0 : -EINVAL);
	}
}

static void test_many_labels(void **state)
{
	struct question_text text;
	uint8_t bytes[512];

	(void)state;
	for (size_t i = 0; i < 127; i++)
		memcpy(bytes + 2 * i, "\1x", 2);
	memcpy(bytes + 254, "\0\0\1\0\1", 5);
	assert_int_equal(question_decode(bytes, 259, &text), 0);
	assert_int_equal(strlen(text.name), 253);
	memcpy(bytes + 254, "\1x\0\0\1\0\1", 7);
	assert_int_equal(question_decode(bytes, 261, &text), -EINVAL);
}

/* Cut anywhere it is refused, and no byte behind the end is read (ASan sees the allocation). */
static void test_cut_at_every_byte(void **state)
{
	static const char whole[] = "\7example\3org\0\0\1\0\1";
	struct question_text text;

	(void)state;
	for (size_t length = 0; length + 1 < sizeof(whole) - 1; length++) {
		_cleanup_free_ uint8_t *copy = malloc(length + 1);

		assert_non_null(copy);
		memcpy(copy + 1, whole, length);
		assert_int_equal(question_decode(copy + 1, length, &text), -EINVAL);
	}
}

/* Every byte at every place, between neighbours of which nothing may change nor spill over. */
static void test_case_is_folded(void **state)
{
	static const uint8_t neighbours[] = {0, 'a', '@', '[', 0x7f, 0x80, 'A' | 0x80, 0xff};

	(void)state;
	for (size_t n = 0; n < sizeof(neighbours); n++)
		for (unsigned int place = 0; place < 8; place++)
			for (unsigned int byte = 0; byte < 256; byte++) {
				uint8_t bytes[8], folded[8];
				uint64_t word;

				memset(bytes, neighbours[n], sizeof(bytes));
				bytes[place] = (uint8_t)byte;
				memcpy(&word, bytes, sizeof(word));
				word = name_fold_case(word);
				memcpy(folded, &word, sizeof(word));
				if (byte >= 'A' && byte <= 'Z')
					bytes[place] = (uint8_t)(byte + 'a' - 'A');
				assert_memory_equal(folded, bytes, sizeof(bytes));
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_longest_name),
		cmocka_unit_test(test_longest_label),
		cmocka_unit_test(test_many_labels),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_case_is_folded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
