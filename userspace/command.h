/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command table and what every command gets: the options that all understand, parsed. The
 * parser (options.c), --help (main.c) and the shells' completion (completion.c) read the table.
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

/* Arguments, in the order they came; not owned. */
struct texts {
	const char **list;
	size_t length;
};

struct options {
	const char *config; /* NULL: the default path, or the built-in policy */
	const char *cgroup; /* path below the cgroup2 mount */
	const char *pin_dir;
	const char *runtime_dir;
	bool verbose;
	bool help;
	bool version;
	bool json;
	bool ephemeral; /* run */
	bool kill; /* sockets: end what is not sanctioned */
	bool all; /* sockets, subjects: show the rest, too; leaktest: try what takes privileges */
	unsigned long lines; /* events: stop after so many, 0: never */
	const char *file; /* events: the log to read; NULL: the configuration's */
	const char *since, *until; /* events */
	bool follow, full; /* events */
	/* events: which ones, by a field and by the fields that have an option of their own */
	struct texts where, where_dst, where_process, where_user, where_cgroup, where_policy,
		where_question, where_reason, where_action;
	bool batch; /* top: text instead of the screen */
	unsigned long iterations, delay, rows; /* top; 0: not said */
	const char *by, *sort, *filter; /* top */
	struct texts destinations; /* explain: of lookups */
	bool live; /* explain: by what is in force, not by the configuration */
	/* explain: who asks */
	const char *asker_cgroup, *asker_pid, *asker_user, *asker_unit, *asker_user_unit;
	const char *asker_container, *asker_pod;
	const char *duration; /* learn: how long */
	bool accept; /* learn: what looks like a leak, too */
	const char *root; /* audit: look at the files below this directory */
	struct texts targets; /* leaktest: addresses to try */
	struct texts words; /* behind the command, for those that take some */
};

/* Which member of struct options an option sets, and how. */
enum option_kind {
	OPTION_FLAG, /* bool */
	OPTION_TEXT, /* const char * */
	OPTION_TEXTS, /* struct texts: may be given several times */
	OPTION_COUNT, /* unsigned long, from 1 */
};

#define FLAG(member) .kind = OPTION_FLAG, .offset = offsetof(struct options, member)
#define TEXT(member) .kind = OPTION_TEXT, .offset = offsetof(struct options, member)
#define TEXTS(member) .kind = OPTION_TEXTS, .offset = offsetof(struct options, member)
#define COUNT(member) .kind = OPTION_COUNT, .offset = offsetof(struct options, member)

/* What an argument may be, for completion; all but the files are lists of `dnsfence completion`. */
enum value_kind {
	VALUE_ANY, /* nothing to offer */
	VALUE_FILE,
	VALUE_DIRECTORY,
	VALUE_CGROUP,
	VALUE_PID,
	VALUE_USER,
	VALUE_UNIT,
	VALUE_USER_UNIT,
	VALUE_CONTAINER,
	VALUE_SHELL,
	VALUE_FIELD, /* of an event */
	VALUE_GROUPING, /* of top */
	VALUE_ORDER, /* of top's rows */
};

/* A command's own option; the common ones are in main.c. */
struct command_option {
	const char *name; /* long, NULL ends the list */
	char letter; /* short, 0: none */
	const char *argument; /* NULL: takes none */
	const char *doc;
	enum option_kind kind;
	size_t offset;
	enum value_kind value;
};

struct command {
	const char *name;
	const char *doc; /* one line */
	const char *more; /* for --help: what it prints, what exits mean, examples */
	const struct command_option *options; /* NULL: none */
	int (*run)(const struct options *options);
	const char *words; /* what may stand behind it, for --help; NULL: nothing */
	size_t words_max;
	enum value_kind words_value;
};

/* End with a NULL name. */
extern const struct command command_table[];
extern const struct command_option common_options[];

int cmd_run(const struct options *options);
int cmd_load(const struct options *options);
int cmd_unload(const struct options *options);
int cmd_check(const struct options *options);
int cmd_reload(const struct options *options);
int cmd_status(const struct options *options);
int cmd_metrics(const struct options *options);
int cmd_events(const struct options *options);
int cmd_top(const struct options *options);
int cmd_sockets(const struct options *options);
int cmd_explain(const struct options *options);
int cmd_completion(const struct options *options);
int cmd_learn(const struct options *options);
int cmd_subjects(const struct options *options);
int cmd_audit(const struct options *options);
int cmd_leaktest(const struct options *options);
int cmd_init(const struct options *options);

#endif
