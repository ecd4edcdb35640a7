/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who lives in a cgroup, as plain text: what its path says (identity.h) and what the runtimes'
 * files add. Filled by runtimes.c by way of a draft, kept by catalog.c, read by the matcher and by
 * events. Knows neither files nor JSON.
 *
 * Every text has come through fact_text(): valid UTF-8 without control characters, never longer
 * than its limit. What is not known is "": nothing may match that.
 */
#ifndef DNSFENCE_FACTS_H
#define DNSFENCE_FACTS_H

#include "identity.h"

#define FACT_NAME_MAX 256 /* bytes of a name or namespace, with the zero */
#define FACT_IMAGE_MAX 512
#define FACT_LABEL_MAX 4096 /* of a key or a value */
#define FACT_LABELS_MAX 256 /* of a container, and of a pod */
#define FACT_LABELS_BYTES (64u << 10) /* of all of them, keys and values */

struct fact_label {
	const char *key, *value;
};

struct fact_labels {
	const struct fact_label *list; /* in the order of the file */
	size_t length;
};

/* Shared and never changed: facts_ref() and facts_unref() count who holds it. */
struct facts {
	unsigned int references; /* atomic */
	const char *path; /* of the cgroup */
	const char *unit, *user_unit; /* as in struct identity */
	uint32_t user;
	/*
	 * Who may have chosen the name of the cgroup, and with it all that follows from it: 0, or
	 * the uid that owns the directory it was made in, or the user of the manager it is below.
	 * IDENTITY_NO_USER: anyone. A policy has to name that user for these facts to count.
	 */
	uint32_t owner;
	struct {
		enum runtime runtime; /* what the files say where the path does not */
		const char *id, *name, *image;
		struct fact_labels labels;
	} container;
	struct {
		enum runtime runtime;
		const char *id;
	} nested;
	struct {
		const char *uid, *namespace, *name;
		struct fact_labels labels;
	} pod;
	const char *nested_pod; /* uid */
	/* The file that told most of it, and its state then: another state, other facts. */
	const char *source; /* "": none */
	uint64_t source_state;
	size_t bytes; /* of memory, all together */
};

/* The value, or NULL. */
const char *fact_labels_find(const struct fact_labels *labels, const char *key);

struct facts *facts_ref(struct facts *facts);
void facts_unref(struct facts *facts);
void facts_unrefp(struct facts **facts); /* for _cleanup_ */

/* Of all that a policy can match, or an event tell. */
bool facts_equal(const struct facts *a, const struct facts *b);

/* What is being found out. Init with facts_draft_init(). */
struct draft_labels {
	struct {
		char *key, *value;
	} * list;
	size_t length, bytes;
};

struct facts_draft {
	const struct identity *identity; /* not owned */
	const char *path; /* not owned */
	uint32_t owner;
	enum runtime runtime;
	char name[FACT_NAME_MAX], image[FACT_IMAGE_MAX];
	char pod_namespace[FACT_NAME_MAX], pod_name[FACT_NAME_MAX];
	struct draft_labels labels, pod_labels;
	char source[1024];
	uint64_t source_state;
};

void facts_draft_init(struct facts_draft *draft, const struct identity *identity, const char *path);
void facts_draft_done(struct facts_draft *draft);

/* Into one piece of memory with one reference; the draft stays. 0 or -ENOMEM. */
int facts_pack(const struct facts_draft *draft, struct facts **ret);

/*
 * Take a text of that many bytes, which may have zeros among them. False, and "" in to, when it is
 * no text that a line or a match may have: too long, control characters, no UTF-8.
 */
bool fact_text(const char *text, size_t length, char *to, size_t size);

/*
 * Keep a label. 0; -EILSEQ: no text as above; -E2BIG: one more than is kept; -ENOMEM. One that is
 * not kept is as if it were not there.
 */
int draft_labels_add(struct draft_labels *labels, const char *key, size_t key_length,
		     const char *value, size_t value_length);

#endif
