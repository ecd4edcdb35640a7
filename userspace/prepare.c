// SPDX-License-Identifier: GPL-2.0-or-later
#include "prepare.h"

#include <libgen.h>
#include <malloc.h>
#include <net/if.h>

#include "builtin.h"
#include "cgroup.h"
#include "edge.h"
#include "log.h"

#define BUILTIN_NAME "built-in policy"

void prepared_done(struct prepared *prepared)
{
	free(prepared->mount);
	config_done(&prepared->config);
	subjects_done(&prepared->subjects);
	policy_image_done(&prepared->image);
	*prepared = (struct prepared){0};
}

static int prepare_builtin(struct config *config, struct diagnostics *diagnostics,
			   struct problem *problem)
{
	_cleanup_free_ char *text = NULL;
	int r = builtin_policy(NULL, &text);

	if (r < 0)
		return problem_set(problem, -r, "cannot read /etc/resolv.conf: %s", strerror(-r));
	if (r > 0)
		config_warning(diagnostics, (struct mark){.file = BUILTIN_NAME},
			       "a resolver on this host's loopback has no policy of its own, and "
			       "its lookups are blocked with everyone's; \"dnsfence init\" says "
			       "why");
	r = config_load_text(text, strlen(text), BUILTIN_NAME, config, diagnostics);
	config->builtin = true;
	return r;
}

static int prepare_config(const struct options *options, struct config *config,
			  struct diagnostics *diagnostics, struct problem *problem)
{
	const char *path = options->config ? options->config : CONFIG_DEFAULT_PATH;
	int r = config_load(path, config, diagnostics);

	if (r != -ENOENT)
		return r;
	if (options->config)
		return problem_set(problem, ENOENT,
				   "%s: there is no such file; \"dnsfence init > %s\" makes one",
				   path, path);
	return prepare_builtin(config, diagnostics, problem);
}

/* A name without a glob must be there; what comes and goes is written as a glob. */
static bool names_exist(const struct words *words, const char *key, struct mark where,
			struct diagnostics *diagnostics)
{
	bool all = true;

	for (size_t i = 0; i < words->length; i++) {
		if (strpbrk(words->list[i], "*?[") || if_nametoindex(words->list[i]))
			continue;
		config_error(diagnostics, where,
			     "%s: there is no interface '%s'; create it first, or write a glob for "
			     "one that comes and goes",
			     key, words->list[i]);
		all = false;
	}
	return all;
}

static bool edge_names_exist(const struct config *config, struct diagnostics *diagnostics)
{
	bool interfaces = config->edge.mode != EDGE_NAMED ||
			  names_exist(&config->edge.interfaces, "edge.interfaces",
				      config->edge.interfaces_where, diagnostics);

	return names_exist(&config->edge.uplinks, "edge.uplinks", config->edge.uplinks_where,
			   diagnostics) &&
	       interfaces;
}

struct edge_complaint {
	struct diagnostics *diagnostics;
	struct mark where;
};

static void complain_of_interface(void *context, const char *interface, const char *problem)
{
	const struct edge_complaint *complaint = context;

	config_error(complaint->diagnostics, complaint->where,
		     "edge.interfaces: %s cannot be fenced: %s", interface, problem);
}

/* Before anything is done, so that a load or reload that fails has changed nothing. */
static int prepare_check_edge(const struct config *config, const char *cgroup,
			      struct diagnostics *diagnostics, struct problem *problem)
{
	struct edge_complaint complaint = {diagnostics, config->edge.interfaces_where};

	if (config->edge.mode == EDGE_AUTO &&
	    !edge_config_asks(&config->edge, cgroup_level(cgroup)))
		config_warning(
			diagnostics, config->edge.interfaces_where,
			"edge.interfaces: auto fences none with --cgroup %s, for most of what "
			"passes them is others'; name those that are meant",
			cgroup);
	if (!edge_names_exist(config, diagnostics))
		return -EINVAL;
	return config->edge.mode == EDGE_NAMED
		       ? edge_check(&config->edge, complain_of_interface, &complaint, problem)
		       : 0;
}

/* run makes the directory of the log, not those above it. */
static void prepare_check_log(const struct config *config, struct diagnostics *diagnostics)
{
	_cleanup_free_ char *path = config->events_file ? strdup(config->events_file) : NULL;
	const char *above = path ? dirname(dirname(path)) : NULL;

	if (above && access(above, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
		config_error(diagnostics, config->events_file_where,
			     "file: there is no directory %s; create it first", above);
}

static int prepare_all(const struct options *options, struct prepared *prepared,
		       struct diagnostics *diagnostics, struct problem *problem)
{
	int r = prepare_config(options, &prepared->config, diagnostics, problem);

	if (r < 0)
		return r;
	if (cgroup_find_mount(&prepared->mount) < 0)
		return problem_set(
			problem, ENOTSUP,
			"no cgroup2 hierarchy is mounted in this mount namespace (\"ip netns "
			"exec\" hides it, \"nsenter --net\" does not); mount one (mount -t cgroup2 "
			"none "
			"/sys/fs/cgroup), or boot with systemd.unified_cgroup_hierarchy=1");
	prepare_check_log(&prepared->config, diagnostics);
	r = subjects_resolve(&prepared->config, prepared->mount, true, &prepared->subjects,
			     diagnostics);
	if (r < 0)
		return r == -EINVAL ? r : problem_set(problem, -r, "out of memory");
	r = prepare_check_edge(&prepared->config, options->cgroup, diagnostics, problem);
	if (r < 0)
		return r;
	r = policy_compile(&prepared->config, prepared->subjects.list, prepared->subjects.length,
			   &prepared->image);
	return r < 0 ? problem_set(problem, -r, "cannot compile the policy: %s", strerror(-r)) : 0;
}

int prepare(const struct options *options, struct prepared *ret, FILE *to, struct problem *problem)
{
	_cleanup_(prepared_done) struct prepared prepared = {0};
	_cleanup_(diagnostics_done) struct diagnostics diagnostics = {0};
	int r;

	problem->text[0] = 0;
	r = prepare_all(options, &prepared, &diagnostics, problem);
	(options->json ? diagnostics_print_json : diagnostics_print)(&diagnostics, to);
	if (diagnostics.errors)
		return -EINVAL;
	if (r < 0)
		return r;
	*ret = prepared;
	prepared = (struct prepared){0};
	return 0;
}

int prepare_again(struct prepared *prepared)
{
	_cleanup_(diagnostics_done) struct diagnostics diagnostics = {0};
	struct subject_list subjects = {0};
	int r;

	if (!prepared->subjects.follows)
		return 0;
	r = subjects_resolve(&prepared->config, prepared->mount, false, &subjects, &diagnostics);
	if (r < 0)
		return r;
	if (subjects_equal(&subjects, &prepared->subjects)) {
		subjects_done(&subjects);
		return 0;
	}
	r = policy_set_subjects(&prepared->image, subjects.list, subjects.length);
	if (r < 0) {
		subjects_done(&subjects);
		return r;
	}
	subjects_done(&prepared->subjects);
	prepared->subjects = subjects;
	return 1;
}

void prepared_shrink(struct prepared *prepared)
{
	struct config *config = &prepared->config;

	for (size_t i = 0; i < config->sets_length; i++) {
		free(config->sets[i].resolvers);
		config->sets[i].resolvers = NULL;
		config->sets[i].length = 0;
	}
	if (!prepared->subjects.follows)
		policy_image_done(&prepared->image);
	(void)malloc_trim(0);
}
