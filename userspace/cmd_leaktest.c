// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * leaktest: every technique of tools/leakprobe, tried as the one who is asked about, in a network
 * of our own (stage.h) in which nothing has a resolver. What arrives at its far end has leaked.
 */
#include <bpf/bpf.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "attach.h"
#include "cgroup.h"
#include "event.h"
#include "json.h"
#include "outcome.h"
#include "tools/leakprobe/probe.h"
#include "trial.h"

#define EDGE_WAIT_MS 3000 /* for the daemon to fence a new interface */

static const uint16_t ports[] = {53, 853};

static const char *const verdict_names[LEAK_VERDICT_MAX] = {"closed", "open", "audited",
							    "impossible"};
static const char *const privilege_names[] = {"none", "CAP_NET_RAW", "CAP_NET_ADMIN",
					      "CAP_NET_BIND_SERVICE"};

struct leaktest {
	const struct options *options;
	struct tester tester;
	struct stage *stage;
	char leaf[PATH_MAX]; /* a cgroup of our own below the asker's, which takes no processes */
	size_t totals[LEAK_VERDICT_MAX];
	size_t untried; /* for want of --all */
	struct json json;
};

/* The table -------------------------------------------------------------------------------------
 */

static const char *errno_name(int error)
{
	const char *name = error ? strerrorname_np(error) : "-";

	return name ? name : "?";
}

static void print_row(const struct trial *trial, const struct outcome *outcome)
{
	printf("%-10s %-11s %-12s %-28s IPv%d %-4u %s\n", verdict_names[outcome->verdict],
	       outcome->hook >= 0 ? hook_name((unsigned int)outcome->hook) : "-",
	       errno_name(outcome->report.error), trial->technique->name, trial->family,
	       trial->port, privilege_names[trial->technique->privilege]);
}

static void write_row(struct json *to, const struct trial *trial, const struct outcome *outcome)
{
	json_open(to, NULL);
	json_put(to, "technique", trial->technique->name);
	json_put(to, "help", trial->technique->help);
	json_put(to, "type", trial->family == 4 ? "ipv4" : "ipv6");
	json_uint(to, "port", trial->port);
	json_put(to, "privilege", privilege_names[trial->technique->privilege]);
	json_put(to, "verdict", verdict_names[outcome->verdict]);
	if (outcome->hook >= 0)
		json_put(to, "hook", hook_name((unsigned int)outcome->hook));
	if (outcome->report.error) {
		json_put(to, "errno", errno_name(outcome->report.error));
		json_put(to, "step", outcome->report.step);
	}
	json_close(to);
}

static int leaktest_try(struct leaktest *test, const struct trial *trial)
{
	struct outcome outcome = {0};
	int r = trial_judge(&test->tester, trial, &outcome);

	if (r < 0)
		return r;
	test->totals[outcome.verdict]++;
	if (test->options->json)
		write_row(&test->json, trial, &outcome);
	else
		print_row(trial, &outcome);
	return 0;
}

static bool is_frame_technique(const struct technique *technique)
{
	for (const struct technique *row = frame_techniques; row->name; row++)
		if (row == technique)
			return true;
	return false;
}

static int leaktest_technique(struct leaktest *test, const struct technique *technique)
{
	struct stage *stage = test->tester.frames && is_frame_technique(technique)
				      ? test->tester.frames
				      : test->stage;
	int r = 0;

	if (!trial_is_possible(technique))
		return 0;
	if (technique->privilege != NEEDS_NOTHING && !test->options->all) {
		test->untried++;
		return 0;
	}
	for (int family = 4; family <= 6; family += 2)
		for (size_t i = 0; r >= 0 && i < ARRAY_LEN(ports); i++) {
			const struct trial trial = {stage, technique, family, ports[i]};

			if (technique->families & (family == 4 ? FOR_4 : FOR_6))
				r = leaktest_try(test, &trial);
		}
	return r;
}

static int leaktest_all(struct leaktest *test)
{
	int r = 0;

	for (size_t i = 0; i < technique_tables_len; i++)
		for (const struct technique *row = technique_tables[i]; r >= 0 && row->name; row++)
			r = leaktest_technique(test, row);
	return r;
}

/* Setting up ------------------------------------------------------------------------------------
 */

/* The cgroup itself; where processes may only be in leaves, one of our own below it. */
static int procs_open(struct leaktest *test, const char *mount, struct problem *problem)
{
	char path[2 * PATH_MAX];
	int fd;

	(void)snprintf(path, sizeof(path), "%s%s/cgroup.subtree_control", mount,
		       test->tester.asker.cgroup);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !util_streq(test->tester.asker.cgroup, "/")) {
		char first;

		if (read(fd, &first, 1) == 1 && first != '\n')
			(void)snprintf(test->leaf, sizeof(test->leaf), "%s%s/dnsfence-leaktest-%d",
				       mount, test->tester.asker.cgroup, getpid());
	}
	util_closep(&fd);
	if (test->leaf[0] && mkdir(test->leaf, 0755) < 0)
		return problem_set(problem, errno, "cannot make %s: %s", test->leaf,
				   strerror(errno));
	if (test->leaf[0])
		(void)snprintf(path, sizeof(path), "%s/cgroup.procs", test->leaf);
	else
		(void)snprintf(path, sizeof(path), "%s%s/cgroup.procs", mount,
			       test->tester.asker.cgroup);
	test->tester.procs = open(path, O_WRONLY | O_CLOEXEC);
	if (test->tester.procs < 0)
		return problem_set(problem, errno, "cannot send processes into the cgroup %s: %s",
				   test->tester.asker.cgroup, strerror(errno));
	return 0;
}

/* One that the far end can have: not loopback, no group, nothing special. */
static bool address_is_host(const union endpoint *address)
{
	const struct in6_addr *v6 = &address->in6.sin6_addr;
	const uint8_t first = (uint8_t)(ntohl(address->in.sin_addr.s_addr) >> 24);

	if (is_ip4(address))
		return first != 0 && first != IN_LOOPBACKNET && first < 224;
	return !IN6_IS_ADDR_UNSPECIFIED(v6) && !IN6_IS_ADDR_LOOPBACK(v6) &&
	       !IN6_IS_ADDR_MULTICAST(v6) && !IN6_IS_ADDR_V4MAPPED(v6);
}

static int targets_set(struct leaktest *test, struct problem *problem)
{
	const struct texts *given = &test->options->targets;
	const char *named[2] = {NULL, NULL};

	for (size_t i = 0; i < given->length; i++) {
		const char *text = given->list[i];
		union endpoint endpoint;
		bool v6;

		if (!parse_address(text, 0, &endpoint))
			return problem_set(problem, EINVAL,
					   "--target takes an IPv4 or IPv6 address, not '%.60s'",
					   text);
		v6 = !is_ip4(&endpoint);
		if (!address_is_host(&endpoint) || util_streq(text, v6 ? STAGE_NEAR6 : STAGE_NEAR4))
			return problem_set(problem, EINVAL,
					   "--target: no resolver elsewhere has the address %s; "
					   "give another",
					   text);
		if (named[v6])
			return problem_set(problem, EINVAL,
					   "--target: %s and %s; give one address of each family",
					   named[v6], text);
		named[v6] = text;
	}
	test->tester.targets[0] = named[0] ?: STAGE_TARGET4;
	test->tester.targets[1] = named[1] ?: STAGE_TARGET6;
	return 0;
}

static bool edge_has(const struct leaktest *test, uint32_t ifindex)
{
	struct df_edge edge;

	return test->tester.loaded &&
	       bpf_map_lookup_elem(test->tester.maps[FENCE_EDGES], &ifindex, &edge) == 0;
}

/*
 * As a container's: where the edge is on, the daemon fences it at once. Where it does not, frames
 * are tried like everything else.
 */
static int frames_open(struct leaktest *test, struct problem *problem)
{
	const struct stage_plan plan = {.at_home = true};
	const struct timespec pause = {.tv_nsec = 20000000};
	uint32_t first;
	int r;

	if (!test->tester.loaded || !test->options->all ||
	    bpf_map_get_next_key(test->tester.maps[FENCE_EDGES], NULL, &first) < 0)
		return 0;
	r = stage_open(&plan, &test->tester.frames, problem);
	if (r < 0)
		return r;
	for (int i = 0; i < EDGE_WAIT_MS / 20; i++) {
		if (edge_has(test, stage_far_ifindex(test->tester.frames)))
			return 0;
		(void)nanosleep(&pause, NULL);
	}
	stage_close(test->tester.frames);
	test->tester.frames = NULL;
	log_warning("the edge is on, but does not fence a veth that is new on this host");
	return 0;
}

static int leaktest_open(struct leaktest *test, struct problem *problem)
{
	const struct options *options = test->options;
	const struct asker_request request = {
		.cgroup = options->asker_cgroup,
		.pid = options->asker_pid,
		.user = options->asker_user,
	};
	_cleanup_free_ char *mount = NULL;
	struct stage_plan plan = {0};
	uint64_t random;
	struct pins pins;
	int r = targets_set(test, problem);

	if (r < 0)
		return r;
	if (geteuid() != 0)
		return problem_set(problem, EPERM,
				   "a network to try in is made by root only; run as root");
	r = cgroup_find_mount(&mount);
	if (r < 0)
		return cgroup_refuse_mount(r, problem);
	r = asker_find(&request, mount, options->cgroup, &test->tester.asker, problem);
	if (r == -ENOENT) /* to name who is not there is a mistake in the command, no finding */
		r = -EINVAL;
	if (r >= 0)
		r = procs_open(test, mount, problem);
	if (r >= 0)
		r = pins_init(&pins, options->pin_dir, problem);
	if (r < 0)
		return r;
	test->tester.loaded = fence_open_pinned(&pins, test->tester.maps, problem) >= 0;
	problem->text[0] = 0;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = (uint64_t)time(NULL) << 32 | (uint32_t)getpid();
	(void)snprintf(test->tester.token, sizeof(test->tester.token), "%016llx",
		       (unsigned long long)random);
	plan.target4 = test->tester.targets[0];
	plan.target6 = test->tester.targets[1];
	r = stage_open(&plan, &test->stage, problem);
	return r < 0 ? r : frames_open(test, problem);
}

static void leaktest_close(struct leaktest *test)
{
	stage_close(test->tester.frames);
	stage_close(test->stage);
	if (test->tester.loaded)
		fence_close_pinned(test->tester.maps);
	util_closep(&test->tester.procs);
	if (test->leaf[0])
		(void)rmdir(test->leaf);
	json_done(&test->json);
}

static void print_summary(const struct leaktest *test)
{
	const char *who =
		test->tester.asker.what[0] ? test->tester.asker.what : test->tester.asker.cgroup;
	const size_t *totals = test->totals;

	if (!test->tester.loaded)
		log_warning("nothing is pinned in %s: no fence, or one that is ephemeral and does "
			    "not tell which hook refused",
			    test->options->pin_dir);
	if (test->tester.asker.outside)
		log_warning("%s is outside of what is fenced, %s", who, test->options->cgroup);
	log_info("%s: %zu ways are closed, %zu open, %zu audited, %zu do not work here", who,
		 totals[LEAK_CLOSED], totals[LEAK_OPEN], totals[LEAK_AUDITED],
		 totals[LEAK_IMPOSSIBLE]);
	if (test->untried)
		log_info("%zu techniques that take a privilege were left out; --all tries them",
			 test->untried);
	if (totals[LEAK_OPEN] && test->tester.loaded)
		log_info("\"dnsfence explain %s:53/udp\" says which policy lets that through",
			 test->tester.targets[0]);
}

static void print_json(struct leaktest *test)
{
	struct json *to = &test->json;

	json_list_end(to);
	json_open(to, "totals");
	for (int verdict = 0; verdict < LEAK_VERDICT_MAX; verdict++)
		json_uint(to, verdict_names[verdict], test->totals[verdict]);
	json_uint(to, "untried", test->untried);
	json_close(to);
	json_close(to);
	if (json_finish(to) >= 0)
		(void)fwrite(to->text, 1, to->length, stdout);
}

static void begin_json(struct leaktest *test)
{
	struct json *to = &test->json;

	json_open(to, NULL);
	json_put_text(to, "asker", test->tester.asker.what);
	json_put(to, "cgroup", test->tester.asker.cgroup);
	json_bool(to, "loaded", test->tester.loaded);
	json_list(to, "targets");
	json_put(to, NULL, test->tester.targets[0]);
	json_put(to, NULL, test->tester.targets[1]);
	json_list_end(to);
	json_list(to, "techniques");
}

int cmd_leaktest(const struct options *options)
{
	struct leaktest test = {.options = options, .tester.procs = -1};
	struct problem problem = {{0}};
	int r = leaktest_open(&test, &problem);

	if (r < 0) {
		leaktest_close(&test);
		return r == -EINVAL ? (log_error("%s", problem.text), EXIT_USAGE)
				    : outcome_fail(r, &problem);
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0); /* before the first fork */
	if (options->json)
		begin_json(&test);
	else
		printf("%-10s %-11s %-12s %-28s %-4s %-4s %s\n", "VERDICT", "HOOK", "ERRNO",
		       "TECHNIQUE", "IP", "PORT", "TAKES");
	r = leaktest_all(&test);
	if (r < 0) {
		log_error("cannot try as a process in the cgroup %s: %s; a cgroup that takes none, "
			  "or a user that this one may not become",
			  test.tester.asker.cgroup, strerror(-r));
		leaktest_close(&test);
		return r == -ENOMEM ? EXIT_INTERNAL : EXIT_KERNEL;
	}
	if (options->json)
		print_json(&test);
	print_summary(&test);
	r = test.totals[LEAK_OPEN] || test.totals[LEAK_AUDITED] ? EXIT_NEGATIVE : EXIT_FINE;
	leaktest_close(&test);
	return r;
}
