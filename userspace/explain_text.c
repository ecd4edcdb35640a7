// SPDX-License-Identifier: GPL-2.0-or-later
/* An explanation for people. */
#include "explain_format.h"

#include "attach.h"
#include "color.h"
#include "event.h"
#include "printable.h"

#define COLUMN "%-13s"
#define PLACE_MAX 512

/* What an explanation is written from. */
struct writer {
	const struct explain_request *request;
	const struct explanation *explanation;
	const struct explain_live *live;
	FILE *to;
};

static const char *const verdict_words[DF_VERDICT_MAX] = {
	[DF_VERDICT_PASS] = "PASSED",
	[DF_VERDICT_ALLOW] = "ALLOWED",
	[DF_VERDICT_DENY] = "DENIED",
	[DF_VERDICT_AUDIT] = "AUDITED",
};

static const char *const verdict_colors[DF_VERDICT_MAX] = {
	[DF_VERDICT_PASS] = COLOR_GREEN,
	[DF_VERDICT_ALLOW] = COLOR_GREEN,
	[DF_VERDICT_DENY] = COLOR_RED,
	[DF_VERDICT_AUDIT] = COLOR_YELLOW,
};

static const char *place_format(const struct mark *where, char text[PLACE_MAX])
{
	if (where->line)
		snprintf(text, PLACE_MAX, "%s:%u:%u", where->file, where->line, where->column);
	else
		snprintf(text, PLACE_MAX, "%s", where->file ? where->file : "?");
	return text;
}

/* "default (dnsfence.yaml:7:5)" */
static void print_policy(const struct writer *writer, uint32_t rank)
{
	const struct policy_config *policy = explain_policy(writer->request, rank);
	char place[PLACE_MAX];

	fprintf(writer->to, "%s", explain_policy_name(writer->request, rank));
	if (policy)
		fprintf(writer->to, " (%s)", place_format(&policy->where, place));
}

/* "10.0.0.0/24 of corp (dnsfence.yaml:4:7)" */
static void print_line(const struct writer *writer, const struct grant_line *line)
{
	char address[ADDRESS_TEXT_MAX], place[PLACE_MAX];

	fprintf(writer->to, "%s of %s (%s)", address_format(&line->resolver->address, address),
		line->set->name, place_format(&line->resolver->where, place));
}

static bool is_outside(const struct writer *writer)
{
	return writer->request->asker->outside;
}

static void print_verdict(const struct writer *writer, bool color)
{
	const struct judgement *judgement = &writer->explanation->judgement;
	char text[QUERY_TEXT_MAX];

	fprintf(writer->to, "%s" COLUMN "%s%s", color ? verdict_colors[judgement->verdict] : "",
		verdict_words[judgement->verdict], color ? COLOR_NONE : "",
		query_format(&writer->explanation->query, text));
	if (judgement->service < DF_SERVICE_MAX)
		fprintf(writer->to, " (%s)", event_service_name(judgement->service));
	if (is_outside(writer))
		fprintf(writer->to, ": the asker is outside the fence\n");
	else if (judgement->reason == DF_REASON_NONE)
		fprintf(writer->to, ": no name resolution, no policy fences this\n");
	else
		fprintf(writer->to, ": %s, %s%s\n", event_reason_name(judgement->reason),
			event_reason_text(judgement->reason),
			judgement->translated ? "; this host's NAT may send it elsewhere" : "");
}

/* The asker's, down to that length. */
static void print_cgroup(const struct writer *writer, size_t length)
{
	_cleanup_free_ char *path = strndup(writer->request->asker->cgroup, length);

	if (!path)
		return;
	event_make_printable(path);
	fprintf(writer->to, "%s", path);
}

static void print_asker(const struct writer *writer)
{
	const struct asker *asker = writer->request->asker;
	const char *comma = "";

	fprintf(writer->to, COLUMN, "asker");
	if (asker->what[0]) {
		fprintf(writer->to, "%s", asker->what);
		comma = ": ";
	}
	if (asker->cgroup[0]) {
		fprintf(writer->to, "%scgroup ", comma);
		print_cgroup(writer, strlen(asker->cgroup));
		comma = ", ";
	}
	if (asker->uid != DF_UID_ANY)
		fprintf(writer->to, "%suser %s%s%u%s", comma, asker->user,
			asker->user[0] ? " (" : "", asker->uid, asker->user[0] ? ")" : "");
	else if (writer->request->image->generation.flags & DF_GEN_USERS)
		fprintf(writer->to, "%sno user said, so policies for users do not match (--user)",
			comma);
	fprintf(writer->to, "\n");
}

/* What of the asker an entry names. */
static void print_claim(const struct writer *writer, const struct claim *claim)
{
	const struct asker *asker = writer->request->asker;
	size_t length = 1;

	if (!claim->by_cgroup && !claim->by_user) {
		fprintf(writer->to, "for everyone whom no other policy matches");
		return;
	}
	fprintf(writer->to, "matches ");
	if (claim->by_cgroup) {
		for (unsigned int level = 0; level < claim->level; level++)
			length += (level ? 1 : 0) +
				  strcspn(asker->cgroup + length + (level ? 1 : 0), "/");
		fprintf(writer->to, "cgroup ");
		print_cgroup(writer, length);
	}
	if (claim->by_user)
		fprintf(writer->to, "%suid %u", claim->by_cgroup ? " and " : "", asker->uid);
}

static void print_policies(const struct writer *writer)
{
	const struct explanation *explanation = writer->explanation;

	for (size_t i = 0; i < explanation->claims_length; i++) {
		const struct claim *claim = &explanation->claims[i];
		const struct policy_config *policy = explain_policy(writer->request, claim->rank);
		char place[PLACE_MAX];

		if (i && claim->rank == explanation->claims[i - 1].rank)
			continue;
		fprintf(writer->to, COLUMN, i ? i > 1 ? "" : "  later" : "policy");
		print_policy(writer, claim->rank);
		fprintf(writer->to, ", ");
		print_claim(writer, claim);
		if (policy && policy->has_match)
			fprintf(writer->to, " (%s)", place_format(&policy->match.where, place));
		fprintf(writer->to, "\n");
	}
}

static void print_sets(const struct writer *writer)
{
	const struct explanation *explanation = writer->explanation;
	const struct policy_config *policy =
		explain_policy(writer->request, explanation->judgement.rank);
	const char *comma = "";
	char place[PLACE_MAX];

	if (explanation->line.set) {
		fprintf(writer->to, COLUMN, "resolver");
		print_line(writer, &explanation->line);
		fprintf(writer->to, "\n");
	}
	if (!policy || explanation->judgement.reason != DF_REASON_NOT_SANCTIONED)
		return;
	fprintf(writer->to, COLUMN, "resolvers");
	for (size_t i = 0; i < policy->sets_length; i++) {
		fprintf(writer->to, "%s%s (%s)", comma, policy->sets[i],
			place_format(&policy->set_marks[i], place));
		comma = ", ";
	}
	fprintf(writer->to, "%s\n",
		policy->sets_length ? "" : "none: the policy sanctions nothing");
}

/* "connect()  refused by connect4: EPERM, Operation not permitted" */
static void print_denial(const struct writer *writer, const struct denial *denial, bool first)
{
	FILE *to = writer->to;
	bool later = denial->fails && !util_streq(denial->fails, denial->call);

	fprintf(to, COLUMN "%-10s", first ? "layer" : "", denial->call);
	if (writer->explanation->judgement.verdict == DF_VERDICT_AUDIT)
		fprintf(to, "let through, and written down by %s", hook_name(denial->hook));
	else
		fprintf(to, "%srefused by %s", later ? "succeeds; send() is " : "",
			hook_name(denial->hook));
	if (denial->fails)
		fprintf(to, ": %s, %s", denial_errno_name(denial->errnum),
			strerror(denial->errnum));
	if (denial->why)
		fprintf(to, " (%s)", denial->why);
	fprintf(to, "\n");
}

static void print_layers(const struct writer *writer)
{
	const struct explanation *explanation = writer->explanation;

	for (size_t i = 0; i < explanation->denials_length; i++)
		print_denial(writer, &explanation->denials[i], i == 0);
	if (explanation->judgement.verdict == DF_VERDICT_ALLOW)
		fprintf(writer->to, COLUMN "packet lets it through, and counts it\n", "layer");
}

static void print_near_miss(const struct writer *writer, const struct near_miss *near)
{
	FILE *to = writer->to;

	switch (near->kind) {
	case NEAR_OTHER_WAY:
		fprintf(to, "the same policy sanctions the address on %u/%s%s%s", near->port,
			event_transport_name(near->protocol),
			near->service < DF_SERVICE_MAX ? ", " : "",
			near->service < DF_SERVICE_MAX ? event_service_name(near->service) : "");
		break;
	case NEAR_OTHER_POLICY:
		fprintf(to, "sanctioned by policy ");
		print_policy(writer, near->rank);
		break;
	case NEAR_UNUSED_SET:
		fprintf(to, "listed in a set that no policy names");
		break;
	case NEAR_UNFENCED:
		fprintf(to, "the port is %s's, which services: does not list",
			event_service_name(near->service));
		break;
	}
	if (near->line.set) {
		fprintf(to, ": ");
		print_line(writer, &near->line);
	}
	fprintf(to, "\n");
}

static void print_near(const struct writer *writer)
{
	const struct explanation *explanation = writer->explanation;

	for (size_t i = 0; i < explanation->near_length; i++) {
		fprintf(writer->to, COLUMN, i ? "" : "near");
		print_near_miss(writer, &explanation->near[i]);
	}
	if (explanation->near_more)
		fprintf(writer->to, COLUMN "and more\n", "");
}

static void print_live(const struct writer *writer)
{
	const struct explain_live *live = writer->live;

	fprintf(writer->to, COLUMN "policy generation %llu; ", "in force",
		(unsigned long long)live->generation);
	if (is_outside(writer))
		fprintf(writer->to, "it does not stand around this cgroup\n");
	else if (live->program_why)
		fprintf(writer->to, "the loaded program was not asked: %s\n", live->program_why);
	else
		fprintf(writer->to, "the loaded program says %s%s%s%s\n",
			event_verdict_name(live->verdict), live->reason ? ", " : "",
			live->reason ? event_reason_name(live->reason) : "",
			live->walked ? "; it was asked as this process" : "");
	if (live->lines_why)
		fprintf(writer->to, COLUMN "no lines of the configuration: %s\n", "",
			live->lines_why);
}

static void print_next(const struct writer *writer)
{
	const struct explanation *explanation = writer->explanation;
	const struct policy_config *policy =
		explain_policy(writer->request, explanation->judgement.rank);

	if (!policy || explanation->judgement.reason != DF_REASON_NOT_SANCTIONED)
		return;
	if (writer->request->config->builtin)
		fprintf(writer->to,
			COLUMN
			"to sanction it, begin with a file: dnsfence init > " CONFIG_DEFAULT_PATH
			"\n",
			"next");
	else
		fprintf(writer->to,
			COLUMN "to sanction it, %s policy %s names; then \"dnsfence check\" and "
			       "\"dnsfence reload\"\n",
			"next",
			policy->sets_length ? "add it to a set that"
					    : "list it in a set, and that among those",
			policy->name);
}

void explain_write_text(const struct explain_request *request,
			const struct explanation *explanation, const struct explain_live *live,
			bool color, FILE *to)
{
	const struct writer writer = {request, explanation, live, to};

	print_verdict(&writer, color);
	print_asker(&writer);
	if (!is_outside(&writer) && explanation->judgement.reason != DF_REASON_NONE) {
		print_policies(&writer);
		print_sets(&writer);
		print_layers(&writer);
	}
	print_near(&writer);
	if (live)
		print_live(&writer);
	print_next(&writer);
}

void explain_write_line(const struct explain_request *request,
			const struct explanation *explanation, FILE *to)
{
	const struct judgement *judgement = &explanation->judgement;
	char text[QUERY_TEXT_MAX];

	fprintf(to, "%s\t%s\t%s\t%s\n", event_verdict_name(judgement->verdict),
		query_format(&explanation->query, text),
		request->asker->outside ? "outside" : event_reason_name(judgement->reason),
		explain_policy_name(request, judgement->rank));
}
