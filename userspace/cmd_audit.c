// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * audit: what this host is set to ask (survey.h) and what it has open now, against the policy.
 * Nothing is changed.
 */
#include <fcntl.h>

#include "attach.h"
#include "cgroup.h"
#include "control.h"
#include "event.h"
#include "judge.h"
#include "outcome.h"
#include "prepare.h"
#include "resident.h"
#include "survey.h"
#include "sweep.h"

enum audit_state {
	AUDIT_FINE, /* the policy allows it */
	AUDIT_NOTE,
	AUDIT_BLOCKED, /* the policy refuses it, and the fence is closed */
	AUDIT_LEAKS,
	AUDIT_STATE_MAX,
};

static const char *const state_names[AUDIT_STATE_MAX] = {"fine", "note", "blocked", "leaks"};

struct audit {
	const struct options *options;
	struct prepared prepared;
	bool closed; /* the fence, now */
	size_t totals[AUDIT_STATE_MAX];
	struct json json;
};

/* One line of the result; strings are never NULL. */
struct finding {
	enum audit_state state;
	const char *source, *path, *text, *advice;
	unsigned int line;
	char resolver[ADDRESS_TEXT_MAX + 8]; /* "": of none */
	const struct address *address;
	uint16_t port;
	const char *service;
	char who[160];
	const char *policy;
	char why[160];
};

/* Whose policy ----------------------------------------------------------------------------------
 */

static bool rank_of_cgroup(const struct audit *audit, const char *path, uint32_t *ret)
{
	_cleanup_close_ int fd = open(audit->prepared.mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t ids[DF_LEVEL_MAX];
	int levels = fd < 0 ? -errno : cgroup_ancestors(fd, path, ids, DF_LEVEL_MAX);

	if (levels < 0)
		return false;
	*ret = judge_rank(&audit->prepared.image, ids, (size_t)levels, DF_UID_ANY);
	return true;
}

/* The policy of a unit or container that runs now. */
static bool rank_of_resident(const struct audit *audit, enum resident_kind kind, const char *name,
			     uint32_t *ret)
{
	const struct resident_request request = {
		.kind = kind,
		.name = name,
		.uid = IDENTITY_NO_USER,
		.roots = &audit->prepared.config.runtimes,
	};
	struct resident resident;
	struct problem ignored = {{0}};

	return !audit->options->root && /* another host's runs elsewhere */
	       resident_find(&request, audit->prepared.mount, &resident, &ignored) == 0 &&
	       rank_of_cgroup(audit, resident.path, ret);
}

/* Who that is in words, and the rank of his policy: everybody's, where he does not run now. */
static uint32_t asker_rank(const struct audit *audit, const struct survey_item *item,
			   struct finding *finding)
{
	uint32_t rank = audit->prepared.image.generation.default_policy;
	bool runs;

	switch (item->asker) {
	case SURVEY_UNIT:
		runs = rank_of_resident(audit, RESIDENT_UNIT, item->unit, &rank);
		(void)snprintf(finding->who, sizeof(finding->who), "%s%s", item->unit,
			       runs ? "" : ", as everybody");
		break;
	case SURVEY_CONTAINER:
		runs = rank_of_resident(audit, RESIDENT_CONTAINER, item->container, &rank);
		(void)snprintf(finding->who, sizeof(finding->who), "container %.12s%s",
			       item->container, runs ? "" : ", as everybody");
		break;
	default:
		(void)snprintf(finding->who, sizeof(finding->who), "everybody");
	}
	return rank;
}

/* Verdicts --------------------------------------------------------------------------------------
 */

static const char *policy_name(const struct audit *audit, uint32_t rank)
{
	return rank < audit->prepared.config.policies_length
		       ? audit->prepared.config.policies[rank].name
		       : "";
}

static enum audit_state state_of(const struct audit *audit, const struct judgement *judgement,
				 struct finding *finding)
{
	const char *policy = policy_name(audit, judgement->rank);

	switch (judgement->verdict) {
	case DF_VERDICT_ALLOW:
		return AUDIT_FINE;
	case DF_VERDICT_PASS:
		(void)snprintf(finding->why, sizeof(finding->why),
			       "no policy names a resolver at port %u there, so it is not fenced",
			       finding->port);
		return AUDIT_LEAKS;
	case DF_VERDICT_AUDIT:
		(void)snprintf(finding->why, sizeof(finding->why),
			       "policy %s refuses it, in audit mode: it is only logged", policy);
		return AUDIT_LEAKS;
	default:
		(void)snprintf(finding->why, sizeof(finding->why), "policy %s: %s", policy,
			       event_reason_text(judgement->reason));
		return audit->closed ? AUDIT_BLOCKED : AUDIT_LEAKS;
	}
}

static void judge_address(const struct audit *audit, uint32_t rank, const struct survey_item *item,
			  struct finding *finding)
{
	struct df_flow flow = {
		.family = item->address.family,
		.protocol = item->protocols & DF_PROTO_UDP ? IPPROTO_UDP : IPPROTO_TCP,
		.flags = FLOW_PORTS,
		.dport = item->port,
	};
	struct judgement judgement;
	char text[ADDRESS_TEXT_MAX];

	memcpy(flow.daddr, item->address.bytes, sizeof(flow.daddr));
	judgement = judge_flow(&audit->prepared.image, &flow, rank);
	finding->address = &item->address;
	finding->port = item->port;
	(void)snprintf(finding->resolver, sizeof(finding->resolver),
		       item->address.family == 6 ? "[%s]:%u" : "%s:%u",
		       address_format(&item->address, text), item->port);
	finding->state = state_of(audit, &judgement, finding);
	finding->policy = policy_name(audit, rank);
}

/* Whether a service that is asked of a whole link is fenced at all. */
static void judge_multicast(const struct audit *audit, const struct survey_item *item,
			    struct finding *finding)
{
	const bool fenced = audit->prepared.config.services & (1u << item->service);

	if (fenced) {
		finding->state = audit->closed ? AUDIT_BLOCKED : AUDIT_LEAKS;
		return;
	}
	finding->state = item->service == DF_SERVICE_MDNS ? AUDIT_NOTE : AUDIT_LEAKS;
	(void)snprintf(finding->why, sizeof(finding->why),
		       "%s is not fenced; add it to services to block it",
		       event_service_name(item->service));
}

/* Output ----------------------------------------------------------------------------------------
 */

static void print_finding(const struct finding *finding)
{
	char where[400];

	(void)snprintf(where, sizeof(where), finding->line ? "%s:%u" : "%s", finding->path,
		       finding->line);
	event_make_printable(where);
	printf("%-8s %-24s %-32s %s%s%s\n", state_names[finding->state],
	       finding->resolver[0] ? finding->resolver : "-", finding->who, finding->source,
	       where[0] ? ", " : "", where);
	if (finding->text[0])
		printf("         %s\n", finding->text);
	if (finding->why[0])
		printf("         %s\n", finding->why);
	if (finding->state >= AUDIT_BLOCKED && finding->advice[0])
		printf("         -> %s\n", finding->advice);
}

static void write_finding(const struct finding *finding, struct json *to)
{
	char text[ADDRESS_TEXT_MAX];

	json_open(to, NULL);
	json_put(to, "state", state_names[finding->state]);
	json_put(to, "source", finding->source);
	json_put_text(to, "file", finding->path);
	if (finding->line)
		json_uint(to, "line", finding->line);
	if (finding->address) {
		json_open(to, "resolver");
		json_put(to, "ip", address_format(finding->address, text));
		json_uint(to, "port", finding->port);
		json_close(to);
	}
	json_put_text(to, "service", finding->service);
	json_put_text(to, "asker", finding->who);
	json_put_text(to, "policy", finding->policy);
	json_put_text(to, "text", finding->text);
	json_put_text(to, "reason", finding->why);
	json_put_text(to, "advice", finding->advice);
	json_close(to);
}

static void audit_tell(struct audit *audit, struct finding *finding)
{
	audit->totals[finding->state]++;
	event_make_printable(finding->who);
	if (audit->options->json)
		write_finding(finding, &audit->json);
	else
		print_finding(finding);
}

/* What is set -----------------------------------------------------------------------------------
 */

static void audit_item(void *context, const struct survey_item *item)
{
	struct audit *audit = context;
	struct finding finding = {
		.state = AUDIT_NOTE,
		.source = item->source,
		.path = item->path,
		.line = item->line,
		.text = item->text,
		.advice = item->advice,
		.policy = "",
		.service = "",
	};
	uint32_t rank = asker_rank(audit, item, &finding);

	if (item->kind == SURVEY_RESOLVER || item->topic == SURVEY_MULTICAST)
		finding.service = event_service_name(item->service);
	if (item->kind == SURVEY_RESOLVER)
		judge_address(audit, rank, item, &finding);
	else if (item->topic == SURVEY_MULTICAST)
		judge_multicast(audit, item, &finding);
	else if (item->topic == SURVEY_HTTPS)
		finding.state = AUDIT_LEAKS;
	audit_tell(audit, &finding);
}

/* What is open ----------------------------------------------------------------------------------
 */

static void audit_socket(struct audit *audit, const struct sweep_record *record)
{
	struct address address = {.family = record->flow.family,
				  .prefix = record->flow.family == 6 ? 128 : 32};
	struct finding finding = {
		.source = "open socket",
		.path = "",
		.text = "",
		.advice = "\"dnsfence sockets --kill\" closes it",
		.address = &address,
		.port = record->flow.dport,
		.service = event_service_name(record->judgement.service),
		.policy = record->policy,
	};
	char text[ADDRESS_TEXT_MAX];

	memcpy(address.bytes, record->flow.daddr, sizeof(address.bytes));
	(void)snprintf(finding.resolver, sizeof(finding.resolver),
		       address.family == 6 ? "[%s]:%u" : "%s:%u", address_format(&address, text),
		       record->flow.dport);
	(void)snprintf(finding.who, sizeof(finding.who), "%s[%u] in %.100s",
		       record->process[0] ? record->process : "?", record->pid,
		       record->cgroup[0] ? record->cgroup : "?");
	finding.state = record->fate == SWEEP_FATE_ALLOWED || record->fate == SWEEP_FATE_SERVING
				? AUDIT_FINE
			: record->fate == SWEEP_FATE_UNJUDGED                 ? AUDIT_NOTE
			: audit->closed && record->fate != SWEEP_FATE_AUDITED ? AUDIT_BLOCKED
									      : AUDIT_LEAKS;
	audit_tell(audit, &finding);
}

static int audit_sockets(struct audit *audit, struct problem *problem)
{
	const struct sweep_request request = {
		.image = &audit->prepared.image,
		.mount = audit->prepared.mount,
		.cgroup = audit->options->cgroup,
		.all = true,
		.wait = true,
	};
	struct sweep_record record;
	struct sweep sweep;
	int r = sweep_start(&request, &sweep, problem);

	if (r < 0)
		return r;
	while (sweep_take(&sweep, &record) > 0)
		if (record.kind == SWEEP_SOCKET)
			audit_socket(audit, &record);
	if (sweep_troubled(&sweep.totals))
		log_warning("a part of this host's sockets could not be looked at; run as root");
	return 0;
}

/* -----------------------------------------------------------------------------------------------
 */

/* Pinned and attached; or a daemon says so, whose fence may be an ephemeral one. */
static bool fence_is_closed(const struct options *options)
{
	struct problem ignored = {{0}};
	struct link_state packet;
	struct pins pins;
	FILE *nowhere;
	int code = -1;

	if (pins_init(&pins, options->pin_dir, &ignored) >= 0 &&
	    attach_inspect(&pins, DF_HOOK_PACKET, &packet) == 0 && packet.attached)
		return true;
	nowhere = fopen("/dev/null", "we");
	if (nowhere) {
		code = control_request(options->runtime_dir, "status json", nowhere);
		(void)fclose(nowhere);
	}
	return code == EXIT_FINE;
}

static void audit_begin(struct audit *audit)
{
	struct json *to = &audit->json;

	if (!audit->options->json) {
		printf("%-8s %-24s %-32s %s\n", "STATE", "RESOLVER", "WHO ASKS", "WHERE");
		return;
	}
	json_open(to, NULL);
	json_put(to, "config",
		 audit->prepared.config.files_length ? audit->prepared.config.files[0] : "");
	json_put(to, "fence", audit->closed ? "closed" : "open");
	json_list(to, "findings");
}

static void audit_end(struct audit *audit)
{
	const size_t *totals = audit->totals;
	struct json *to = &audit->json;

	if (audit->options->json) {
		json_list_end(to);
		json_open(to, "totals");
		for (int state = 0; state < AUDIT_STATE_MAX; state++)
			json_uint(to, state_names[state], totals[state]);
		json_close(to);
		json_close(to);
		if (json_finish(to) >= 0)
			(void)fwrite(to->text, 1, to->length, stdout);
	}
	log_info("%zu leak, %zu are blocked, %zu are fine, %zu notes; the fence is %s",
		 totals[AUDIT_LEAKS], totals[AUDIT_BLOCKED], totals[AUDIT_FINE], totals[AUDIT_NOTE],
		 audit->closed ? "closed" : "open");
	if (totals[AUDIT_LEAKS] && !audit->closed)
		log_info("what the policy refuses leaks as long as the fence is open; \"dnsfence "
			 "run\" closes it");
}

/* Without its files a host would be one that asks nobody. */
static bool root_is_there(const char *root)
{
	_cleanup_close_ int fd = survey_open(root, "/", O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		log_error("--root takes the directory that holds the other host's files; %s: %s",
			  root, strerror(-fd));
	return fd >= 0;
}

int cmd_audit(const struct options *options)
{
	struct audit audit = {.options = options};
	struct problem problem = {{0}};
	struct survey survey = {
		.root = options->root ? options->root : "", .found = audit_item, .context = &audit};
	int r;

	if (options->root && !root_is_there(options->root))
		return EXIT_USAGE;
	r = prepare(options, NULL, &audit.prepared, stderr, &problem);

	if (r < 0)
		return outcome_fail(r, &problem);
	survey.runtimes = &audit.prepared.config.runtimes;
	if (!options->root && survey.runtimes->host)
		survey.root = survey.runtimes->host;
	audit.closed = fence_is_closed(options);
	audit_begin(&audit);
	survey_run(&survey);
	if (!options->root)
		r = audit_sockets(&audit, &problem);
	audit_end(&audit);
	prepared_done(&audit.prepared);
	json_done(&audit.json);
	if (r < 0)
		return outcome_fail(r, &problem);
	return audit.totals[AUDIT_LEAKS] ? EXIT_NEGATIVE : EXIT_FINE;
}
