/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the runtimes write about their containers, JSON all of it -> struct facts_draft. Knows no
 * path and opens no file; the texts may be half-written, broken or hostile.
 *
 * All return 0, -ENOENT when the text is sound but does not have this container, -EPROTO when it
 * is not what that runtime writes, or -ENOMEM. *problem then says what is wrong, and it may do so
 * beside a 0, when a part was left out: a label that is too long. After an error the draft is of
 * no use. Names are what the runtimes take for names: letters, digits, "_.-".
 */
#ifndef DNSFENCE_RUNTIME_JSON_H
#define DNSFENCE_RUNTIME_JSON_H

#include "facts.h"

struct json_t;

/*
 * Values take some hundred times the memory of their text, "{}," for one: more are refused. A
 * container is about 40 of them in Podman's list.
 */
#define RUNTIME_JSON_VALUES 1048576 /* of the system's own files */
#define RUNTIME_JSON_VALUES_OF_USER 65536 /* of one that a user may write */

/* A whole text, at most 2048 levels deep. *ret is freed with runtime_json_done(). */
int runtime_json_load(const char *text, size_t length, size_t values_max, struct json_t **ret,
		      const char **problem);
void runtime_json_done(struct json_t **root);

/* Docker's containers/ID/config.v2.json. */
int runtime_json_docker(struct json_t *root, struct facts_draft *draft, const char **problem);

/*
 * The annotations in an OCI bundle's config.json, as containerd's CRI plugin, nerdctl and CRI-O
 * write them; which one it was goes to draft->runtime.
 */
int runtime_json_bundle(struct json_t *root, struct facts_draft *draft, const char **problem);

/*
 * In a bundle of CRI-O: the id of the pod's sandbox, whose own bundle has the pod's labels, and
 * those labels in there. "" when it names none; at most 64 digits and a zero.
 */
void runtime_json_sandbox(struct json_t *root, char id[65]);
int runtime_json_pod_labels(struct json_t *root, struct facts_draft *draft, const char **problem);

/* containers.json and volatile-containers.json of containers/storage: Podman's names and images. */
int runtime_json_storage(struct json_t *root, struct facts_draft *draft, const char **problem);

/* A name of a container, pod or namespace. */
bool runtime_name_is_sound(const char *name);

#endif
