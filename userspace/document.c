// SPDX-License-Identifier: GPL-2.0-or-later
#include "document.h"

#include <yaml.h>

struct reader {
	yaml_parser_t parser;
	const char *text;
	size_t length;
	const char *name;
	struct diagnostics *diagnostics;
};

void node_free(struct node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->length; i++)
		node_free(node->children[i]);
	free(node->children);
	free(node->text);
	free(node);
}

bool node_is_null(const struct node *node)
{
	return node->kind == NODE_SCALAR && !node->quoted &&
	       (!*node->text || util_streq(node->text, "~") || util_streq(node->text, "null"));
}

static struct mark reader_mark(const struct reader *reader, const yaml_mark_t *mark)
{
	return (struct mark){
		.file = reader->name,
		.line = (unsigned int)mark->line + 1,
		.column = (unsigned int)mark->column + 1,
	};
}

/* A tab that indents: what libyaml says of it names no tab. */
static bool reader_at_tab(const struct reader *reader, const yaml_mark_t *mark)
{
	const char *at = reader->text, *end = reader->text + reader->length;

	for (size_t line = 0; line < mark->line && at; line++) {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
	for (size_t i = 0; at && at < end && i < mark->column && *at == ' '; i++)
		at++;
	return at && at < end && *at == '\t';
}

static int reader_fail(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	struct mark where = reader_mark(reader, &parser->problem_mark);
	const char *problem = parser->problem ?: "not readable as YAML";

	if (parser->error == YAML_READER_ERROR) { /* no position, only an offset in bytes */
		where.line = where.column = 0;
		config_error(reader->diagnostics, where,
			     "byte %zu: %s; the file has to be text in UTF-8",
			     parser->problem_offset + 1, problem);
	} else if (parser->error == YAML_SCANNER_ERROR &&
		   reader_at_tab(reader, &parser->problem_mark)) {
		config_error(reader->diagnostics, where,
			     "a tab; YAML is indented with spaces only");
	} else {
		config_error(reader->diagnostics, where, "%s%s%s", problem,
			     parser->context ? ", " : "", parser->context ?: "");
	}
	return -EINVAL;
}

static int reader_next(struct reader *reader, yaml_event_t *ret_event)
{
	return yaml_parser_parse(&reader->parser, ret_event) ? 0 : reader_fail(reader);
}

static struct node *node_new(enum node_kind kind, struct mark where)
{
	struct node *node = calloc(1, sizeof(*node));

	if (node) {
		node->kind = kind;
		node->where = where;
	}
	return node;
}

static void reader_refuse(struct reader *reader, struct mark where, const yaml_char_t *anchor,
			  const yaml_char_t *tag)
{
	if (anchor)
		config_error(reader->diagnostics, where, "anchors are not supported: remove &%s",
			     anchor);
	if (tag)
		config_error(reader->diagnostics, where, "tags are not supported: remove %s", tag);
}

static struct node *reader_scalar(struct reader *reader, const yaml_event_t *event,
				  struct mark where)
{
	struct node *node = node_new(NODE_SCALAR, where);

	reader_refuse(reader, where, event->data.scalar.anchor, event->data.scalar.tag);
	if (!node)
		return NULL;
	if (strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
		config_error(reader->diagnostics, where, "a zero byte inside a value");
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	node->text = strdup((const char *)event->data.scalar.value);
	if (!node->text) {
		node_free(node);
		return NULL;
	}
	return node;
}

static struct node *reader_node(struct reader *reader, yaml_event_t *event, int depth);

static int node_compare_keys(const void *left, const void *right)
{
	const struct node *a = *(struct node *const *)left, *b = *(struct node *const *)right;
	int order = strcmp(a->text, b->text);

	if (order)
		return order;
	return a->where.line < b->where.line ? -1 : a->where.line > b->where.line;
}

/* Sorted, so that a map of many keys is not compared pair by pair. */
static void reader_refuse_duplicates(struct reader *reader, const struct node *map)
{
	_cleanup_free_ const struct node **keys = calloc(map->length / 2 + 1, sizeof(*keys));
	size_t length = 0;

	if (!keys)
		return;
	for (size_t i = 0; i + 1 < map->length; i += 2)
		keys[length++] = map->children[i];
	qsort(keys, length, sizeof(*keys), node_compare_keys);
	for (size_t i = 1; i < length; i++)
		if (util_streq(keys[i - 1]->text, keys[i]->text))
			config_error(reader->diagnostics, keys[i]->where,
				     "duplicate key '%s', first on line %u", keys[i]->text,
				     keys[i - 1]->where.line);
}

static int reader_children(struct reader *reader, struct node *parent, int depth)
{
	yaml_event_type_t end =
		parent->kind == NODE_LIST ? YAML_SEQUENCE_END_EVENT : YAML_MAPPING_END_EVENT;

	for (;;) {
		yaml_event_t event;
		struct node *child, **place;

		if (reader_next(reader, &event) < 0)
			return -EINVAL;
		if (event.type == end) {
			yaml_event_delete(&event);
			return 0;
		}
		child = reader_node(reader, &event, depth);
		yaml_event_delete(&event);
		if (!child)
			return -EINVAL;
		if (parent->kind == NODE_MAP && parent->length % 2 == 0 &&
		    child->kind != NODE_SCALAR) {
			config_error(reader->diagnostics, child->where, "a key must be a word");
			node_free(child);
			return -EINVAL;
		}
		place = ARRAY_APPEND(parent->children, parent->length);
		if (!place) {
			node_free(child);
			return -ENOMEM;
		}
		*place = child;
	}
}

static struct node *reader_collection(struct reader *reader, enum node_kind kind, struct mark where,
				      int depth)
{
	struct node *node;

	if (depth >= DOCUMENT_DEPTH_MAX) {
		config_error(reader->diagnostics, where, "nested deeper than %d levels",
			     DOCUMENT_DEPTH_MAX);
		return NULL;
	}
	node = node_new(kind, where);
	if (!node)
		return NULL;
	if (reader_children(reader, node, depth + 1) < 0) {
		node_free(node);
		return NULL;
	}
	if (kind == NODE_MAP)
		reader_refuse_duplicates(reader, node);
	return node;
}

static struct node *reader_node(struct reader *reader, yaml_event_t *event, int depth)
{
	struct mark where = reader_mark(reader, &event->start_mark);

	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return reader_scalar(reader, event, where);
	case YAML_SEQUENCE_START_EVENT:
		reader_refuse(reader, where, event->data.sequence_start.anchor,
			      event->data.sequence_start.tag);
		return reader_collection(reader, NODE_LIST, where, depth);
	case YAML_MAPPING_START_EVENT:
		reader_refuse(reader, where, event->data.mapping_start.anchor,
			      event->data.mapping_start.tag);
		return reader_collection(reader, NODE_MAP, where, depth);
	case YAML_ALIAS_EVENT:
		config_error(reader->diagnostics, where,
			     "aliases are not supported: write *%s out here",
			     event->data.alias.anchor);
		return NULL;
	default:
		config_error(reader->diagnostics, where, "expected a value");
		return NULL;
	}
}

/* The events around a node: the stream's and the document's start and end. */
static int reader_expect(struct reader *reader, yaml_event_type_t type, const char *problem)
{
	yaml_event_t event;
	int r = 0;

	if (reader_next(reader, &event) < 0)
		return -EINVAL;
	if (event.type != type) {
		config_error(reader->diagnostics, reader_mark(reader, &event.start_mark), "%s",
			     problem);
		r = -EINVAL;
	}
	yaml_event_delete(&event);
	return r;
}

static struct node *reader_root(struct reader *reader)
{
	struct node *root;
	yaml_event_t event;

	if (reader_expect(reader, YAML_STREAM_START_EVENT, "not a YAML stream") < 0 ||
	    reader_expect(reader, YAML_DOCUMENT_START_EVENT,
			  "the file is empty; \"dnsfence init\" prints one to start from") < 0 ||
	    reader_next(reader, &event) < 0)
		return NULL;
	root = reader_node(reader, &event, 0);
	yaml_event_delete(&event);
	if (root && (reader_expect(reader, YAML_DOCUMENT_END_EVENT, "expected the end") < 0 ||
		     reader_expect(reader, YAML_STREAM_END_EVENT,
				   "only one document per file is read") < 0)) {
		node_free(root);
		return NULL;
	}
	return root;
}

struct node *document_parse(const char *text, size_t length, const char *name,
			    struct diagnostics *diagnostics)
{
	struct reader reader = {
		.text = text, .length = length, .name = name, .diagnostics = diagnostics};
	struct node *root;

	if (!yaml_parser_initialize(&reader.parser))
		return NULL;
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
	root = reader_root(&reader);
	yaml_parser_delete(&reader.parser);
	return root;
}
