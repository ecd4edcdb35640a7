// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * subjects: the tree of cgroups, who lives in each, the policy that each has and by which entry, by
 * what is in force, or without a fence by the configuration; and how often each was refused.
 */
#include <fcntl.h>
#include <jansson.h>
#include <pwd.h>

#include "cgroup.h"
#include "cgroup_owner.h"
#include "control.h"
#include "event.h"
#include "inforce.h"
#include "json.h"
#include "outcome.h"
#include "prepare.h"
#include "runtimes.h"

/* What the daemon has logged of a cgroup. */
struct tallied {
	uint64_t id, denied, audited;
};

struct listing {
	const struct options *options;
	const struct policy_image *image;
	struct runtimes *runtimes;
	char *mount;
	int mount_fd;
	struct tallied *tallied; /* by id */
	size_t tallied_length;
	bool counted; /* a daemon has told them */
	uint64_t ids[DF_LEVEL_MAX]; /* of the cgroup at hand and those above it */
	unsigned int top_level; /* of the fenced cgroup */
	struct json json;
	size_t shown;
};

struct subject_row {
	const struct cgroup_found *found;
	struct identity identity;
	struct facts *facts; /* NULL: nothing is known but the path */
	char what[400]; /* "container web (docker)"; "": a cgroup like any other */
	uint32_t rank; /* of its policy */
	bool own; /* by an entry of its own, not of one above it */
	bool users; /* there are entries for users in it */
	const struct tallied *tallied;
};

/* Counters --------------------------------------------------------------------------------------
 */

static int tallied_order(const void *left, const void *right)
{
	const struct tallied *a = left, *b = right;

	return a->id < b->id ? -1 : a->id > b->id;
}

static void listing_read_counters(struct listing *listing)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0, index;
	FILE *to = open_memstream(&text, &size);
	json_t *root, *entry;
	int code;

	if (!to)
		return;
	code = control_request(listing->options->runtime_dir, "subjects", to);
	if (fclose(to) != 0 || code != EXIT_FINE)
		return;
	root = json_loadb(text, size, 0, NULL);
	listing->counted = root != NULL;
	json_array_foreach(json_object_get(root, "cgroups"), index, entry)
	{
		struct tallied *place = ARRAY_APPEND(listing->tallied, listing->tallied_length);

		if (!place)
			break;
		*place = (struct tallied){
			.id = (uint64_t)json_integer_value(json_object_get(entry, "id")),
			.denied = (uint64_t)json_integer_value(json_object_get(entry, "denied")),
			.audited = (uint64_t)json_integer_value(json_object_get(entry, "audited")),
		};
	}
	json_decref(root);
	if (listing->tallied_length)
		qsort(listing->tallied, listing->tallied_length, sizeof(*listing->tallied),
		      tallied_order);
}

static const struct tallied *listing_tallied(const struct listing *listing, uint64_t id)
{
	const struct tallied wanted = {.id = id};

	if (!listing->tallied_length)
		return NULL;
	return bsearch(&wanted, listing->tallied, listing->tallied_length,
		       sizeof(*listing->tallied), tallied_order);
}

/* Entries of users ------------------------------------------------------------------------------
 */

/* The next one from *at on of a user's processes in that cgroup, 0: in every one; NULL: no more. */
static const struct policy_subject *next_user(const struct policy_image *image, uint64_t cgroup_id,
					      size_t *at)
{
	while (*at < image->subjects_length) {
		const struct policy_subject *entry = &image->subjects[(*at)++];

		if (entry->key.cgroup_id == cgroup_id && entry->key.uid != DF_UID_ANY)
			return entry;
	}
	return NULL;
}

static bool has_users(const struct policy_image *image, uint64_t cgroup_id)
{
	size_t at = 0;

	return next_user(image, cgroup_id, &at);
}

/* Rows ------------------------------------------------------------------------------------------
 */

static bool row_is_container(const struct subject_row *row)
{
	return row->identity.container.runtime != RUNTIME_NONE &&
	       row->identity.container.level == row->found->level;
}

static bool row_is_pod(const struct subject_row *row)
{
	return row->identity.pod.uid[0] && row->identity.pod.level == row->found->level;
}

static void describe_container(struct subject_row *row)
{
	const struct identity_container *container = &row->identity.container;
	const char *name = row->facts ? row->facts->container.name : "";
	const char *runtime = identity_runtime_name(row->facts ? row->facts->container.runtime
							       : container->runtime);

	(void)snprintf(row->what, sizeof(row->what), "container %.*s%s%s%s%s%s", *name ? 255 : 12,
		       *name ? name : container->id, runtime ? " (" : "", runtime ? runtime : "",
		       runtime ? ")" : "",
		       row->facts && row->facts->container.image[0] ? " of " : "",
		       row->facts ? row->facts->container.image : "");
}

static void describe(struct subject_row *row)
{
	const struct identity *identity = &row->identity;

	if (row_is_container(row))
		describe_container(row);
	else if (row_is_pod(row) && row->facts && row->facts->pod.name[0])
		(void)snprintf(row->what, sizeof(row->what), "pod %s/%s", row->facts->pod.namespace,
			       row->facts->pod.name);
	else if (row_is_pod(row))
		(void)snprintf(row->what, sizeof(row->what), "pod %s", identity->pod.uid);
	else if (identity_is_at(identity, &identity->user_unit))
		(void)snprintf(row->what, sizeof(row->what), "unit of user %u", identity->user);
	else if (identity_is_at(identity, &identity->unit))
		(void)snprintf(row->what, sizeof(row->what), "unit");
	event_make_printable(row->what);
}

static void row_fill(struct listing *listing, const struct cgroup_found *found,
		     struct subject_row *row)
{
	const uint32_t *own = judge_subject(listing->image, found->id, DF_UID_ANY);
	struct runtimes_problem ignored;

	*row = (struct subject_row){.found = found};
	identity_of_path(found->path, &row->identity);
	if (row_is_container(row) || row_is_pod(row))
		(void)runtimes_read(listing->runtimes, &row->identity, found->path,
				    cgroup_owner(listing->mount_fd, found->path, &row->identity),
				    &row->facts, &ignored);
	describe(row);
	listing->ids[found->level] = found->id;
	row->rank = judge_rank(listing->image, listing->ids, found->level + 1, DF_UID_ANY);
	row->own = own && *own == row->rank;
	row->users = has_users(listing->image, found->id);
	row->tallied = listing_tallied(listing, found->id);
}

static const char *policy_name(const struct listing *listing, uint32_t rank)
{
	return rank < DF_POLICY_MAX ? listing->image->generation.policies[rank].name : "";
}

/* Output ----------------------------------------------------------------------------------------
 */

/* As lines, indented by that many columns. */
static void print_users(const struct listing *listing, uint64_t cgroup_id, int indent)
{
	const struct policy_subject *entry;
	size_t at = 0;

	while ((entry = next_user(listing->image, cgroup_id, &at))) {
		const struct passwd *user = getpwuid(entry->key.uid);
		char place[400];

		if (user)
			(void)snprintf(place, sizeof(place), "%*suser %s", indent, "",
				       user->pw_name);
		else
			(void)snprintf(place, sizeof(place), "%*suser %u", indent, "",
				       entry->key.uid);
		event_make_printable(place);
		printf("%-52s %-16s %srank %u\n", place, policy_name(listing, entry->rank),
		       cgroup_id ? "own, " : "", entry->rank + 1);
	}
}

static void write_users(struct listing *listing, uint64_t cgroup_id)
{
	struct json *to = &listing->json;
	const struct policy_subject *entry;
	size_t at = 0;

	json_list(to, "users");
	while ((entry = next_user(listing->image, cgroup_id, &at))) {
		const struct passwd *user = getpwuid(entry->key.uid);

		json_open(to, NULL);
		json_uint(to, "uid", entry->key.uid);
		json_put_text(to, "name", user ? user->pw_name : NULL);
		json_put(to, "policy", policy_name(listing, entry->rank));
		json_uint(to, "rank", entry->rank + 1);
		json_close(to);
	}
	json_list_end(to);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static void print_row(const struct listing *listing, const struct subject_row *row)
{
	char name[300], place[400];
	int indent = (int)MIN(row->found->level, 16u) * 2;

	(void)snprintf(name, sizeof(name), "%s", last_part(row->found->path));
	event_make_printable(name);
	(void)snprintf(place, sizeof(place), "%*s%s", indent, "", name);
	printf("%-52s %-16s %s", place, policy_name(listing, row->rank),
	       row->own ? "own" : "inherited");
	if (row->own)
		printf(", rank %u", row->rank + 1);
	if (row->what[0])
		printf("  %s", row->what);
	if (row->tallied)
		printf("  denied %llu, audited %llu", (unsigned long long)row->tallied->denied,
		       (unsigned long long)row->tallied->audited);
	putchar('\n');
	print_users(listing, row->found->id, indent + 2);
}

static void write_container(struct json *to, const struct subject_row *row)
{
	const struct facts *facts = row->facts;

	json_open(to, "container");
	json_put(to, "id", row->identity.container.id);
	json_put_text(to, "name", facts ? facts->container.name : NULL);
	json_put_text(to, "image", facts ? facts->container.image : NULL);
	json_put_text(to, "runtime",
		      identity_runtime_name(facts ? facts->container.runtime
						  : row->identity.container.runtime));
	json_close(to);
}

static void write_row(struct listing *listing, const struct subject_row *row)
{
	const struct identity *identity = &row->identity;
	struct json *to = &listing->json;

	json_open(to, NULL);
	json_put(to, "path", row->found->path);
	json_uint(to, "id", row->found->id);
	json_uint(to, "level", row->found->level);
	if (identity_is_at(identity, &identity->unit))
		json_put(to, "unit", identity->unit.name);
	if (identity_is_at(identity, &identity->user_unit))
		json_put(to, "user_unit", identity->user_unit.name);
	if (row_is_container(row))
		write_container(to, row);
	if (row_is_pod(row)) {
		json_open(to, "pod");
		json_put(to, "uid", identity->pod.uid);
		json_put_text(to, "namespace", row->facts ? row->facts->pod.namespace : NULL);
		json_put_text(to, "name", row->facts ? row->facts->pod.name : NULL);
		json_close(to);
	}
	json_put(to, "policy", policy_name(listing, row->rank));
	json_uint(to, "rank", row->rank + 1);
	json_bool(to, "own", row->own);
	if (row->users)
		write_users(listing, row->found->id);
	if (listing->counted) {
		json_uint(to, "denied", row->tallied ? row->tallied->denied : 0);
		json_uint(to, "audited", row->tallied ? row->tallied->audited : 0);
	}
	json_close(to);
}

/*
 * Without --all those that are somebody, or have something of their own. Above the fence nobody has
 * a policy, but what is below may inherit from an entry there.
 */
static bool row_is_shown(const struct listing *listing, const struct subject_row *row)
{
	if (row->found->level < listing->top_level)
		return row->own || row->users;
	return listing->options->all || row->what[0] || row->own || row->users || row->tallied ||
	       row->found->level == listing->top_level;
}

static int listing_walk(struct listing *listing, const char *top)
{
	_cleanup_free_ struct cgroup_walk *walk = malloc(sizeof(*walk));
	struct cgroup_found found;
	int r;

	if (!walk)
		return -ENOMEM;
	listing->top_level = cgroup_level(top);
	cgroup_walk_begin(walk, listing->mount_fd, top);
	while ((r = cgroup_walk_next(walk, &found)) > 0) {
		struct subject_row row;

		row_fill(listing, &found, &row);
		if (row_is_shown(listing, &row)) {
			listing->shown++;
			if (listing->options->json)
				write_row(listing, &row);
			else
				print_row(listing, &row);
		}
		facts_unref(row.facts);
	}
	cgroup_walk_end(walk);
	return r;
}

static int listing_print(struct listing *listing, const char *top, const char *by)
{
	struct json *to = &listing->json;
	int r;

	if (listing->options->json) {
		json_open(to, NULL);
		json_put(to, "by", by);
		json_list(to, "cgroups");
	} else {
		printf("%-52s %-16s %s\n", "CGROUP", "POLICY", "BY");
	}
	r = listing_walk(listing, top);
	if (listing->options->json)
		json_list_end(to);
	if (listing->options->json)
		write_users(listing, 0);
	else
		print_users(listing, 0, 0);
	if (listing->options->json) {
		json_close(to);
		if (json_finish(to) >= 0)
			(void)fwrite(to->text, 1, to->length, stdout);
	}
	return r;
}

/* Before a line is printed. */
static int listing_check_cgroup(const struct listing *listing, const char *path,
				struct problem *problem)
{
	uint64_t id;
	int r = cgroup_id_of(listing->mount_fd, path, &id);

	return r < 0 ? problem_set(problem, -r,
				   "there is no cgroup %s below %s; \"dnsfence subjects --all\" "
				   "lists them",
				   path, listing->mount)
		     : 0;
}

static int listing_open(struct listing *listing, const struct runtime_roots *roots,
			struct problem *problem)
{
	listing->mount_fd = open(listing->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (listing->mount_fd < 0)
		return problem_set(problem, errno, "cannot open %s: %s", listing->mount,
				   strerror(errno));
	if (runtimes_new(roots, &listing->runtimes) < 0)
		return problem_set(problem, ENOMEM, "out of memory");
	runtimes_limit_users(listing->runtimes, RUNTIMES_USERS_US);
	listing_read_counters(listing);
	return 0;
}

static int subjects_run(struct listing *listing, struct prepared *prepared, struct problem *problem)
{
	struct inforce *inforce = calloc(1, sizeof(*inforce));
	bool closed;
	int r;

	if (!inforce)
		return problem_set(problem, ENOMEM, "out of memory");
	closed = inforce_open(listing->options->pin_dir, listing->mount, inforce, problem) >= 0;
	problem->text[0] = 0;
	listing->image = closed ? &inforce->image : &prepared->image;
	r = listing_open(listing, &prepared->config.runtimes, problem);
	if (r >= 0 && !closed)
		r = listing_check_cgroup(listing, listing->options->cgroup, problem);
	if (r >= 0)
		r = listing_print(listing, closed ? inforce->scope : listing->options->cgroup,
				  closed ? "in force" : "configuration");
	if (r >= 0 && !closed)
		log_info("by the configuration: no fence is pinned in %s",
			 listing->options->pin_dir);
	if (r >= 0 && !listing->counted)
		log_info("no daemon answers that could tell counters");
	if (closed)
		inforce_done(inforce);
	free(inforce);
	return r;
}

int cmd_subjects(const struct options *options)
{
	_cleanup_(prepared_done) struct prepared prepared = {0};
	struct listing listing = {.options = options, .mount_fd = -1};
	struct problem problem = {{0}};
	int r = prepare(options, NULL, &prepared, stderr, &problem);

	if (r >= 0) {
		listing.mount = prepared.mount;
		r = subjects_run(&listing, &prepared, &problem);
	}
	util_closep(&listing.mount_fd);
	runtimes_free(listing.runtimes);
	free(listing.tallied);
	json_done(&listing.json);
	return r < 0 ? outcome_fail(r, &problem) : EXIT_FINE;
}
