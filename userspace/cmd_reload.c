// SPDX-License-Identifier: GPL-2.0-or-later
/* reload: ask the daemon and wait; its errors come back through the socket. */
#include <jansson.h>
#include <sys/stat.h>

#include "control.h"
#include "outcome.h"

static bool is_same_file(const char *a, const char *b)
{
	struct stat first, second;

	return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

/* The daemon reads what it was started with; whoever names another file expects that one. */
static bool names_another_file(const struct options *options)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	const char *config;
	bool another;
	json_t *root;

	if (!to)
		return false;
	(void)control_request(options->runtime_dir, "status json", to);
	if (fclose(to) != 0)
		return false;
	root = json_loadb(text, size, 0, NULL);
	config = json_string_value(json_object_get(json_object_get(root, "process"), "config"));
	another = config && config[0] == '/' && !util_streq(config, options->config) &&
		  !is_same_file(config, options->config);
	if (another)
		log_error("the daemon in %s reads %s, not %s; leave -C out, or start it with that",
			  options->runtime_dir, config, options->config);
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
