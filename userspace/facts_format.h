/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct facts -> words: the fields of the Elastic Common Schema for machines, a few words for
 * people. For whatever names a cgroup: an event, who asked a forwarder, a socket.
 */
#ifndef DNSFENCE_FACTS_FORMAT_H
#define DNSFENCE_FACTS_FORMAT_H

#include "facts.h"
#include "json.h"

#define FACTS_PLACE_MAX (2 * FACT_NAME_MAX + 16) /* a pod's namespace and name are the longest */

/* All of these write nothing of what is not known, and nothing at all where facts is NULL. */

/* container and orchestrator, at home at the top of an event. */
void facts_write_ecs(const struct facts *facts, struct json *to);

/* unit, user_unit and nested, which the schema does not have: into the object at hand. */
void facts_write_own(const struct facts *facts, struct json *to);

/* Both, into one object, for whoever is not the subject of the event. */
void facts_write_all(const struct facts *facts, struct json *to);

/*
 * "pod prod/web-0", "container web", "container 3f0c12ab34cd", "nginx.service": the closest name;
 * "" when there is none. In place of a path; FACTS_PLACE_MAX bytes hold any.
 */
void facts_format(const struct facts *facts, char *to, size_t size);

#endif
