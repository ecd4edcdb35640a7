// SPDX-License-Identifier: GPL-2.0-or-later
#include "facts_format.h"

#define SHORT_ID 12 /* digits, as docker ps and podman ps show them */

/* A container's members; its object stays open. */
static void write_container(enum runtime runtime, const char *id, struct json *to)
{
	json_open(to, "container");
	json_put_text(to, "id", id);
	json_put_text(to, "runtime", identity_runtime_name(runtime));
}

static void write_pod(const char *uid, const char *space, const char *name, struct json *to)
{
	json_open(to, "orchestrator");
	json_put(to, "type", "kubernetes");
	json_put_text(to, "namespace", space);
	json_open(to, "resource");
	json_put(to, "type", "pod");
	json_put_text(to, "name", name);
	json_put(to, "id", uid);
	json_close(to);
	json_close(to);
}

void facts_write_ecs(const struct facts *facts, struct json *to)
{
	if (!facts)
		return;
	if (facts->container.runtime) {
		write_container(facts->container.runtime, facts->container.id, to);
		json_put_text(to, "name", facts->container.name);
		if (facts->container.image[0]) {
			json_open(to, "image");
			json_put(to, "name", facts->container.image);
			json_close(to);
		}
		json_close(to);
	}
	if (facts->pod.uid[0])
		write_pod(facts->pod.uid, facts->pod.namespace, facts->pod.name, to);
}

void facts_write_own(const struct facts *facts, struct json *to)
{
	if (!facts)
		return;
	json_put_text(to, "unit", facts->unit);
	json_put_text(to, "user_unit", facts->user_unit);
	if (facts->user_unit[0])
		json_uint(to, "user_unit_uid", facts->user);
	if (!facts->nested.runtime && !facts->nested_pod[0])
		return;
	json_open(to, "nested");
	if (facts->nested.runtime) {
		write_container(facts->nested.runtime, facts->nested.id, to);
		json_close(to);
	}
	if (facts->nested_pod[0])
		write_pod(facts->nested_pod, "", "", to);
	json_close(to);
}

void facts_write_all(const struct facts *facts, struct json *to)
{
	facts_write_own(facts, to);
	facts_write_ecs(facts, to);
}

/* Long ids are cut as the runtimes' own commands do; names of LXC and nspawn stay whole. */
static int id_shown(const char *id)
{
	return strlen(id) == 64 ? SHORT_ID : (int)strlen(id);
}

void facts_format(const struct facts *facts, char *to, size_t size)
{
	int r = 0;

	to[0] = 0;
	if (!facts)
		return;
	if (facts->pod.name[0])
		r = snprintf(to, size, "pod %s/%s", facts->pod.namespace, facts->pod.name);
	else if (facts->container.name[0])
		r = snprintf(to, size, "container %s", facts->container.name);
	else if (facts->container.runtime)
		r = snprintf(to, size, "container %.*s", id_shown(facts->container.id),
			     facts->container.id);
	else if (facts->pod.uid[0])
		r = snprintf(to, size, "pod %s", facts->pod.uid);
	else if (facts->user_unit[0])
		r = snprintf(to, size, "%s of uid %u", facts->user_unit, facts->user);
	else if (facts->unit[0])
		r = snprintf(to, size, "%s", facts->unit);
	if (r < 0)
		to[0] = 0;
}
