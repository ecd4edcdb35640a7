// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * explain: why a lookup is let through or refused, by the configuration, or with --live by the
 * policy that is in force.
 */
#include "asker.h"
#include "attach.h"
#include "cgroup.h"
#include "color.h"
#include "event.h"
#include "explain_format.h"
#include "inforce.h"
#include "outcome.h"
#include "prepare.h"

#define TRIES 20 /* at a policy that stays for the time of a question */

/* What all questions of one run are answered from. */
struct session {
	const struct options *options;
	struct prepared prepared;
	bool lines; /* prepared.config is what the image was made of */
	char *mount;
	struct inforce inforce;
	struct explain_live told;
	struct denial_surroundings surroundings;
	struct kernel_features features;
	size_t printed;
	bool denied;
	bool wrong; /* a line of standard input */
};

/* Newest first: what is not known is said to be there. */
static void session_guess_kernel(struct session *session)
{
	struct problem ignored;

	if (fence_probe(&session->features, &ignored) == 0)
		return;
	for (const struct kernel_feature *feature = kernel_feature_table; feature->name; feature++)
		*(bool *)((char *)&session->features + feature->offset) = true;
	session->features.sockopt = true;
	log_debug("what this kernel can do is not known without privileges; a recent one is "
		  "assumed");
}

static int session_open_config(struct session *session, struct problem *problem)
{
	struct hook_plan plan;
	int r = prepare(session->options, NULL, &session->prepared, stderr, problem);

	if (r < 0)
		return r;
	session->lines = true;
	session_guess_kernel(session);
	attach_plan(&session->prepared.image.generation, &session->features,
		    &session->prepared.config, cgroup_level(session->options->cgroup), &plan);
	session->surroundings.features = &session->features;
	for (int hook = 0; hook < DF_HOOK_CGROUP_MAX; hook++)
		session->surroundings.attached[hook] = plan.why[hook] != NULL;
	session->mount = strdup(session->prepared.mount);
	return session->mount ? 0 : -ENOMEM;
}

static bool bytes_equal(const void *a, const void *b, size_t size)
{
	return !size || memcmp(a, b, size) == 0;
}

/* What the configuration alone decides; subjects and IPsec come and go, which the daemon adds. */
static bool generation_is_of(const struct df_generation *a, const struct df_generation *b)
{
	const uint32_t follows = DF_GEN_USERS | DF_GEN_ORIGINS | DF_GEN_CALLS;

	return (a->flags & ~follows) == (b->flags & ~follows) && a->services == b->services &&
	       a->default_policy == b->default_policy && a->policies_len == b->policies_len &&
	       bytes_equal(a->ports, b->ports, sizeof(a->ports)) &&
	       bytes_equal(a->policies, b->policies, sizeof(a->policies));
}

/* Are the policies and resolvers those of this configuration? */
static bool image_is_of(const struct policy_image *image, const struct policy_image *other)
{
	return generation_is_of(&image->generation, &other->generation) &&
	       image->exact_length == other->exact_length &&
	       image->prefixes_length == other->prefixes_length &&
	       bytes_equal(image->exact, other->exact,
			   image->exact_length * sizeof(*image->exact)) &&
	       bytes_equal(image->prefixes, other->prefixes,
			   image->prefixes_length * sizeof(*image->prefixes));
}

/* The configuration whose lines are named, if it is still the one that is in force. */
static void session_find_lines(struct session *session)
{
	_cleanup_file_ FILE *nowhere = fopen("/dev/null", "we");
	struct problem ignored;

	session->told.lines_why = NULL;
	if (!session->prepared.mount && nowhere)
		(void)prepare(session->options, NULL, &session->prepared, nowhere, &ignored);
	session->lines = session->prepared.mount &&
			 image_is_of(&session->inforce.image, &session->prepared.image);
	if (session->lines)
		return;
	session->told.lines_why =
		session->prepared.mount
			? "it is not what is in force; \"dnsfence reload\" makes it so, -C names "
			  "another"
			: "it has errors; \"dnsfence check\" shows them";
}

static void session_take_live(struct session *session)
{
	session->surroundings = session->inforce.surroundings;
	session->told.generation = session->inforce.image.generation.id;
	session->told.program_why = session->inforce.program_why;
	session_find_lines(session);
}

static int session_open_live(struct session *session, struct problem *problem)
{
	int r = cgroup_find_mount(&session->mount);

	if (r < 0)
		return cgroup_refuse_mount(r, problem);
	r = inforce_open(session->options->pin_dir, session->mount, &session->inforce, problem);
	if (r >= 0)
		session_take_live(session);
	return r;
}

static void session_close(struct session *session)
{
	if (session->options->live)
		inforce_done(&session->inforce);
	prepared_done(&session->prepared);
	free(session->mount);
}

static int session_print(struct session *session, const struct explain_request *request,
			 const struct explanation *explanation, bool brief)
{
	const struct explain_live *told = session->options->live ? &session->told : NULL;
	struct json json = {0};
	int r;

	session->denied |= explanation->judgement.verdict == DF_VERDICT_DENY;
	if (!session->options->json) {
		if (brief)
			explain_write_line(request, explanation, stdout);
		else if (session->printed++)
			printf("\n");
		if (!brief)
			explain_write_text(request, explanation, told, color_wanted(STDOUT_FILENO),
					   stdout);
		return 0;
	}
	explain_write_json(request, explanation, told, &json);
	r = json_finish(&json);
	if (r == 0)
		(void)fwrite(json.text, 1, json.length, stdout);
	json_done(&json);
	return r;
}

/* The program's own word on it. */
static int session_ask(struct session *session, const struct asker *asker,
		       const struct explanation *explanation, struct problem *problem)
{
	const struct judgement *judgement = &explanation->judgement;
	struct inforce_answer answer;
	int r;

	if (!session->options->live || session->told.program_why || asker->outside)
		return 0;
	r = inforce_ask(&session->inforce, asker, &explanation->query, judgement->rank, &answer);
	if (r == -EAGAIN)
		return r;
	if (r < 0)
		return problem_set(problem, -r, "the loaded program cannot be asked: %s",
				   strerror(-r));
	session->told.verdict = answer.verdict;
	session->told.reason = answer.reason;
	session->told.walked = answer.walked;
	if (answer.verdict == judgement->verdict && answer.reason == judgement->reason)
		return 0;
	return problem_set(
		problem, EPROTO,
		"the loaded program says %s (%s), the tables it reads say %s (%s): please "
		"report this with what \"dnsfence status -j\" prints",
		event_verdict_name(answer.verdict), event_reason_name(answer.reason),
		event_verdict_name(judgement->verdict), event_reason_name(judgement->reason));
}

static int session_answer(struct session *session, const struct asker *asker,
			  const struct query *query, bool brief, struct problem *problem)
{
	bool live = session->options->live;
	struct explain_request request;
	struct explanation explanation;
	int r = -EAGAIN;

	for (int try = 0; r == -EAGAIN && try < TRIES; try++) {
		if (try) { /* reloaded meanwhile */
			r = inforce_refresh(&session->inforce, problem);
			if (r < 0)
				return r;
			session_take_live(session);
		}
		request = (struct explain_request){
			.image = live ? &session->inforce.image : &session->prepared.image,
			.config = session->lines ? &session->prepared.config : NULL,
			.asker = asker,
			.surroundings = &session->surroundings,
		};
		explain(&request, query, &explanation);
		r = session_ask(session, asker, &explanation, problem);
	}
	if (r == -EAGAIN)
		return problem_set(problem, EBUSY,
				   "the policy is replaced again and again; try later");
	return r < 0 ? r : session_print(session, &request, &explanation, brief);
}

static const char *session_scope(const struct session *session)
{
	return session->options->live ? session->inforce.scope : session->options->cgroup;
}

/* "cgroup=/a", "unit=nginx.service", "user=bob" behind a destination: for this line alone. */
static int line_asker(char *word, struct asker_request *request, struct problem *problem)
{
	const struct {
		const char *key;
		const char **place;
	} keys[] = {
		{"cgroup=", &request->cgroup},       {"pid=", &request->pid},
		{"unit=", &request->unit},           {"user-unit=", &request->user_unit},
		{"container=", &request->container}, {"pod=", &request->pod},
		{"user=", &request->user},
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strncmp(word, keys[i].key, strlen(keys[i].key)) == 0) {
			*keys[i].place = word + strlen(keys[i].key);
			return 0;
		}
	return problem_set(problem, EINVAL,
			   "'%.80s' is none of cgroup=, pid=, unit=, user-unit=, container=, pod= "
			   "and user=",
			   word);
}

static struct asker_request session_asker(const struct session *session)
{
	const struct options *options = session->options;

	return (struct asker_request){
		.cgroup = options->asker_cgroup,
		.pid = options->asker_pid,
		.unit = options->asker_unit,
		.user_unit = options->asker_user_unit,
		.container = options->asker_container,
		.pod = options->asker_pod,
		.user = options->asker_user,
		.roots = session->prepared.mount ? &session->prepared.config.runtimes : NULL,
	};
}

static int session_answer_line(struct session *session, char *line, struct problem *problem)
{
	struct asker_request request = session_asker(session);
	char *rest, *destination = strtok_r(line, " \t\r\n", &rest), *word;
	bool own = false;
	struct asker asker;
	struct query query;
	int r;

	if (!destination || *destination == '#')
		return 0;
	r = query_parse(destination, &query, problem);
	while (r == 0 && (word = strtok_r(NULL, " \t\r\n", &rest))) {
		if (!own)
			request = (struct asker_request){.roots = request.roots};
		own = true;
		r = line_asker(word, &request, problem);
	}
	if (r == 0)
		r = asker_find(&request, session->mount, session_scope(session), &asker, problem);
	return r < 0 ? r : session_answer(session, &asker, &query, true, problem);
}

/* What is wrong with a line ends nothing but the line. */
static int session_answer_stdin(struct session *session, struct problem *problem)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0, number = 0;

	while (getline(&line, &size, stdin) > 0) {
		int r = session_answer_line(session, line, problem);

		number++;
		if (r == -EINVAL || r == -ENOENT) {
			log_error("standard input, line %zu: %s", number, problem->text);
			session->wrong = true;
		} else if (r < 0) {
			return r;
		}
		if (fflush(stdout) != 0) /* whoever asks may wait for the answer */
			return 0; /* main says that it could not be written */
	}
	return 0;
}

static int session_answer_all(struct session *session, const struct texts *texts,
			      const struct asker *asker, struct problem *problem)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < texts->length; i++) {
		struct query query;

		if (util_streq(texts->list[i], "-")) {
			r = session_answer_stdin(session, problem);
			continue;
		}
		r = query_parse(texts->list[i], &query, problem);
		if (r == 0)
			r = session_answer(session, asker, &query, false, problem);
	}
	return r;
}

/* Before anything is read: a typing error is not worth a wait. */
static int check_queries(const struct texts *texts, struct problem *problem)
{
	struct query ignored;
	int r = 0;

	for (size_t i = 0; r == 0 && i < texts->length; i++)
		if (!util_streq(texts->list[i], "-"))
			r = query_parse(texts->list[i], &ignored, problem);
	return r;
}

static int session_run(struct session *session, struct problem *problem)
{
	struct asker_request request;
	struct asker asker;
	int r = session->options->live ? session_open_live(session, problem)
				       : session_open_config(session, problem);

	request = session_asker(session); /* knows by now where the runtimes keep their files */
	if (r >= 0)
		r = asker_find(&request, session->mount, session_scope(session), &asker, problem);
	if (r >= 0)
		r = session_answer_all(session, &session->options->destinations, &asker, problem);
	if (r >= 0)
		r = session_answer_all(session, &session->options->words, &asker, problem);
	return r;
}

int cmd_explain(const struct options *options)
{
	struct session session = {.options = options};
	struct problem problem = {{0}};
	int r, code;

	if (!options->destinations.length && !options->words.length) {
		log_error("say what to explain, as in \"dnsfence explain 8.8.8.8:53/udp\"; - reads "
			  "standard input");
		return EXIT_USAGE;
	}
	if (check_queries(&options->destinations, &problem) < 0 ||
	    check_queries(&options->words, &problem) < 0) {
		log_error("%s", problem.text);
		return EXIT_USAGE;
	}
	r = session_run(&session, &problem);
	if (r < 0)
		code = outcome_fail(r, &problem);
	else if (session.wrong)
		code = EXIT_USAGE;
	else
		code = session.denied ? EXIT_NEGATIVE : EXIT_FINE;
	session_close(&session);
	/* 1 says that a lookup is refused, and nothing else does. */
	return r < 0 && code == EXIT_NEGATIVE ? EXIT_USAGE : code;
}
