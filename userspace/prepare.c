// SPDX-License-Identifier: GPL-2.0-or-later
#include "prepare.h"

#include <fcntl.h>
#include <libgen.h>
#include <malloc.h>
#include <net/if.h>
#include <sys/stat.h>

#include "builtin.h"
#include "cgroup.h"
#include "edge.h"
#include "ipsec.h"
#include "log.h"
#include "runtimes.h"

void prepared_done(struct prepared *prepared)
{
	if (prepared->mount)
		util_closep(&prepared->mount_fd);
	free(prepared->mount);
	census_done(&prepared->census);
	config_done(&prepared->config);
	subjects_done(&prepared->frames);
	policy_image_done(&prepared->image);
	*prepared = (struct prepared){0};
}

void prepared_move(struct prepared *to, struct prepared *from)
{
	*to = *from;
	to->census.config = &to->config;
	*from = (struct prepared){0};
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
static bool names_exist(const struct words *words, const char *key, struct diagnostics *diagnostics)
{
	bool all = true;

	for (size_t i = 0; i < words->length; i++) {
		const struct word *word = &words->list[i];

		if (word_is_glob(word->text) || if_nametoindex(word->text))
			continue;
		config_error(diagnostics, word->where,
			     "%s: there is no interface '%s'; create it first, or write a glob for "
			     "one that comes and goes",
			     key, word->text);
		all = false;
	}
	return all;
}

static bool edge_names_exist(const struct config *config, struct diagnostics *diagnostics)
{
	bool interfaces = config->edge.mode != EDGE_NAMED ||
			  names_exist(&config->edge.interfaces, "edge.interfaces", diagnostics);

	return names_exist(&config->edge.uplinks, "edge.uplinks", diagnostics) && interfaces;
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

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* What another user may not see is not gone. */
static bool is_missing(const char *path)
{
	return access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* run makes the directory of the log, not those above it. */
static void prepare_check_log(const struct config *config, struct diagnostics *diagnostics)
{
	_cleanup_free_ char *path = config->events_file ? strdup(config->events_file) : NULL;
	const char *above;

	if (!path)
		return;
	if (is_directory(path))
		config_error(diagnostics, config->events_file_where,
			     "file: %s is a directory; name a file in it", path);
	(void)dirname(path);
	if (access(path, F_OK) == 0 && !is_directory(path))
		config_error(diagnostics, config->events_file_where,
			     "file: %s is no directory, and can hold no log; name another", path);
	above = dirname(path);
	if (is_missing(above))
		config_error(diagnostics, config->events_file_where,
			     "file: there is no directory %s; create it first", above);
}

/* Nobody makes a directory for these, but for the runtime directory. */
static void prepare_check_socket(const char *path, const char *key, struct mark where,
				 const char *runtime_dir, struct diagnostics *diagnostics)
{
	_cleanup_free_ char *copy = path ? strdup(path) : NULL;
	const char *above = copy ? dirname(copy) : NULL;

	if (above && is_missing(above) && !util_streq(above, runtime_dir))
		config_error(diagnostics, where, "%s: there is no directory %s; create it first",
			     key, above);
}

static void prepare_check_sockets(const struct config *config, const char *runtime_dir,
				  struct diagnostics *diagnostics)
{
	prepare_check_socket(config->events_socket, "socket", config->events_socket_where,
			     runtime_dir, diagnostics);
	if (config->metrics_listen.kind == ENDPOINT_UNIX)
		prepare_check_socket(config->metrics_listen.path, "listen",
				     config->metrics_listen_where, runtime_dir, diagnostics);
}

/* Nobody's lookups wait for this: it is written as soon as it can be. */
static void prepare_check_textfile(const struct config *config, struct diagnostics *diagnostics)
{
	_cleanup_free_ char *copy = config->metrics_file ? strdup(config->metrics_file) : NULL;
	const char *above = copy ? dirname(copy) : NULL;

	if (above && is_missing(above))
		config_warning(diagnostics, config->metrics_file_where,
			       "textfile: there is no directory %s; the metrics are not written "
			       "until there is one",
			       above);
}

static int prepare_mount(struct prepared *prepared, struct problem *problem)
{
	_cleanup_free_ char *mount = NULL;
	int r = cgroup_find_mount(&mount);

	if (r < 0)
		return cgroup_refuse_mount(r, problem);
	prepared->mount_fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (prepared->mount_fd < 0)
		return problem_set(problem, errno, "cannot open %s: %s", mount, strerror(errno));
	prepared->mount = TAKE_PTR(mount);
	return 0;
}

/* For who has no catalog: the files themselves, with all the time that takes. */
struct files {
	struct runtimes *runtimes;
	struct runtimes_problem said;
};

static int files_read(void *context, const struct census_cgroup *cgroup,
		      const struct identity *identity, uint32_t owner, struct facts **ret)
{
	struct files *files = context;
	struct runtimes_problem problem = {{0}};
	int r = runtimes_read(files->runtimes, identity, cgroup->path, owner, ret, &problem);

	if (problem.text[0] && !util_streq(problem.text, files->said.text)) {
		log_warning("%s", problem.text);
		files->said = problem;
	}
	return r;
}

/* All there are now, those of frames also on their own. */
static int prepared_resolve(struct prepared *prepared, const char *top, struct subject_list *ret)
{
	const struct config *config = &prepared->config;
	int r = subjects_add_users(config, ret);

	if (r == 0 && subjects_have_cgroups(config))
		r = census_fill(&prepared->census, top, ret);
	if (r == 0)
		r = subjects_add_frames(config, &prepared->frames);
	return r == 0 ? subjects_append(ret, &prepared->frames) : r;
}

/* Who the policies are for. What is not found is an error before the first cgroup is visited. */
static int prepare_subjects(struct prepared *prepared, const char *top,
			    const struct facts_source *facts, struct subject_list *ret,
			    struct diagnostics *diagnostics)
{
	struct config *config = &prepared->config;
	size_t before = diagnostics->errors;
	struct files files = {0};
	uint64_t ignored;
	int r = 0;

	subjects_find_users(config, diagnostics);
	subjects_find_paths(config, prepared->mount_fd, prepared->mount, true, diagnostics);
	if (diagnostics->errors > before)
		return -EINVAL;
	if (cgroup_id_of(prepared->mount_fd, top, &ignored) < 0)
		return -ENOENT;
	census_init(&prepared->census, config, prepared->mount_fd);
	if (!subjects_need_facts(config))
		return prepared_resolve(prepared, top, ret);
	if (!facts)
		r = runtimes_new(&config->runtimes, &files.runtimes);
	if (r < 0)
		return r;
	if (!facts)
		runtimes_limit_users(files.runtimes, RUNTIMES_USERS_US);
	prepared->census.facts = facts ? *facts : (struct facts_source){files_read, &files};
	r = prepared_resolve(prepared, top, ret);
	if (!facts)
		prepared->census.facts = (struct facts_source){0};
	runtimes_free(files.runtimes);
	return r;
}

static int prepare_all(const struct options *options, const struct facts_source *facts,
		       struct prepared *prepared, struct diagnostics *diagnostics,
		       struct problem *problem)
{
	_cleanup_(subjects_done) struct subject_list subjects = {0};
	int r = prepare_config(options, &prepared->config, diagnostics, problem), edge;

	if (r >= 0)
		r = prepare_mount(prepared, problem);
	if (r < 0)
		return r;
	prepare_check_log(&prepared->config, diagnostics);
	prepare_check_sockets(&prepared->config, options->runtime_dir, diagnostics);
	prepare_check_textfile(&prepared->config, diagnostics);
	edge = prepare_check_edge(&prepared->config, options->cgroup, diagnostics, problem);
	r = prepare_subjects(prepared, options->cgroup, facts, &subjects, diagnostics);
	if (r == -ENOENT)
		return problem_set(problem, ENOENT,
				   "there is no cgroup %s below %s that could be fenced; give "
				   "another --cgroup",
				   options->cgroup, prepared->mount);
	if (r < 0)
		return r == -EINVAL ? r : problem_set(problem, -r, "%s", strerror(-r));
	if (edge < 0)
		return edge;
	r = policy_compile(&prepared->config, subjects.list, subjects.length, &prepared->image);
	if (r < 0)
		return problem_set(problem, -r, "cannot compile the policy: %s", strerror(-r));
	/* Where that cannot be told the packet hook refuses what it cannot read, see enforce.h. */
	if (ipsec_transforms() > 0)
		prepared->image.generation.flags |= DF_GEN_CALLS;
	return 0;
}

int prepare(const struct options *options, const struct facts_source *facts, struct prepared *ret,
	    FILE *to, struct problem *problem)
{
	_cleanup_(prepared_done) struct prepared prepared = {0};
	_cleanup_(diagnostics_done) struct diagnostics diagnostics = {0};
	int r;

	problem->text[0] = 0;
	r = prepare_all(options, facts, &prepared, &diagnostics, problem);
	(options->json ? diagnostics_print_json : diagnostics_print)(&diagnostics, to);
	if (diagnostics.errors)
		return -EINVAL;
	if (r < 0)
		return r;
	prepared_move(ret, &prepared);
	return 0;
}

int prepare_again(struct prepared *prepared)
{
	_cleanup_(subjects_done) struct subject_list frames = {0};
	int r;

	if (!subjects_have_interfaces(&prepared->config))
		return 0;
	r = subjects_add_frames(&prepared->config, &frames);
	if (r < 0 || subjects_equal(&frames, &prepared->frames))
		return r;
	r = policy_set_frames(&prepared->image, frames.list, frames.length);
	if (r < 0)
		return r;
	subjects_done(&prepared->frames);
	prepared->frames = frames;
	frames = (struct subject_list){0};
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
	if (!subjects_have_cgroups(config) && !subjects_have_interfaces(config))
		policy_image_done(&prepared->image);
	(void)malloc_trim(0);
}
