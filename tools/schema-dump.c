// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The configuration's table (userspace/schema.c) as text for others: "schema-dump json" prints a
 * JSON Schema, draft 2020-12, for editors and provisioning tools; "schema-dump man" prints the
 * scdoc text of all keys, which the Makefile puts into dnsfence.yaml(5). Knows the table and
 * nothing of the parser; what only the whole file can show stays with "dnsfence check".
 */
#include "bpf/abi.h"
#include "config.h"
#include "json.h"
#include "schema.h"

#define SCHEMA_DIALECT "https://json-schema.org/draft/2020-12/schema"

/* Names of sets and policies, as config.c takes them. */
#define SCHEMA_STRINGIFY(number) #number
#define SCHEMA_NAME_PATTERN(max) "^[A-Za-z0-9._-]{1," SCHEMA_STRINGIFY(max) "}$"
#define SCHEMA_NAME_MAX 31
_Static_assert(SCHEMA_NAME_MAX == DF_POLICY_NAME_LEN - 1, "the pattern's length");

/* KiB in the largest unit that the parser takes and that has no fraction. */
static const char *size_text(int kib, char text[16])
{
	static const char *const units[] = {"KiB", "MiB", "GiB"};
	size_t unit = 0;

	for (; unit + 1 < ARRAY_LEN(units) && kib % 1024 == 0; unit++)
		kib /= 1024;
	snprintf(text, 16, "%d%s", kib, units[unit]);
	return text;
}

/* " From 64KiB to 1GiB." of what has such limits, or "". */
static const char *range_text(const struct schema_field *field, char text[64])
{
	char min[16], max[16];

	text[0] = 0;
	if (field->kind == SCHEMA_INT || field->kind == SCHEMA_POWER)
		snprintf(text, 64, " From %d to %d.", field->min, field->max);
	else if (field->kind == SCHEMA_SIZE)
		snprintf(text, 64, " From %s to %s.", size_text(field->min, min),
			 size_text(field->max, max));
	return text;
}

/* JSON Schema ------------------------------------------------------------------------------ */

static void json_properties(const struct schema_object *object, struct json *to);

static void json_ref(struct json *to, const char *key, const struct schema_object *object)
{
	char ref[64];

	snprintf(ref, sizeof(ref), "#/$defs/%s", object->name);
	json_open(to, key);
	json_put(to, "$ref", ref);
	json_close(to);
}

static bool choice_is_off(const struct schema_choice *choice)
{
	return util_streq(choice->name, "off");
}

/* off is the word here, and false to readers of YAML 1.1. */
static void json_choices(const struct schema_choice *choices, struct json *to)
{
	json_list(to, "oneOf");
	for (const struct schema_choice *choice = choices; choice->name; choice++) {
		json_open(to, NULL);
		if (choice_is_off(choice)) {
			json_list(to, "enum");
			json_put(to, NULL, choice->name);
			json_bool(to, NULL, false);
			json_list_end(to);
		} else {
			json_put(to, "const", choice->name);
		}
		if (choice->doc)
			json_put(to, "description", choice->doc);
		json_close(to);
	}
	json_list_end(to);
}

static void json_choices_object(const struct schema_choice *choices, const char *key,
				struct json *to)
{
	json_open(to, key);
	json_choices(choices, to);
	json_close(to);
}

/* One choice, or a list of them. */
static void json_flags(const struct schema_choice *choices, struct json *to)
{
	json_list(to, "oneOf");
	json_choices_object(choices, NULL, to);
	json_open(to, NULL);
	json_put(to, "type", "array");
	json_uint(to, "minItems", 1);
	json_choices_object(choices, "items", to);
	json_close(to);
	json_list_end(to);
}

static void json_powers(struct json *to, int min, int max)
{
	json_list(to, "enum");
	for (int power = 1; power <= max && power > 0; power *= 2)
		if (power >= min)
			json_uint(to, NULL, (uint64_t)power);
	json_list_end(to);
}

static void json_range(struct json *to, int min, int max)
{
	json_put(to, "type", "integer");
	json_uint(to, "minimum", (uint64_t)min);
	json_uint(to, "maximum", (uint64_t)max);
}

/* The parser reads words; an unquoted uid is one, too. */
static void json_word(struct json *to)
{
	json_list(to, "type");
	json_put(to, NULL, "string");
	json_put(to, NULL, "integer");
	json_list_end(to);
}

static void json_sets(struct json *to)
{
	json_put(to, "type", "object");
	json_open(to, "propertyNames");
	json_put(to, "pattern", SCHEMA_NAME_PATTERN(SCHEMA_NAME_MAX));
	json_open(to, "not");
	json_put(to, "const", "any");
	json_close(to);
	json_close(to);
	json_open(to, "additionalProperties");
	json_put(to, "type", "array");
	json_open(to, "items");
	json_list(to, "oneOf");
	json_open(to, NULL);
	json_put(to, "type", "string");
	json_put(to, "description", "An address or a prefix: every fenced service there.");
	json_close(to);
	json_ref(to, NULL, &schema_resolver);
	json_list_end(to);
	json_close(to);
	json_close(to);
}

static void json_policies(struct json *to)
{
	json_put(to, "type", "array");
	json_uint(to, "minItems", 1);
	json_ref(to, "items", &schema_policy);
}

static void json_set_names(struct json *to)
{
	json_list(to, "oneOf");
	json_open(to, NULL);
	json_put(to, "const", "any");
	json_close(to);
	json_open(to, NULL);
	json_put(to, "type", "array");
	json_open(to, "items");
	json_put(to, "type", "string");
	json_close(to);
	json_close(to);
	json_list_end(to);
}

/* One, or a list of them. off: or what a reader of YAML 1.1 sees in that word. */
static void json_one_or_list(void (*one)(struct json *to), bool off, struct json *to)
{
	json_list(to, "oneOf");
	json_open(to, NULL);
	one(to);
	json_close(to);
	if (off) {
		json_open(to, NULL);
		json_bool(to, "const", false);
		json_close(to);
	}
	json_open(to, NULL);
	json_put(to, "type", "array");
	json_uint(to, "minItems", 1);
	json_open(to, "items");
	one(to);
	json_close(to);
	json_close(to);
	json_list_end(to);
}

static void json_strings(const struct schema_choice *choices, struct json *to)
{
	json_one_or_list(json_word, choices && choice_is_off(choices), to);
}

static void json_path(struct json *to)
{
	json_put(to, "type", "string");
	json_put(to, "pattern", "^/");
}

static void json_paths(struct json *to)
{
	json_one_or_list(json_path, false, to);
}

/* Bytes are a number to a reader of YAML. Which sizes are taken only the parser says. */
static void json_size(struct json *to)
{
	json_list(to, "oneOf");
	json_open(to, NULL);
	json_put(to, "type", "integer");
	json_uint(to, "minimum", 1);
	json_close(to);
	json_open(to, NULL);
	json_put(to, "type", "string");
	json_put(to, "pattern", "^[0-9]+ ?([KMG]iB)?$");
	json_close(to);
	json_list_end(to);
}

static void json_target(const char *key, struct json *to)
{
	json_open(to, key);
	json_put(to, "type", "string");
	json_put(to, "pattern", "^(local|unix:/.+|(udp|tcp):.+:[0-9]+)$");
	json_close(to);
}

static void json_targets(struct json *to)
{
	json_list(to, "oneOf");
	json_target(NULL, to);
	json_open(to, NULL);
	json_put(to, "type", "array");
	json_uint(to, "minItems", 1);
	json_target("items", to);
	json_close(to);
	json_list_end(to);
}

static void json_labels(struct json *to)
{
	json_put(to, "type", "object");
	json_uint(to, "minProperties", 1);
	json_open(to, "additionalProperties");
	json_strings(NULL, to);
	json_close(to);
}

static void json_kind(const struct schema_field *field, struct json *to)
{
	switch (field->kind) {
	case SCHEMA_STRING:
		json_word(to);
		break;
	case SCHEMA_PATH:
		json_path(to);
		break;
	case SCHEMA_PATHS:
		json_paths(to);
		break;
	case SCHEMA_ADDRESS:
		json_put(to, "type", "string");
		break;
	case SCHEMA_BOOL:
		json_put(to, "type", "boolean");
		break;
	case SCHEMA_CHOICE:
	case SCHEMA_PROTOCOL:
		json_choices(field->choices, to);
		break;
	case SCHEMA_FLAGS:
		json_flags(field->choices, to);
		break;
	case SCHEMA_WORDS:
	case SCHEMA_PREFIXES:
		json_strings(field->choices, to);
		break;
	case SCHEMA_LABELS:
		json_labels(to);
		break;
	case SCHEMA_INT:
		json_range(to, field->min, field->max);
		break;
	case SCHEMA_POWER:
		json_powers(to, field->min, field->max);
		break;
	case SCHEMA_PORT:
		json_range(to, 1, UINT16_MAX);
		break;
	case SCHEMA_SIZE:
		json_size(to);
		break;
	case SCHEMA_LISTEN:
		json_put(to, "type", "string");
		json_put(to, "pattern", "^(unix:/.+|[^a-z]+:[0-9]+)$|^\\[[0-9a-f:.]+\\]:[0-9]+$");
		break;
	case SCHEMA_SYSLOG:
		json_targets(to);
		break;
	case SCHEMA_OBJECT:
		json_properties(field->object, to);
		break;
	case SCHEMA_SETS:
		json_sets(to);
		break;
	case SCHEMA_POLICIES:
		json_policies(to);
		break;
	case SCHEMA_SET_NAMES:
		json_set_names(to);
		break;
	case SCHEMA_VERSION:
		json_put(to, "const", CONFIG_API_VERSION);
		break;
	case SCHEMA_LATER:
		break;
	}
}

/* As a value where the table's text is one; the description tells the others. */
static bool json_default(const struct schema_field *field, struct json *to)
{
	if (field->kind == SCHEMA_BOOL)
		json_bool(to, "default", util_streq(field->standard, "true"));
	else if (field->kind == SCHEMA_INT || field->kind == SCHEMA_POWER)
		json_uint(to, "default", strtoul(field->standard, NULL, 10));
	else if (field->kind == SCHEMA_CHOICE &&
		 schema_choice_find(field->choices, field->standard))
		json_put(to, "default", field->standard);
	else
		return false;
	return true;
}

static void json_field(const struct schema_field *field, struct json *to)
{
	char text[1024], range[64];
	bool told;

	json_open(to, field->key);
	told = !field->standard || json_default(field, to);
	/* Of the other kinds "minimum", "maximum" and "enum" say it. */
	snprintf(text, sizeof(text), "%s%s%s%s%s", field->doc,
		 field->kind == SCHEMA_SIZE ? range_text(field, range) : "",
		 told ? "" : " Default: ", told ? "" : field->standard, told ? "" : ".");
	json_put(to, "description", text);
	json_kind(field, to);
	json_close(to);
}

static void json_required(const struct schema_object *object, struct json *to)
{
	json_list(to, "required");
	for (const struct schema_field *field = object->fields; field->key; field++)
		if (field->required)
			json_put(to, NULL, field->key);
	json_list_end(to);
}

/* "type" to "required" of an object; its description stands with whoever refers to it. */
static void json_properties(const struct schema_object *object, struct json *to)
{
	json_put(to, "type", "object");
	json_bool(to, "additionalProperties", false);
	if (object->empty)
		json_uint(to, "minProperties", 1);
	json_required(object, to);
	json_open(to, "properties");
	for (const struct schema_field *field = object->fields; field->key; field++)
		if (field->kind != SCHEMA_LATER)
			json_field(field, to);
	json_close(to);
}

static void json_definition(const struct schema_object *object, struct json *to)
{
	json_open(to, object->name);
	json_put(to, "description", object->doc);
	json_properties(object, to);
	json_close(to);
}

static int dump_json(void)
{
	struct json json = {0};
	int r;

	json_open(&json, NULL);
	json_put(&json, "$schema", SCHEMA_DIALECT);
	json_put(&json, "title", "dnsfence configuration, " CONFIG_API_VERSION);
	json_put(&json, "description",
		 "Made from the table that the parser reads. A file in dnsfence.d may leave "
		 "policies out; \"dnsfence check\" sees all files together.");
	json_properties(&schema_config, &json);
	json_open(&json, "$defs");
	json_definition(&schema_resolver, &json);
	json_definition(&schema_policy, &json);
	json_close(&json);
	json_close(&json);
	r = json_finish(&json);
	if (r >= 0)
		(void)fwrite(json.text, 1, json.length, stdout);
	json_done(&json);
	return r;
}

/* scdoc ------------------------------------------------------------------------------------ */

static void man_text(const char *text)
{
	for (; *text; text++) {
		if (strchr("\\*_`", *text))
			putchar('\\');
		putchar(*text);
	}
}

static const char *man_kind(const struct schema_field *field)
{
	switch (field->kind) {
	case SCHEMA_BOOL:
		return "true or false";
	case SCHEMA_PORT:
		return "a port";
	case SCHEMA_INT:
		return "a number";
	case SCHEMA_POWER:
		return "a power of two";
	case SCHEMA_SIZE:
		return "a size, as in 64MiB";
	case SCHEMA_LISTEN:
		return "a socket";
	case SCHEMA_SYSLOG:
		return "a target, or a list";
	case SCHEMA_PATH:
		return "an absolute path";
	case SCHEMA_PATHS:
		return "an absolute path, or a list";
	case SCHEMA_ADDRESS:
		return "an address or a prefix";
	case SCHEMA_WORDS:
		return field->choices ? "a name, a list, or one of these" : "a name, or a list";
	case SCHEMA_LABELS:
		return "keys, each with a value or a list";
	case SCHEMA_PREFIXES:
		return "an address or a prefix, or a list";
	case SCHEMA_FLAGS:
		return "one of these, or a list";
	case SCHEMA_CHOICE:
	case SCHEMA_PROTOCOL:
		return "one of these";
	case SCHEMA_OBJECT:
		return "keys, see below";
	case SCHEMA_SETS:
		return "names, each with a list";
	case SCHEMA_POLICIES:
		return "a list of policies";
	case SCHEMA_SET_NAMES:
		return "any, or a list of names";
	case SCHEMA_VERSION:
	case SCHEMA_STRING:
	case SCHEMA_LATER:
		break;
	}
	return "text";
}

static void man_field(const struct schema_field *field)
{
	char range[64];

	printf("*%s*: _%s_%s\n\t", field->key, man_kind(field),
	       field->required ? ", required" : "");
	man_text(field->doc);
	printf("%s", range_text(field, range));
	if (field->standard) {
		printf(" Default: ");
		man_text(field->standard);
		putchar('.');
	}
	printf("\n\n");
	if (!field->choices)
		return;
	for (const struct schema_choice *choice = field->choices; choice->name; choice++) {
		printf("\t- *%s*", choice->name);
		if (choice->doc) {
			printf(": ");
			man_text(choice->doc);
		}
		putchar('\n');
	}
	putchar('\n');
}

/* path: how its keys are found, as "events.syslog"; "": at the top, or in an entry of a list. */
static void man_object(const struct schema_object *object, const char *title, const char *path)
{
	char below[64];

	printf("## %s\n\n", title);
	man_text(object->doc);
	printf("\n\n");
	for (const struct schema_field *field = object->fields; field->key; field++)
		if (field->kind != SCHEMA_LATER)
			man_field(field);
	for (const struct schema_field *field = object->fields; field->key; field++) {
		if (field->kind != SCHEMA_OBJECT)
			continue;
		snprintf(below, sizeof(below), "%s%s%s", path, *path ? "." : "", field->key);
		man_object(field->object, below, below);
	}
}

static void man_later(const struct schema_object *object)
{
	for (const struct schema_field *field = object->fields; field->key; field++) {
		if (field->kind == SCHEMA_LATER) {
			printf("*%s* in %s\n\t", field->key, object->name);
			man_text(field->doc);
			printf(".\n\n");
		}
		if (field->kind == SCHEMA_OBJECT)
			man_later(field->object);
	}
}

static void dump_man(void)
{
	man_object(&schema_config, "top level", "");
	man_object(&schema_resolver, "an entry of a resolver set", "");
	man_object(&schema_policy, "an entry of policies", "");
	printf("## keys that are refused by name\n\n");
	man_later(&schema_config);
	man_later(&schema_resolver);
	man_later(&schema_policy);
}

int main(int argc, char **argv)
{
	bool json = argc == 2 && util_streq(argv[1], "json");

	if (!json && !(argc == 2 && util_streq(argv[1], "man"))) {
		fprintf(stderr, "usage: schema-dump json|man\n");
		return 2;
	}
	if (json && dump_json() < 0) {
		fprintf(stderr, "schema-dump: out of memory\n");
		return 5;
	}
	if (!json)
		dump_man();
	return fflush(stdout) == 0 ? 0 : 5;
}
