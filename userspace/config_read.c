// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nodes -> struct config, along the table in schema.c. Every value is checked where it stands,
 * and reading goes on after an error, so that all of them are shown at once.
 */
#include "config_read.h"

#include <ctype.h>

#include "bpf/abi.h"
#include "config_match.h"
#include "schema.h"

struct config_reader {
	struct config *config;
	struct diagnostics *diagnostics;
	bool default_ends; /* this file's policy without a match has been read */
};

static const char *const node_kind_names[] = {
	[NODE_SCALAR] = "a single value", [NODE_LIST] = "a list", [NODE_MAP] = "keys and values"};

static const struct node *node_find(const struct node *map, const char *key)
{
	for (size_t i = 0; map->kind == NODE_MAP && i + 1 < map->length; i += 2)
		if (util_streq(map->children[i]->text, key))
			return map->children[i + 1];
	return NULL;
}

static bool config_expect(struct config_reader *reader, const struct node *node,
			  enum node_kind kind, const char *key)
{
	if (node->kind == kind && !(kind == NODE_SCALAR && node_is_null(node)))
		return true;
	config_error(reader->diagnostics, node->where, "%s: expected %s, found %s", key,
		     node_kind_names[kind],
		     node_is_null(node) ? "nothing" : node_kind_names[node->kind]);
	return false;
}

static void config_read_string(struct config_reader *reader, const struct node *node,
			       const struct schema_field *field, char **place)
{
	if (!config_expect(reader, node, NODE_SCALAR, field->key))
		return;
	free(*place);
	*place = strdup(node->text);
}

static void config_read_path(struct config_reader *reader, const struct node *node,
			     const struct schema_field *field, char **place)
{
	config_read_string(reader, node, field, place);
	if (node->kind == NODE_SCALAR && !node_is_null(node) && node->text[0] != '/')
		config_error(reader->diagnostics, node->where,
			     "%s: '%s' is not an absolute path; begin it with /", field->key,
			     node->text);
}

static void config_read_bool(struct config_reader *reader, const struct node *node,
			     const struct schema_field *field, bool *place)
{
	if (!config_expect(reader, node, NODE_SCALAR, field->key))
		return;
	if (util_streq(node->text, "true"))
		*place = true;
	else if (util_streq(node->text, "false"))
		*place = false;
	else
		config_error(reader->diagnostics, node->where, "%s: '%s' is neither true nor false",
			     field->key, node->text);
}

static const struct schema_choice *config_read_choice(struct config_reader *reader,
						      const struct node *node,
						      const struct schema_field *field)
{
	const struct schema_choice *choice;
	char list[256];

	if (!config_expect(reader, node, NODE_SCALAR, field->key))
		return NULL;
	choice = schema_choice_find(field->choices, node->text);
	if (choice)
		return choice;
	schema_choice_list(field->choices, list, sizeof(list));
	if (field->choices[1].name)
		config_error(reader->diagnostics, node->where, "%s: '%s' is not one of %s",
			     field->key, node->text, list);
	else
		config_error(reader->diagnostics, node->where, "%s: only %s is offered. %s",
			     field->key, list, field->doc);
	return NULL;
}

static void words_add(struct words *words, const struct node *node)
{
	struct word *place = ARRAY_APPEND(words->list, words->length);

	if (place)
		*place = (struct word){strdup(node->text), node->where};
}

/* A word, or a list of them; those of .choices stand alone. */
static void config_read_words(struct config_reader *reader, const struct node *node,
			      const struct schema_field *field, struct words *place)
{
	if (node->kind == NODE_SCALAR && !node_is_null(node)) {
		words_add(place, node);
		return;
	}
	if (!config_expect(reader, node, NODE_LIST, field->key))
		return;
	for (size_t i = 0; i < node->length; i++) {
		const struct node *word = node->children[i];

		if (!config_expect(reader, word, NODE_SCALAR, field->key))
			continue;
		if (field->choices && schema_choice_find(field->choices, word->text))
			config_error(reader->diagnostics, word->where,
				     "%s: '%s' stands alone, not in a list", field->key,
				     word->text);
		words_add(place, word);
	}
	if (!node->length)
		config_error(reader->diagnostics, node->where, "%s: the list is empty", field->key);
}

static void config_read_paths(struct config_reader *reader, const struct node *node,
			      const struct schema_field *field, struct words *place)
{
	size_t before = place->length;

	config_read_words(reader, node, field, place);
	for (size_t i = before; i < place->length; i++) {
		const char *path = place->list[i].text ? place->list[i].text : "/";

		if (path[0] != '/')
			config_error(reader->diagnostics, node->where,
				     "%s: '%s' is not an absolute path; begin it with /",
				     field->key, path);
		if (strlen(path) > RUNTIME_ROOT_MAX)
			config_error(reader->diagnostics, node->where,
				     "%s: a path of %zu bytes, more than %d", field->key,
				     strlen(path), RUNTIME_ROOT_MAX);
	}
	if (place->length > RUNTIME_ROOTS_MAX)
		config_error(reader->diagnostics, node->where, "%s: more than %d paths", field->key,
			     RUNTIME_ROOTS_MAX);
}

static void config_read_labels(struct config_reader *reader, const struct node *node,
			       const struct schema_field *field, struct label_matches *place)
{
	if (!config_expect(reader, node, NODE_MAP, field->key))
		return;
	if (!node->length)
		config_error(reader->diagnostics, node->where,
			     "%s: name at least one, as in {app: web}", field->key);
	for (size_t i = 0; i + 1 < node->length; i += 2) {
		struct label_match *label = ARRAY_APPEND(place->list, place->length);

		if (!label)
			return;
		label->key = strdup(node->children[i]->text);
		config_read_words(reader, node->children[i + 1], field, &label->values);
	}
}

static void config_read_prefix(struct config_reader *reader, const struct node *node,
			       const struct schema_field *field, struct prefixes *place)
{
	struct address address;
	struct address *slot;
	const char *problem;

	if (!config_expect(reader, node, NODE_SCALAR, field->key))
		return;
	if (address_parse(node->text, &address, &problem) < 0) {
		config_error(reader->diagnostics, node->where, "%s", problem);
		return;
	}
	slot = ARRAY_APPEND(place->list, place->length);
	if (slot)
		*slot = address;
}

static void config_read_prefixes(struct config_reader *reader, const struct node *node,
				 const struct schema_field *field, struct prefixes *place)
{
	if (node->kind != NODE_LIST) {
		config_read_prefix(reader, node, field, place);
		return;
	}
	for (size_t i = 0; i < node->length; i++)
		config_read_prefix(reader, node->children[i], field, place);
	if (!node->length)
		config_error(reader->diagnostics, node->where, "%s: the list is empty", field->key);
}

/* One choice or a list of them, as bits 1 << value. */
static void config_read_flags(struct config_reader *reader, const struct node *node,
			      const struct schema_field *field, uint32_t *place)
{
	const struct schema_choice *choice;
	uint32_t flags = 0;

	if (node->kind == NODE_SCALAR) {
		choice = config_read_choice(reader, node, field);
		if (choice)
			*place = 1u << choice->value;
		return;
	}
	if (!config_expect(reader, node, NODE_LIST, field->key))
		return;
	for (size_t i = 0; i < node->length; i++) {
		choice = config_read_choice(reader, node->children[i], field);
		if (choice)
			flags |= 1u << choice->value;
	}
	if (!node->length)
		config_error(reader->diagnostics, node->where, "%s: the list is empty", field->key);
	*place = flags;
}

static bool config_read_number(struct config_reader *reader, const struct node *node,
			       const struct schema_field *field, long min, long max, long *ret)
{
	char *end;
	long value;

	if (!config_expect(reader, node, NODE_SCALAR, field->key))
		return false;
	errno = 0;
	value = strtol(node->text, &end, 10);
	if (!isdigit((unsigned char)node->text[0]) || *end || errno || value < min || value > max) {
		config_error(reader->diagnostics, node->where,
			     "%s: '%s' is not a number from %ld to %ld", field->key, node->text,
			     min, max);
		return false;
	}
	*ret = value;
	return true;
}

static void config_read_power(struct config_reader *reader, const struct node *node,
			      const struct schema_field *field, int *place)
{
	long number;

	if (!config_read_number(reader, node, field, field->min, field->max, &number))
		return;
	if (number & (number - 1))
		config_error(reader->diagnostics, node->where, "%s: %ld is not a power of two",
			     field->key, number);
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

static void config_read_size(struct config_reader *reader, const struct node *node,
			     const struct schema_field *field, uint64_t *place)
{
	const uint64_t min = (uint64_t)field->min << 10, max = (uint64_t)field->max << 10;
	uint64_t size;

	if (!config_expect(reader, node, NODE_SCALAR, field->key))
		return;
	if (size_parse(node->text, &size) && size >= min && size <= max)
		*place = size;
	else
		config_error(reader->diagnostics, node->where,
			     "%s: '%s' is not a size from %d to %d KiB; write it as in 512KiB, "
			     "64MiB or 1GiB",
			     field->key, node->text, field->min, field->max);
}

static void config_read_target(struct config_reader *reader, const struct node *node,
			       const struct schema_field *field, struct syslog_targets *place)
{
	struct endpoint_config target;
	struct syslog_place *slot;
	const char *problem;

	if (!config_expect(reader, node, NODE_SCALAR, field->key))
		return;
	if (endpoint_parse_syslog(node->text, &target, &problem) < 0) {
		config_error(reader->diagnostics, node->where, "%s: '%s': %s", field->key,
			     node->text, problem);
		return;
	}
	slot = ARRAY_APPEND(place->list, place->length);
	if (slot)
		*slot = (struct syslog_place){target, node->where};
	else
		endpoint_done(&target);
}

static void config_read_targets(struct config_reader *reader, const struct node *node,
				const struct schema_field *field, struct syslog_targets *place)
{
	if (node->kind != NODE_LIST) {
		config_read_target(reader, node, field, place);
		return;
	}
	for (size_t i = 0; i < node->length; i++)
		config_read_target(reader, node->children[i], field, place);
	if (!node->length)
		config_error(reader->diagnostics, node->where, "%s: the list is empty", field->key);
}

static void config_read_listen(struct config_reader *reader, const struct node *node,
			       const struct schema_field *field, struct endpoint_config *place)
{
	struct endpoint_config endpoint;
	const char *problem;

	if (!config_expect(reader, node, NODE_SCALAR, field->key))
		return;
	if (endpoint_parse_listen(node->text, &endpoint, &problem) < 0) {
		config_error(reader->diagnostics, node->where, "%s: '%s': %s", field->key,
			     node->text, problem);
		return;
	}
	endpoint_done(place);
	*place = endpoint;
}

static void config_read_address(struct config_reader *reader, const struct node *node,
				const struct schema_field *field, struct address *place)
{
	const char *problem;

	if (config_expect(reader, node, NODE_SCALAR, field->key) &&
	    address_parse(node->text, place, &problem) < 0)
		config_error(reader->diagnostics, node->where, "%s", problem);
}

static void config_read_version(struct config_reader *reader, const struct node *node,
				const struct schema_field *field)
{
	if (config_expect(reader, node, NODE_SCALAR, field->key) &&
	    !util_streq(node->text, CONFIG_API_VERSION))
		config_error(reader->diagnostics, node->where,
			     "apiVersion: '%s' is unknown; this program reads " CONFIG_API_VERSION,
			     node->text);
}

static void config_read_object(struct config_reader *reader, const struct node *node,
			       const struct schema_object *object, void *target);

static void config_read_resolver(struct config_reader *reader, const struct node *node,
				 struct resolver *resolver)
{
	const char *problem;

	resolver->where = node->where;
	if (node->kind == NODE_MAP)
		config_read_object(reader, node, &schema_resolver, resolver);
	else if (config_expect(reader, node, NODE_SCALAR, "resolver") &&
		 address_parse(node->text, &resolver->address, &problem) < 0)
		config_error(reader->diagnostics, node->where, "%s", problem);
}

/* Letters, digits, dots, dashes, underscores: what log readers and metrics take unquoted. */
static bool config_name_is_valid(const char *name)
{
	size_t length = strlen(name);

	return length && length < DF_POLICY_NAME_LEN &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       length;
}

static void config_read_set(struct config_reader *reader, const struct node *key,
			    const struct node *value)
{
	const struct resolver_set *other = config_find_set(reader->config, key->text);
	struct resolver_set *set;

	if (other && other->where.file != key->where.file)
		config_error(reader->diagnostics, key->where,
			     "the resolver set '%s' is in %s:%u already", key->text,
			     other->where.file, other->where.line);
	if (!config_name_is_valid(key->text) || util_streq(key->text, "any"))
		config_error(reader->diagnostics, key->where, "'%s' cannot name a resolver set",
			     key->text);
	if (!config_expect(reader, value, NODE_LIST, key->text))
		return;
	set = ARRAY_APPEND(reader->config->sets, reader->config->sets_length);
	if (!set)
		return;
	set->where = key->where;
	set->name = strdup(key->text);
	set->resolvers = calloc(value->length + 1, sizeof(*set->resolvers));
	if (!set->resolvers)
		return;
	for (size_t i = 0; i < value->length; i++)
		config_read_resolver(reader, value->children[i], &set->resolvers[i]);
	set->length = value->length;
}

static void config_read_sets(struct config_reader *reader, const struct node *node)
{
	if (!config_expect(reader, node, NODE_MAP, "resolvers"))
		return;
	for (size_t i = 0; i + 1 < node->length; i += 2)
		config_read_set(reader, node->children[i], node->children[i + 1]);
}

static void config_read_set_names(struct config_reader *reader, const struct node *node,
				  struct policy_config *policy)
{
	if (node->kind == NODE_SCALAR && util_streq(node->text, "any")) {
		policy->any = true;
		return;
	}
	if (node->kind == NODE_SCALAR && !node_is_null(node)) {
		config_error(reader->diagnostics, node->where,
			     "resolvers: expected any or a list of set names, as in [%s]",
			     node->text);
		return;
	}
	if (!config_expect(reader, node, NODE_LIST, "resolvers"))
		return;
	policy->sets = calloc(node->length + 1, sizeof(*policy->sets));
	policy->set_marks = calloc(node->length + 1, sizeof(*policy->set_marks));
	if (!policy->sets || !policy->set_marks)
		return;
	for (size_t i = 0; i < node->length; i++) {
		const struct node *name = node->children[i];

		if (!config_expect(reader, name, NODE_SCALAR, "resolvers"))
			continue;
		policy->set_marks[policy->sets_length] = name->where;
		policy->sets[policy->sets_length] = strdup(name->text);
		policy->sets_length += policy->sets[policy->sets_length] != NULL;
	}
}

/* The policy without a match stays behind all others, whichever file it comes from. */
static void config_keep_default_last(struct config *config)
{
	size_t last = config->policies_length - 1;
	struct policy_config moved;

	if (last < 1 || config->policies[last - 1].has_match)
		return;
	moved = config->policies[last - 1];
	config->policies[last - 1] = config->policies[last];
	config->policies[last] = moved;
}

static void config_read_policy(struct config_reader *reader, const struct node *node)
{
	struct config *config = reader->config;
	const struct node *match = node_find(node, "match");
	struct policy_config *policy;

	if (!config_expect(reader, node, NODE_MAP, "policies"))
		return;
	policy = ARRAY_APPEND(config->policies, config->policies_length);
	if (!policy)
		return;
	policy->mode = MODE_INHERIT;
	policy->where = node->where;
	config_read_object(reader, node, &schema_policy, policy);
	if (policy->name && !config_name_is_valid(policy->name))
		config_error(reader->diagnostics, node->where,
			     "name: '%s' is not 1 to %d letters, digits, dots, dashes or "
			     "underscores",
			     policy->name, DF_POLICY_NAME_LEN - 1);
	policy->has_match = match != NULL;
	if (match && match->kind == NODE_MAP) {
		policy->match.where = match->where;
		config_check_match(&policy->match, reader->diagnostics);
	}
	if (reader->default_ends)
		config_error(reader->diagnostics, node->where,
			     "this policy can never match: the one before it has no match and so "
			     "decides for everyone; move it up");
	reader->default_ends |= !policy->has_match;
	config_keep_default_last(config);
}

static void config_read_policies(struct config_reader *reader, const struct node *node)
{
	if (!config_expect(reader, node, NODE_LIST, "policies"))
		return;
	for (size_t i = 0; i < node->length; i++)
		config_read_policy(reader, node->children[i]);
}

static void config_read_field(struct config_reader *reader, const struct node *node,
			      const struct schema_field *field, void *target)
{
	void *place = (char *)target + field->offset;
	const struct schema_choice *choice;
	long number;

	if (field->mark_offset)
		*(struct mark *)((char *)target + field->mark_offset) = node->where;
	switch (field->kind) {
	case SCHEMA_STRING:
		config_read_string(reader, node, field, place);
		break;
	case SCHEMA_PATH:
		config_read_path(reader, node, field, place);
		break;
	case SCHEMA_BOOL:
		config_read_bool(reader, node, field, place);
		break;
	case SCHEMA_CHOICE:
		choice = config_read_choice(reader, node, field);
		if (choice)
			*(int *)place = choice->value;
		break;
	case SCHEMA_PROTOCOL:
		choice = config_read_choice(reader, node, field);
		if (choice)
			*(uint8_t *)place = (uint8_t)choice->value;
		break;
	case SCHEMA_FLAGS:
		config_read_flags(reader, node, field, place);
		break;
	case SCHEMA_INT:
		if (config_read_number(reader, node, field, field->min, field->max, &number))
			*(int *)place = (int)number;
		break;
	case SCHEMA_POWER:
		config_read_power(reader, node, field, place);
		break;
	case SCHEMA_SIZE:
		config_read_size(reader, node, field, place);
		break;
	case SCHEMA_LISTEN:
		config_read_listen(reader, node, field, place);
		break;
	case SCHEMA_SYSLOG:
		config_read_targets(reader, node, field, place);
		break;
	case SCHEMA_PORT:
		if (config_read_number(reader, node, field, 1, 65535, &number))
			*(uint16_t *)place = (uint16_t)number;
		break;
	case SCHEMA_ADDRESS:
		config_read_address(reader, node, field, place);
		break;
	case SCHEMA_WORDS:
		config_read_words(reader, node, field, place);
		break;
	case SCHEMA_PATHS:
		config_read_paths(reader, node, field, place);
		break;
	case SCHEMA_LABELS:
		config_read_labels(reader, node, field, place);
		break;
	case SCHEMA_PREFIXES:
		config_read_prefixes(reader, node, field, place);
		break;
	case SCHEMA_OBJECT:
		if (config_expect(reader, node, NODE_MAP, field->key))
			config_read_object(reader, node, field->object, target);
		break;
	case SCHEMA_SETS:
		config_read_sets(reader, node);
		break;
	case SCHEMA_POLICIES:
		config_read_policies(reader, node);
		break;
	case SCHEMA_SET_NAMES:
		config_read_set_names(reader, node, target);
		break;
	case SCHEMA_VERSION:
		config_read_version(reader, node, field);
		break;
	case SCHEMA_LATER:
		config_error(reader->diagnostics, node->where, "%s: %s", field->key, field->doc);
		break;
	}
}

static void config_read_object(struct config_reader *reader, const struct node *node,
			       const struct schema_object *object, void *target)
{
	if (!node->length && object->empty)
		config_error(reader->diagnostics, node->where, "%s: %s", object->name,
			     object->empty);
	for (size_t i = 0; i + 1 < node->length; i += 2) {
		const struct node *key = node->children[i];
		const struct schema_field *field = schema_find(object, key->text);
		const char *near;

		if (field) {
			/* Of a duplicate, an error already, the first alone is read. */
			if (node_find(node, key->text) == node->children[i + 1])
				config_read_field(reader, node->children[i + 1], field, target);
			continue;
		}
		near = schema_suggest(object, key->text);
		config_error(reader->diagnostics, key->where,
			     near ? "unknown key '%s' in %s; did you mean '%s'?"
				  : "unknown key '%s' in %s",
			     key->text, object->name, near);
	}
	for (const struct schema_field *field = object->fields; field->key; field++)
		if (field->required && field->kind != SCHEMA_POLICIES &&
		    !node_find(node, field->key))
			config_error(reader->diagnostics, node->where, "missing '%s' in %s",
				     field->key, object->name);
}

bool config_read_tree(struct config *config, const struct node *root,
		      struct diagnostics *diagnostics)
{
	struct config_reader reader = {.config = config, .diagnostics = diagnostics};

	if (!config_expect(&reader, root, NODE_MAP, "configuration"))
		return false;
	config_read_object(&reader, root, &schema_config, config);
	return true;
}
