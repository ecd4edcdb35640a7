/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command table and what every command gets: the options that all understand, parsed.
 */
#ifndef DNSFENCE_COMMAND_H
#define DNSFENCE_COMMAND_H

#include "util.h"

enum exit_code {
	EXIT_FINE = 0,
	EXIT_NEGATIVE = 1, /* a finding: the configuration is wrong, the fence is open */
	EXIT_USAGE = 2,
	EXIT_KERNEL = 3, /* kernel or permission */
	EXIT_UNREACHABLE = 4, /* no daemon */
	EXIT_INTERNAL = 5,
};

struct options {
	const char *config; /* NULL: the default path, or the built-in policy */
	const char *cgroup; /* path below the cgroup2 mount */
	const char *pin_dir;
	const char *runtime_dir;
	bool verbose;
	bool json;
	bool ephemeral; /* run */
	bool kill; /* sockets: end what is not sanctioned */
	bool all; /* sockets: show what is, too */
	unsigned long lines; /* events: stop after so many, 0: never */
};

/* A command's own option; the common ones are in main.c. */
struct command_option {
	const char *name; /* long, NULL ends the list */
	char letter; /* short, 0: none */
	const char *argument; /* NULL: takes none */
	const char *doc;
};

struct command {
	const char *name;
	const char *doc; /* one line */
	const char *more; /* for --help: what it prints, what exits mean, an example */
	const struct command_option *options; /* NULL: none */
	int (*run)(const struct options *options);
};

int cmd_run(const struct options *options);
int cmd_load(const struct options *options);
int cmd_unload(const struct options *options);
int cmd_check(const struct options *options);
int cmd_reload(const struct options *options);
int cmd_status(const struct options *options);
int cmd_events(const struct options *options);
int cmd_sockets(const struct options *options);
int cmd_init(const struct options *options);

#endif
