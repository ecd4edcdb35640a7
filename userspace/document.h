/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * YAML text -> a tree of nodes that know where they stand. Plain data only: anchors, aliases,
 * tags, a second document and duplicate keys are errors. Knows nothing of dnsfence's keys.
 */
#ifndef DNSFENCE_DOCUMENT_H
#define DNSFENCE_DOCUMENT_H

#include "diagnostic.h"

#define DOCUMENT_SIZE_MAX (8u << 20) /* bytes; 100,000 resolvers take about 3 MB */
#define DOCUMENT_DEPTH_MAX 16

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	struct mark where;
	char *text; /* NODE_SCALAR */
	bool quoted; /* NODE_SCALAR: not a null, even if empty */
	/* NODE_LIST: the items. NODE_MAP: key and value in turn, keys are scalars. */
	struct node **children;
	size_t length;
};

/*
 * Parse length bytes; name stands in marks and must outlive the tree. NULL after an error that
 * stops the reading; every error is in *diagnostics.
 */
struct node *document_parse(const char *text, size_t length, const char *name,
			    struct diagnostics *diagnostics);
void node_free(struct node *node);
static inline void node_freep(struct node **node)
{
	node_free(*node);
}

/* An absent value: "key:" with nothing behind, "~" or "null". */
bool node_is_null(const struct node *node);

#endif
