// SPDX-License-Identifier: GPL-2.0-or-later
#include "resident.h"

#include <fcntl.h>
#include <fts.h>

#include "event.h"
#include "identity.h"
#include "cgroup_owner.h"
#include "runtimes.h"

#define ID_PREFIX_MIN 4 /* letters: fewer are rather a name */

static const struct {
	const char *word, *example;
} kinds[] = {
	[RESIDENT_UNIT] = {"unit", "\"systemctl list-units\" lists them"},
	[RESIDENT_USER_UNIT] = {"user unit", "\"systemctl --user list-units\" lists the own ones"},
	[RESIDENT_CONTAINER] = {"container", "its name, or the beginning of its id, is asked for"},
	[RESIDENT_POD] = {"pod", "NAMESPACE/NAME, NAME or the uid is asked for"},
};

struct walk {
	const struct resident_request *request;
	const char *mount;
	int mount_fd;
	struct runtimes *runtimes;
	struct resident *found;
	size_t count;
	char second[1024];
};

static bool unit_is(const struct identity *identity, const struct identity_unit *unit,
		    const char *name)
{
	size_t length = strlen(name);

	if (!identity_is_at(identity, unit) || strncmp(unit->name, name, length) != 0)
		return false;
	return !unit->name[length] ||
	       (!strchr(name, '.') && util_streq(unit->name + length, ".service"));
}

static int walk_facts(struct walk *walk, const struct identity *identity, const char *path,
		      struct facts **ret)
{
	struct runtimes_problem problem;

	return runtimes_read(walk->runtimes, identity, path,
			     cgroup_owner(walk->mount_fd, path, identity), ret, &problem);
}

static bool container_is(struct walk *walk, const struct identity *identity, const char *path)
{
	const char *name = walk->request->name;
	_cleanup_(facts_unrefp) struct facts *facts = NULL;

	if (identity->container.runtime == RUNTIME_NONE ||
	    identity->container.level != identity->level)
		return false;
	if (strlen(name) >= ID_PREFIX_MIN &&
	    strncmp(identity->container.id, name, strlen(name)) == 0)
		return true;
	(void)walk_facts(walk, identity, path, &facts);
	return facts && util_streq(facts->container.name, name);
}

static bool pod_is(struct walk *walk, const struct identity *identity, const char *path)
{
	const char *name = walk->request->name, *slash = strchr(name, '/');
	_cleanup_(facts_unrefp) struct facts *facts = NULL;
	size_t length = slash ? (size_t)(slash - name) : 0;

	if (!identity->pod.uid[0] || identity->pod.level != identity->level)
		return false;
	if (util_streq(identity->pod.uid, name))
		return true;
	(void)walk_facts(walk, identity, path, &facts);
	if (!facts || !facts->pod.name[0] || !util_streq(facts->pod.name, slash ? slash + 1 : name))
		return false;
	return !slash ||
	       (strncmp(facts->pod.namespace, name, length) == 0 && !facts->pod.namespace[length]);
}

static bool walk_matches(struct walk *walk, const struct identity *identity, const char *path)
{
	const struct resident_request *request = walk->request;

	switch (request->kind) {
	case RESIDENT_UNIT:
		return unit_is(identity, &identity->unit, request->name) ||
		       unit_is(identity, &identity->slice, request->name);
	case RESIDENT_USER_UNIT:
		return (request->uid == IDENTITY_NO_USER || request->uid == identity->user) &&
		       (unit_is(identity, &identity->user_unit, request->name) ||
			unit_is(identity, &identity->user_slice, request->name));
	case RESIDENT_CONTAINER:
		return container_is(walk, identity, path);
	case RESIDENT_POD:
		return pod_is(walk, identity, path);
	}
	return false;
}

static void walk_visit(struct walk *walk, const char *path)
{
	struct resident *found = walk->found;
	struct identity identity;

	identity_of_path(path, &identity);
	if (strlen(path) >= sizeof(found->path) || !walk_matches(walk, &identity, path))
		return;
	if (walk->count++) {
		snprintf(walk->second, sizeof(walk->second), "%s", path);
		return;
	}
	snprintf(found->path, sizeof(found->path), "%s", path);
	found->user = identity.user;
}

static int walk_all(struct walk *walk)
{
	char *roots[] = {(char *)walk->mount, NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);

	if (!tree)
		return -errno;
	for (FTSENT *at; walk->count < 2 && (at = fts_read(tree));)
		if (at->fts_info == FTS_D && at->fts_level > 0)
			walk_visit(walk, at->fts_path + strlen(walk->mount));
	fts_close(tree);
	return 0;
}

static int walk_outcome(struct walk *walk, struct problem *problem)
{
	const struct resident_request *request = walk->request;
	const char *word = kinds[request->kind].word;

	if (!walk->count)
		return problem_set(problem, ENOENT, "no %s '%.100s' has a cgroup on this host; %s",
				   word, request->name, kinds[request->kind].example);
	if (walk->count > 1)
		return problem_set(
			problem, EINVAL,
			"more than one %s is '%.100s': %.300s and %.300s; say more of it, "
			"or name one by --cgroup",
			word, request->name, walk->found->path, walk->second);
	snprintf(walk->found->what, sizeof(walk->found->what), "%s %.150s", word, request->name);
	event_make_printable(walk->found->what);
	return 0;
}

int resident_find(const struct resident_request *request, const char *mount, struct resident *ret,
		  struct problem *problem)
{
	_cleanup_close_ int fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(runtimes_freep) struct runtimes *runtimes = NULL;
	static const struct runtime_roots standard;
	struct resident found = {.user = IDENTITY_NO_USER};
	struct walk walk = {.request = request, .mount = mount, .mount_fd = fd, .found = &found};
	int r = fd < 0 ? -errno : runtimes_new(request->roots ?: &standard, &runtimes);

	walk.runtimes = runtimes;
	if (r == 0) {
		runtimes_limit_users(runtimes, RUNTIMES_USERS_US);
		r = walk_all(&walk);
	}
	if (r < 0)
		return problem_set(problem, -r, "cannot look through %s: %s", mount, strerror(-r));
	r = walk_outcome(&walk, problem);
	if (r == 0)
		*ret = found;
	return r;
}
