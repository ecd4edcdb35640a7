// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command table, the options that every command understands, --help and --version. Options
 * may stand before and after the command.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>

#include "bpf/abi.h"
#include "cgroup.h"
#include "command.h"
#include "config.h"
#include "control.h"
#include "log.h"
#include "options.h"
#include "pins.h"

#ifndef DNSFENCE_VERSION
#define DNSFENCE_VERSION "unknown"
#endif

static const struct command_option options_run[] = {
	{"ephemeral", 0, NULL, "pin nothing; the fence opens when this process ends",
	 FLAG(ephemeral)},
	{0},
};

static const struct command_option options_json[] = {
	{"json", 'j', NULL, "print JSON", FLAG(json)},
	{0},
};

static const struct command_option options_messages[] = {
	{"json", 'j', NULL, "print errors and the outcome as JSON, one object a line", FLAG(json)},
	{0},
};

static const struct command_option options_events[] = {
	{"json", 'j', NULL, "print JSON, one object a line", FLAG(json)},
	{"lines", 'n', "N", "end after N events", COUNT(lines)},
	{"full", 0, NULL, "print all fields of an event, one a line", FLAG(full)},
	{"file", 0, "FILE", "read this log and what was rotated from it; - is standard input",
	 TEXT(file), VALUE_FILE},
	{"since", 0, "TIME", "read the log from then: \"-1h\", \"today\", \"2026-11-24 19:50\"",
	 TEXT(since)},
	{"until", 0, "TIME", "read the log up to then", TEXT(until)},
	{"follow", 'f', NULL, "go on after the log's end, over rotations", FLAG(follow)},
	{"where", 0, "FIELD=GLOB", "only events with that; FIELD!=GLOB: without; may be repeated",
	 TEXTS(where), VALUE_FIELD},
	{"dst", 0, "GLOB", "only to this address, or address:port", TEXTS(where_dst)},
	{"process", 0, "GLOB", "only by this process: its name, pid or executable",
	 TEXTS(where_process)},
	{"user", 0, "GLOB", "only by this user: a name or uid", TEXTS(where_user), VALUE_USER},
	{"cgroup", 0, "GLOB", "only from this cgroup", TEXTS(where_cgroup), VALUE_CGROUP},
	{"policy", 0, "GLOB", "only by this policy", TEXTS(where_policy)},
	{"question", 0, "GLOB", "only for this name", TEXTS(where_question)},
	{"reason", 0, "GLOB", "only for this reason", TEXTS(where_reason)},
	{"action", 0, "GLOB",
	 "only of this kind: dns-denied, dns-audited, dns-allowed, tamper and so on",
	 TEXTS(where_action)},
	{0},
};

static const struct command_option options_top[] = {
	{"by", 0, "GROUPING", "subject, resolver, question, process or policy", TEXT(by),
	 VALUE_GROUPING},
	{"sort", 0, "ORDER", "rate, total, denied, audited, allowed, last or name", TEXT(sort),
	 VALUE_ORDER},
	{"filter", 0, "TEXT", "only rows that hold this text", TEXT(filter)},
	{"delay", 'd', "SECONDS", "between two looks; default 1", COUNT(delay)},
	{"batch", 'b', NULL, "print tables instead of taking over the terminal", FLAG(batch)},
	{"iterations", 'n', "N", "end after N tables (--batch)", COUNT(iterations)},
	{"rows", 0, "N", "in a table, at most; default 20 (--batch)", COUNT(rows)},
	{"json", 'j', NULL, "print JSON, one object a table (--batch)", FLAG(json)},
	{0},
};

static const struct command_option options_sockets[] = {
	{"kill", 0, NULL, "close those that are not sanctioned", FLAG(kill)},
	{"all", 0, NULL, "show those that are sanctioned, too", FLAG(all)},
	{"json", 'j', NULL, "print JSON", FLAG(json)},
	{0},
};

static const struct command_option options_explain[] = {
	{"dst", 0, "DST", "ADDRESS[:PORT][/SERVICE][/TRANSPORT]; may be given several times",
	 TEXTS(destinations)},
	{"live", 0, NULL, "ask the policy that is in force, and the loaded program", FLAG(live)},
	{"cgroup", 0, "PATH", "who asks: a process in this cgroup, a path below the cgroup2 mount",
	 TEXT(asker_cgroup), VALUE_CGROUP},
	{"pid", 0, "PID", "who asks: this process", TEXT(asker_pid), VALUE_PID},
	{"unit", 0, "UNIT", "who asks: this systemd unit or slice", TEXT(asker_unit), VALUE_UNIT},
	{"user-unit", 0, "UNIT", "who asks: a unit of a user's own manager, whose says --user",
	 TEXT(asker_user_unit), VALUE_USER_UNIT},
	{"container", 0, "NAME", "who asks: a container, by its name or the beginning of its id",
	 TEXT(asker_container), VALUE_CONTAINER},
	{"pod", 0, "POD", "who asks: a pod, as NAMESPACE/NAME, NAME or its uid", TEXT(asker_pod)},
	{"user", 0, "USER", "who asks: a name or uid, alone or with one of the above",
	 TEXT(asker_user), VALUE_USER},
	{"json", 'j', NULL, "print JSON, one object a line", FLAG(json)},
	{0},
};

static const struct command_option options_learn[] = {
	{"for", 0, "TIME", "end after 90s, 10m, 2h or 1d; default: when interrupted",
	 TEXT(duration)},
	{"accept", 0, NULL, "sanction what looks like a leak, too", FLAG(accept)},
	{0},
};

static const struct command_option options_subjects[] = {
	{"all", 0, NULL, "every cgroup, not only units, containers, pods and those with entries",
	 FLAG(all)},
	{"json", 'j', NULL, "print JSON", FLAG(json)},
	{0},
};

static const struct command_option options_audit[] = {
	{"root", 0, "DIR", "look at the files of the host whose root is here; at no sockets",
	 TEXT(root), VALUE_DIRECTORY},
	{"json", 'j', NULL, "print JSON", FLAG(json)},
	{0},
};

static const struct command_option options_leaktest[] = {
	{"all", 0, NULL, "try those that take CAP_NET_RAW and the like, too", FLAG(all)},
	{"target", 0, "ADDRESS", "instead of documentation's addresses; one of each family",
	 TEXTS(targets)},
	{"cgroup", 0, "PATH", "who leaks: a process in this cgroup, a path below the cgroup2 mount",
	 TEXT(asker_cgroup), VALUE_CGROUP},
	{"pid", 0, "PID", "who leaks: one like this process", TEXT(asker_pid), VALUE_PID},
	{"user", 0, "USER", "who leaks: a name or uid, alone or with one of the above",
	 TEXT(asker_user), VALUE_USER},
	{"json", 'j', NULL, "print JSON", FLAG(json)},
	{0},
};

const struct command command_table[] = {
	{"run", "enforce and log in the foreground; the daemon",
	 "Violations go to standard output, and where else the configuration says: a file, the\n"
	 "journal, syslog, a socket. SIGHUP reloads it, SIGUSR1 opens the file again. However it\n"
	 "ends, the fence stays closed: \"dnsfence unload\" opens it. With --ephemeral it\n"
	 "opens when the process ends.\n\n"
	 "  dnsfence run\n  dnsfence -C test.yaml --cgroup /test run --ephemeral",
	 options_run, cmd_run},
	{"load", "enforce without a daemon",
	 "Loads the policy and attaches the programs, or replaces the policy that is there.\n"
	 "Violations are counted and kept for the next daemon as far as the buffer goes.\n\n"
	 "  dnsfence load\n"
	 "  dnsfence -C new.yaml load -j | jq -r .message",
	 options_messages, cmd_load},
	{"unload", "open the fence and remove everything pinned",
	 "A running daemon is asked to do it and ends.\n\n"
	 "  dnsfence unload\n"
	 "  dnsfence --pin-dir /sys/fs/bpf/test --runtime-dir /run/test unload",
	 NULL, cmd_unload},
	{"check", "check the configuration, change nothing",
	 "Exits 1 when there are errors; all of them are printed.\n\n"
	 "  dnsfence -C new.yaml check && mv new.yaml " CONFIG_DEFAULT_PATH " && dnsfence reload\n"
	 "  dnsfence check -j | jq -r 'select(.severity == \"error\").message'",
	 options_messages, cmd_check},
	{"reload", "make the daemon read its configuration again",
	 "Waits for the outcome. After errors, which are printed, the running policy stays as\n"
	 "it was. The daemon reads the file that it was started with; -C with another one is\n"
	 "refused.\n\n"
	 "  dnsfence check && dnsfence reload\n"
	 "  dnsfence reload -j | jq -r .message",
	 options_messages, cmd_reload},
	{"status", "show whether the fence is closed, and its counters",
	 "Exits 0 only when the fence is closed and the daemon answers, 1 when the fence is\n"
	 "open, 4 when it is closed but no daemon answers.\n\n"
	 "  dnsfence status || echo look at the fence\n"
	 "  dnsfence status -j | jq .counters.denied",
	 options_json, cmd_status},
	{"metrics", "print the counters for Prometheus",
	 "What metrics.listen and metrics.textfile of the configuration give, also without a\n"
	 "daemon. Exit codes as of status.\n\n"
	 "  dnsfence metrics | promtool check metrics",
	 NULL, cmd_metrics},
	{"events", "follow what the daemon logs, or read what it has logged",
	 "One line each, from now on, until interrupted. With --since, --until or --file from\n"
	 "the log and all that was rotated from it, and with -f on from there. The log is the\n"
	 "configuration's events.file. Options that choose events: several for one field are\n"
	 "alternatives, those for different fields must all hold.\n\n"
	 "  dnsfence events\n"
	 "  dnsfence events --since -1h --process curl --dst '8.8.*'\n"
	 "  dnsfence events --since today -f --cgroup '/system.slice/*' --where user.name!=root\n"
	 "  dnsfence events --file /var/log/dnsfence/events.jsonl --question '*.corp.example' "
	 "--full\n"
	 "  dnsfence events -j -n 100 | jq -r .process.name | sort | uniq -c",
	 options_events, cmd_events},
	{"top", "show who violates the policy most, live",
	 "Violations by subject, resolver, question, process or policy, with rates and losses;\n"
	 "h shows the keys. --batch prints tables for scripts, the first one after --delay.\n\n"
	 "  dnsfence top\n"
	 "  dnsfence top --by resolver --sort total\n"
	 "  dnsfence top --batch -n 1 -d 10 -j | jq -r '.rows[] | [.denied, .key] | @tsv'",
	 options_top, cmd_top},
	{"sockets", "list sockets that are open to resolvers which are not sanctioned",
	 "TCP and connected UDP sockets in every network namespace, with their owners, judged\n"
	 "by the configuration. Exits 0 when there is none or --kill has closed them all, 1\n"
	 "when some are open, 3 when a part of this host could not be looked at.\n\n"
	 "  dnsfence sockets --kill\n  dnsfence sockets --all -j | jq .totals",
	 options_sockets, cmd_sockets},
	{"explain", "say why a lookup is let through or refused",
	 "The verdict and its reason, the policy and the lines of the configuration that\n"
	 "decide, which hook acts and the errno that its caller sees, and what nearly held.\n"
	 "By the configuration, nothing is changed or sent; with --live by what is in force.\n"
	 "Without an option that says who asks, this process does. A DST is an address with\n"
	 "what is to be said of it; - reads one a line from standard input, each perhaps with\n"
	 "unit=UNIT, cgroup=PATH, user=USER or the like behind, and answers each in a line.\n"
	 "Exits 1 when one is refused.\n\n"
	 "  dnsfence explain 8.8.8.8:53/udp\n"
	 "  dnsfence explain 10.0.0.53/dot --unit nginx.service --user www-data\n"
	 "  dnsfence explain --live --dst '[2001:db8::1]:853/tcp' --pid 4711 -j | jq .reason\n"
	 "  grep -o 'nameserver .*' /etc/resolv.conf | cut -d' ' -f2 | dnsfence explain -",
	 options_explain, cmd_explain, "[DST...]", SIZE_MAX - 1},
	{"learn", "watch who asks whom, and print the policy that allows just that",
	 "Nothing is blocked, and a fence that is closed stays so. At the end a file is\n"
	 "printed: a policy for each unit, container, pod or cgroup that asked, with the\n"
	 "resolvers it asked, by whom and how often. A public address that neither\n"
	 "resolv.conf nor systemd-resolved names looks like a leak and is left out; it then\n"
	 "exits 1.\n\n"
	 "  dnsfence learn --for 1h > learned.yaml && dnsfence -C learned.yaml check\n"
	 "  dnsfence --cgroup /ci.slice learn --for 10m --accept",
	 options_learn, cmd_learn},
	{"subjects", "show who has which policy: the tree of cgroups, units, containers, pods",
	 "By what is in force, or without a fence by the configuration: each cgroup, who lives\n"
	 "in it, its policy, whether an entry of its own decides or one above it, and that\n"
	 "entry's rank, which is the policy's place in the file. How often each was refused\n"
	 "since the daemon started, it tells, if one runs.\n\n"
	 "  dnsfence subjects\n"
	 "  dnsfence subjects --all -j | jq -r '.cgroups[] | select(.denied > 0).path'",
	 options_subjects, cmd_subjects},
	{"audit", "show what this host is set to ask, and what of it leaks",
	 "Reads every place that decides where lookups go, and changes none: resolv.conf,\n"
	 "nsswitch.conf, systemd's, NetworkManager's and DHCP clients' files, containers',\n"
	 "programs that bring a resolver of their own, and the sockets that are open. Each is\n"
	 "held against the policy: fine, blocked, leaks, with what to change where; notes say\n"
	 "what else matters. Exits 1 when something leaks.\n\n"
	 "  dnsfence audit\n"
	 "  dnsfence -C new.yaml audit -j | jq -r '.findings[] | select(.state == "
	 "\"leaks\").advice'\n"
	 "  dnsfence -C new.yaml audit --root /mnt/image",
	 options_audit, cmd_audit},
	{"leaktest", "try every way to leak a lookup, and say which are open",
	 "Each technique is tried to ports 53 and 853 at an address where no resolver can be,\n"
	 "in a network of two namespaces made for it: nothing leaves this host, no name is\n"
	 "anybody's, and it works offline. What arrives at its far end has leaked; closed is\n"
	 "what the fence has refused. Without one of --cgroup, --pid and --user it is this\n"
	 "process that tries. Attempts are counted and logged like any other.\n"
	 "With --all and where the edge is on, frames are sent from a veth as a container's.\n"
	 "Exits 1 when a way is open, or is only logged.\n\n"
	 "  dnsfence leaktest\n"
	 "  dnsfence leaktest --cgroup /ci.slice --user 1000 -j | jq .totals\n"
	 "  dnsfence leaktest --target 8.8.8.8 | grep ^open",
	 options_leaktest, cmd_leaktest},
	{"init", "print the built-in policy as a file to start from",
	 "Made from this host's resolv.conf, and for root from who answers on loopback.\n\n  "
	 "dnsfence init > " CONFIG_DEFAULT_PATH,
	 NULL, cmd_init},
	{"completion", "print what a shell completes dnsfence's commands by",
	 "bash, zsh or fish; \"make install\" puts them where the shells look. The scripts ask\n"
	 "\"dnsfence completion cgroups\", \"units\", \"users\" and the like for what there is.\n\n"
	 "  . <(dnsfence completion bash)\n"
	 "  dnsfence completion zsh > ~/.zsh/functions/_dnsfence\n"
	 "  dnsfence completion fish > ~/.config/fish/completions/dnsfence.fish",
	 NULL, cmd_completion, "SHELL", 1, VALUE_SHELL},
	{0},
};

const struct command_option common_options[] = {
	{"config", 'C', "FILE",
	 "the configuration; default " CONFIG_DEFAULT_PATH ", without that the built-in policy",
	 TEXT(config), VALUE_FILE},
	{"cgroup", 0, "PATH", "fence what is below this cgroup; default the root, everything",
	 TEXT(cgroup), VALUE_CGROUP},
	{"pin-dir", 0, "DIR", "where the fence is pinned; default " PINS_DEFAULT_DIR, TEXT(pin_dir),
	 VALUE_DIRECTORY},
	{"runtime-dir", 0, "DIR", "the daemon's lock and socket; default " CONTROL_DEFAULT_DIR,
	 TEXT(runtime_dir), VALUE_DIRECTORY},
	{"verbose", 'v', NULL, "say more, and what the kernel says when it refuses a program",
	 FLAG(verbose)},
	{"help", 'h', NULL, "show this", FLAG(help)},
	{"version", 'V', NULL, "show the version", FLAG(version)},
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

static void print_command(const struct command *command, FILE *to)
{
	fprintf(to, "Usage: dnsfence [OPTIONS] %s%s%s\n\n%s\n\n%s\n", command->name,
		command->words ? " " : "", command->words ? command->words : "", command->doc,
		command->more);
	if (command->options)
		fprintf(to, "\nOptions:\n");
	print_options(command->options, to);
}

static void print_commands(FILE *to)
{
	fprintf(to, "Usage: dnsfence [OPTIONS] COMMAND\n\n"
		    "A DNS leak firewall in the kernel's own path: lookups go to sanctioned "
		    "resolvers,\nor they are refused and logged with the name of the culprit.\n\n"
		    "Commands:\n");
	for (const struct command *command = command_table; command->name; command++)
		fprintf(to, "  %-24s %s\n", command->name, command->doc);
	fprintf(to, "\n\"dnsfence COMMAND --help\" says more of each, with examples.\n");
}

static void print_help(const struct command *command, FILE *to)
{
	if (command)
		print_command(command, to);
	else
		print_commands(to);
	fprintf(to, "\nCommon options:\n");
	print_options(common_options, to);
	fprintf(to, "\nExit codes: 0 yes or fine, 1 a negative finding, 2 usage, 3 kernel or "
		    "permission,\n4 daemon unreachable, 5 internal, or the output could not be "
		    "written.\n");
}

/* The path of the fenced cgroup as the kernel writes it: others are compared with it. */
static int clean_cgroup(struct options *options, char to[PATH_MAX])
{
	if (cgroup_path_clean(options->cgroup, to, PATH_MAX) < 0) {
		log_error("--cgroup takes a plain path that begins with /, below the cgroup2 "
			  "mount; not '%s'",
			  options->cgroup);
		return -EINVAL;
	}
	if (cgroup_level(to) >= DF_LEVEL_MAX) {
		log_error("--cgroup: '%s' is deeper than %d levels, more than is followed", to,
			  DF_LEVEL_MAX - 1);
		return -EINVAL;
	}
	options->cgroup = to;
	return 0;
}

static int run_command(const struct command *command, struct options *options)
{
	char cgroup[PATH_MAX];

	if (options->verbose)
		log_set_level(LOG_LEVEL_DEBUG);
	if (options->version) {
		printf("dnsfence %s\n", DNSFENCE_VERSION);
		return EXIT_FINE;
	}
	if (options->help || !command) {
		print_help(command, options->help ? stdout : stderr);
		return options->help ? EXIT_FINE : EXIT_USAGE;
	}
	return clean_cgroup(options, cgroup) < 0 ? EXIT_USAGE : command->run(options);
}

/*
 * Where a standard descriptor is closed the next file that is opened takes its number, and what is
 * printed goes there. Opened the wrong way round, it cannot be used, and that is told.
 */
static void hold_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* What could not be printed is told, unless whoever was to read it has gone. */
static int finish_output(int code)
{
	const int error = fflush(stdout) == 0 ? 0 : errno;
	struct pollfd reader = {.fd = STDOUT_FILENO};

	if (!error && !ferror(stdout))
		return code;
	if (poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR))
		return code;
	log_error("cannot write to standard output%s%s; what was printed is not whole",
		  error ? ": " : "", error ? strerror(error) : "");
	return code == EXIT_FINE ? EXIT_INTERNAL : code;
}

int main(int argc, char **argv)
{
	struct options options = {
		.cgroup = "/",
		.pin_dir = PINS_DEFAULT_DIR,
		.runtime_dir = CONTROL_DEFAULT_DIR,
	};
	const struct command *command = NULL;
	struct problem problem;
	int code = EXIT_USAGE;

	hold_standard_descriptors();
	if (options_parse(argc, argv, command_table, common_options, &options, &command, &problem) <
	    0)
		log_error("%s", problem.text[0] ? problem.text : "out of memory");
	else
		code = run_command(command, &options);
	options_done(&options);
	return finish_output(code);
}
