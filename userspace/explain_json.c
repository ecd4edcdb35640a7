// SPDX-License-Identifier: GPL-2.0-or-later
/* An explanation for programs. */
#include "explain_format.h"

#include "attach.h"
#include "event.h"

static void json_place(struct json *to, const struct mark *where)
{
	if (where->file)
		json_string(to, "file", where->file);
	if (where->line) {
		json_uint(to, "line", where->line);
		json_uint(to, "column", where->column);
	}
}

static void json_line(struct json *to, const struct grant_line *line)
{
	char address[ADDRESS_TEXT_MAX];

	if (!line->set)
		return;
	json_object(to, "resolver");
	json_string(to, "address", address_format(&line->resolver->address, address));
	json_string(to, "set", line->set->name);
	json_place(to, &line->resolver->where);
	json_object_end(to);
}

static void json_query(struct json *to, const struct query *query, uint8_t service)
{
	char address[ADDRESS_TEXT_MAX];

	json_object(to, "destination");
	json_string(to, "ip", address_format(&query->address, address));
	json_uint(to, "port", query->port);
	json_object_end(to);
	json_object(to, "network");
	json_string(to, "transport", event_transport_name(query->protocol));
	if (service < DF_SERVICE_MAX)
		json_string(to, "protocol", event_service_name(service));
	json_object_end(to);
}

static void json_asker(struct json *to, const struct asker *asker)
{
	json_object(to, "asker");
	if (asker->what[0])
		json_string(to, "what", asker->what);
	if (asker->cgroup[0])
		json_string(to, "cgroup", asker->cgroup);
	if (asker->uid != DF_UID_ANY) {
		json_object(to, "user");
		json_uint(to, "id", asker->uid);
		if (asker->user[0])
			json_string(to, "name", asker->user);
		json_object_end(to);
	}
	json_bool(to, "fenced", !asker->outside);
	json_object_end(to);
}

static void json_policies(struct json *to, const struct explain_request *request,
			  const struct explanation *explanation)
{
	json_list(to, "policies");
	for (size_t i = 0; i < explanation->claims_length; i++) {
		const struct claim *claim = &explanation->claims[i];
		const struct policy_config *policy = explain_policy(request, claim->rank);

		json_object(to, NULL);
		json_string(to, "name", explain_policy_name(request, claim->rank));
		json_uint(to, "rank", claim->rank);
		if (claim->by_cgroup)
			json_uint(to, "cgroup_level", claim->level);
		json_bool(to, "by_user", claim->by_user);
		if (policy)
			json_place(to, &policy->where);
		json_object_end(to);
	}
	json_list_end(to);
}

static void json_denials(struct json *to, const struct explanation *explanation)
{
	json_list(to, "layers");
	for (size_t i = 0; i < explanation->denials_length; i++) {
		const struct denial *denial = &explanation->denials[i];

		json_object(to, NULL);
		json_string(to, "call", denial->call);
		json_string(to, "hook", hook_name(denial->hook));
		if (denial->fails) {
			json_string(to, "fails", denial->fails);
			json_string(to, "errno", denial_errno_name(denial->errnum));
		}
		if (denial->why)
			json_string(to, "why", denial->why);
		json_object_end(to);
	}
	json_list_end(to);
}

static void json_near_miss(struct json *to, const struct explain_request *request,
			   const struct near_miss *near)
{
	static const char *const kinds[] = {
		[NEAR_OTHER_WAY] = "other-way",
		[NEAR_OTHER_POLICY] = "other-policy",
		[NEAR_UNUSED_SET] = "unused-set",
		[NEAR_UNFENCED] = "not-fenced",
	};

	json_object(to, NULL);
	json_string(to, "kind", kinds[near->kind]);
	if (near->port) {
		json_uint(to, "port", near->port);
		json_string(to, "transport", event_transport_name(near->protocol));
		if (near->service < DF_SERVICE_MAX)
			json_string(to, "service", event_service_name(near->service));
	}
	if (near->kind == NEAR_OTHER_POLICY)
		json_string(to, "policy", explain_policy_name(request, near->rank));
	json_line(to, &near->line);
	json_object_end(to);
}

static void json_live(struct json *to, const struct explain_live *live, bool asked)
{
	json_object(to, "live");
	json_uint(to, "generation", live->generation);
	if (live->program_why) {
		json_string(to, "program_why", live->program_why);
	} else if (asked) {
		json_string(to, "program", event_verdict_name(live->verdict));
		json_string(to, "program_reason", event_reason_name(live->reason));
		json_bool(to, "program_walked", live->walked);
	}
	if (live->lines_why)
		json_string(to, "lines_why", live->lines_why);
	json_object_end(to);
}

void explain_write_json(const struct explain_request *request,
			const struct explanation *explanation, const struct explain_live *live,
			struct json *to)
{
	const struct judgement *judgement = &explanation->judgement;

	json_object(to, NULL);
	json_string(to, "verdict", event_verdict_name(judgement->verdict));
	json_string(to, "reason",
		    request->asker->outside ? "outside" : event_reason_name(judgement->reason));
	json_string(to, "text",
		    request->asker->outside ? "the asker is outside the fence"
					    : event_reason_text(judgement->reason));
	json_query(to, &explanation->query, judgement->service);
	json_asker(to, request->asker);
	json_string(to, "policy", explain_policy_name(request, judgement->rank));
	json_policies(to, request, explanation);
	json_line(to, &explanation->line);
	json_denials(to, explanation);
	json_list(to, "near");
	for (size_t i = 0; i < explanation->near_length; i++)
		json_near_miss(to, request, &explanation->near[i]);
	json_list_end(to);
	if (live)
		json_live(to, live, !request->asker->outside);
	json_object_end(to);
}
