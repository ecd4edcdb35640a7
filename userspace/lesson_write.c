// SPDX-License-Identifier: GPL-2.0-or-later
/* A lesson as a policy: what is left out of it, and the file. */
#include <ctype.h>

#include "bpf/abi.h"
#include "cgroup.h"
#include "event.h"
#include "learner.h"
#include "pattern.h"

/* With all that may be said of each, and of 256 policies, within the 8 MB that are read of a file.
 */
#define RESOLVERS_WRITTEN_MAX 16384
#define TOLD_MAX 16 /* of what is left out, each in a comment of its own */
#define RECURSOR_MIN 16 /* public servers that only a recursive resolver asks */

/* What looks like a leak ------------------------------------------------------------------------
 */

static bool address_is_in(const struct address *address, const char *prefix)
{
	struct address wide;
	const char *problem;

	return address_parse(prefix, &wide, &problem) == 0 && address_covers(&wide, address);
}

/* Addresses that are nobody's on the Internet: RFC 1918, 6598, 4193, 3927, 4291, loopback. */
static bool address_is_internal(const struct address *address)
{
	static const char *const prefixes[] = {"10.0.0.0/8",    "172.16.0.0/12", "192.168.0.0/16",
					       "100.64.0.0/10", "127.0.0.0/8",   "169.254.0.0/16",
					       "fc00::/7",      "fe80::/10",     "::1"};

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (address_is_in(address, prefixes[i]))
			return true;
	return false;
}

static bool looks_like_leak(const struct address *address, const struct nameservers *system)
{
	if (address_is_internal(address))
		return false;
	for (size_t i = 0; i < system->length; i++)
		if (address_equal(&system->list[i].address, address))
			return false;
	return true;
}

struct writing {
	const struct nameservers *system;
	bool accept;
	FILE *to;
	struct lesson_totals *totals;
};

static bool is_sanctioned(const struct writing *writing, const struct asked *asked)
{
	return writing->accept || !looks_like_leak(&asked->resolver, writing->system);
}

/* The file --------------------------------------------------------------------------------------
 */

static void write_services(uint32_t services, FILE *to)
{
	bool several = services & (services - 1);
	const char *separator = "";

	fprintf(to, "service: %s", several ? "[" : "");
	for (unsigned int service = 0; service < DF_SERVICE_MAX; service++)
		if (services & (1u << service)) {
			fprintf(to, "%s%s", separator, event_service_name(service));
			separator = ", ";
		}
	fprintf(to, "%s", several ? "]" : "");
}

static void write_who(const struct asked *asked, FILE *to)
{
	fprintf(to, "   # %llu lookup%s", (unsigned long long)asked_count(asked),
		util_plural(asked_count(asked)));
	for (int i = 0; i < LEARNER_PROCESSES_MAX && asked->processes[i][0]; i++)
		fprintf(to, "%s%s", i ? ", " : " by ", asked->processes[i]);
	fputc('\n', to);
}

static void write_asked(const struct asked *asked, FILE *to)
{
	char text[ADDRESS_TEXT_MAX];

	fprintf(to, "    - {address: \"%s\", ", address_format(&asked->resolver, text));
	write_services(asked->services, to);
	fputc('}', to);
	write_who(asked, to);
}

/* Letters, digits, dots, dashes and underscores of a name, cut, and a number that makes it one. */
static void set_name(const struct learner *learner, size_t index, char to[DF_POLICY_NAME_LEN])
{
	const char *name = strrchr(learner->name, '/');
	char plain[20];
	size_t used = 0;

	if (learner->kind == SUBJECT_EVERYBODY) {
		(void)snprintf(to, DF_POLICY_NAME_LEN, "everybody");
		return;
	}
	for (name = name ? name + 1 : learner->name; *name && used < sizeof(plain) - 1; name++)
		plain[used++] = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456"
				       "789._-",
				       *name)
					? *name
					: '_';
	plain[used] = 0;
	(void)snprintf(to, DF_POLICY_NAME_LEN, "%s-%zu", used ? plain : "subject", index);
}

static void write_pattern(const char *text, FILE *to)
{
	pattern_write(to, text, strlen(text), "");
}

/*
 * A cgroup that comes and goes has to be named by a glob, for a plain path has to be there: its
 * last letter in brackets makes it one that matches nothing else. "!" and "^" mean something there.
 */
static void write_cgroup(const char *path, FILE *to)
{
	const size_t last = strlen(path) - 1;
	const char end[] = {'[', path[last], ']', 0};

	pattern_write(to, path, last, isalnum((unsigned char)path[last]) ? end : "?");
}

static void write_pod(const struct learner *learner, FILE *to)
{
	const size_t namespace = strcspn(learner->name, "/");

	fprintf(to, "pod: {namespace: ");
	pattern_write(to, learner->name, namespace, "");
	fprintf(to, ", name: ");
	write_pattern(learner->name + namespace + 1, to);
	fputc('}', to);
}

static void write_match(const struct learner *learner, FILE *to)
{
	fprintf(to, "match: {");
	switch (learner->kind) {
	case SUBJECT_POD:
		write_pod(learner, to);
		break;
	case SUBJECT_CONTAINER:
		fprintf(to, "container: {name: ");
		write_pattern(learner->name, to);
		if (learner->user != IDENTITY_NO_USER)
			fprintf(to, ", user: \"%u\"", learner->user);
		fputc('}', to);
		break;
	case SUBJECT_USER_UNIT:
		fprintf(to, "user_unit: ");
		write_pattern(learner->name, to);
		fprintf(to, ", user: \"%u\"", learner->user);
		break;
	case SUBJECT_UNIT:
		fprintf(to, "unit: ");
		write_pattern(learner->name, to);
		break;
	default:
		fprintf(to, "cgroup: ");
		write_cgroup(learner->name, to);
	}
	fputc('}', to);
}

static size_t learner_public(const struct writing *writing, const struct learner *learner)
{
	size_t public = 0;

	for (size_t i = 0; i < learner->length; i++)
	public += looks_like_leak(&learner->asked[i].resolver, writing->system);
	return public;
}

static size_t learner_sanctioned(const struct writing *writing, const struct learner *learner)
{
	size_t sanctioned = 0;

	for (size_t i = 0; i < learner->length; i++)
		sanctioned += is_sanctioned(writing, &learner->asked[i]);
	return sanctioned;
}

static void write_left_out(struct writing *writing, const struct learner *learner)
{
	size_t public = learner_public(writing, learner);
	char text[ADDRESS_TEXT_MAX];

	if (writing->accept || !public)
		return;
	writing->totals->left_out += public;
	if (public >= RECURSOR_MIN) {
		fprintf(writing->to,
			"    # %zu public servers, as a recursive resolver asks them; resolvers: "
			"any "
			"would exempt it.\n",
			public);
		return;
	}
	for (size_t i = 0; i < learner->length; i++) {
		const struct asked *asked = &learner->asked[i];

		if (is_sanctioned(writing, asked))
			continue;
		fprintf(writing->to, "    # left out, it looks like a leak: %s",
			address_format(&asked->resolver, text));
		write_who(asked, writing->to);
	}
}

/* They are nobody's, so not everybody's either. */
static void write_gone(struct writing *writing, const struct learner *gone)
{
	char text[ADDRESS_TEXT_MAX];

	writing->totals->gone = gone->count;
	if (!gone->count)
		return;
	fprintf(writing->to,
		"  # left out: %llu lookup%s of cgroups that had gone before they could be named\n",
		(unsigned long long)gone->count, util_plural(gone->count));
	for (size_t i = 0; i < MIN(gone->length, (size_t)TOLD_MAX); i++) {
		fprintf(writing->to, "  #   %s", address_format(&gone->asked[i].resolver, text));
		write_who(&gone->asked[i], writing->to);
	}
	if (gone->length > TOLD_MAX)
		fprintf(writing->to, "  #   and %zu more\n", gone->length - TOLD_MAX);
}

static void write_crowded(struct writing *writing, uint64_t lookups)
{
	writing->totals->crowded_lookups += lookups;
	if (lookups)
		fprintf(writing->to,
			"    # left out: %llu lookup%s of more resolvers than there is room for\n",
			(unsigned long long)lookups, util_plural(lookups));
}

static void write_set(struct writing *writing, const struct learner *learner, size_t index)
{
	const size_t room = RESOLVERS_WRITTEN_MAX - writing->totals->resolvers;
	size_t left = MIN(learner_sanctioned(writing, learner), room);
	uint64_t crowded = learner->crowded;
	char name[DF_POLICY_NAME_LEN];

	writing->totals->resolvers += left;
	set_name(learner, index, name);
	fprintf(writing->to, "  %s:%s\n", name, left ? "" : " []");
	for (size_t i = 0; i < learner->length; i++) {
		if (!is_sanctioned(writing, &learner->asked[i]))
			continue;
		if (left)
			write_asked(&learner->asked[i], writing->to);
		else
			crowded += asked_count(&learner->asked[i]);
		left -= left > 0;
	}
	write_crowded(writing, crowded);
	write_left_out(writing, learner);
}

static void write_policy(struct writing *writing, const struct learner *learner, size_t index)
{
	char name[DF_POLICY_NAME_LEN];

	set_name(learner, index, name);
	fprintf(writing->to, "  - name: %s   # %llu lookup%s\n    ", name,
		(unsigned long long)learner->count, util_plural(learner->count));
	write_match(learner, writing->to);
	fprintf(writing->to, "\n    resolvers: [%s]\n", name);
}

static unsigned int wildcards(const char *name)
{
	unsigned int count = 0;

	for (; *name; name++)
		count += *name == '?';
	return count;
}

/*
 * The closest names first, for the first match decides: by kind, then the deeper ones, for a cgroup
 * covers those below it, then those that leave less to a wildcard.
 */
static int learner_order(const void *left, const void *right)
{
	const struct learner *a = *(struct learner *const *)left,
			     *b = *(struct learner *const *)right;
	const unsigned int depths[] = {cgroup_level(a->name), cgroup_level(b->name)};
	const unsigned int wide[] = {wildcards(a->name), wildcards(b->name)};

	if (a->kind != b->kind)
		return a->kind > b->kind ? -1 : 1;
	if (depths[0] != depths[1])
		return depths[0] > depths[1] ? -1 : 1;
	if (wide[0] != wide[1])
		return wide[0] < wide[1] ? -1 : 1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* Everybody, then who asked most. */
static int learner_weight(const void *left, const void *right)
{
	const struct learner *a = *(struct learner *const *)left,
			     *b = *(struct learner *const *)right;

	if (!a->kind != !b->kind)
		return a->kind ? 1 : -1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return strcmp(a->name, b->name);
}

/*
 * In the order of the file those that get a policy, behind them the others. How many get one: there
 * are DF_POLICY_MAX with everybody's, which is there in any case.
 */
static size_t lesson_sort(const struct lesson *lesson)
{
	struct learner **list = lesson->list;
	size_t kept;

	if (!lesson->length)
		return 0;
	qsort(list, lesson->length, sizeof(*list), learner_weight);
	kept = DF_POLICY_MAX - (list[0]->kind != SUBJECT_EVERYBODY);
	kept = MIN(kept, lesson->length);
	qsort(list, kept, sizeof(*list), learner_order);
	return kept;
}

static void write_without_policy(struct writing *writing, const struct lesson *lesson, size_t kept)
{
	const size_t length = lesson->length - kept;

	writing->totals->crowded = length;
	writing->totals->crowded_lookups += lesson->crowded;
	if (length)
		fprintf(writing->to, "  # left out, for %d policies are all that fit:\n",
			DF_POLICY_MAX);
	for (size_t i = 0; i < length; i++) {
		const struct learner *learner = lesson->list[kept + i];

		writing->totals->crowded_lookups += learner->count;
		if (i >= TOLD_MAX)
			continue;
		fprintf(writing->to, "  #   ");
		write_match(learner, writing->to);
		fprintf(writing->to, "   # %llu lookup%s\n", (unsigned long long)learner->count,
			util_plural(learner->count));
	}
	if (length > TOLD_MAX)
		fprintf(writing->to, "  #   and %zu more\n", length - TOLD_MAX);
}

void lesson_write(const struct lesson *lesson, const struct nameservers *system, bool accept,
		  FILE *to, struct lesson_totals *ret)
{
	struct writing writing = {system, accept, to, ret};
	const size_t kept = lesson_sort(lesson);
	bool everybody = false;

	*ret = (struct lesson_totals){.lookups = lesson->count, .subjects = lesson->length};
	fprintf(to, "# dnsfence: what was asked while \"dnsfence learn\" watched, and no more. See "
		    "dnsfence.yaml(5).\n"
		    "apiVersion: dnsfence/v1\n"
		    "mode: audit   # enforce blocks; try it so first\n"
		    "resolvers:\n");
	for (size_t i = 0; i < kept; i++) {
		write_set(&writing, lesson->list[i], i + 1);
		everybody |= lesson->list[i]->kind == SUBJECT_EVERYBODY;
	}
	if (!everybody)
		fprintf(to, "  everybody: []\n");
	write_gone(&writing, &lesson->gone);
	fprintf(to, "policies:   # the first one that matches decides\n");
	for (size_t i = 0; i < kept; i++)
		if (lesson->list[i]->kind != SUBJECT_EVERYBODY)
			write_policy(&writing, lesson->list[i], i + 1);
	write_without_policy(&writing, lesson, kept);
	fprintf(to, "  - {name: everybody, resolvers: [everybody]}\n");
}
