// SPDX-License-Identifier: GPL-2.0-or-later
/* reload: ask the daemon and wait; its errors come back through the socket. */
#include <jansson.h>
#include <limits.h>
#include <sys/stat.h>

#include "builtin.h"
#include "config.h"
#include "control.h"
#include "outcome.h"

static bool is_same_file(const char *a, const char *b)
{
	struct stat first, second;

	if (util_streq(a, b))
		return true;
	return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

/* A path as the process in /proc/PROCESS means it. */
static int path_of(const char *process, const char *path, char to[2 * PATH_MAX])
{
	char link[64], directory[PATH_MAX] = "";

	(void)snprintf(link, sizeof(link), "/proc/%s/cwd", process);
	if (path[0] != '/' && readlink(link, directory, sizeof(directory) - 1) < 0)
		return -errno;
	return snprintf(to, 2 * PATH_MAX, "%s%s%s", directory, directory[0] ? "/" : "", path) <
			       2 * PATH_MAX
		       ? 0
		       : -ENAMETOOLONG;
}

/* The daemon's answer to "status json", or NULL. */
static json_t *daemon_status(const char *runtime_dir)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	(void)control_request(runtime_dir, "status json", to);
	return fclose(to) == 0 ? json_loadb(text, size, 0, NULL) : NULL;
}

/* The daemon reads what it was started with; whoever names another file expects that one. */
static bool names_another_file(const struct options *options)
{
	json_t *root = daemon_status(options->runtime_dir);
	const json_t *process = json_object_get(root, "process");
	const char *config = json_string_value(json_object_get(process, "config"));
	char pid[24], theirs[2 * PATH_MAX], ours[2 * PATH_MAX];
	bool another;

	(void)snprintf(pid, sizeof(pid), "%lld",
		       (long long)json_integer_value(json_object_get(process, "pid")));
	if (config && util_streq(config, BUILTIN_NAME))
		config = CONFIG_DEFAULT_PATH; /* once there is such a file, it is read */
	another = config && path_of(pid, config, theirs) == 0 &&
		  path_of("self", options->config, ours) == 0 && !is_same_file(theirs, ours);
	if (another)
		log_error("the daemon in %s reads %s, not %s; leave -C out, or start it with that",
			  options->runtime_dir, theirs, options->config);
	json_decref(root);
	return another;
}

int cmd_reload(const struct options *options)
{
	int code;

	if (options->config && names_another_file(options))
		return EXIT_USAGE;
	code = control_request(options->runtime_dir, options->json ? "reload json" : "reload text",
			       outcome_stream(options));

	if (code >= 0)
		return code;
	return outcome_no_daemon(options->runtime_dir, code,
				 "\"dnsfence run\" starts one, \"dnsfence load\" applies the "
				 "configuration without one");
}
