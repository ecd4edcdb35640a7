// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the fence costs: arms, rounds, and the command line that tools/bench/run uses.
 *
 * How it stays honest:
 * - One thread on one CPU does everything, in one cgroup. An arm differs from the next by the
 *   programs that are attached to that cgroup and by nothing else, because each slice attaches
 *   its own and detaches them. Attached for good in a cgroup per arm they would all switch on the
 *   kernel's static keys for the arm "none" as well, and hide what an attached program costs
 *   everybody; that is measured by an arm of its own, "bystander".
 * - The programs are dnsfence's own, with the maps that `dnsfence load` filled. `hold` keeps them
 *   while `dnsfence unload` detaches them from where load had put them.
 * - Every arm has its own network namespace, since nft and iptables need theirs; "none again"
 *   is the same nothing in another namespace, so it shows what that and chance amount to.
 * - New sockets in every slice: where a socket lies in memory costs as much as a verdict.
 * - All arms in each round, in an order shuffled anew; overheads are differences in a round.
 * - Every slice first checks the verdicts of its arm, on the very sockets it then times.
 */
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#include "bench.h"
#include "programs.h"
#include "report.h"
#include "traffic.h"
#include "util.h"
#include "empty.skel.h"

#define EXIT_USAGE 2
#define EXIT_KERNEL 3

#define ROUNDS_DEFAULT 400
#define ROUNDS_MAX 100000
#define SECONDS_DEFAULT 120
#define PATIENCE_MS 50 /* once per arm; after that a dropped connection is not waited for */
#define SCALING_RUNS 41

static struct arm arms[ARM_MAX] = {
	[ARM_NONE] = {"none", "none"},
	[ARM_NONE_AGAIN] = {"none-again", "none again (A/A)"},
	[ARM_BYSTANDER] = {"bystander", "bystander, dnsfence elsewhere", .programs = PROGRAMS_SMALL,
			   .elsewhere = true},
	[ARM_EMPTY_PACKET] = {"empty-packet", "empty cgroup_skb program",
			      .programs = PROGRAMS_EMPTY, .only = ONLY_PACKET},
	[ARM_EMPTY_CONNECT] = {"empty-connect", "empty connect4 program",
			       .programs = PROGRAMS_EMPTY, .only = ONLY_CONNECT},
	[ARM_DNSFENCE] = {"dnsfence", "dnsfence, 10 resolvers", .programs = PROGRAMS_SMALL,
			  .blocks_udp = true, .tcp = TCP_DENIED},
	[ARM_DNSFENCE_PACKET] = {"dnsfence-packet", "  its packet hook alone",
				 .programs = PROGRAMS_SMALL, .only = ONLY_PACKET,
				 .blocks_udp = true, .tcp = TCP_DROPPED},
	[ARM_DNSFENCE_CONNECT] = {"dnsfence-connect", "  its connect hooks alone",
				  .programs = PROGRAMS_SMALL, .only = ONLY_CONNECT,
				  .tcp = TCP_DENIED},
	[ARM_DNSFENCE_LAST] = {"dnsfence-last", "  asking the one listed last",
			       .programs = PROGRAMS_LAST, .blocks_udp = true, .tcp = TCP_DENIED},
	[ARM_DNSFENCE_SEVERAL] = {"dnsfence-several", "dnsfence, three policies",
				  .programs = PROGRAMS_SEVERAL, .blocks_udp = true,
				  .tcp = TCP_DENIED},
	[ARM_DNSFENCE_LARGE] = {"dnsfence-large", "dnsfence, 100,000 resolvers",
				.programs = PROGRAMS_LARGE, .blocks_udp = true, .tcp = TCP_DENIED},
	[ARM_EMPTY_TC] = {"empty-tc", "empty tc program"},
	[ARM_EDGE] = {"dnsfence-edge", "dnsfence's edge alone"},
	[ARM_NFT] = {"nft", "nft, 2 rules and a set", .blocks_udp = true, .tcp = TCP_DROPPED},
	[ARM_IPTABLES] = {"iptables", "legacy iptables and ipset", .blocks_udp = true,
			  .tcp = TCP_DROPPED},
};

static const char *const program_names[] = {[PROGRAMS_SMALL] = "small",
					    [PROGRAMS_LAST] = "last",
					    [PROGRAMS_SEVERAL] = "several",
					    [PROGRAMS_LARGE] = "large"};

struct bench {
	struct program_set sets[PROGRAMS_MAX];
	int cgroup, elsewhere;
	int rounds, cpu;
	double seconds;
	const char *json;
	struct results results;
};

static int usage(void)
{
	fputs("usage: bench hold PIN-DIRECTORY TO-DIRECTORY\n"
	      "       bench measure [-r ROUNDS] [-t SECONDS] [-c CPU] [-o JSON] [-k KEY=VALUE]...\n"
	      "                     [-p small|last|several|large=DIRECTORY]... -g CGROUP -x "
	      "CGROUP\n"
	      "                     ARM=NETNS...\n"
	      "CGROUP: the caller's own for -g, another one for -x. NETNS: a name of ip-netns.\n"
	      "Use tools/bench/run, which prepares all of it.\n",
	      stderr);
	return EXIT_USAGE;
}

static int fail(int error, const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(error < 0 ? -error : error));
	return EXIT_KERNEL;
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static long read_number(const char *path)
{
	_cleanup_file_ FILE *file = fopen(path, "re");
	long number = -1;

	if (!file || fscanf(file, "%ld", &number) != 1)
		return -1;
	return number;
}

/* Sockets belong to the cgroup that made them: elsewhere no program would ever run. */
static bool is_inside(int cgroup)
{
	_cleanup_close_ int fd = openat(cgroup, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	_cleanup_file_ FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	long pid;

	if (!file)
		return false;
	fd = -1; /* file's now */
	while (fscanf(file, "%ld", &pid) == 1)
		if (pid == getpid())
			return true;
	return false;
}

/* What would be measured along with the arms, or instead of them. NULL: nothing. */
static const char *find_disturbance(const struct bench *bench)
{
	static char text[128];
	int effective = programs_effective(bench->cgroup);

	if (read_number("/proc/sys/kernel/bpf_stats_enabled") > 0)
		return "kernel.bpf_stats_enabled is set: it costs every program run 165 ns";
	if (!is_inside(bench->cgroup))
		return "this process is not in the cgroup that -g names";
	if (effective < 0)
		return "cannot ask which cgroup programs are in effect";
	if (!effective)
		return NULL;
	snprintf(text, sizeof(text),
		 "%d cgroup programs of others are in effect on this cgroup or above it",
		 effective);
	return text;
}

/* The last CPU we may use: the first one takes most interrupts. */
static int pin_cpu(int wanted)
{
	cpu_set_t allowed, one;
	int cpu = -1;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return -errno;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &allowed) && (wanted < 0 || i == wanted))
			cpu = i;
	if (cpu < 0)
		return -EINVAL;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0)
		return -errno;
	(void)setpriority(PRIO_PROCESS, 0, -20);
	return cpu;
}

static int run_slice(struct bench *bench, struct arm *arm, int round)
{
	struct link_set links = {};
	struct traffic traffic;
	const char *wrong;
	int error;

	if (setns(arm->netns, CLONE_NEWNET) < 0)
		return fail(errno, "setns");
	if (arm->programs) {
		error = programs_attach(&bench->sets[arm->programs], arm->only,
					arm->elsewhere ? bench->elsewhere : bench->cgroup, &links);
		if (error < 0)
			return fail(error, "attaching programs");
	}
	error = traffic_open(&traffic);
	if (error < 0)
		return fail(error, "opening sockets");
	wrong = traffic_check(&traffic, arm, round == 0 ? PATIENCE_MS : 0);
	if (wrong) {
		fprintf(stderr, "bench: arm %s, round %d: %s\n", arm->id, round + 1, wrong);
		return EXIT_KERNEL;
	}
	for (enum measure measure = 0; measure < MEASURE_MAX; measure++) {
		double value = NAN;

		if (traffic_applies(measure, arm)) {
			value = traffic_measure(&traffic, measure);
			if (isnan(value))
				return fail(errno, arm->id);
		}
		arm->values[measure][round] = value;
	}
	traffic_close(&traffic);
	programs_detach(&links);
	return 0;
}

static void shuffle(struct arm **order, int length)
{
	for (int i = length - 1; i > 0; i--) {
		int j = random() % (i + 1);
		struct arm *swapped = order[i];

		order[i] = order[j];
		order[j] = swapped;
	}
}

static int run_rounds(struct bench *bench)
{
	struct arm *order[ARM_MAX];
	double start = now_s();
	int length = 0, error, round;

	for (enum arm_id arm = 0; arm < ARM_MAX; arm++)
		if (arms[arm].netns >= 0)
			order[length++] = &arms[arm];
	srandom(time(NULL));
	for (round = 0; round < bench->rounds && now_s() - start < bench->seconds; round++) {
		shuffle(order, length);
		for (int i = 0; i < length; i++) {
			error = run_slice(bench, order[i], round);
			if (error)
				return error;
		}
	}
	bench->results.rounds = round;
	bench->results.seconds = now_s() - start;
	return 0;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int scaling_of(const struct bench *bench, const char *dst, unsigned short port,
		      double *ret_small, double *ret_large)
{
	double small[SCALING_RUNS], large[SCALING_RUNS];
	int error;

	for (int i = 0; i < SCALING_RUNS; i++) {
		error = programs_test_run(&bench->sets[PROGRAMS_LAST], dst, port, &small[i]);
		if (!error)
			error = programs_test_run(&bench->sets[PROGRAMS_LARGE], dst, port,
						  &large[i]);
		if (error)
			return error;
	}
	qsort(small, SCALING_RUNS, sizeof(*small), compare_doubles);
	qsort(large, SCALING_RUNS, sizeof(*large), compare_doubles);
	*ret_small = small[SCALING_RUNS / 2];
	*ret_large = large[SCALING_RUNS / 2];
	return 0;
}

static int measure_scaling(struct bench *bench)
{
	struct scaling *scaling = &bench->results.scaling;
	int error;

	if (!bench->sets[PROGRAMS_LAST].length || !bench->sets[PROGRAMS_LARGE].length)
		return 0;
	error = scaling_of(bench, RESOLVER_SANCTIONED, 53, &scaling->dns_small,
			   &scaling->dns_large);
	if (!error)
		error = scaling_of(bench, PLAIN_SERVER, PLAIN_PORT, &scaling->plain_small,
				   &scaling->plain_large);
	if (error)
		return fail(error, "BPF_PROG_TEST_RUN");
	bench->results.has_scaling = true;
	return 0;
}

static int open_empty(struct program_set *ret_set)
{
	struct empty_bpf *empty = empty_bpf__open_and_load(); /* loaded until we exit */

	if (!empty)
		return -errno;
	*ret_set = (struct program_set){
		.programs = {{bpf_program__fd(empty->progs.empty_packet), BPF_CGROUP_INET_EGRESS},
			     {bpf_program__fd(empty->progs.empty_connect4),
			      BPF_CGROUP_INET4_CONNECT}},
		.length = 2,
	};
	return 0;
}

static int option_programs(struct bench *bench, const char *text)
{
	const char *equals = strchr(text, '=');
	int error;

	for (enum programs i = PROGRAMS_SMALL; equals && i < PROGRAMS_MAX; i++) {
		if (strncmp(text, program_names[i], equals - text) != 0)
			continue;
		error = programs_open(equals + 1, &bench->sets[i]);
		return error < 0 ? fail(error, equals + 1) : 0;
	}
	return usage();
}

static int option_arm(struct bench *bench, const char *text)
{
	const char *equals = strchr(text, '=');
	char path[128];

	for (enum arm_id i = 0; equals && i < ARM_MAX; i++) {
		struct arm *arm = &arms[i];

		if (strlen(arm->id) != (size_t)(equals - text) ||
		    strncmp(text, arm->id, equals - text) != 0)
			continue;
		if (arm->programs && !bench->sets[arm->programs].length)
			return fail(ENOENT, arm->id);
		snprintf(path, sizeof(path), "/run/netns/%s", equals + 1);
		arm->netns = open(path, O_RDONLY | O_CLOEXEC);
		if (arm->netns < 0)
			return fail(errno, path);
		for (enum measure measure = 0; measure < MEASURE_MAX; measure++) {
			arm->values[measure] = calloc(bench->rounds, sizeof(double));
			if (!arm->values[measure])
				return fail(ENOMEM, "memory");
		}
		return 0;
	}
	fprintf(stderr, "bench: %s: no such arm\n", text);
	return EXIT_USAGE;
}

static int option_cgroup(const char *path, int *ret_fd)
{
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? fail(errno, path) : 0;
}

static int option(struct bench *bench, int key, char *value)
{
	struct results *results = &bench->results;

	switch (key) {
	case 'r':
		bench->rounds = MIN(MAX(atoi(value), 1), ROUNDS_MAX);
		return 0;
	case 't':
		bench->seconds = atof(value);
		return 0;
	case 'c':
		bench->cpu = atoi(value);
		return 0;
	case 'o':
		bench->json = value;
		return 0;
	case 'k':
		if (!strchr(value, '=') || results->notes_len == NOTES_MAX)
			return usage();
		results->notes[results->notes_len++] = value;
		return 0;
	case 'p':
		return option_programs(bench, value);
	case 'g':
		return option_cgroup(value, &bench->cgroup);
	case 'x':
		return option_cgroup(value, &bench->elsewhere);
	default:
		return usage();
	}
}

static int measure(struct bench *bench)
{
	const char *disturbance = find_disturbance(bench);
	int error;

	if (disturbance) {
		fprintf(stderr, "bench: refused: %s\n", disturbance);
		return EXIT_KERNEL;
	}
	bench->results.cpu = pin_cpu(bench->cpu);
	if (bench->results.cpu < 0)
		return fail(bench->results.cpu, "pinning to a CPU");
	bench->results.links_before = programs_links();
	error = run_rounds(bench);
	if (!error)
		error = measure_scaling(bench);
	if (error)
		return error;
	bench->results.links_after = programs_links();
	disturbance = find_disturbance(bench);
	if (disturbance) {
		fprintf(stderr, "bench: void, meanwhile: %s\n", disturbance);
		return EXIT_KERNEL;
	}
	error = report_print(&bench->results);
	if (!error && bench->json)
		error = report_write_json(&bench->results, bench->json);
	return error < 0 ? fail(error, "writing the report") : 0;
}

static int cmd_measure(int argc, char *argv[])
{
	struct bench bench = {.cgroup = -1,
			      .elsewhere = -1,
			      .rounds = ROUNDS_DEFAULT,
			      .cpu = -1,
			      .seconds = SECONDS_DEFAULT,
			      .results.arms = arms};
	int error, key;

	for (enum arm_id arm = 0; arm < ARM_MAX; arm++)
		arms[arm].netns = -1;
	error = open_empty(&bench.sets[PROGRAMS_EMPTY]);
	if (error < 0)
		return fail(error, "loading the empty programs");
	while ((key = getopt(argc, argv, "r:t:c:o:k:p:g:x:")) != -1) {
		error = option(&bench, key, optarg);
		if (error)
			return error;
	}
	for (int i = optind; i < argc; i++) {
		error = option_arm(&bench, argv[i]);
		if (error)
			return error;
	}
	if (bench.cgroup < 0 || bench.elsewhere < 0 || arms[ARM_NONE].netns < 0)
		return usage();
	return measure(&bench);
}

int main(int argc, char *argv[])
{
	int count;

	if (argc == 4 && util_streq(argv[1], "hold")) {
		count = programs_hold(argv[2], argv[3]);
		if (count <= 0)
			return fail(count < 0 ? count : -ENOENT, argv[2]);
		return 0;
	}
	if (argc > 1 && util_streq(argv[1], "measure"))
		return cmd_measure(argc - 1, argv + 1);
	return usage();
}
