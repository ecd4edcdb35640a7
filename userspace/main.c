// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command table, the options that every command understands, --help and --version. Options
 * may stand before and after the command.
 */
#include <getopt.h>

#include "command.h"
#include "config.h"
#include "control.h"
#include "log.h"
#include "pins.h"

#ifndef DNSFENCE_VERSION
#define DNSFENCE_VERSION "unknown"
#endif

static const struct command_option options_run[] = {
	{"ephemeral", 0, NULL, "pin nothing; the fence opens when this process ends"},
	{0},
};

static const struct command_option options_json[] = {
	{"json", 'j', NULL, "print JSON"},
	{0},
};

static const struct command_option options_messages[] = {
	{"json", 'j', NULL, "print errors and the outcome as JSON, one object a line"},
	{0},
};

static const struct command_option options_events[] = {
	{"json", 'j', NULL, "print JSON, one object a line"},
	{"lines", 'n', "N", "end after N events"},
	{0},
};

static const struct command_option options_sockets[] = {
	{"kill", 0, NULL, "close those that are not sanctioned"},
	{"all", 0, NULL, "show those that are sanctioned, too"},
	{"json", 'j', NULL, "print JSON"},
	{0},
};

static const struct command commands[] = {
	{"run", "enforce and log in the foreground; the daemon",
	 "Violations go to standard output and to the file that the configuration names.\n"
	 "SIGHUP reloads the configuration, SIGUSR1 opens the log file again. However it\n"
	 "ends, the fence stays closed: \"dnsfence unload\" opens it. With --ephemeral it\n"
	 "opens when the process ends.\n\n"
	 "  dnsfence run\n  dnsfence -C test.yaml --cgroup /test run --ephemeral",
	 options_run, cmd_run},
	{"load", "enforce without a daemon",
	 "Loads the policy and attaches the programs, or replaces the policy that is there.\n"
	 "Violations are counted and kept for the next daemon as far as the buffer goes.",
	 options_messages, cmd_load},
	{"unload", "open the fence and remove everything pinned",
	 "A running daemon is asked to do it and ends.", NULL, cmd_unload},
	{"check", "check the configuration, change nothing",
	 "Exits 1 when there are errors; all of them are printed.\n\n"
	 "  dnsfence -C new.yaml check && mv new.yaml " CONFIG_DEFAULT_PATH " && dnsfence reload\n"
	 "  dnsfence check -j | jq -r 'select(.severity == \"error\").message'",
	 options_messages, cmd_check},
	{"reload", "make the daemon read its configuration again",
	 "Waits for the outcome. After errors, which are printed, the running policy stays as\n"
	 "it was.",
	 options_messages, cmd_reload},
	{"status", "show whether the fence is closed, and its counters",
	 "Exits 0 only when the fence is closed and the daemon answers, 1 when the fence is\n"
	 "open, 4 when it is closed but no daemon answers.",
	 options_json, cmd_status},
	{"events", "follow what the daemon logs",
	 "One line each, from now on, until interrupted.\n\n"
	 "  dnsfence events -j | jq .process.name",
	 options_events, cmd_events},
	{"sockets", "list sockets that are open to resolvers which are not sanctioned",
	 "TCP and connected UDP sockets in every network namespace, with their owners, judged\n"
	 "by the configuration. Exits 0 when there is none or --kill has closed them all, 1\n"
	 "when some are open, 3 when a part of this host could not be looked at.\n\n"
	 "  dnsfence sockets --kill\n  dnsfence sockets --all -j | jq .totals",
	 options_sockets, cmd_sockets},
	{"init", "print the built-in policy as a file to start from",
	 "Made from this host's resolv.conf, and for root from who answers on loopback.\n\n  "
	 "dnsfence init > " CONFIG_DEFAULT_PATH,
	 NULL, cmd_init},
	{0},
};

static const struct command_option options_common[] = {
	{"config", 'C', "FILE",
	 "the configuration; default " CONFIG_DEFAULT_PATH ", without that the built-in policy"},
	{"cgroup", 0, "PATH", "fence what is below this cgroup; default the root, everything"},
	{"pin-dir", 0, "DIR", "where the fence is pinned; default " PINS_DEFAULT_DIR},
	{"runtime-dir", 0, "DIR", "the daemon's lock and socket; default " CONTROL_DEFAULT_DIR},
	{"verbose", 'v', NULL, "say more"},
	{"help", 'h', NULL, "show this"},
	{"version", 'V', NULL, "show the version"},
	{0},
};

static void print_options(const struct command_option *options, FILE *to)
{
	for (; options && options->name; options++) {
		char left[64];

		snprintf(left, sizeof(left), "%c%c%s --%s%s%s", options->letter ? '-' : ' ',
			 options->letter ? options->letter : ' ', options->letter ? "," : " ",
			 options->name, options->argument ? " " : "",
			 options->argument ? options->argument : "");
		fprintf(to, "  %-24s %s\n", left, options->doc);
	}
}

static void print_help(const struct command *command, FILE *to)
{
	fprintf(to, "Usage: dnsfence [OPTIONS] %s\n\n", command ? command->name : "COMMAND");
	if (command) {
		fprintf(to, "%s\n\n%s\n", command->doc, command->more);
		if (command->options)
			fprintf(to, "\nOptions:\n");
		print_options(command->options, to);
	} else {
		fprintf(to,
			"A DNS leak firewall in the kernel's own path: lookups go to sanctioned "
			"resolvers,\nor they are refused and logged with the name of the "
			"culprit.\n\n"
			"Commands:\n");
		for (command = commands; command->name; command++)
			fprintf(to, "  %-24s %s\n", command->name, command->doc);
	}
	fprintf(to, "\nCommon options:\n");
	print_options(options_common, to);
	fprintf(to, "\nExit codes: 0 yes or fine, 1 a negative finding, 2 usage, 3 kernel or "
		    "permission,\n4 daemon unreachable, 5 internal.\n");
}

static const struct command *command_find(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (util_streq(command->name, name))
			return command;
	return NULL;
}

/* The options of every command are known everywhere, so that they may stand before it. */
enum {
	OPTION_CGROUP = 256,
	OPTION_PIN_DIR,
	OPTION_RUNTIME_DIR,
	OPTION_EPHEMERAL,
	OPTION_KILL,
	OPTION_ALL
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'C'},
	{"cgroup", required_argument, NULL, OPTION_CGROUP},
	{"pin-dir", required_argument, NULL, OPTION_PIN_DIR},
	{"runtime-dir", required_argument, NULL, OPTION_RUNTIME_DIR},
	{"ephemeral", no_argument, NULL, OPTION_EPHEMERAL},
	{"kill", no_argument, NULL, OPTION_KILL},
	{"all", no_argument, NULL, OPTION_ALL},
	{"json", no_argument, NULL, 'j'},
	{"lines", required_argument, NULL, 'n'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static bool option_fits(const struct command *command, const char *name)
{
	for (const struct command_option *option = command->options; option && option->name;
	     option++)
		if (util_streq(option->name, name))
			return true;
	log_error("\"%s\" takes no --%s; see \"dnsfence %s --help\"", command->name, name,
		  command->name);
	return false;
}

static bool options_fit(const struct command *command, const struct options *options)
{
	if (options->cgroup[0] != '/') {
		log_error("--cgroup takes a path that begins with /, below the cgroup2 mount; not "
			  "'%s'",
			  options->cgroup);
		return false;
	}
	return (!options->json || option_fits(command, "json")) &&
	       (!options->ephemeral || option_fits(command, "ephemeral")) &&
	       (!options->kill || option_fits(command, "kill")) &&
	       (!options->all || option_fits(command, "all")) &&
	       (!options->lines || option_fits(command, "lines"));
}

static bool parse_lines(const char *text, unsigned long *ret)
{
	char *end;

	errno = 0;
	*ret = strtoul(text, &end, 10);
	if (!errno && !*end && *text >= '1' && *text <= '9')
		return true;
	log_error("--lines takes a number from 1, not '%s'", text);
	return false;
}

/* 0, or -EINVAL after a message; *ret_help, *ret_version as asked for. */
static int parse_options(int argc, char **argv, struct options *options, bool *ret_help,
			 bool *ret_version)
{
	int option;

	while ((option = getopt_long(argc, argv, "C:jn:vhV", long_options, NULL)) != -1) {
		switch (option) {
		case 'C':
			options->config = optarg;
			break;
		case OPTION_CGROUP:
			options->cgroup = optarg;
			break;
		case OPTION_PIN_DIR:
			options->pin_dir = optarg;
			break;
		case OPTION_RUNTIME_DIR:
			options->runtime_dir = optarg;
			break;
		case OPTION_EPHEMERAL:
			options->ephemeral = true;
			break;
		case OPTION_KILL:
			options->kill = true;
			break;
		case OPTION_ALL:
			options->all = true;
			break;
		case 'j':
			options->json = true;
			break;
		case 'n':
			if (!parse_lines(optarg, &options->lines))
				return -EINVAL;
			break;
		case 'v':
			options->verbose = true;
			break;
		case 'h':
			*ret_help = true;
			break;
		case 'V':
			*ret_version = true;
			break;
		default:
			return -EINVAL;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = {
		.cgroup = "/",
		.pin_dir = PINS_DEFAULT_DIR,
		.runtime_dir = CONTROL_DEFAULT_DIR,
	};
	bool help = false, version = false;
	const struct command *command = NULL;

	if (parse_options(argc, argv, &options, &help, &version) < 0)
		return EXIT_USAGE;
	if (options.verbose)
		log_set_level(LOG_LEVEL_DEBUG);
	if (version) {
		printf("dnsfence %s\n", DNSFENCE_VERSION);
		return EXIT_FINE;
	}
	if (optind < argc)
		command = command_find(argv[optind]);
	if (help && (command || optind >= argc)) {
		print_help(command, stdout);
		return EXIT_FINE;
	}
	if (optind >= argc) {
		print_help(NULL, stderr);
		return EXIT_USAGE;
	}
	if (!command || optind + 1 < argc) {
		log_error(command ? "'%s' is one word too many; see \"dnsfence --help\""
				  : "there is no command '%s'; see \"dnsfence --help\"",
			  argv[command ? optind + 1 : optind]);
		return EXIT_USAGE;
	}
	return options_fit(command, &options) ? command->run(&options) : EXIT_USAGE;
}
