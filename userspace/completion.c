// SPDX-License-Identifier: GPL-2.0-or-later
#include "completion.h"

/* What a script is made of. */
struct script {
	const struct command *commands;
	const struct command_option *common;
	FILE *to;
};

static const char *const list_names[] = {
	[VALUE_CGROUP] = "cgroups",       [VALUE_PID] = "pids",
	[VALUE_USER] = "users",           [VALUE_UNIT] = "units",
	[VALUE_USER_UNIT] = "user-units", [VALUE_CONTAINER] = "containers",
	[VALUE_SHELL] = "shells",         [VALUE_FIELD] = "fields",
	[VALUE_GROUPING] = "groupings",   [VALUE_ORDER] = "orders",
};

const char *completion_list_name(enum value_kind value)
{
	return value < ARRAY_LEN(list_names) ? list_names[value] : NULL;
}

/* With a backslash before each of these. */
static void put_escaped(FILE *to, const char *text, const char *special)
{
	for (; *text; text++) {
		if (strchr(special, *text))
			fputc('\\', to);
		fputc(*text, to);
	}
}

static bool has_option(const struct command_option *options, const char *name)
{
	for (; options && options->name; options++)
		if (util_streq(options->name, name))
			return true;
	return false;
}

/* "-C --config" */
static void put_names(FILE *to, const struct command_option *option, const char *between)
{
	if (option->letter)
		fprintf(to, "-%c%s", option->letter, between);
	fprintf(to, "--%s", option->name);
}

/* "-C|--config|--cgroup": every option that has an argument, of whatever command. */
static void put_with_argument(const struct script *script, const char *between)
{
	const struct command_option *option = script->common;
	const char *link = "";

	for (; option->name; option++)
		if (option->argument) {
			fprintf(script->to, "%s", link);
			put_names(script->to, option, between);
			link = between;
		}
	for (const struct command *at = script->commands; at->name; at++)
		for (option = at->options; option && option->name; option++) {
			if (!option->argument || has_option(script->common, option->name))
				continue;
			fprintf(script->to, "%s", link);
			put_names(script->to, option, between);
		}
}

/* What follows an option, in the words of _dnsfence_value. */
static const char *bash_value(const struct command_option *option)
{
	if (option->value == VALUE_FILE)
		return "file";
	if (option->value == VALUE_DIRECTORY)
		return "directory";
	return completion_list_name(option->value) ?: "nothing";
}

static void bash_values(const struct script *script, const struct command_option *options,
			const char *command)
{
	for (; options && options->name; options++) {
		if (!options->argument)
			continue;
		fprintf(script->to, "\t%s,", command);
		if (options->letter)
			fprintf(script->to, "-%c|%s,", options->letter, command);
		fprintf(script->to, "--%s) _dnsfence_value %s; return ;;\n", options->name,
			bash_value(options));
	}
}

static void bash_words(const struct script *script, const struct command_option *options)
{
	for (; options && options->name; options++) {
		fputc(' ', script->to);
		put_names(script->to, options, " ");
	}
}

static const char bash_head[] =
	"# bash completion for dnsfence(8), as \"dnsfence completion bash\" prints it.\n"
	"# Values are others' choice: they are compared and quoted, never expanded.\n"
	"_dnsfence_offer() {\n"
	"\tlocal value\n"
	"\twhile IFS= read -r value; do\n"
	"\t\t[[ $value == \"$cur\"* ]] && COMPREPLY+=(\"$(printf %q \"$value\")\")\n"
	"\tdone\n"
	"}\n"
	"_dnsfence_value() {\n"
	"\tcase $1 in\n"
	"\tfile) compopt -o filenames 2>/dev/null; _dnsfence_offer < <(compgen -f -- \"$cur\") ;;\n"
	"\tdirectory) compopt -o filenames 2>/dev/null; _dnsfence_offer < <(compgen -d -- "
	"\"$cur\") ;;\n"
	"\tnothing) ;;\n"
	"\t*) _dnsfence_offer < <(dnsfence completion \"$1\" 2>/dev/null) ;;\n"
	"\tesac\n"
	"}\n"
	"_dnsfence() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command= i\n"
	"\tCOMPREPLY=()\n"
	"\t# --option=value comes in three words.\n"
	"\t[[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
	"\t[[ $cur == = ]] && cur=\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tcase ${COMP_WORDS[i]} in\n"
	"\t\t";

static int bash_write(const struct script *script)
{
	FILE *to = script->to;

	fputs(bash_head, to);
	put_with_argument(script, "|");
	fprintf(to, ") [[ ${COMP_WORDS[i + 1]} == = ]] && ((i++)); ((i++)) ;;\n"
		    "\t\t-*) ;;\n"
		    "\t\t*) command=${COMP_WORDS[i]}; break ;;\n"
		    "\t\tesac\n"
		    "\tdone\n"
		    "\tcase $command,$prev in\n");
	for (const struct command *command = script->commands; command->name; command++)
		bash_values(script, command->options, command->name);
	bash_values(script, script->common, "*");
	fprintf(to, "\tesac\n\tcase $command,$cur in\n");
	for (const struct command *command = script->commands; command->name; command++) {
		fprintf(to, "\t%s,-*) COMPREPLY=($(compgen -W '", command->name);
		bash_words(script, command->options);
		bash_words(script, script->common);
		fprintf(to, "' -- \"$cur\")) ;;\n");
	}
	fprintf(to, "\t*,-*) COMPREPLY=($(compgen -W '");
	bash_words(script, script->common);
	fprintf(to, "' -- \"$cur\")) ;;\n");
	for (const struct command *command = script->commands; command->name; command++)
		if (completion_list_name(command->words_value))
			fprintf(to, "\t%s,*) _dnsfence_value %s ;;\n", command->name,
				completion_list_name(command->words_value));
	fprintf(to, "\t,*) COMPREPLY=($(compgen -W '");
	for (const struct command *command = script->commands; command->name; command++)
		fprintf(to, " %s", command->name);
	fprintf(to, "' -- \"$cur\")) ;;\n\tesac\n}\ncomplete -F _dnsfence dnsfence\n");
	return 0;
}

/* Inside '...': the shell's quote, and what _arguments() takes for its own. */
static void zsh_text(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\'", to);
		else if (strchr("[]:\\", *text))
			fputc('\\', to);
		fputc(*text, to);
	}
}

static void zsh_value(FILE *to, const char *name, enum value_kind value)
{
	const char *list = completion_list_name(value);

	fputc(':', to);
	zsh_text(to, name);
	if (list)
		fprintf(to, ": _dnsfence_list %s", list);
	else
		fprintf(to, ":%s",
			value == VALUE_FILE        ? "_files"
			: value == VALUE_DIRECTORY ? "_files -/"
						   : " ");
}

/*
 * One row for _arguments(): '(-C --config)'{-C+,--config=}'[the configuration]:FILE:_files'. With
 * these signs an argument may be of the same word or the next one, as for getopt_long().
 */
static void zsh_option(FILE *to, const struct command_option *option)
{
	const char *plus = option->argument ? "+" : "", *equals = option->argument ? "=" : "";
	bool again = option->kind == OPTION_TEXTS;

	fprintf(to, "\t\t");
	if (option->letter)
		fprintf(to, "'(-%c --%s)'{-%c%s,--%s%s}'", option->letter, option->name,
			option->letter, plus, option->name, equals);
	else
		fprintf(to, "'%s--%s%s", again ? "*" : "", option->name, equals);
	fputc('[', to);
	zsh_text(to, option->doc);
	fputc(']', to);
	if (option->argument)
		zsh_value(to, option->argument, option->value);
	fprintf(to, "'\n");
}

/* The command's own, and the common ones that it has no other of. */
static void zsh_options(const struct script *script, const struct command_option *own)
{
	for (const struct command_option *option = own; option && option->name; option++)
		zsh_option(script->to, option);
	for (const struct command_option *option = script->common; option->name; option++)
		if (!has_option(own, option->name))
			zsh_option(script->to, option);
}

/*
 * Without this row no option could stand behind a word. Where there is nothing to offer it does
 * nothing, {:}: the message that an empty action shows would keep the options back.
 */
static void zsh_words(FILE *to, const struct command *command)
{
	const char *list = completion_list_name(command->words_value);

	if (!command->words_max)
		return;
	fprintf(to, "\t\t'*:");
	zsh_text(to, command->words);
	if (list)
		fprintf(to, ": _dnsfence_list %s'\n", list);
	else
		fprintf(to, ":{:}'\n");
}

static const char zsh_head[] =
	"#compdef dnsfence\n"
	"# zsh completion for dnsfence(8), as \"dnsfence completion zsh\" prints it.\n"
	"_dnsfence_list() {\n"
	"\tlocal -a values\n"
	"\tvalues=(\"${(@f)$(dnsfence completion $1 2>/dev/null)}\")\n"
	"\tcompadd -a values\n"
	"}\n"
	"_dnsfence() {\n"
	"\tlocal curcontext=$curcontext state= line=\n"
	"\tlocal -a rows commands\n"
	"\ttypeset -A opt_args\n"
	"\tcommands=(\n";

static int zsh_write(const struct script *script)
{
	FILE *to = script->to;

	fputs(zsh_head, to);
	for (const struct command *command = script->commands; command->name; command++) {
		fprintf(to, "\t\t'%s:", command->name);
		zsh_text(to, command->doc);
		fprintf(to, "'\n");
	}
	fprintf(to, "\t)\n\trows=(\n");
	zsh_options(script, NULL);
	fprintf(to, "\t)\n"
		    "\t_arguments -C -s $rows '1: :->command' '*:: :->rest'\n"
		    "\t[[ -z $state ]] && return\n"
		    "\t[[ $state == command ]] && { _describe command commands; return }\n"
		    "\tcase $words[1] in\n");
	for (const struct command *command = script->commands; command->name; command++) {
		fprintf(to, "\t%s)\n\t\trows=(\n", command->name);
		zsh_options(script, command->options);
		zsh_words(to, command);
		fprintf(to, "\t\t) ;;\n");
	}
	fprintf(to, "\tesac\n\t_arguments -s $rows\n}\n"
		    "if [[ $funcstack[1] == _dnsfence ]]; then\n"
		    "\t_dnsfence \"$@\"\nelse\n\tcompdef _dnsfence dnsfence\nfi\n");
	return 0;
}

static const char fish_head[] =
	"# fish completion for dnsfence(8), as \"dnsfence completion fish\" prints it.\n"
	"function __dnsfence_command\n"
	"\tset -l skip 0\n"
	"\tfor word in (commandline -opc)[2..-1]\n"
	"\t\tif test $skip = 1\n"
	"\t\t\tset skip 0\n"
	"\t\t\tcontinue\n"
	"\t\tend\n"
	"\t\tswitch $word\n"
	"\t\t\tcase ";

static const char fish_middle[] = "\n"
				  "\t\t\t\tset skip 1\n"
				  "\t\t\tcase '-*'\n"
				  "\t\t\tcase '*'\n"
				  "\t\t\t\techo $word\n"
				  "\t\t\t\treturn 0\n"
				  "\t\tend\n"
				  "\tend\n"
				  "\treturn 1\n"
				  "end\n"
				  "function __dnsfence_is\n"
				  "\tcontains -- (__dnsfence_command; or echo none) $argv\n"
				  "end\n"
				  "complete -c dnsfence -f\n";

static void fish_doc(FILE *to, const char *doc)
{
	fprintf(to, " -d '");
	put_escaped(to, doc, "'\\");
	fprintf(to, "'");
}

static void fish_option(FILE *to, const struct command_option *option)
{
	const char *list = completion_list_name(option->value);

	if (option->letter)
		fprintf(to, " -s %c", option->letter);
	fprintf(to, " -l %s", option->name);
	if (list)
		fprintf(to, " -x -a '(dnsfence completion %s 2>/dev/null)'", list);
	else if (option->argument)
		fprintf(to, "%s",
			option->value == VALUE_FILE ? " -r -F"
			: option->value == VALUE_DIRECTORY
				? " -x -a '(__fish_complete_directories)'"
				: " -x");
	fish_doc(to, option->doc);
	fputc('\n', to);
}

/* Everywhere but behind the commands that have one of their own by its name. */
static void fish_common(const struct script *script, const struct command_option *option)
{
	const char *link = " -n 'not __dnsfence_is ";
	FILE *to = script->to;

	fprintf(to, "complete -c dnsfence");
	for (const struct command *command = script->commands; command->name; command++)
		if (has_option(command->options, option->name)) {
			fprintf(to, "%s%s", link, command->name);
			link = " ";
		}
	fprintf(to, "%s", util_streq(link, " ") ? "'" : "");
	fish_option(to, option);
}

static int fish_write(const struct script *script)
{
	FILE *to = script->to;

	fputs(fish_head, to);
	put_with_argument(script, " ");
	fputs(fish_middle, to);
	for (const struct command_option *option = script->common; option->name; option++)
		fish_common(script, option);
	for (const struct command *command = script->commands; command->name; command++) {
		const struct command_option *option = command->options;
		const char *list = completion_list_name(command->words_value);

		fprintf(to, "complete -c dnsfence -n 'not __dnsfence_command >/dev/null' -a %s",
			command->name);
		fish_doc(to, command->doc);
		fputc('\n', to);
		if (list)
			fprintf(to,
				"complete -c dnsfence -n '__dnsfence_is %s' "
				"-a '(dnsfence completion %s 2>/dev/null)'\n",
				command->name, list);
		for (; option && option->name; option++) {
			fprintf(to, "complete -c dnsfence -n '__dnsfence_is %s'", command->name);
			fish_option(to, option);
		}
	}
	return 0;
}

int completion_write(const char *shell, const struct command *commands,
		     const struct command_option *common, FILE *to)
{
	static const struct {
		const char *shell;
		int (*write)(const struct script *script);
	} writers[] = {{"bash", bash_write}, {"zsh", zsh_write}, {"fish", fish_write}};
	const struct script script = {commands, common, to};

	for (size_t i = 0; i < ARRAY_LEN(writers); i++)
		if (util_streq(writers[i].shell, shell)) {
			writers[i].write(&script);
			return fflush(to) == 0 ? 0 : -EIO;
		}
	return -ENOENT;
}
