// SPDX-License-Identifier: GPL-2.0-or-later
#include "config_value.h"

#include <ctype.h>

static const char *const node_kind_names[] = {
	[NODE_SCALAR] = "a single value", [NODE_LIST] = "a list", [NODE_MAP] = "keys and values"};

bool config_expect(struct diagnostics *diagnostics, const struct node *node, enum node_kind kind,
		   const char *key)
{
	if (node->kind == kind && !(kind == NODE_SCALAR && node_is_null(node)))
		return true;
	config_error(diagnostics, node->where, "%s: expected %s, found %s", key,
		     node_kind_names[kind],
		     node_is_null(node) ? "nothing" : node_kind_names[node->kind]);
	return false;
}

static void value_read_string(struct diagnostics *diagnostics, const struct node *node,
			      const struct schema_field *field, char **place)
{
	if (!config_expect(diagnostics, node, NODE_SCALAR, field->key))
		return;
	free(*place);
	*place = strdup(node->text);
}

static void value_read_path(struct diagnostics *diagnostics, const struct node *node,
			    const struct schema_field *field, char **place)
{
	value_read_string(diagnostics, node, field, place);
	if (node->kind == NODE_SCALAR && !node_is_null(node) && node->text[0] != '/')
		config_error(diagnostics, node->where,
			     "%s: '%s' is not an absolute path; begin it with /", field->key,
			     node->text);
}

static void value_read_bool(struct diagnostics *diagnostics, const struct node *node,
			    const struct schema_field *field, bool *place)
{
	if (!config_expect(diagnostics, node, NODE_SCALAR, field->key))
		return;
	if (util_streq(node->text, "true"))
		*place = true;
	else if (util_streq(node->text, "false"))
		*place = false;
	else
		config_error(diagnostics, node->where, "%s: '%s' is neither true nor false",
			     field->key, node->text);
}

static const struct schema_choice *value_find_choice(struct diagnostics *diagnostics,
						     const struct node *node,
						     const struct schema_field *field)
{
	const struct schema_choice *choice;
	char list[256];

	if (!config_expect(diagnostics, node, NODE_SCALAR, field->key))
		return NULL;
	choice = schema_choice_find(field->choices, node->text);
	if (choice)
		return choice;
	schema_choice_list(field->choices, list, sizeof(list));
	if (field->choices[1].name)
		config_error(diagnostics, node->where, "%s: '%s' is not one of %s", field->key,
			     node->text, list);
	else
		config_error(diagnostics, node->where, "%s: only %s is offered. %s", field->key,
			     list, field->doc);
	return NULL;
}

static void value_read_choice(struct diagnostics *diagnostics, const struct node *node,
			      const struct schema_field *field, int *place)
{
	const struct schema_choice *choice = value_find_choice(diagnostics, node, field);

	if (choice)
		*place = choice->value;
}

static void value_read_protocol(struct diagnostics *diagnostics, const struct node *node,
				const struct schema_field *field, uint8_t *place)
{
	const struct schema_choice *choice = value_find_choice(diagnostics, node, field);

	if (choice)
		*place = (uint8_t)choice->value;
}

static void words_add(struct words *words, const struct node *node)
{
	struct word *place = ARRAY_APPEND(words->list, words->length);

	if (place)
		*place = (struct word){strdup(node->text), node->where};
}

/* A word, or a list of them; those of .choices stand alone. */
static void value_read_words(struct diagnostics *diagnostics, const struct node *node,
			     const struct schema_field *field, struct words *place)
{
	if (node->kind == NODE_SCALAR && !node_is_null(node)) {
		words_add(place, node);
		return;
	}
	if (!config_expect(diagnostics, node, NODE_LIST, field->key))
		return;
	for (size_t i = 0; i < node->length; i++) {
		const struct node *word = node->children[i];

		if (!config_expect(diagnostics, word, NODE_SCALAR, field->key))
			continue;
		if (field->choices && schema_choice_find(field->choices, word->text))
			config_error(diagnostics, word->where,
				     "%s: '%s' stands alone, not in a list", field->key,
				     word->text);
		words_add(place, word);
	}
	if (!node->length)
		config_error(diagnostics, node->where, "%s: the list is empty", field->key);
}

static void value_read_paths(struct diagnostics *diagnostics, const struct node *node,
			     const struct schema_field *field, struct words *place)
{
	size_t before = place->length;

	value_read_words(diagnostics, node, field, place);
	for (size_t i = before; i < place->length; i++) {
		const char *path = place->list[i].text ? place->list[i].text : "/";

		if (path[0] != '/')
			config_error(diagnostics, node->where,
				     "%s: '%s' is not an absolute path; begin it with /",
				     field->key, path);
		if (strlen(path) > RUNTIME_ROOT_MAX)
			config_error(diagnostics, node->where,
				     "%s: a path of %zu bytes, more than %d", field->key,
				     strlen(path), RUNTIME_ROOT_MAX);
	}
	if (place->length > RUNTIME_ROOTS_MAX)
		config_error(diagnostics, node->where, "%s: more than %d paths", field->key,
			     RUNTIME_ROOTS_MAX);
}

static void value_read_labels(struct diagnostics *diagnostics, const struct node *node,
			      const struct schema_field *field, struct label_matches *place)
{
	if (!config_expect(diagnostics, node, NODE_MAP, field->key))
		return;
	if (!node->length)
		config_error(diagnostics, node->where, "%s: name at least one, as in {app: web}",
			     field->key);
	for (size_t i = 0; i + 1 < node->length; i += 2) {
		struct label_match *label = ARRAY_APPEND(place->list, place->length);

		if (!label)
			return;
		label->key = strdup(node->children[i]->text);
		value_read_words(diagnostics, node->children[i + 1], field, &label->values);
	}
}

static void value_read_prefix(struct diagnostics *diagnostics, const struct node *node,
			      const struct schema_field *field, struct prefixes *place)
{
	struct address address;
	struct address *slot;
	const char *problem;

	if (!config_expect(diagnostics, node, NODE_SCALAR, field->key))
		return;
	if (address_parse(node->text, &address, &problem) < 0) {
		config_error(diagnostics, node->where, "%s", problem);
		return;
	}
	slot = ARRAY_APPEND(place->list, place->length);
	if (slot)
		*slot = address;
}

static void value_read_prefixes(struct diagnostics *diagnostics, const struct node *node,
				const struct schema_field *field, struct prefixes *place)
{
	if (node->kind != NODE_LIST) {
		value_read_prefix(diagnostics, node, field, place);
		return;
	}
	for (size_t i = 0; i < node->length; i++)
		value_read_prefix(diagnostics, node->children[i], field, place);
	if (!node->length)
		config_error(diagnostics, node->where, "%s: the list is empty", field->key);
}

/* One choice or a list of them, as bits 1 << value. */
static void value_read_flags(struct diagnostics *diagnostics, const struct node *node,
			     const struct schema_field *field, uint32_t *place)
{
	const struct schema_choice *choice;
	uint32_t flags = 0;

	if (node->kind == NODE_SCALAR) {
		choice = value_find_choice(diagnostics, node, field);
		if (choice)
			*place = 1u << choice->value;
		return;
	}
	if (!config_expect(diagnostics, node, NODE_LIST, field->key))
		return;
	for (size_t i = 0; i < node->length; i++) {
		choice = value_find_choice(diagnostics, node->children[i], field);
		if (choice)
			flags |= 1u << choice->value;
	}
	if (!node->length)
		config_error(diagnostics, node->where, "%s: the list is empty", field->key);
	*place = flags;
}

static bool value_read_number(struct diagnostics *diagnostics, const struct node *node,
			      const struct schema_field *field, long min, long max, long *ret)
{
	char *end;
	long value;

	if (!config_expect(diagnostics, node, NODE_SCALAR, field->key))
		return false;
	errno = 0;
	value = strtol(node->text, &end, 10);
	if (!isdigit((unsigned char)node->text[0]) || *end || errno || value < min || value > max) {
		config_error(diagnostics, node->where, "%s: '%s' is not a number from %ld to %ld",
			     field->key, node->text, min, max);
		return false;
	}
	*ret = value;
	return true;
}

static void value_read_int(struct diagnostics *diagnostics, const struct node *node,
			   const struct schema_field *field, int *place)
{
	long number;

	if (value_read_number(diagnostics, node, field, field->min, field->max, &number))
		*place = (int)number;
}

static void value_read_port(struct diagnostics *diagnostics, const struct node *node,
			    const struct schema_field *field, uint16_t *place)
{
	long number;

	if (value_read_number(diagnostics, node, field, 1, 65535, &number))
		*place = (uint16_t)number;
}

static void value_read_power(struct diagnostics *diagnostics, const struct node *node,
			     const struct schema_field *field, int *place)
{
	long number;

	if (!value_read_number(diagnostics, node, field, field->min, field->max, &number))
		return;
	if (number & (number - 1))
		config_error(diagnostics, node->where, "%s: %ld is not a power of two", field->key,
			     number);
	else
		*place = (int)number;
}

static const struct {
	const char *suffix;
	unsigned int shift;
} size_units[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};

static bool size_parse(const char *text, uint64_t *ret)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || errno)
		return false;
	end += *end == ' ';
	for (size_t i = 0; i < ARRAY_LEN(size_units); i++)
		if (util_streq(end, size_units[i].suffix) &&
		    value <= UINT64_MAX >> size_units[i].shift) {
			*ret = value << size_units[i].shift;
			return true;
		}
	return false;
}

static void value_read_size(struct diagnostics *diagnostics, const struct node *node,
			    const struct schema_field *field, uint64_t *place)
{
	const uint64_t min = (uint64_t)field->min << 10, max = (uint64_t)field->max << 10;
	uint64_t size;

	if (!config_expect(diagnostics, node, NODE_SCALAR, field->key))
		return;
	if (size_parse(node->text, &size) && size >= min && size <= max)
		*place = size;
	else
		config_error(diagnostics, node->where,
			     "%s: '%s' is not a size from %d to %d KiB; write it as in 512KiB, "
			     "64MiB or 1GiB",
			     field->key, node->text, field->min, field->max);
}

static void value_read_target(struct diagnostics *diagnostics, const struct node *node,
			      const struct schema_field *field, struct syslog_targets *place)
{
	struct endpoint_config target;
	struct syslog_place *slot;
	const char *problem;

	if (!config_expect(diagnostics, node, NODE_SCALAR, field->key))
		return;
	if (endpoint_parse_syslog(node->text, &target, &problem) < 0) {
		config_error(diagnostics, node->where, "%s: '%s': %s", field->key, node->text,
			     problem);
		return;
	}
	slot = ARRAY_APPEND(place->list, place->length);
	if (slot)
		*slot = (struct syslog_place){target, node->where};
	else
		endpoint_done(&target);
}

static void value_read_targets(struct diagnostics *diagnostics, const struct node *node,
			       const struct schema_field *field, struct syslog_targets *place)
{
	if (node->kind != NODE_LIST) {
		value_read_target(diagnostics, node, field, place);
		return;
	}
	for (size_t i = 0; i < node->length; i++)
		value_read_target(diagnostics, node->children[i], field, place);
	if (!node->length)
		config_error(diagnostics, node->where, "%s: the list is empty", field->key);
}

static void value_read_listen(struct diagnostics *diagnostics, const struct node *node,
			      const struct schema_field *field, struct endpoint_config *place)
{
	struct endpoint_config endpoint;
	const char *problem;

	if (!config_expect(diagnostics, node, NODE_SCALAR, field->key))
		return;
	if (endpoint_parse_listen(node->text, &endpoint, &problem) < 0) {
		config_error(diagnostics, node->where, "%s: '%s': %s", field->key, node->text,
			     problem);
		return;
	}
	endpoint_done(place);
	*place = endpoint;
}

static void value_read_address(struct diagnostics *diagnostics, const struct node *node,
			       const struct schema_field *field, struct address *place)
{
	const char *problem;

	if (config_expect(diagnostics, node, NODE_SCALAR, field->key) &&
	    address_parse(node->text, place, &problem) < 0)
		config_error(diagnostics, node->where, "%s", problem);
}

static void value_read_version(struct diagnostics *diagnostics, const struct node *node,
			       const struct schema_field *field)
{
	if (config_expect(diagnostics, node, NODE_SCALAR, field->key) &&
	    !util_streq(node->text, CONFIG_API_VERSION))
		config_error(diagnostics, node->where,
			     "apiVersion: '%s' is unknown; this program reads " CONFIG_API_VERSION,
			     node->text);
}

void config_read_value(const struct node *node, const struct schema_field *field, void *place,
		       struct diagnostics *diagnostics)
{
	switch (field->kind) {
	case SCHEMA_STRING:
		value_read_string(diagnostics, node, field, place);
		break;
	case SCHEMA_PATH:
		value_read_path(diagnostics, node, field, place);
		break;
	case SCHEMA_BOOL:
		value_read_bool(diagnostics, node, field, place);
		break;
	case SCHEMA_CHOICE:
		value_read_choice(diagnostics, node, field, place);
		break;
	case SCHEMA_PROTOCOL:
		value_read_protocol(diagnostics, node, field, place);
		break;
	case SCHEMA_FLAGS:
		value_read_flags(diagnostics, node, field, place);
		break;
	case SCHEMA_INT:
		value_read_int(diagnostics, node, field, place);
		break;
	case SCHEMA_POWER:
		value_read_power(diagnostics, node, field, place);
		break;
	case SCHEMA_SIZE:
		value_read_size(diagnostics, node, field, place);
		break;
	case SCHEMA_LISTEN:
		value_read_listen(diagnostics, node, field, place);
		break;
	case SCHEMA_SYSLOG:
		value_read_targets(diagnostics, node, field, place);
		break;
	case SCHEMA_PORT:
		value_read_port(diagnostics, node, field, place);
		break;
	case SCHEMA_ADDRESS:
		value_read_address(diagnostics, node, field, place);
		break;
	case SCHEMA_WORDS:
		value_read_words(diagnostics, node, field, place);
		break;
	case SCHEMA_PATHS:
		value_read_paths(diagnostics, node, field, place);
		break;
	case SCHEMA_LABELS:
		value_read_labels(diagnostics, node, field, place);
		break;
	case SCHEMA_PREFIXES:
		value_read_prefixes(diagnostics, node, field, place);
		break;
	case SCHEMA_VERSION:
		value_read_version(diagnostics, node, field);
		break;
	case SCHEMA_LATER:
		config_error(diagnostics, node->where, "%s: %s", field->key, field->doc);
		break;
	case SCHEMA_OBJECT:
	case SCHEMA_SETS:
	case SCHEMA_POLICIES:
	case SCHEMA_SET_NAMES:
		break;
	}
}
