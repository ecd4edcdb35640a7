// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The files of a configuration, in their order, and what only the whole of them can show to be
 * wrong. What the keys mean is config_read.c's matter.
 */
#include "config.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <libgen.h>
#include <sys/stat.h>

#include "bpf/service.h"
#include "config_covers.h"
#include "config_read.h"
#include "escape.h"

#define DROPINS "/dnsfence.d/*.yaml"
#define DROPINS_UNREAD "/dnsfence.d/*.yml"

void config_init(struct config *config)
{
	*config = (struct config){
		.mode = MODE_ENFORCE,
		.on_deny = EPERM,
		.services = 1u << DF_SERVICE_DNS | 1u << DF_SERVICE_DOT | 1u << DF_SERVICE_DOQ,
		.events_stdout = true,
		.rotate_keep = 5,
		.syslog_facility = SYSLOG_FACILITY_DAEMON,
		.queue_size = 1024 * 1024,
		.metrics_interval = 15,
		.ring_kib = 1024,
	};
}

void words_done(struct words *words)
{
	for (size_t i = 0; i < words->length; i++)
		free(words->list[i].text);
	free(words->list);
	*words = (struct words){0};
}

int words_copy(const struct words *from, struct words *ret)
{
	struct words words = {0};

	for (size_t i = 0; i < from->length; i++) {
		struct word *place = ARRAY_APPEND(words.list, words.length);

		if (!place || !(place->text = strdup(from->list[i].text))) {
			words_done(&words);
			return -ENOMEM;
		}
	}
	*ret = words;
	return 0;
}

void runtime_roots_done(struct runtime_roots *roots)
{
	free(roots->host);
	words_done(&roots->docker);
	words_done(&roots->containerd);
	words_done(&roots->crio);
	words_done(&roots->podman);
	words_done(&roots->pods);
	*roots = (struct runtime_roots){0};
}

int runtime_roots_copy(const struct runtime_roots *from, struct runtime_roots *ret)
{
	struct runtime_roots roots = {.host = from->host ? strdup(from->host) : NULL};

	if ((from->host && !roots.host) || words_copy(&from->docker, &roots.docker) < 0 ||
	    words_copy(&from->containerd, &roots.containerd) < 0 ||
	    words_copy(&from->crio, &roots.crio) < 0 ||
	    words_copy(&from->podman, &roots.podman) < 0 ||
	    words_copy(&from->pods, &roots.pods) < 0) {
		runtime_roots_done(&roots);
		return -ENOMEM;
	}
	*ret = roots;
	return 0;
}

static bool words_equal(const struct words *a, const struct words *b)
{
	for (size_t i = 0; a->length == b->length && i < a->length; i++)
		if (!util_streq(a->list[i].text, b->list[i].text))
			return false;
	return a->length == b->length;
}

bool runtime_roots_equal(const struct runtime_roots *a, const struct runtime_roots *b)
{
	return util_streq(a->host ? a->host : "/", b->host ? b->host : "/") &&
	       words_equal(&a->docker, &b->docker) && words_equal(&a->containerd, &b->containerd) &&
	       words_equal(&a->crio, &b->crio) && words_equal(&a->podman, &b->podman) &&
	       words_equal(&a->pods, &b->pods);
}

static void label_matches_done(struct label_matches *labels)
{
	for (size_t i = 0; i < labels->length; i++) {
		free(labels->list[i].key);
		words_done(&labels->list[i].values);
	}
	free(labels->list);
}

static void users_done(struct users *users)
{
	words_done(&users->words);
	free(users->uids);
}

static void match_done(struct match *match)
{
	words_done(&match->cgroups);
	words_done(&match->units);
	words_done(&match->user_units);
	words_done(&match->container.names);
	words_done(&match->container.images);
	words_done(&match->container.ids);
	label_matches_done(&match->container.labels);
	users_done(&match->container.owners);
	words_done(&match->pod.namespaces);
	words_done(&match->pod.names);
	label_matches_done(&match->pod.labels);
	users_done(&match->users);
	words_done(&match->interfaces);
	free(match->sources.list);
}

static void policy_config_done(struct policy_config *policy)
{
	for (size_t i = 0; i < policy->sets_length; i++)
		free(policy->sets[i]);
	free(policy->sets);
	free(policy->set_marks);
	free(policy->name);
	match_done(&policy->match);
}

void config_done(struct config *config)
{
	for (size_t i = 0; i < config->sets_length; i++) {
		free(config->sets[i].name);
		free(config->sets[i].resolvers);
	}
	free(config->sets);
	for (size_t i = 0; i < config->policies_length; i++)
		policy_config_done(&config->policies[i]);
	free(config->policies);
	for (size_t i = 0; i < config->files_length; i++)
		free(config->files[i]);
	free(config->files);
	free(config->events_file);
	free(config->events_socket);
	endpoint_done(&config->metrics_listen);
	free(config->metrics_file);
	for (size_t i = 0; i < config->syslog.length; i++)
		endpoint_done(&config->syslog.list[i].target);
	free(config->syslog.list);
	words_done(&config->edge.interfaces);
	words_done(&config->edge.uplinks);
	runtime_roots_done(&config->runtimes);
	*config = (struct config){0};
}

bool word_is_glob(const char *text)
{
	return strpbrk(text, "*?[") != NULL;
}

/* A backslash is a character of some names, as in those that systemd escapes; [*] is a star. */
static bool word_matches(const char *word, const char *text)
{
	return word_is_glob(word) ? fnmatch(word, text, FNM_NOESCAPE) == 0 : util_streq(word, text);
}

bool words_match(const struct words *words, const char *text)
{
	for (size_t i = 0; i < words->length; i++)
		if (word_matches(words->list[i].text, text))
			return true;
	return false;
}

const struct resolver_set *config_find_set(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->sets_length; i++)
		if (util_streq(config->sets[i].name, name))
			return &config->sets[i];
	return NULL;
}

static void config_check_resolver(const struct config *config, const struct resolver *resolver,
				  struct diagnostics *diagnostics)
{
	if (resolver->services & ~config->services)
		config_warning(diagnostics, resolver->where,
			       "this resolver is listed for a service that is not fenced; see "
			       "services");
	for (uint32_t service = 0; service < DF_SERVICE_MAX; service++)
		if ((resolver->services & (1u << service)) && resolver->protocols &&
		    !(service_protocols(service) & resolver->protocols))
			config_error(diagnostics, resolver->where,
				     "protocol: this service is not spoken over that protocol");
	if (resolver->port && resolver->services & (resolver->services - 1))
		config_error(diagnostics, resolver->where,
			     "port: one port can carry one service only");
}

static void config_check_policy(const struct config *config, size_t index,
				struct diagnostics *diagnostics)
{
	const struct policy_config *policy = &config->policies[index];

	for (size_t i = 0; i < policy->sets_length; i++)
		if (util_streq(policy->sets[i], "any"))
			config_error(diagnostics, policy->set_marks[i],
				     "any is no resolver set; it stands alone: resolvers: any");
		else if (!config_find_set(config, policy->sets[i]))
			config_error(diagnostics, policy->set_marks[i],
				     "there is no resolver set '%s'; name one under resolvers:",
				     policy->sets[i]);
	for (size_t i = 0; policy->name && i < index; i++)
		if (config->policies[i].name && util_streq(config->policies[i].name, policy->name))
			config_error(diagnostics, policy->where,
				     "the name '%s' is taken by the policy in %s:%u", policy->name,
				     config->policies[i].where.file,
				     config->policies[i].where.line);
}

/* The first policy that matches decides: one behind it that matches no more never does. */
static void config_check_order(const struct config *config, size_t index,
			       struct diagnostics *diagnostics)
{
	const struct policy_config *policy = &config->policies[index];

	for (size_t i = 0; policy->has_match && i < index; i++) {
		const struct policy_config *before = &config->policies[i];

		if (!config_match_covers(&before->match, &policy->match))
			continue;
		config_warning(diagnostics, policy->where,
			       "the policy '%s' never decides: '%s' in %s:%u comes first "
			       "and matches all that it does; put it before that one, or remove it",
			       policy->name, before->name, before->where.file, before->where.line);
		return;
	}
}

/* Drop-ins may each name interfaces; auto and off are for one file to say. */
static void config_check_edge(struct config *config, struct diagnostics *diagnostics)
{
	const struct words *words = &config->edge.interfaces;
	size_t special = 0;

	config->edge.mode = words->length ? EDGE_NAMED : EDGE_OFF;
	for (size_t i = 0; i < words->length; i++) {
		bool is_auto = util_streq(words->list[i].text, "auto");

		if (!is_auto && !util_streq(words->list[i].text, "off"))
			continue;
		special++;
		config->edge.mode = is_auto ? EDGE_AUTO : EDGE_OFF;
	}
	if (special && words->length > 1)
		config_error(
			diagnostics, config->edge.interfaces_where,
			"edge.interfaces: auto and off cannot be joined with what another file "
			"names");
	if (config->edge.mode == EDGE_OFF && config->edge.uplinks.length)
		config_error(diagnostics, config->edge.uplinks_where,
			     "edge.uplinks says only which way an interface is fenced, and "
			     "edge.interfaces is off: set it to auto or name them there, too");
}

static void config_check_events(const struct config *config, const struct mark *whole,
				struct diagnostics *diagnostics)
{
	const struct syslog_targets *syslog = &config->syslog;

	if (config->rotate_size && !config->events_file)
		config_error(diagnostics, *whole,
			     "events.rotate: there is no events.file that could be rotated");
	for (size_t i = 0; i < syslog->length; i++)
		for (size_t j = 0; j < i; j++)
			if (util_streq(syslog->list[i].target.text, syslog->list[j].target.text))
				config_error(diagnostics, syslog->list[i].where,
					     "events.syslog.to: %s is named twice",
					     syslog->list[i].target.text);
	if (syslog->length > CONFIG_SYSLOG_MAX)
		config_error(diagnostics, syslog->list[CONFIG_SYSLOG_MAX].where,
			     "events.syslog.to: at most %d syslog daemons get the events",
			     CONFIG_SYSLOG_MAX);
}

/* node_exporter reads nothing else. */
static void config_check_metrics(const struct config *config, struct diagnostics *diagnostics)
{
	size_t length = config->metrics_file ? strlen(config->metrics_file) : 0;

	if (config->metrics_file &&
	    (length < 6 || !util_streq(config->metrics_file + length - 5, ".prom")))
		config_error(diagnostics, config->metrics_file_where,
			     "metrics.textfile: the name has to end with .prom, or node_exporter "
			     "will not read it");
}

/* What only the whole configuration can show. */
static void config_check(struct config *config, struct diagnostics *diagnostics)
{
	struct mark whole = {.file = config->files_length ? config->files[0] : NULL};
	const struct policy_config *last =
		config->policies_length ? &config->policies[config->policies_length - 1] : NULL;
	const struct policy_config *first_default = NULL;

	if (config->policies_length > DF_POLICY_MAX) {
		config_error(diagnostics, whole, "%zu policies; at most %d fit",
			     config->policies_length, DF_POLICY_MAX);
		return;
	}
	for (size_t i = 0; i < config->sets_length; i++)
		for (size_t j = 0; j < config->sets[i].length; j++)
			config_check_resolver(config, &config->sets[i].resolvers[j], diagnostics);
	for (size_t i = 0; i < config->policies_length; i++) {
		config_check_policy(config, i, diagnostics);
		if (!config->policies[i].has_match && !first_default)
			first_default = &config->policies[i];
	}
	if (!first_default && !config->policies_unread)
		config_error(diagnostics, last ? last->where : whole,
			     "no default policy: end policies with one that has no match, as in "
			     "{name: default, resolvers: []}");
	else if (first_default && first_default != last)
		config_error(diagnostics, last->where,
			     "more than one policy has no match, as the one in %s:%u; only one can "
			     "be the default",
			     first_default->where.file, first_default->where.line);
	config_check_edge(config, diagnostics);
	config_check_events(config, &whole, diagnostics);
	config_check_metrics(config, diagnostics);
	for (size_t i = 0; !diagnostics->errors && i < config->policies_length; i++)
		config_check_order(config, i, diagnostics);
}

/*
 * One file's text into the configuration; name becomes owned by it. false when it could not be
 * read as keys and values at all.
 */
static bool config_read_text(struct config *config, const char *text, size_t length, char *name,
			     struct diagnostics *diagnostics)
{
	_cleanup_(node_freep) struct node *root = NULL;
	char **place = ARRAY_APPEND(config->files, config->files_length);

	if (!place) {
		free(name);
		return false;
	}
	*place = name;
	root = document_parse(text, length, name, diagnostics);
	return root && config_read_tree(config, root, diagnostics);
}

int config_load_text(const char *text, size_t length, const char *name, struct config *ret,
		     struct diagnostics *diagnostics)
{
	char *owned = strdup(name);

	if (!owned)
		return -ENOMEM;
	config_init(ret);
	if (config_read_text(ret, text, length, owned, diagnostics))
		config_check(ret, diagnostics);
	return diagnostics->errors ? -EINVAL : 0;
}

static int config_refuse_file(const char *path, struct diagnostics *diagnostics,
			      const char *problem)
{
	config_error(diagnostics, (struct mark){.file = path}, "%s", problem);
	return -EINVAL;
}

static int config_slurp(const char *path, char **ret_text, size_t *ret_length,
			struct diagnostics *diagnostics)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	char problem[128];
	size_t length = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		snprintf(problem, sizeof(problem), "cannot read the file: %s", strerror(errno));
		return config_refuse_file(path, diagnostics, problem);
	}
	if (!S_ISREG(st.st_mode))
		return config_refuse_file(path, diagnostics, "not a regular file");
	if (st.st_size > DOCUMENT_SIZE_MAX) {
		snprintf(problem, sizeof(problem),
			 "%lld bytes; at most %u are read. Use prefixes instead of single "
			 "addresses",
			 (long long)st.st_size, DOCUMENT_SIZE_MAX);
		return config_refuse_file(path, diagnostics, problem);
	}
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (length < (size_t)st.st_size) {
		ssize_t n = read(fd, text + length, (size_t)st.st_size - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		length += (size_t)n;
	}
	*ret_text = TAKE_PTR(text);
	*ret_length = length;
	return 0;
}

static int config_read_file(struct config *config, const char *path,
			    struct diagnostics *diagnostics)
{
	_cleanup_free_ char *text = NULL;
	char *name = strdup(path);
	size_t length;

	if (!name)
		return -ENOMEM;
	if (config_slurp(name, &text, &length, diagnostics) < 0) {
		char **place = ARRAY_APPEND(config->files, config->files_length);

		if (place)
			*place = name;
		return -EINVAL;
	}
	return config_read_text(config, text, length, name, diagnostics) ? 0 : -EINVAL;
}

/* The glob of those DROPINS beside a file; NULL for want of memory. */
static char *config_dropins(const char *path, const char *pattern)
{
	_cleanup_free_ char *copy = strdup(path);

	return copy ? escape_glob(dirname(copy), pattern) : NULL;
}

/* A directory that cannot be read may hold policies. */
static int config_mind(const char *path, int error)
{
	(void)path;
	return error != ENOENT;
}

/* Whoever writes such a file expects that it is read. */
static void config_warn_of_yml(const char *path, struct diagnostics *diagnostics)
{
	_cleanup_free_ char *pattern = config_dropins(path, DROPINS_UNREAD);
	glob_t found = {0};

	if (pattern && glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			config_warning(diagnostics, (struct mark){0},
				       "%s is not read: name it .yaml to have it merged",
				       found.gl_pathv[i]);
	globfree(&found);
}

static int config_read_dropins(struct config *config, const char *path,
			       struct diagnostics *diagnostics)
{
	_cleanup_free_ char *pattern = config_dropins(path, DROPINS);
	glob_t found = {0};
	int r;

	if (!pattern)
		return -ENOMEM;
	r = glob(pattern, 0, config_mind, &found);
	if (r == GLOB_ABORTED)
		config_error(diagnostics, (struct mark){0},
			     "cannot read the directory of %s; run as root, or remove it", pattern);
	r = r == GLOB_ABORTED ? -EINVAL : 0;
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (config_read_file(config, found.gl_pathv[i], diagnostics) < 0)
			r = -EINVAL;
	globfree(&found);
	config_warn_of_yml(path, diagnostics);
	return r;
}

/* 1 when there is a file or a drop-in for this path. */
static int config_exists(const char *path)
{
	_cleanup_free_ char *pattern = config_dropins(path, DROPINS);
	glob_t found = {0};
	struct stat st;
	int r;

	if (!pattern)
		return -ENOMEM;
	r = lstat(path, &st) == 0 || errno != ENOENT ||
	    glob(pattern, 0, config_mind, &found) != GLOB_NOMATCH;
	globfree(&found);
	return r;
}

int config_load(const char *path, struct config *ret, struct diagnostics *diagnostics)
{
	struct stat st;
	int r = config_exists(path);

	config_init(ret);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = 0;
	if (lstat(path, &st) == 0 || errno != ENOENT)
		r = config_read_file(ret, path, diagnostics);
	if (r >= 0 && config_read_dropins(ret, path, diagnostics) >= 0)
		config_check(ret, diagnostics);
	return diagnostics->errors ? -EINVAL : 0;
}
