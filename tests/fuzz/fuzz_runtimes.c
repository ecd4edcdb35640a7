// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any text as a file of each runtime, lists of what such files are made of, and
 * changed files.
 * What is refused says why; what is taken is text that a line may have, within its limits.
 */
#include <stdlib.h>

#include "texts.h"
#include "userspace/runtime_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ID "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970"
#define UID_ "aaaa2b4a_f398_41c0_928b_049e1cc4ec40"
#define UID "aaaa2b4a-f398-41c0-928b-049e1cc4ec40"

static const char *const parts[] = {
	"{",
	"}",
	"[",
	"]",
	":",
	",",
	"\"",
	"\\\"",
	"\"ID\":\"" ID "\"",
	"\"Name\":",
	"\"/web\"",
	"\"Config\":{",
	"\"Labels\":{",
	"\"a\":\"b\"",
	"\"Image\":\"x\"",
	"\"annotations\":{",
	"\"io.kubernetes.cri.container-type\":\"container\"",
	"\"io.kubernetes.cri.container-name\":\"web\"",
	"\"io.kubernetes.cri.sandbox-name\":\"pod\"",
	"\"nerdctl/name\":\"web\"",
	"\"io.kubernetes.cri.sandbox-uid\":\"" UID "\"",
	"\"io.kubernetes.cri-o.Labels\":\"{\\\"io.kubernetes.pod.uid\\\":\\\"" UID "\\\"}\"",
	"\"io.kubernetes.cri-o.SandboxID\":\"" ID "\"",
	"\"io.kubernetes.cri-o.Labels\":\"",
	"\"id\":\"" ID "\"",
	"\"names\":[\"web\"]",
	"\"metadata\":\"{\\\"image-name\\\":\\\"x\\\"}\"",
	"null",
	"7",
	"\\u0000",
	"\\u202e",
	"\xc3\xa9",
	"..",
	"true",
};

#define LABELS                                                                                    \
	"{\\\"io.kubernetes.container.name\\\":\\\"web\\\",\\\"io.kubernetes.pod.name\\\":"       \
	"\\\"pod\\\","                                                                            \
	"\\\"io.kubernetes.pod.namespace\\\":\\\"prod\\\",\\\"io.kubernetes.pod.uid\\\":\\\"" UID \
	"\\\",\\\"tier\\\":\\\"front\\\"}"

/* Docker's, containerd's, nerdctl's, CRI-O's and Podman's. */
static const char *const good[] = {
	"{\"ID\":\"" ID "\",\"Name\":\"/web\",\"Config\":{\"Image\":\"nginx\",\"Labels\":{"
	"\"io.kubernetes.pod.name\":\"pod\",\"io.kubernetes.pod.namespace\":\"prod\","
	"\"io.kubernetes.pod.uid\":\"" UID "\",\"tier\":\"front\"}}}",
	"{\"annotations\":{\"io.kubernetes.cri.container-type\":\"container\","
	"\"io.kubernetes.cri.container-name\":\"web\",\"io.kubernetes.cri.image-name\":\"nginx\","
	"\"io.kubernetes.cri.sandbox-uid\":\"" UID "\",\"io.kubernetes.cri.sandbox-name\":\"pod\","
	"\"io.kubernetes.cri.sandbox-namespace\":\"prod\"}}",
	"{\"annotations\":{\"nerdctl/name\":\"web\",\"tier\":\"front\",\"\\u202e\":\"\\u0000\"}}",
	"{\"annotations\":{\"io.kubernetes.cri-o.Labels\":\"" LABELS "\","
	"\"io.kubernetes.cri-o.ImageName\":\"nginx\",\"io.kubernetes.cri-o.Image\":\"\","
	"\"io.kubernetes.cri-o.SandboxID\":\"" ID "\"}}",
	"[{\"id\":\"" ID
	"\",\"names\":[\"web\"],\"metadata\":\"{\\\"image-name\\\":\\\"nginx\\\"}\"}]",
};

typedef int (*reader)(struct json_t *root, struct facts_draft *draft, const char **problem);

static const reader readers[] = {runtime_json_docker, runtime_json_bundle, runtime_json_storage,
				 runtime_json_pod_labels};

static void expect_text(const char *text, size_t max)
{
	char copy[FACT_LABEL_MAX];

	if (strlen(text) >= max || !fact_text(text, strlen(text), copy, max))
		abort();
}

static void expect_labels(const struct fact_labels *labels)
{
	size_t bytes = 0;

	if (labels->length > FACT_LABELS_MAX)
		abort();
	for (size_t i = 0; i < labels->length; i++) {
		expect_text(labels->list[i].key, FACT_LABEL_MAX);
		expect_text(labels->list[i].value, FACT_LABEL_MAX);
		bytes += strlen(labels->list[i].key) + strlen(labels->list[i].value);
	}
	if (bytes > FACT_LABELS_BYTES)
		abort();
}

static void expect_facts(const struct facts_draft *draft)
{
	struct facts *facts;

	if (facts_pack(draft, &facts) < 0)
		abort();
	expect_text(facts->container.image, FACT_IMAGE_MAX);
	if (facts->container.name[0] && !runtime_name_is_sound(facts->container.name))
		abort();
	if (facts->pod.name[0] && !runtime_name_is_sound(facts->pod.name))
		abort();
	if (facts->pod.namespace[0] && !runtime_name_is_sound(facts->pod.namespace))
		abort();
	if ((facts->pod.name[0] || facts->pod.labels.length) && !facts->pod.uid[0])
		abort();
	expect_labels(&facts->container.labels);
	expect_labels(&facts->pod.labels);
	facts_unref(facts);
}

static void read_as(struct json_t *root, reader read, const char *path)
{
	struct identity identity;
	struct facts_draft draft;
	const char *problem = NULL;
	int r;

	identity_of_path(path, &identity);
	facts_draft_init(&draft, &identity, path);
	r = read(root, &draft, &problem);
	if (r == 0)
		expect_facts(&draft);
	else if (r == -EPROTO ? !problem : r != -ENOENT)
		abort();
	facts_draft_done(&draft);
}

static void parse(const char *text, size_t length)
{
	struct json_t *root = NULL;
	const char *problem = NULL;
	char id[65];

	if (runtime_json_load(text, length, RUNTIME_JSON_VALUES_OF_USER, &root, &problem) < 0) {
		if (!problem)
			abort();
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		read_as(root, readers[i], "/docker/" ID);
		read_as(root, readers[i],
			"/kubepods.slice/kubepods-pod" UID_ ".slice/crio-" ID ".scope");
	}
	runtime_json_sandbox(root, id);
	if (id[0] && strspn(id, "0123456789abcdef") != 64)
		abort();
	runtime_json_done(&root);
}

/* As it is, and as a list of parts of files. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[16384];
	size_t length = 0;

	parse((const char *)data, size);
	for (size_t i = 0; i < size && length + 256 < sizeof(text); i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s",
					   parts[data[i] % ARRAY_LEN(parts)]);
	parse(text, length);
	fuzz_change(good[size ? data[0] % ARRAY_LEN(good) : 0], data, size, parse);
	return 0;
}
