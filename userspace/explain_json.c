// SPDX-License-Identifier: GPL-2.0-or-later
/* An explanation for programs. */
#include "explain_format.h"

#include "attach.h"
#include "event.h"

static void json_place(struct json *to, const struct mark *where)
{
	if (where->file)
		json_put(to, "file", where->file);
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
	json_open(to, "resolver");
	json_put(to, "address", address_format(&line->resolver->address, address));
	json_put(to, "set", line->set->name);
	json_place(to, &line->resolver->where);
	json_close(to);
}

static void json_query(struct json *to, const struct query *query, uint8_t service)
{
	char address[ADDRESS_TEXT_MAX];

	json_open(to, "destination");
	json_put(to, "ip", address_format(&query->address, address));
	json_uint(to, "port", query->port);
	json_close(to);
	json_open(to, "network");
	json_put(to, "transport", event_transport_name(query->protocol));
	if (service < DF_SERVICE_MAX)
		json_put(to, "protocol", event_service_name(service));
	json_close(to);
}

static void json_asker(struct json *to, const struct asker *asker)
{
	json_open(to, "asker");
	json_put_text(to, "what", asker->what);
	json_put_text(to, "cgroup", asker->cgroup);
	if (asker->uid != DF_UID_ANY) {
		json_open(to, "user");
		json_uint(to, "id", asker->uid);
		json_put_text(to, "name", asker->user);
		json_close(to);
	}
	json_bool(to, "fenced", !asker->outside);
	json_close(to);
}

static void json_policies(struct json *to, const struct explain_request *request,
			  const struct explanation *explanation)
{
	json_list(to, "policies");
	for (size_t i = 0; i < explanation->claims_length; i++) {
		const struct claim *claim = &explanation->claims[i];
		const struct policy_config *policy = explain_policy(request, claim->rank);

		json_open(to, NULL);
		json_put(to, "name", explain_policy_name(request, claim->rank));
		json_uint(to, "rank", claim->rank);
		if (claim->by_cgroup)
			json_uint(to, "cgroup_level", claim->level);
		json_bool(to, "by_user", claim->by_user);
		if (policy)
			json_place(to, &policy->where);
		json_close(to);
	}
	json_list_end(to);
}

static void json_denials(struct json *to, const struct explanation *explanation)
{
	json_list(to, "layers");
	for (size_t i = 0; i < explanation->denials_length; i++) {
		const struct denial *denial = &explanation->denials[i];

		json_open(to, NULL);
		json_put(to, "call", denial->call);
		json_put(to, "hook", hook_name(denial->hook));
		if (denial->fails) {
			json_put(to, "fails", denial->fails);
			json_put(to, "errno", denial_errno_name(denial->errnum));
		}
		if (denial->why)
			json_put(to, "why", denial->why);
		json_close(to);
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

	json_open(to, NULL);
	json_put(to, "kind", kinds[near->kind]);
	if (near->port) {
		json_uint(to, "port", near->port);
		json_put(to, "transport", event_transport_name(near->protocol));
		if (near->service < DF_SERVICE_MAX)
			json_put(to, "service", event_service_name(near->service));
	}
	if (near->kind == NEAR_OTHER_POLICY)
		json_put(to, "policy", explain_policy_name(request, near->rank));
	json_line(to, &near->line);
	json_close(to);
}

static void json_live(struct json *to, const struct explain_live *live, bool asked)
{
	json_open(to, "live");
	json_uint(to, "generation", live->generation);
	if (live->program_why) {
		json_put(to, "program_why", live->program_why);
	} else if (asked) {
		json_put(to, "program", event_verdict_name(live->verdict));
		json_put(to, "program_reason", event_reason_name(live->reason));
		json_bool(to, "program_walked", live->walked);
	}
	if (live->lines_why)
		json_put(to, "lines_why", live->lines_why);
	json_close(to);
}

void explain_write_json(const struct explain_request *request,
			const struct explanation *explanation, const struct explain_live *live,
			struct json *to)
{
	const struct judgement *judgement = &explanation->judgement;

	json_open(to, NULL);
	json_put(to, "verdict", event_verdict_name(judgement->verdict));
	json_put(to, "reason",
		 request->asker->outside ? "outside" : event_reason_name(judgement->reason));
	json_put(to, "text",
		 request->asker->outside ? "the asker is outside the fence"
					 : event_reason_text(judgement->reason));
	json_query(to, &explanation->query, judgement->service);
	json_asker(to, request->asker);
	json_put(to, "policy", explain_policy_name(request, judgement->rank));
	json_policies(to, request, explanation);
	json_line(to, &explanation->line);
	json_denials(to, explanation);
	json_list(to, "near");
	for (size_t i = 0; i < explanation->near_length; i++)
		json_near_miss(to, request, &explanation->near[i]);
	json_list_end(to);
	if (live)
		json_live(to, live, !request->asker->outside);
	json_close(to);
}
