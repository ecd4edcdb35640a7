// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * leaktest: every technique of tools/leakprobe, tried as the one who is asked about, in a network
 * of our own (stage.h) in which nothing has a resolver. What arrives at its far end has leaked.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "asker.h"
#include "attach.h"
#include "cgroup.h"
#include "counters.h"
#include "event.h"
#include "json.h"
#include "loader.h"
#include "outcome.h"
#include "stage.h"
#include "tools/leakprobe/probe.h"

#define TIMEOUT_MS 500 /* of a connect() or send() */
#define TRIAL_MS 4000 /* of all its calls */
#define BUSY_TRIES 20
#define BUSY_PAUSE_NS 50000000
#define EDGE_WAIT_MS 3000 /* for the daemon to fence a new interface */
/* RFC 6761 6.4: no such name is ever delegated. The first label is another one each time. */
#define NAME_SUFFIX "dnsfence.invalid"
#define NEEDLE "\10dnsfence\7invalid"

static const uint16_t ports[] = {53, 853};

enum leak_verdict {
	LEAK_CLOSED, /* nothing arrived */
	LEAK_OPEN,
	LEAK_AUDITED, /* it arrived, and is in the log */
	LEAK_IMPOSSIBLE, /* the technique does not work here */
	LEAK_VERDICT_MAX,
};

static const char *const verdict_names[LEAK_VERDICT_MAX] = {"closed", "open", "audited",
							    "impossible"};
static const char *const privilege_names[] = {"none", "CAP_NET_RAW", "CAP_NET_ADMIN",
					      "CAP_NET_BIND_SERVICE"};

/* Techniques whose addresses are not simply a target and another one. */
enum place { PLACE_USUAL, PLACE_GROUP, PLACE_BROADCAST, PLACE_OWN_SOURCE, PLACE_NONE };

#define CHAIN_USUAL 7 /* extension headers, where a technique has a chain of them */

static const struct special {
	const char *name;
	enum place place;
	unsigned int chain; /* leakprobe's -x; 0: the usual */
} specials[] = {
	{"udp-multicast", PLACE_GROUP},
	{"udp-multicast-connect", PLACE_GROUP},
	{"udp-broadcast", PLACE_BROADCAST},
	{"udp-broadcast-connect", PLACE_BROADCAST},
	{"udp-pktinfo-source", PLACE_OWN_SOURCE},
	{"udp-any", PLACE_NONE}, /* it goes to this host */
	{"tun-inject", PLACE_NONE}, /* it takes a host that forwards */
	{"raw-protocol", PLACE_NONE}, /* it goes to no port */
	{"raw-ports", PLACE_USUAL, IPPROTO_SCTP},
};

/* RFC 6676: groups for documentation. */
#define GROUP4 "233.252.0.53"
#define GROUP6 "ff0e::db8:0:53"
#define BROADCAST4 "203.0.113.255"

struct trial {
	struct stage *stage;
	const struct technique *technique;
	int family; /* 4 or 6 */
	uint16_t port;
};

#define STEP_ENTER "enter" /* his network, cgroup and user could not be taken on */

/* What the one who tried says. */
struct report {
	int error;
	char step[16];
};

struct outcome {
	enum leak_verdict verdict;
	int hook; /* enum df_hook that refused it; -1: not known */
	struct report report;
};

struct leaktest {
	const struct options *options;
	struct stage *stage;
	struct stage *frames; /* its far end is this host's, at the edge; NULL: no edge there */
	struct asker asker;
	int procs; /* of the asker's cgroup */
	char leaf[PATH_MAX]; /* a cgroup of our own below that, where it takes no processes */
	int maps[FENCE_MAP_MAX];
	bool loaded; /* the maps are there */
	char token[17]; /* in every name, so that nobody else's lookups are taken for ours */
	unsigned long serial;
	const char *targets[2]; /* IPv4, IPv6 */
	size_t totals[LEAK_VERDICT_MAX];
	size_t untried; /* for want of --all */
	struct json json;
};

/* What arrives ----------------------------------------------------------------------------------
 */

struct watch_for {
	char label[64]; /* of the name that was asked for */
	uint16_t port;
	bool seen;
};

/* Behind an Ethernet header and its tags: where the IP header is, and its version; 0: none. */
static size_t find_ip(const uint8_t *bytes, size_t length, int *ret_version)
{
	size_t at = 12;

	while (at + 4 <= length && ((bytes[at] == 0x81 && bytes[at + 1] == 0) ||
				    (bytes[at] == 0x88 && bytes[at + 1] == 0xa8)))
		at += 4;
	at += 2;
	*ret_version = at < length ? bytes[at] >> 4 : 0;
	return *ret_version == 4 || *ret_version == 6 ? at : 0;
}

/* The ports' offset in a packet at `at`; 0: it has none, or they cannot be reached. */
static size_t find_ports(const uint8_t *bytes, size_t length, size_t at, int version)
{
	uint8_t protocol;

	if (at + (version == 4 ? 20 : 40) > length)
		return 0;
	protocol = version == 4 ? bytes[at + 9] : bytes[at + 6];
	at += version == 4 ? (bytes[at] & 15u) * 4u : 40;
	while (version == 6 && at + 8 <= length &&
	       (protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
		protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_DSTOPTS)) {
		size_t size = protocol == IPPROTO_FRAGMENT ? 8 : (bytes[at + 1] + 1u) * 8u;

		protocol = bytes[at];
		at += size;
	}
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != IPPROTO_UDPLITE)
		return 0;
	return at + 4 <= length ? at : 0;
}

static bool goes_to_port(const struct stage_frame *frame, uint16_t port)
{
	int version;
	size_t ip = find_ip(frame->bytes, frame->length, &version);
	size_t at = ip ? find_ports(frame->bytes, frame->length, ip, version) : 0;

	return at && frame->bytes[at + 2] == port >> 8 && frame->bytes[at + 3] == (port & 255);
}

/*
 * The name, or a part of it where a technique cuts the query in pieces; or anything to the port,
 * for a TCP handshake carries no name. Nobody else is in this network.
 */
static void look_at_frame(void *context, const struct stage_frame *frame)
{
	struct watch_for *watch = context;

	watch->seen |= memmem(frame->bytes, frame->length, watch->label, strlen(watch->label)) ||
		       memmem(frame->bytes, frame->length, NEEDLE, strlen(NEEDLE)) ||
		       goes_to_port(frame, watch->port);
}

/* One trial -------------------------------------------------------------------------------------
 */

static const struct special *special_of(const struct technique *technique)
{
	static const struct special usual = {.place = PLACE_USUAL};

	for (size_t i = 0; i < ARRAY_LEN(specials); i++)
		if (util_streq(specials[i].name, technique->name))
			return &specials[i];
	return &usual;
}

static enum place place_of(const struct technique *technique)
{
	return special_of(technique)->place;
}

static bool place_addresses(const struct leaktest *test, const struct trial *trial, uint16_t port,
			    struct probe *p)
{
	const bool v6 = trial->family == 6;
	const enum place place = place_of(trial->technique);
	const char *to = test->targets[v6], *other = v6 ? STAGE_OTHER6 : STAGE_OTHER4;

	if (place == PLACE_GROUP)
		to = v6 ? GROUP6 : GROUP4;
	else if (place == PLACE_BROADCAST)
		to = BROADCAST4;
	else if (place == PLACE_OWN_SOURCE)
		other = v6 ? STAGE_NEAR6 : STAGE_NEAR4;
	return parse_address(to, port, &p->to) && parse_address(other, port, &p->other);
}

/* In the child: who is asked about, in the network of our own. 0 or -errno. */
static int become_asker(const struct leaktest *test, const struct trial *trial)
{
	const uint32_t uid = test->asker.uid;
	int r = stage_enter(trial->stage);

	if (r < 0)
		return r;
	if (write(test->procs, "0", 1) < 0)
		return -errno;
	if (trial->technique->privilege != NEEDS_NOTHING || uid == DF_UID_ANY || uid == 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setgid(uid) < 0 || setuid(uid) < 0)
		return -errno;
	return 0;
}

static void try_it(const struct leaktest *test, const struct trial *trial, uint16_t port,
		   const char *name, struct report *ret)
{
	struct probe p = {.name = name,
			  .step = "none",
			  .fd = -1,
			  .inherited = -1,
			  .device = STAGE_DEVICE,
			  .chain = special_of(trial->technique)->chain ?: CHAIN_USUAL,
			  .timeout_ms = TIMEOUT_MS};
	int r;

	memcpy(p.lladdr, stage_far_lladdr, sizeof(p.lladdr));
	if (!place_addresses(test, trial, port, &p) || !make_query(&p, 0)) {
		ret->error = EINVAL;
		return;
	}
	r = become_asker(test, trial);
	if (r < 0) {
		(void)snprintf(ret->step, sizeof(ret->step), STEP_ENTER);
		ret->error = -r;
		return;
	}
	r = trial->technique->run(&p);
	ret->error = -r;
	(void)snprintf(ret->step, sizeof(ret->step), "%s", r ? p.step : "none");
}

static void child_run(const struct leaktest *test, const struct trial *trial, uint16_t port,
		      const char *name, int answer)
{
	struct report report = {0};

	try_it(test, trial, port, name, &report);
	(void)!write(answer, &report, sizeof(report));
	_exit(0);
}

/* A child that does not come back in time is ended; what it has sent counts all the same. */
static void child_wait(pid_t child, int answer, struct report *ret)
{
	struct pollfd wait = {.fd = answer, .events = POLLIN};

	if (poll(&wait, 1, TRIAL_MS) != 1 || read(answer, ret, sizeof(*ret)) != sizeof(*ret))
		*ret = (struct report){.error = ETIMEDOUT, .step = "?"};
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
}

/* 0 with what has arrived, or -errno. */
static int trial_run(struct leaktest *test, const struct trial *trial, uint16_t port,
		     bool *ret_left, struct report *ret)
{
	struct watch_for watch = {.port = port};
	int answer[2], r;
	char name[128];
	pid_t child;

	(void)snprintf(watch.label, sizeof(watch.label), "leaktest-%s-%lu", test->token,
		       ++test->serial);
	(void)snprintf(name, sizeof(name), "%s." NAME_SUFFIX, watch.label);
	if (pipe2(answer, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child == 0)
		child_run(test, trial, port, name, answer[1]);
	close(answer[1]);
	if (child < 0)
		r = -errno;
	else
		child_wait(child, answer[0], ret);
	close(answer[0]);
	if (child < 0)
		return r;
	r = stage_collect(trial->stage, look_at_frame, &watch);
	*ret_left = watch.seen;
	return r;
}

/* Verdicts --------------------------------------------------------------------------------------
 */

static void counters_take(const struct leaktest *test, struct df_counters *ret)
{
	if (!test->loaded || counters_read(test->maps[FENCE_COUNTERS], ret) < 0)
		memset(ret, 0, sizeof(*ret));
}

/* The hook at which the number of a verdict has risen; where the call failed at connect, that. */
static int hook_that(const struct df_counters *before, const struct df_counters *after,
		     enum df_verdict verdict, const struct report *report)
{
	static const enum df_hook order[] = {
		DF_HOOK_CONNECT4,   DF_HOOK_CONNECT6, DF_HOOK_SENDMSG4, DF_HOOK_SENDMSG6,
		DF_HOOK_SETSOCKOPT, DF_HOOK_PACKET,   DF_HOOK_EDGE_IN,  DF_HOOK_EDGE_OUT,
	};
	int found = -1;

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		const bool call = order[i] == DF_HOOK_CONNECT4 || order[i] == DF_HOOK_CONNECT6;

		if (counters_hook(after, order[i], verdict) <=
		    counters_hook(before, order[i], verdict))
			continue;
		if (found < 0 || (call && util_streq(report->step, "connect")))
			found = (int)order[i];
	}
	return found;
}

/*
 * What does not arrive is closed only if somebody says so: the fence's counters, or where they
 * cannot be read the errno of a refusal. A technique may as well fail for reasons of its own.
 */
static enum leak_verdict verdict_of(const struct leaktest *test, bool left, bool denied,
				    bool audited, const struct report *report)
{
	if (left)
		return audited ? LEAK_AUDITED : LEAK_OPEN;
	if (denied || (!test->loaded && report->error == EPERM))
		return LEAK_CLOSED;
	return LEAK_IMPOSSIBLE;
}

static int trial_judge_once(struct leaktest *test, const struct trial *trial,
			    struct df_counters counters[2], struct outcome *ret)
{
	int denied, audited, r;
	bool left = false;

	counters_take(test, &counters[0]);
	r = trial_run(test, trial, trial->port, &left, &ret->report);
	/* Who could not even begin has shown nothing. */
	if (r >= 0 && util_streq(ret->report.step, STEP_ENTER))
		r = -ret->report.error;
	counters_take(test, &counters[1]);
	denied = hook_that(&counters[0], &counters[1], DF_VERDICT_DENY, &ret->report);
	audited = hook_that(&counters[0], &counters[1], DF_VERDICT_AUDIT, &ret->report);
	/* The tap is before the edge: there it is the edge's own word that counts. */
	if (trial->stage == test->frames && denied == DF_HOOK_EDGE_IN)
		left = false;
	ret->hook = left ? audited : denied;
	ret->verdict = verdict_of(test, left, denied >= 0, audited >= 0, &ret->report);
	return r;
}

/* What the one before has used may be busy for a moment: AF_XDP's queue is given back late. */
static int trial_judge(struct leaktest *test, const struct trial *trial, struct outcome *ret)
{
	struct df_counters *counters = calloc(2, sizeof(*counters));
	const struct timespec pause = {.tv_nsec = BUSY_PAUSE_NS};
	int r = counters ? 0 : -ENOMEM;

	for (int i = 0; r >= 0 && i < BUSY_TRIES; i++) {
		r = trial_judge_once(test, trial, counters, ret);
		if (ret->verdict != LEAK_IMPOSSIBLE || ret->report.error != EBUSY)
			break;
		(void)nanosleep(&pause, NULL);
	}
	free(counters);
	return r;
}

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
	int r = trial_judge(test, trial, &outcome);

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
	struct stage *stage =
		test->frames && is_frame_technique(technique) ? test->frames : test->stage;
	int r = 0;

	if (place_of(technique) == PLACE_NONE)
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
		       test->asker.cgroup);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !util_streq(test->asker.cgroup, "/")) {
		char first;

		if (read(fd, &first, 1) == 1 && first != '\n')
			(void)snprintf(test->leaf, sizeof(test->leaf), "%s%s/dnsfence-leaktest-%d",
				       mount, test->asker.cgroup, getpid());
	}
	util_closep(&fd);
	if (test->leaf[0] && mkdir(test->leaf, 0755) < 0)
		return problem_set(problem, errno, "cannot make %s: %s", test->leaf,
				   strerror(errno));
	if (test->leaf[0])
		(void)snprintf(path, sizeof(path), "%s/cgroup.procs", test->leaf);
	else
		(void)snprintf(path, sizeof(path), "%s%s/cgroup.procs", mount, test->asker.cgroup);
	test->procs = open(path, O_WRONLY | O_CLOEXEC);
	if (test->procs < 0)
		return problem_set(problem, errno, "cannot send processes into the cgroup %s: %s",
				   test->asker.cgroup, strerror(errno));
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
	test->targets[0] = named[0] ?: STAGE_TARGET4;
	test->targets[1] = named[1] ?: STAGE_TARGET6;
	return 0;
}

static bool edge_has(const struct leaktest *test, uint32_t ifindex)
{
	struct df_edge edge;

	return test->loaded && bpf_map_lookup_elem(test->maps[FENCE_EDGES], &ifindex, &edge) == 0;
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

	if (!test->loaded || !test->options->all ||
	    bpf_map_get_next_key(test->maps[FENCE_EDGES], NULL, &first) < 0)
		return 0;
	r = stage_open(&plan, &test->frames, problem);
	if (r < 0)
		return r;
	for (int i = 0; i < EDGE_WAIT_MS / 20; i++) {
		if (edge_has(test, stage_far_ifindex(test->frames)))
			return 0;
		(void)nanosleep(&pause, NULL);
	}
	stage_close(test->frames);
	test->frames = NULL;
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
	r = asker_find(&request, mount, options->cgroup, &test->asker, problem);
	if (r == -ENOENT) /* to name who is not there is a mistake in the command, no finding */
		r = -EINVAL;
	if (r >= 0)
		r = procs_open(test, mount, problem);
	if (r >= 0)
		r = pins_init(&pins, options->pin_dir, problem);
	if (r < 0)
		return r;
	test->loaded = fence_open_pinned(&pins, test->maps, problem) >= 0;
	problem->text[0] = 0;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = (uint64_t)time(NULL) << 32 | (uint32_t)getpid();
	(void)snprintf(test->token, sizeof(test->token), "%016llx", (unsigned long long)random);
	plan.target4 = test->targets[0];
	plan.target6 = test->targets[1];
	r = stage_open(&plan, &test->stage, problem);
	return r < 0 ? r : frames_open(test, problem);
}

static void leaktest_close(struct leaktest *test)
{
	stage_close(test->frames);
	stage_close(test->stage);
	if (test->loaded)
		fence_close_pinned(test->maps);
	util_closep(&test->procs);
	if (test->leaf[0])
		(void)rmdir(test->leaf);
	json_done(&test->json);
}

static void print_summary(const struct leaktest *test)
{
	const char *who = test->asker.what[0] ? test->asker.what : test->asker.cgroup;
	const size_t *totals = test->totals;

	if (!test->loaded)
		log_warning("nothing is pinned in %s: no fence, or one that is ephemeral and does "
			    "not tell which hook refused",
			    test->options->pin_dir);
	if (test->asker.outside)
		log_warning("%s is outside of what is fenced, %s", who, test->options->cgroup);
	log_info("%s: %zu ways are closed, %zu open, %zu audited, %zu do not work here", who,
		 totals[LEAK_CLOSED], totals[LEAK_OPEN], totals[LEAK_AUDITED],
		 totals[LEAK_IMPOSSIBLE]);
	if (test->untried)
		log_info("%zu techniques that take a privilege were left out; --all tries them",
			 test->untried);
	if (totals[LEAK_OPEN] && test->loaded)
		log_info("\"dnsfence explain %s:53/udp\" says which policy lets that through",
			 test->targets[0]);
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
	json_put_text(to, "asker", test->asker.what);
	json_put(to, "cgroup", test->asker.cgroup);
	json_bool(to, "loaded", test->loaded);
	json_list(to, "targets");
	json_put(to, NULL, test->targets[0]);
	json_put(to, NULL, test->targets[1]);
	json_list_end(to);
	json_list(to, "techniques");
}

int cmd_leaktest(const struct options *options)
{
	struct leaktest test = {.options = options, .procs = -1};
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
			  test.asker.cgroup, strerror(-r));
		leaktest_close(&test);
		return EXIT_INTERNAL;
	}
	if (options->json)
		print_json(&test);
	print_summary(&test);
	r = test.totals[LEAK_OPEN] || test.totals[LEAK_AUDITED] ? EXIT_NEGATIVE : EXIT_FINE;
	leaktest_close(&test);
	return r;
}
