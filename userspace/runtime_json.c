// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime_json.h"

#include <ctype.h>
#include <jansson.h>

#define SANDBOX_ID_LENGTH 64

/* How many values a text can have at most: one behind each of these, and the first. */
static size_t values_of(const char *text, size_t length)
{
	size_t values = 1;

	for (size_t i = 0; i < length; i++)
		values += text[i] == '{' || text[i] == '[' || text[i] == ',' || text[i] == ':';
	return values;
}

int runtime_json_load(const char *text, size_t length, size_t values_max, json_t **ret,
		      const char **problem)
{
	/* \u0000 in one text is that text's problem, not the file's: fact_text() refuses it. */
	json_error_t error;
	json_t *root;

	if (values_of(text, length) > values_max) {
		*problem = "it has more values than are read";
		return -EPROTO;
	}
	root = json_loadb(text, length, JSON_ALLOW_NUL, &error);
	if (root) {
		*ret = root;
		return 0;
	}
	if (json_error_code(&error) == json_error_out_of_memory)
		return -ENOMEM;
	*problem = "it is no JSON, or cut off";
	return -EPROTO;
}

void runtime_json_done(json_t **root)
{
	if (*root)
		json_decref(*root);
	*root = NULL;
}

bool runtime_name_is_sound(const char *name)
{
	if (!isalnum((unsigned char)name[0]))
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("_.-", *name))
			return false;
	return true;
}

/* The text of a key, or "" when it is not there or is no text. */
static const char *text_of(const json_t *object, const char *key, size_t *ret_length)
{
	const json_t *value = json_object_get(object, key);

	*ret_length = json_is_string(value) ? json_string_length(value) : 0;
	return json_is_string(value) ? json_string_value(value) : "";
}

/* A name in a field of FACT_NAME_MAX: 0 with "" when there is none. */
static int take_name(const json_t *object, const char *key, const char *prefix,
		     char to[FACT_NAME_MAX], const char **problem)
{
	size_t length, skip = strlen(prefix);
	const char *text = text_of(object, key, &length);

	to[0] = 0;
	if (length >= skip && memcmp(text, prefix, skip) == 0) {
		text += skip;
		length -= skip;
	}
	if (!length || (fact_text(text, length, to, FACT_NAME_MAX) && runtime_name_is_sound(to)))
		return 0;
	to[0] = 0;
	*problem = "it has a name that no container, pod or namespace can have";
	return -EPROTO;
}

static void take_image(const json_t *object, const char *key, struct facts_draft *draft,
		       const char **problem)
{
	size_t length;
	const char *text = text_of(object, key, &length);

	if (!fact_text(text, length, draft->image, sizeof(draft->image)))
		*problem = "the name of its image is too long, or no text: left out";
}

/* All texts of an object as labels, but those whose keys begin with except. */
static int take_labels(json_t *object, const char *except, struct draft_labels *labels,
		       const char **problem)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		int r;

		if (!json_is_string(value) || (except && strncmp(key, except, strlen(except)) == 0))
			continue;
		r = draft_labels_add(labels, key, strlen(key), json_string_value(value),
				     json_string_length(value));
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			*problem = "it has labels that are too long, too many, or no text: left "
				   "out";
	}
	return 0;
}

/* A text that is JSON itself. NULL when it is none. */
static json_t *embedded(const json_t *object, const char *key)
{
	size_t length;
	const char *text = text_of(object, key, &length);
	const char *ignored;
	json_t *inner = NULL;

	if (length)
		(void)runtime_json_load(text, length, RUNTIME_JSON_VALUES_OF_USER, &inner,
					&ignored);
	if (inner && !json_is_object(inner))
		runtime_json_done(&inner);
	return inner;
}

/*
 * The pod, only where the kubelet's own cgroup says that there is one: in Docker's labels or in
 * annotations anybody who starts a container could claim it.
 */
static int take_pod(const json_t *object, const char *uid, const char *namespace, const char *name,
		    struct facts_draft *draft, const char **problem)
{
	size_t length;
	const char *text = text_of(object, uid, &length);
	int r;

	if (!draft->identity->pod.uid[0])
		return 0;
	if (length && !util_streq(text, draft->identity->pod.uid)) {
		*problem = "it is of another pod than its cgroup";
		return -EPROTO;
	}
	r = take_name(object, namespace, "", draft->pod_namespace, problem);
	return r < 0 ? r : take_name(object, name, "", draft->pod_name, problem);
}

/* As the kubelet labels containers, in CRI-O and under cri-dockerd. */
static int take_kubelets_pod(const json_t *labels, struct facts_draft *draft, const char **problem)
{
	return take_pod(labels, "io.kubernetes.pod.uid", "io.kubernetes.pod.namespace",
			"io.kubernetes.pod.name", draft, problem);
}

/* Docker ----------------------------------------------------------------------------------- */

int runtime_json_docker(json_t *root, struct facts_draft *draft, const char **problem)
{
	json_t *config = json_object_get(root, "Config");
	json_t *labels = json_object_get(config, "Labels");
	size_t length;
	int r;

	if (!json_is_object(root) || !json_is_object(config)) {
		*problem = "it is no container's configuration";
		return -EPROTO;
	}
	if (!util_streq(text_of(root, "ID", &length), draft->identity->container.id)) {
		*problem = "it is of another container";
		return -EPROTO;
	}
	r = take_name(root, "Name", "/", draft->name, problem);
	if (r == 0)
		r = take_labels(labels, NULL, &draft->labels, problem);
	if (r == 0)
		r = take_kubelets_pod(labels, draft, problem);
	if (r == 0 && !draft->name[0]) {
		*problem = "the container has no name there";
		r = -EPROTO;
	}
	take_image(config, "Image", draft, problem);
	draft->runtime = RUNTIME_DOCKER;
	return r;
}

/* OCI bundles ------------------------------------------------------------------------------ */

/* containerd's CRI plugin, its pkg/cri/annotations. A sandbox has no container's name. */
static int bundle_containerd(json_t *annotations, struct facts_draft *draft, const char **problem)
{
	int r = take_name(annotations, "io.kubernetes.cri.container-name", "", draft->name,
			  problem);

	if (r == 0)
		r = take_pod(annotations, "io.kubernetes.cri.sandbox-uid",
			     "io.kubernetes.cri.sandbox-namespace",
			     "io.kubernetes.cri.sandbox-name", draft, problem);
	take_image(annotations, "io.kubernetes.cri.image-name", draft, problem);
	draft->runtime = RUNTIME_CONTAINERD;
	return r;
}

/* nerdctl hands its labels and the user's to the bundle; its own begin with "nerdctl/". */
static int bundle_nerdctl(json_t *annotations, struct facts_draft *draft, const char **problem)
{
	int r = take_name(annotations, "nerdctl/name", "", draft->name, problem);

	if (r == 0)
		r = take_labels(annotations, "nerdctl/", &draft->labels, problem);
	draft->runtime = RUNTIME_NERDCTL;
	return r;
}

/*
 * CRI-O. The kubelet's labels are in a text of their own; beside it, among the annotations, a
 * pod's own annotations may have the same keys.
 */
static int bundle_crio(json_t *annotations, struct facts_draft *draft, const char **problem)
{
	json_t *labels = embedded(annotations, "io.kubernetes.cri-o.Labels");
	int r;

	if (!labels) {
		*problem = "the labels of CRI-O's are no JSON";
		return -EPROTO;
	}
	r = take_name(labels, "io.kubernetes.container.name", "", draft->name, problem);
	if (r == 0)
		r = take_kubelets_pod(labels, draft, problem);
	if (r == 0)
		r = take_labels(labels, NULL, &draft->labels, problem);
	take_image(annotations, "io.kubernetes.cri-o.ImageName", draft, problem);
	if (!draft->image[0])
		take_image(annotations, "io.kubernetes.cri-o.Image", draft, problem);
	draft->runtime = RUNTIME_CRIO;
	runtime_json_done(&labels);
	return r;
}

int runtime_json_bundle(json_t *root, struct facts_draft *draft, const char **problem)
{
	json_t *annotations = json_object_get(root, "annotations");

	if (!json_is_object(root)) {
		*problem = "it is no bundle's configuration";
		return -EPROTO;
	}
	if (json_object_get(annotations, "io.kubernetes.cri-o.Labels"))
		return bundle_crio(annotations, draft, problem);
	if (json_object_get(annotations, "io.kubernetes.cri.container-type"))
		return bundle_containerd(annotations, draft, problem);
	if (json_object_get(annotations, "nerdctl/name"))
		return bundle_nerdctl(annotations, draft, problem);
	return -ENOENT; /* of another user of the runtime: no names */
}

void runtime_json_sandbox(json_t *root, char id[65])
{
	const json_t *annotations = json_object_get(root, "annotations");
	size_t length;
	const char *text = text_of(annotations, "io.kubernetes.cri-o.SandboxID", &length);

	id[0] = 0;
	if (length == SANDBOX_ID_LENGTH && strspn(text, "0123456789abcdef") == length)
		memcpy(id, text, length + 1);
}

int runtime_json_pod_labels(json_t *root, struct facts_draft *draft, const char **problem)
{
	json_t *labels =
		embedded(json_object_get(root, "annotations"), "io.kubernetes.cri-o.Labels");
	size_t length;
	int r;

	if (!labels || !draft->identity->pod.uid[0] ||
	    !util_streq(text_of(labels, "io.kubernetes.pod.uid", &length),
			draft->identity->pod.uid)) {
		*problem = "it is not the sandbox of that pod";
		runtime_json_done(&labels);
		return -EPROTO;
	}
	r = take_labels(labels, "io.kubernetes.", &draft->pod_labels, problem);
	runtime_json_done(&labels);
	return r;
}

/* containers/storage ----------------------------------------------------------------------- */

/* The metadata has a name, too, but keeps the first one after `podman rename`. */
static int storage_take(const json_t *container, struct facts_draft *draft, const char **problem)
{
	json_t *metadata = embedded(container, "metadata");
	const json_t *name = json_array_get(json_object_get(container, "names"), 0);
	int r = 0;

	if (!json_is_string(name) || !json_string_length(name)) {
		*problem = "the container has no name there";
		r = -EPROTO;
	} else if (!fact_text(json_string_value(name), json_string_length(name), draft->name,
			      sizeof(draft->name)) ||
		   !runtime_name_is_sound(draft->name)) {
		*problem = "it has a name that no container can have";
		r = -EPROTO;
	}
	take_image(metadata, "image-name", draft, problem);
	draft->runtime = RUNTIME_PODMAN;
	runtime_json_done(&metadata);
	return r;
}

int runtime_json_storage(json_t *root, struct facts_draft *draft, const char **problem)
{
	json_t *container;
	size_t index, length;

	if (!json_is_array(root)) {
		*problem = "it is no list of containers";
		return -EPROTO;
	}
	json_array_foreach(root, index,
			   container) if (util_streq(text_of(container, "id", &length),
						     draft->identity->container
							     .id)) return storage_take(container,
										       draft,
										       problem);
	return -ENOENT;
}
