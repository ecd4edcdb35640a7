// SPDX-License-Identifier: GPL-2.0-or-later
#include "asker.h"

#include <ctype.h>
#include <fcntl.h>
#include <pwd.h>

#include "cgroup.h"
#include "event.h"
#include "identity.h"
#include "owners.h"
#include "resident.h"
#include "subjects.h"

static int asker_of_process(uint32_t pid, struct asker *asker, struct problem *problem)
{
	char name[64];

	owners_process_cgroup(pid, asker->cgroup, sizeof(asker->cgroup));
	owners_process_name(pid, name, sizeof(name));
	event_make_printable(name);
	if (!asker->cgroup[0] || owners_process_user(pid, &asker->uid) < 0)
		return problem_set(problem, ENOENT, "there is no process %u in a cgroup of cgroup2",
				   pid);
	if (strncmp(asker->cgroup, "/..", 3) == 0)
		return problem_set(problem, ENOENT,
				   "process %u is outside of this cgroup namespace; ask on the "
				   "host",
				   pid);
	snprintf(asker->what, sizeof(asker->what), "process %u (%s)", pid, name);
	return 0;
}

static int asker_of_pid(const char *text, struct asker *asker, struct problem *problem)
{
	unsigned long pid;
	char *end;

	errno = 0;
	pid = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end || errno || !pid || pid > INT32_MAX)
		return problem_set(problem, EINVAL, "--pid takes a process id, not '%.40s'", text);
	return asker_of_process((uint32_t)pid, asker, problem);
}

static int asker_of_self(struct asker *asker, struct problem *problem)
{
	int r = asker_of_process((uint32_t)getpid(), asker, problem);

	snprintf(asker->what, sizeof(asker->what), "this process");
	asker->self = true;
	return r;
}

static int asker_of_cgroup(const char *path, struct asker *asker, struct problem *problem)
{
	if (cgroup_path_clean(path, asker->cgroup, sizeof(asker->cgroup)) < 0)
		return problem_set(problem, EINVAL,
				   "--cgroup takes a plain path that begins with /, below the "
				   "cgroup2 mount; not '%.200s'",
				   path);
	return 0;
}

/* Which of the kinds that have to be looked for, and its name; NULL: none. */
static const char *request_resident(const struct asker_request *request, enum resident_kind *ret)
{
	const char *names[] = {
		[RESIDENT_UNIT] = request->unit,
		[RESIDENT_USER_UNIT] = request->user_unit,
		[RESIDENT_CONTAINER] = request->container,
		[RESIDENT_POD] = request->pod,
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i]) {
			*ret = i;
			return names[i];
		}
	return NULL;
}

static int request_check(const struct asker_request *request, struct problem *problem)
{
	const struct {
		const char *option, *given;
	} ways[] = {
		{"cgroup", request->cgroup},       {"pid", request->pid},
		{"unit", request->unit},           {"user-unit", request->user_unit},
		{"container", request->container}, {"pod", request->pod},
	};
	const char *first = NULL;

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		if (ways[i].given && first)
			return problem_set(problem, EINVAL,
					   "who asks is in one cgroup: give --%s or --%s, not both",
					   first, ways[i].option);
		if (ways[i].given)
			first = ways[i].option;
	}
	return 0;
}

/* What a user's own manager runs is that user's. */
static int asker_of_resident(const struct asker_request *request, const char *mount,
			     struct asker *asker, struct problem *problem)
{
	struct resident_request wanted = {.uid = IDENTITY_NO_USER, .roots = request->roots};
	struct resident resident;
	int r;

	wanted.name = request_resident(request, &wanted.kind);
	if (request->user)
		(void)subjects_find_user(request->user, &wanted.uid);
	r = resident_find(&wanted, mount, &resident, problem);
	if (r < 0)
		return r;
	memcpy(asker->cgroup, resident.path, sizeof(asker->cgroup));
	memcpy(asker->what, resident.what, sizeof(asker->what));
	if (request->user_unit)
		asker->uid = resident.user;
	return 0;
}

static int asker_set_user(const char *user, struct asker *asker, struct problem *problem)
{
	uint32_t uid;

	if (!user)
		return 0;
	if (subjects_find_user(user, &uid) < 0)
		return problem_set(problem, ENOENT,
				   "this host knows no user '%.60s'; write the uid", user);
	asker->self = asker->self && uid == asker->uid;
	asker->uid = uid;
	return 0;
}

static int asker_place(const char *mount, const char *scope, struct asker *asker,
		       struct problem *problem)
{
	_cleanup_close_ int fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno
		       : cgroup_ancestors(fd, asker->cgroup, asker->ancestors, DF_LEVEL_MAX);

	if (r < 0)
		return problem_set(problem, ENOENT,
				   "there is no cgroup %s%s%s%s; \"find %s -type d\" lists them",
				   mount, asker->cgroup, r == -ENOENT ? "" : ": ",
				   r == -ENOENT ? "" : strerror(-r), mount);
	asker->levels = (size_t)r;
	asker->outside = !cgroup_is_below(asker->cgroup, scope);
	return 0;
}

static void asker_name_user(struct asker *asker)
{
	const struct passwd *user = asker->uid == DF_UID_ANY ? NULL : getpwuid(asker->uid);

	if (!user)
		return;
	snprintf(asker->user, sizeof(asker->user), "%s", user->pw_name);
	event_make_printable(asker->user);
}

int asker_find(const struct asker_request *request, const char *mount, const char *scope,
	       struct asker *ret, struct problem *problem)
{
	struct asker asker = {.uid = DF_UID_ANY};
	enum resident_kind ignored;
	int r = request_check(request, problem);

	if (r < 0)
		return r;
	if (request_resident(request, &ignored))
		r = asker_of_resident(request, mount, &asker, problem);
	else if (request->pid)
		r = asker_of_pid(request->pid, &asker, problem);
	else if (request->cgroup)
		r = asker_of_cgroup(request->cgroup, &asker, problem);
	else if (request->user) /* a process of that user for which no cgroup matters */
		r = asker_of_cgroup(scope, &asker, problem);
	else
		r = asker_of_self(&asker, problem);
	if (r == 0)
		r = asker_set_user(request->user, &asker, problem);
	if (r == 0)
		r = asker_place(mount, scope, &asker, problem);
	if (r < 0)
		return r;
	asker_name_user(&asker);
	*ret = asker;
	return 0;
}
