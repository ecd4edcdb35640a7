// SPDX-License-Identifier: GPL-2.0-or-later
#include "facts.h"

#include "printable.h"

static bool text_is_sound(const char *text, size_t length)
{
	size_t step;

	for (size_t i = 0; i < length; i += step) {
		step = printable_length((const unsigned char *)text + i, length - i);
		if (!step)
			return false;
	}
	return true;
}

bool fact_text(const char *text, size_t length, char *to, size_t size)
{
	to[0] = 0;
	if (length >= size || !text_is_sound(text, length))
		return false;
	memcpy(to, text, length);
	to[length] = 0;
	return true;
}

/* Drafts ----------------------------------------------------------------------------------- */

void facts_draft_init(struct facts_draft *draft, const struct identity *identity, const char *path)
{
	*draft = (struct facts_draft){
		.identity = identity,
		.path = path,
		.owner = identity->user == IDENTITY_NO_USER ? 0 : identity->user,
		.runtime = identity->container.runtime,
	};
}

static void draft_labels_done(struct draft_labels *labels)
{
	for (size_t i = 0; i < labels->length; i++) {
		free(labels->list[i].key);
		free(labels->list[i].value);
	}
	free(labels->list);
	*labels = (struct draft_labels){0};
}

void facts_draft_done(struct facts_draft *draft)
{
	draft_labels_done(&draft->labels);
	draft_labels_done(&draft->pod_labels);
}

int draft_labels_add(struct draft_labels *labels, const char *key, size_t key_length,
		     const char *value, size_t value_length)
{
	_cleanup_free_ char *key_copy = NULL;
	_cleanup_free_ char *value_copy = NULL;

	if (key_length >= FACT_LABEL_MAX || value_length >= FACT_LABEL_MAX ||
	    labels->length >= FACT_LABELS_MAX ||
	    labels->bytes + key_length + value_length > FACT_LABELS_BYTES)
		return -E2BIG;
	if (!key_length || !text_is_sound(key, key_length) || !text_is_sound(value, value_length))
		return -EILSEQ;
	key_copy = strndup(key, key_length);
	value_copy = strndup(value, value_length);
	if (!key_copy || !value_copy || !ARRAY_APPEND(labels->list, labels->length))
		return -ENOMEM;
	labels->list[labels->length - 1].key = TAKE_PTR(key_copy);
	labels->list[labels->length - 1].value = TAKE_PTR(value_copy);
	labels->bytes += key_length + value_length;
	return 0;
}

/* Packing: the struct, the labels' pointers, the texts ----------------------------------------- */

struct packing {
	char *at; /* NULL: only measure */
	size_t bytes;
};

static const char *pack_text(struct packing *packing, const char *text)
{
	size_t length = strlen(text);
	char *to = packing->at;

	if (!length)
		return "";
	packing->bytes += length + 1;
	if (!to)
		return "";
	packing->at += length + 1;
	return memcpy(to, text, length + 1);
}

static struct fact_labels pack_labels(struct packing *packing, struct fact_label *list,
				      const struct draft_labels *labels)
{
	for (size_t i = 0; i < labels->length; i++) {
		struct fact_label label = {pack_text(packing, labels->list[i].key),
					   pack_text(packing, labels->list[i].value)};

		if (packing->at)
			list[i] = label;
	}
	return (struct fact_labels){list, labels->length};
}

static void pack(struct packing *packing, const struct facts_draft *draft, struct facts *facts,
		 struct fact_label *lists)
{
	const struct identity *identity = draft->identity;

	facts->path = pack_text(packing, draft->path);
	facts->unit = pack_text(packing, identity->unit.name);
	facts->user_unit = pack_text(packing, identity->user_unit.name);
	facts->container.id = pack_text(packing, identity->container.id);
	/* LXC's and nspawn's ids are names already. */
	facts->container.name = util_streq(draft->name, identity->container.id)
					? facts->container.id
					: pack_text(packing, draft->name);
	facts->container.image = pack_text(packing, draft->image);
	facts->container.labels = pack_labels(packing, lists, &draft->labels);
	facts->nested.id = pack_text(packing, identity->nested.id);
	facts->pod.uid = pack_text(packing, identity->pod.uid);
	facts->pod.namespace = pack_text(packing, draft->pod_namespace);
	facts->pod.name = pack_text(packing, draft->pod_name);
	facts->pod.labels = pack_labels(packing, lists ? lists + draft->labels.length : NULL,
					&draft->pod_labels);
	facts->nested_pod = pack_text(packing, identity->nested_pod.uid);
	facts->source = pack_text(packing, draft->source);
}

int facts_pack(const struct facts_draft *draft, struct facts **ret)
{
	size_t lists = draft->labels.length + draft->pod_labels.length;
	struct packing packing = {0};
	struct facts *facts, measured = {0};

	pack(&packing, draft, &measured, NULL);
	packing.bytes += sizeof(*facts) + lists * sizeof(struct fact_label);
	facts = calloc(1, packing.bytes);
	if (!facts)
		return -ENOMEM;
	*facts = (struct facts){
		.references = 1,
		.user = draft->identity->user,
		.owner = draft->owner,
		.container.runtime = draft->runtime,
		.nested.runtime = draft->identity->nested.runtime,
		.source_state = draft->source_state,
		.bytes = packing.bytes,
	};
	packing.at = (char *)(facts + 1) + lists * sizeof(struct fact_label);
	pack(&packing, draft, facts, (struct fact_label *)(facts + 1));
	*ret = facts;
	return 0;
}

/* Packed ----------------------------------------------------------------------------------- */

const char *fact_labels_find(const struct fact_labels *labels, const char *key)
{
	for (size_t i = 0; i < labels->length; i++)
		if (util_streq(labels->list[i].key, key))
			return labels->list[i].value;
	return NULL;
}

struct facts *facts_ref(struct facts *facts)
{
	__atomic_add_fetch(&facts->references, 1, __ATOMIC_RELAXED);
	return facts;
}

void facts_unref(struct facts *facts)
{
	if (facts && __atomic_sub_fetch(&facts->references, 1, __ATOMIC_ACQ_REL) == 0)
		free(facts);
}

void facts_unrefp(struct facts **facts)
{
	facts_unref(*facts);
}

static bool labels_equal(const struct fact_labels *a, const struct fact_labels *b)
{
	if (a->length != b->length)
		return false;
	for (size_t i = 0; i < a->length; i++)
		if (!util_streq(a->list[i].key, b->list[i].key) ||
		    !util_streq(a->list[i].value, b->list[i].value))
			return false;
	return true;
}

bool facts_equal(const struct facts *a, const struct facts *b)
{
	return a->owner == b->owner && a->container.runtime == b->container.runtime &&
	       util_streq(a->container.name, b->container.name) &&
	       util_streq(a->container.image, b->container.image) &&
	       util_streq(a->pod.namespace, b->pod.namespace) &&
	       util_streq(a->pod.name, b->pod.name) &&
	       labels_equal(&a->container.labels, &b->container.labels) &&
	       labels_equal(&a->pod.labels, &b->pod.labels);
}
