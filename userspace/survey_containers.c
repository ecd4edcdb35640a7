// SPDX-License-Identifier: GPL-2.0-or-later
/* Docker, Podman and the kubelet: what containers are given, and what each of them has. */
#include <jansson.h>

#include "bpf/abi.h"
#include "document.h"
#include "escape.h"
#include "survey.h"

#define JSON_MAX (4u << 20)
#define EMBEDDED "127.0.0.11" /* Docker's resolver in each container's network namespace */

struct text {
	char *bytes;
	size_t length, size;
	bool failed;
};

static bool text_take(void *context, const char *path, unsigned int line, char *text)
{
	struct text *to = context;
	size_t length = strlen(text);

	(void)path;
	(void)line;
	if (to->length + length + 2 > to->size) {
		size_t size = MAX(to->size * 2, to->length + length + 4096);
		char *grown = size > JSON_MAX ? NULL : realloc(to->bytes, size);

		if (!grown) {
			to->failed = true;
			return false;
		}
		to->bytes = grown;
		to->size = size;
	}
	memcpy(to->bytes + to->length, text, length);
	to->length += length;
	to->bytes[to->length++] = '\n';
	return true;
}

static bool text_read(const struct survey *survey, const char *path, struct text *ret)
{
	*ret = (struct text){0};
	if (survey_read_lines(survey, path, text_take, ret) && !ret->failed && ret->length)
		return true;
	free(ret->bytes);
	return false;
}

static json_t *read_json(const struct survey *survey, const char *path)
{
	struct text text;
	json_t *root;

	if (!text_read(survey, path, &text))
		return NULL;
	root = json_loadb(text.bytes, text.length, 0, NULL);
	free(text.bytes);
	return root;
}

/* daemon.json names what every container on the default bridge gets, and what the daemon asks. */
static void tell_docker_daemon(const struct survey *survey)
{
	const char *path = "/etc/docker/daemon.json";
	struct survey_item item = survey_resolver("Docker", path, 0);
	json_t *root = read_json(survey, path), *value;
	size_t index;

	item.text = "the default of all containers (dns)";
	item.advice = "change \"dns\", then restart the daemon";
	json_array_foreach(json_object_get(root, "dns"), index, value)
	{
		char address[128];

		(void)snprintf(address, sizeof(address), "%s",
			       json_is_string(value) ? json_string_value(value) : "");
		survey_tell_addresses(survey, &item, address, " ");
	}
	json_decref(root);
}

struct container_file {
	const struct survey *survey;
	const char *source;
	const char *container;
};

/* "# ExtServers: [8.8.8.8 host(127.0.0.53)]": where the embedded resolver forwards to. */
static void tell_external(const struct container_file *file, const char *path, unsigned int line,
			  char *list)
{
	struct survey_item item = survey_resolver(file->source, path, line);

	item.asker = SURVEY_UNIT;
	item.unit = "docker.service";
	item.text = "the daemon asks it for the container, by its resolver at " EMBEDDED;
	item.advice = "give the container another --dns, or the daemon another \"dns\"";
	survey_tell_addresses(file->survey, &item, list, " []()");
}

static bool container_take(void *context, const char *path, unsigned int line, char *text)
{
	const struct container_file *file = context;
	struct survey_item item = survey_resolver(file->source, path, line);
	char word[16], address[128];
	char *external = strstr(text, "ExtServers: [");

	if (*text == '#' && external)
		tell_external(file, path, line, external + strlen("ExtServers: ["));
	if (sscanf(text, "%15s %127s", word, address) != 2 || !util_streq(word, "nameserver"))
		return true;
	item.asker = SURVEY_CONTAINER;
	item.container = file->container;
	item.advice = "start the container with another --dns";
	survey_tell_addresses(file->survey, &item, address, " \t");
	return true;
}

/* The directory that holds the file, `up` levels above it. */
static void directory_name(const char *path, int up, char *to, size_t size)
{
	const char *end = path + strlen(path), *start;

	for (; up > 0 && end > path; up--)
		while (end > path && *--end != '/')
			;
	start = end;
	while (start > path && start[-1] != '/')
		start--;
	(void)snprintf(to, size, "%.*s", (int)(end - start), start);
}

static void docker_container(void *context, const char *path)
{
	char id[128];
	struct container_file file = {.survey = context, .source = "Docker", .container = id};

	directory_name(path, 1, id, sizeof(id));
	(void)survey_read_lines(file.survey, path, container_take, &file);
}

static void podman_container(void *context, const char *path)
{
	char id[128];
	struct container_file file = {.survey = context, .source = "Podman", .container = id};

	directory_name(path, 2, id, sizeof(id));
	(void)survey_read_lines(file.survey, path, container_take, &file);
}

/* containers.conf(5), TOML: dns_servers = ["192.0.2.1", ...] on one line. */
static bool containers_conf_take(void *context, const char *path, unsigned int line, char *text)
{
	struct survey_item item = survey_resolver("Podman", path, line);
	char *value = strchr(text, '=');

	text += strspn(text, " \t");
	if (strncmp(text, "dns_servers", strlen("dns_servers")) != 0 || !value)
		return true;
	item.text = "the default of all containers (dns_servers)";
	item.advice = "remove the address from the line";
	survey_tell_addresses(context, &item, value + 1, " \t,[]\"'");
	return true;
}

static void containers_conf(void *context, const char *path)
{
	(void)survey_read_lines(context, path, containers_conf_take, context);
}

static const struct node *node_find(const struct node *map, const char *key)
{
	for (size_t i = 0; map && map->kind == NODE_MAP && i + 1 < map->length; i += 2)
		if (util_streq(map->children[i]->text, key))
			return map->children[i + 1];
	return NULL;
}

/* KubeletConfiguration: clusterDNS is what pods get. */
static void tell_kubelet(const struct survey *survey)
{
	const char *path = "/var/lib/kubelet/config.yaml";
	_cleanup_(diagnostics_done) struct diagnostics diagnostics = {0};
	const struct node *list;
	struct node *root;
	struct text text;

	if (!text_read(survey, path, &text))
		return;
	root = document_parse(text.bytes, text.length, path, &diagnostics);
	list = node_find(root, "clusterDNS");
	for (size_t i = 0; list && list->kind == NODE_LIST && i < list->length; i++) {
		const struct node *entry = list->children[i];
		struct survey_item item = survey_resolver("kubelet", path, entry->where.line);
		char address[128];

		item.text = "every pod's resolver (clusterDNS); a service address: sanction it as "
			    "translated";
		(void)snprintf(address, sizeof(address), "%s",
			       entry->kind == NODE_SCALAR ? entry->text : "");
		survey_tell_addresses(survey, &item, address, " ");
	}
	if (root)
		node_free(root);
	free(text.bytes);
}

static void docker_root(const struct survey *survey, const char *root)
{
	_cleanup_free_ char *pattern = escape_glob(root, "/containers/*/resolv.conf");

	if (pattern)
		survey_each(survey, pattern, docker_container, (void *)survey);
}

static void docker_roots(const struct survey *survey, const struct words *roots)
{
	for (size_t i = 0; i < roots->length; i++)
		docker_root(survey, roots->list[i].text);
	if (!roots->length)
		docker_root(survey, "/var/lib/docker");
}

void survey_containers(const struct survey *survey)
{
	tell_docker_daemon(survey);
	docker_roots(survey, &survey->runtimes->docker);
	containers_conf((void *)survey, "/usr/share/containers/containers.conf");
	containers_conf((void *)survey, "/etc/containers/containers.conf");
	survey_each(survey, "/etc/containers/containers.conf.d/*.conf", containers_conf,
		    (void *)survey);
	survey_each(survey, "/run/containers/storage/overlay-containers/*/userdata/resolv.conf",
		    podman_container, (void *)survey);
	survey_each(survey, "/run/user/*/containers/overlay-containers/*/userdata/resolv.conf",
		    podman_container, (void *)survey);
	tell_kubelet(survey);
}
