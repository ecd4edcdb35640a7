// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"

#include <getopt.h>

#include "suggest.h"

/* An option as it was given: which one it is, only the command tells. */
struct given {
	const char *name; /* the long one, "" where only the letter was written */
	int letter;
	const char *argument;
	bool behind; /* the command */
};

struct parser {
	const struct command *commands;
	const struct command_option *common;
	struct problem *problem;
	struct option *known; /* of all commands, so that they may stand before theirs */
	size_t known_length;
	char letters[64];
	struct given *given;
	size_t given_length;
	struct texts words; /* the command is the first */
};

static bool parser_knows(const struct parser *parser, const char *name)
{
	for (size_t i = 0; i < parser->known_length; i++)
		if (util_streq(parser->known[i].name, name))
			return true;
	return false;
}

static int parser_learn(struct parser *parser, const struct command_option *options)
{
	for (; options && options->name; options++) {
		size_t used = strlen(parser->letters);
		struct option *option;

		if (parser_knows(parser, options->name))
			continue;
		option = ARRAY_APPEND(parser->known, parser->known_length);
		if (!option)
			return -ENOMEM;
		option->name = options->name;
		option->has_arg = options->argument ? required_argument : no_argument;
		if (options->letter && used + 3 < sizeof(parser->letters))
			(void)snprintf(parser->letters + used, sizeof(parser->letters) - used,
				       "%c%s", options->letter, options->argument ? ":" : "");
	}
	return 0;
}

/* "-": words come in their order; ":": what is wrong is said here. */
static int parser_learn_all(struct parser *parser)
{
	int r;

	strcpy(parser->letters, "-:");
	r = parser_learn(parser, parser->common);
	for (const struct command *command = parser->commands; r == 0 && command->name; command++)
		r = parser_learn(parser, command->options);
	return r < 0 || !ARRAY_APPEND(parser->known, parser->known_length) ? -ENOMEM : 0;
}

static const struct command_option *option_find(const struct command_option *options,
						const char *name, int letter)
{
	for (; options && options->name; options++)
		if (letter ? options->letter == letter : util_streq(options->name, name))
			return options;
	return NULL;
}

/* For who gave a letter to a command that has none: what others mean by it. */
static const char *parser_name_of(const struct parser *parser, int letter)
{
	const struct command_option *option = option_find(parser->common, "", letter);

	for (const struct command *command = parser->commands; !option && command->name; command++)
		option = option_find(command->options, "", letter);
	return option ? option->name : "";
}

/* "--wor=x" -> "wor" */
static void option_word(const char *text, char word[64])
{
	text += strspn(text, "-");
	(void)snprintf(word, 64, "%.*s", (int)strcspn(text, "="), text);
}

/*
 * The beginning of several names is none of them: getopt_long() takes the first, if what they take
 * is alike, and that would be another command's.
 */
static int parser_check_beginning(const struct parser *parser, const char *word)
{
	const char *first = NULL, *second = NULL;
	size_t found = 0;

	for (size_t i = 0; i + 1 < parser->known_length; i++) {
		const char *name = parser->known[i].name;

		if (util_streq(name, word))
			return 0;
		if (strncmp(name, word, strlen(word)) != 0)
			continue;
		second = found == 1 ? name : second;
		first = found == 0 ? name : first;
		found++;
	}
	return found > 1 ? problem_set(parser->problem, EINVAL,
				       "'--%s' may be --%s or --%s%s; write it out", word, first,
				       second, found > 2 ? ", or another" : "")
			 : 0;
}

static int parser_refuse(const struct parser *parser, const char *text)
{
	struct suggestion suggestion;
	char word[64];

	if (optopt)
		return problem_set(parser->problem, EINVAL,
				   "there is no option '-%c'; see \"dnsfence --help\"", optopt);
	option_word(text, word);
	if (*word && parser_check_beginning(parser, word) < 0)
		return -EINVAL;
	for (size_t i = 0; i + 1 < parser->known_length; i++)
		if (util_streq(parser->known[i].name, word))
			return problem_set(parser->problem, EINVAL,
					   "--%s takes no argument; write it alone", word);
	suggestion_begin(&suggestion, word);
	for (size_t i = 0; i + 1 < parser->known_length; i++)
		suggestion_offer(&suggestion, parser->known[i].name);
	if (suggestion.nearest)
		return problem_set(parser->problem, EINVAL,
				   "there is no option '--%s'; did you mean '--%s'?", word,
				   suggestion.nearest);
	return problem_set(parser->problem, EINVAL,
			   "there is no option '--%s'; see \"dnsfence --help\"", word);
}

static int parser_take(struct parser *parser, const char *name, int letter, const char *argument)
{
	struct given *given = ARRAY_APPEND(parser->given, parser->given_length);

	if (!given)
		return -ENOMEM;
	*given = (struct given){name, letter, argument, parser->words.length > 0};
	return 0;
}

static int texts_add(struct texts *texts, const char *text)
{
	const char **place = ARRAY_APPEND(texts->list, texts->length);

	if (!place)
		return -ENOMEM;
	*place = text;
	return 0;
}

/* One answer of getopt_long(). */
static int parser_step(struct parser *parser, int answer, int index, char **argv)
{
	char word[64];

	switch (answer) {
	case 0:
		option_word(argv[optind - 1 - (optarg == argv[optind - 1])], word);
		if (parser_check_beginning(parser, word) < 0)
			return -EINVAL;
		return parser_take(parser, parser->known[index].name, 0, optarg);
	case 1:
		return texts_add(&parser->words, optarg);
	case '?':
		return parser_refuse(parser, argv[optind - 1]);
	case ':':
		return problem_set(parser->problem, EINVAL,
				   "'%s' needs an argument; see \"dnsfence --help\"",
				   argv[optind - 1]);
	default:
		return parser_take(parser, "", answer, optarg);
	}
}

static int parser_read(struct parser *parser, int argc, char **argv)
{
	int answer, index = 0, r = 0;

	optind = 0; /* from the beginning, also the second time */
	opterr = 0;
	while (r == 0 &&
	       (answer = getopt_long(argc, argv, parser->letters, parser->known, &index)) != -1)
		r = parser_step(parser, answer, index, argv);
	while (r == 0 && optind < argc) /* behind -- */
		r = texts_add(&parser->words, argv[optind++]);
	return r;
}

static int parser_find_command(const struct parser *parser, const struct command **ret)
{
	const char *name = parser->words.length ? parser->words.list[0] : NULL;
	struct suggestion suggestion;

	*ret = NULL;
	if (!name)
		return 0;
	suggestion_begin(&suggestion, name);
	for (const struct command *command = parser->commands; command->name; command++) {
		if (util_streq(command->name, name)) {
			*ret = command;
			return 0;
		}
		suggestion_offer(&suggestion, command->name);
	}
	if (suggestion.nearest)
		return problem_set(parser->problem, EINVAL,
				   "there is no command '%s'; did you mean '%s'?", name,
				   suggestion.nearest);
	return problem_set(parser->problem, EINVAL,
			   "there is no command '%s'; see \"dnsfence --help\"", name);
}

static int option_count(const struct command_option *option, const char *text, unsigned long *place,
			struct problem *problem)
{
	unsigned long count;
	char *end;

	errno = 0;
	count = strtoul(text, &end, 10);
	if (errno || *end || *text < '1' || *text > '9')
		return problem_set(problem, EINVAL, "--%s takes a number from 1, not '%s'",
				   option->name, text);
	*place = count;
	return 0;
}

static int option_set(const struct command_option *option, const struct given *given,
		      struct options *options, struct problem *problem)
{
	void *place = (char *)options + option->offset;

	switch (option->kind) {
	case OPTION_FLAG:
		*(bool *)place = true;
		break;
	case OPTION_TEXT:
		if (!*given->argument &&
		    (option->value == VALUE_FILE || option->value == VALUE_DIRECTORY))
			return problem_set(problem, EINVAL, "--%s takes a path, not ''",
					   option->name);
		*(const char **)place = given->argument;
		break;
	case OPTION_TEXTS:
		return texts_add(place, given->argument);
	case OPTION_COUNT:
		return option_count(option, given->argument, place, problem);
	}
	return 0;
}

static const struct command_option *
parser_option(const struct parser *parser, const struct command *command, const struct given *given)
{
	const struct command_option *common =
		option_find(parser->common, given->name, given->letter);
	const struct command_option *own =
		command ? option_find(command->options, given->name, given->letter) : NULL;

	if (own && common)
		return given->behind ? own : common;
	return own ?: common;
}

static int parser_apply(const struct parser *parser, const struct command *command,
			struct options *options)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < parser->given_length; i++) {
		const struct given *given = &parser->given[i];
		const struct command_option *option = parser_option(parser, command, given);

		if (option)
			r = option_set(option, given, options, parser->problem);
		else if (command)
			r = problem_set(
				parser->problem, EINVAL,
				"\"%s\" takes no --%s; see \"dnsfence %s --help\"", command->name,
				given->letter ? parser_name_of(parser, given->letter) : given->name,
				command->name);
	}
	return r;
}

static int parser_words(struct parser *parser, const struct command *command,
			struct options *options)
{
	int r = 0;

	if (command && parser->words.length > 1 + command->words_max && !options->help)
		return problem_set(parser->problem, EINVAL,
				   "'%s' is one word too many; see \"dnsfence %s --help\"",
				   parser->words.list[1 + command->words_max], command->name);
	for (size_t i = 1; r == 0 && i < parser->words.length; i++)
		r = texts_add(&options->words, parser->words.list[i]);
	return r;
}

int options_parse(int argc, char **argv, const struct command *commands,
		  const struct command_option *common, struct options *options,
		  const struct command **ret_command, struct problem *problem)
{
	struct parser parser = {.commands = commands, .common = common, .problem = problem};
	const struct command *command = NULL;
	int r = parser_learn_all(&parser);

	problem->text[0] = 0;
	if (r == 0)
		r = parser_read(&parser, argc, argv);
	if (r == 0)
		r = parser_find_command(&parser, &command);
	if (r == 0)
		r = parser_apply(&parser, command, options);
	if (r == 0)
		r = parser_words(&parser, command, options);
	if (r == 0)
		*ret_command = command;
	free(parser.known);
	free(parser.given);
	free(parser.words.list);
	return r;
}

void options_done(struct options *options)
{
	struct texts *const lists[] = {
		&options->destinations,   &options->targets,      &options->words,
		&options->where,          &options->where_dst,    &options->where_process,
		&options->where_user,     &options->where_cgroup, &options->where_policy,
		&options->where_question, &options->where_reason, &options->where_action};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		free(lists[i]->list);
		*lists[i] = (struct texts){0};
	}
}
