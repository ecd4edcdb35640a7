/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every key of the configuration, once. The parser (config_read.c, config_value.c), the JSON Schema
 * and the manual page (tools/schema-dump.c) read this table; a new key is a new row.
 */
#ifndef DNSFENCE_SCHEMA_H
#define DNSFENCE_SCHEMA_H

#include "util.h"

enum schema_kind {
	SCHEMA_STRING, /* char * at offset */
	SCHEMA_PATH, /* the same, absolute */
	SCHEMA_BOOL, /* bool at offset */
	SCHEMA_CHOICE, /* int at offset: the value of a choice */
	SCHEMA_INT, /* int at offset, min to max */
	SCHEMA_POWER, /* the same, a power of two */
	SCHEMA_SIZE, /* uint64_t at offset: bytes, or with KiB, MiB, GiB; min to max KiB */
	SCHEMA_SYSLOG, /* struct syslog_targets at offset: one or a list */
	SCHEMA_PORT, /* uint16_t at offset, 1 to 65535 */
	SCHEMA_FLAGS, /* uint32_t at offset: one choice, or a list of them, as bits */
	SCHEMA_PROTOCOL, /* uint8_t at offset: one choice as bits */
	SCHEMA_LISTEN, /* struct endpoint_config at offset: a unix socket or an address of loopback
			*/
	SCHEMA_ADDRESS, /* struct address at offset */
	SCHEMA_WORDS, /* struct words at offset: one or a list; a choice only alone */
	SCHEMA_PATHS, /* the same, absolute paths */
	SCHEMA_LABELS, /* struct label_matches at offset: keys, each with one word or a list */
	SCHEMA_PREFIXES, /* struct prefixes at offset: one address or prefix, or a list */
	SCHEMA_OBJECT, /* fields of .object, in the same structure */
	SCHEMA_SETS, /* the map of named resolver lists */
	SCHEMA_POLICIES, /* the list of policies */
	SCHEMA_SET_NAMES, /* a policy's resolvers: any, or a list of set names */
	SCHEMA_VERSION, /* exactly CONFIG_API_VERSION */
	SCHEMA_LATER, /* known, refused by name: doc says why */
};

struct schema_choice {
	const char *name; /* NULL ends the list */
	int value;
	const char *doc;
};

struct schema_object;

struct schema_field {
	const char *key; /* NULL ends the table */
	enum schema_kind kind;
	bool required;
	size_t offset;
	size_t mark_offset; /* struct mark that keeps where it stands; 0: none */
	const struct schema_choice *choices;
	const struct schema_object *object;
	int min, max;
	const char *standard; /* default, as text; NULL: none */
	const char *doc;
};

struct schema_object {
	const char *name;
	const char *doc;
	const struct schema_field *fields;
	const char *empty; /* what to say to one without any key; NULL: that is fine */
};

extern const struct schema_object schema_config;
extern const struct schema_object schema_resolver;
extern const struct schema_object schema_policy;
extern const struct schema_object schema_match;

const struct schema_field *schema_find(const struct schema_object *object, const char *key);
/* The nearest known key, for "did you mean"; NULL when nothing is near. */
const char *schema_suggest(const struct schema_object *object, const char *key);
const struct schema_choice *schema_choice_find(const struct schema_choice *choices,
					       const char *name);
/* "a, b or c" */
const char *schema_choice_list(const struct schema_choice *choices, char *text, size_t size);

#endif
