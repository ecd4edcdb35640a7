// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nodes -> struct config, along the table in schema.c: sets, policies, and the objects that hold
 * values. Reading goes on after an error, so that all of them are shown at once.
 */
#include "config_read.h"

#include "bpf/abi.h"
#include "config_match.h"
#include "config_value.h"
#include "schema.h"

struct config_reader {
	struct config *config;
	struct diagnostics *diagnostics;
	bool default_ends; /* this file's policy without a match has been read */
};

static const struct node *node_find(const struct node *map, const char *key)
{
	for (size_t i = 0; map->kind == NODE_MAP && i + 1 < map->length; i += 2)
		if (util_streq(map->children[i]->text, key))
			return map->children[i + 1];
	return NULL;
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
	else if (config_expect(reader->diagnostics, node, NODE_SCALAR, "resolver") &&
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
	if (!config_expect(reader->diagnostics, value, NODE_LIST, key->text))
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
	if (!config_expect(reader->diagnostics, node, NODE_MAP, "resolvers"))
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
	if (!config_expect(reader->diagnostics, node, NODE_LIST, "resolvers"))
		return;
	policy->sets = calloc(node->length + 1, sizeof(*policy->sets));
	policy->set_marks = calloc(node->length + 1, sizeof(*policy->set_marks));
	if (!policy->sets || !policy->set_marks)
		return;
	for (size_t i = 0; i < node->length; i++) {
		const struct node *name = node->children[i];

		if (!config_expect(reader->diagnostics, name, NODE_SCALAR, "resolvers"))
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

	if (!config_expect(reader->diagnostics, node, NODE_MAP, "policies"))
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
	if (!config_expect(reader->diagnostics, node, NODE_LIST, "policies")) {
		reader->config->policies_unread = true;
		return;
	}
	for (size_t i = 0; i < node->length; i++)
		config_read_policy(reader, node->children[i]);
}

static void config_read_field(struct config_reader *reader, const struct node *node,
			      const struct schema_field *field, void *target)
{
	if (field->mark_offset)
		*(struct mark *)((char *)target + field->mark_offset) = node->where;
	switch (field->kind) {
	case SCHEMA_OBJECT:
		if (config_expect(reader->diagnostics, node, NODE_MAP, field->key))
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
	default:
		config_read_value(node, field, (char *)target + field->offset, reader->diagnostics);
	}
}

/* An unknown key that looks like it, which has been told. */
static bool config_has_similar(const struct node *node, const struct schema_object *object,
			       const char *key)
{
	for (size_t i = 0; i + 1 < node->length; i += 2) {
		const char *written = node->children[i]->text;
		const char *near =
			schema_find(object, written) ? NULL : schema_suggest(object, written);

		if (near && util_streq(near, key))
			return true;
	}
	return false;
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
		    !node_find(node, field->key) && !config_has_similar(node, object, field->key))
			config_error(reader->diagnostics, node->where, "missing '%s' in %s",
				     field->key, object->name);
}

bool config_read_tree(struct config *config, const struct node *root,
		      struct diagnostics *diagnostics)
{
	struct config_reader reader = {.config = config, .diagnostics = diagnostics};

	if (!config_expect(diagnostics, root, NODE_MAP, "configuration"))
		return false;
	config_read_object(&reader, root, &schema_config, config);
	config->policies_unread |= config_has_similar(root, &schema_config, "policies");
	return true;
}
