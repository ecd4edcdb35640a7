// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cgroups as they start, seen from outside the daemon:
 *
 *   latency    how long from mkdir() to an entry in the kernel's table
 *   race       what a program gets that asks from the first moment on
 *
 * Names of cgroups to make below DIR come on standard input, one a line. `latency` makes one at a
 * time; `race` all at once, a process in each. They are gone again at the end.
 */
#include <bpf/bpf.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bpf/abi.h"
#include "crowd.h"

#define ENTRY_SECONDS 10 /* then it is not coming */
#define LOOK_NS 10000 /* from one look at the table to the next: the resolution */
#define PATIENCE_SECONDS 20 /* of who has not seen his own policy */
#define PORT 53

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void pause_ns(long ns)
{
	(void)nanosleep(&(struct timespec){0, ns}, NULL);
}

/* From mkdir() to the entry. ----------------------------------------------------------------- */

/* The tables of both generations: which one is in force is of no matter here. */
static void open_tables(const char *pin, int tables[DF_GENERATIONS])
{
	int outer = bpf_obj_get(pin);

	if (outer < 0)
		die(pin);
	for (uint32_t slot = 0; slot < DF_GENERATIONS; slot++) {
		uint32_t id;

		tables[slot] =
			bpf_map_lookup_elem(outer, &slot, &id) == 0 ? bpf_map_get_fd_by_id(id) : -1;
	}
}

static int has_entry(const int tables[DF_GENERATIONS], uint64_t id)
{
	const struct df_subject_key key = {.cgroup_id = id, .uid = DF_UID_ANY};
	uint32_t rank;

	for (int slot = 0; slot < DF_GENERATIONS; slot++)
		if (tables[slot] >= 0 && bpf_map_lookup_elem(tables[slot], &key, &rank) == 0)
			return 1;
	return 0;
}

/* In microseconds; negative: it did not come. The cgroup is gone again afterwards. */
static double time_one(const int tables[DF_GENERATIONS], const char *name)
{
	double begin = now_us(), took = -1;
	struct stat st;

	if (mkdir(name, 0755) < 0 || stat(name, &st) < 0)
		die(name);
	while (took < 0 && now_us() - begin < ENTRY_SECONDS * 1e6) {
		if (has_entry(tables, st.st_ino))
			took = now_us() - begin;
		else
			pause_ns(LOOK_NS);
	}
	cgroup_remove(name);
	return took;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int run_latency(const char *pin, const struct names *names)
{
	int tables[DF_GENERATIONS], missing = 0, length = 0;
	static double took[NAMES_MAX];

	(void)prctl(PR_SET_TIMERSLACK, 1ul); /* ns; 50 us otherwise */
	open_tables(pin, tables);
	for (int i = 0; i < names->length; i++) {
		double one = time_one(tables, names->list[i]);

		if (one < 0)
			missing++;
		else
			took[length++] = one;
		pause_ns(2000000);
	}
	if (!length) {
		fprintf(stderr, "starts: no entry has come\n");
		return 1;
	}
	qsort(took, (size_t)length, sizeof(took[0]), compare);
	printf("starts=%d missing=%d min_us=%.0f median_us=%.0f p99_us=%.0f max_us=%.0f\n",
	       names->length, missing, took[0], took[length / 2], took[length * 99 / 100],
	       took[length - 1]);
	return missing > 0;
}

/* Who asks from the first moment on. --------------------------------------------------------- */

/* A resolver that nobody may ask, one for the parent's policy alone, one for its own alone. */
enum asked { ASKED_NEITHER, ASKED_PARENTS, ASKED_OWN, ASKED_MAX };

/* Rounds by what they show; in shared memory, one for each process. */
struct seen {
	unsigned int rounds;
	unsigned int parents, own;
	unsigned int between; /* it changed in the middle of the round */
	unsigned int back; /* the parent's again after its own */
	unsigned int neither; /* less than both policies give */
	unsigned int leaked; /* more than both */
	int error; /* none of these: of a call that should not fail so */
};

/* 1: it went out, 0: EPERM. */
static int ask(struct seen *seen, int fd, const char *address)
{
	static const unsigned char question[] = {0,   1,   1,   0,   0,   1,   0,   0,   0, 0,
						 0,   0,   5,   's', 't', 'a', 'r', 't', 4, 't',
						 'e', 's', 't', 0,   0,   1,   0,   1};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};

	(void)inet_pton(AF_INET, address, &to.sin_addr);
	if (sendto(fd, question, sizeof(question), 0, (struct sockaddr *)&to, sizeof(to)) >= 0)
		return 1;
	if (errno != EPERM)
		seen->error = errno;
	return 0;
}

static void ask_all(struct seen *seen, int fd, char **addresses)
{
	int went[ASKED_MAX];

	for (int i = 0; i < ASKED_MAX; i++)
		went[i] = ask(seen, fd, addresses[i]);
	seen->rounds++;
	seen->leaked += (unsigned int)went[ASKED_NEITHER];
	if (went[ASKED_PARENTS] && went[ASKED_OWN]) {
		if (seen->own || seen->between)
			seen->leaked++;
		seen->between++;
	} else if (went[ASKED_OWN]) {
		seen->own++;
	} else if (went[ASKED_PARENTS]) {
		seen->parents++;
		seen->back += seen->own > 0;
	} else {
		seen->neither++;
	}
}

/* By turns with the first socket it made, and with one made for the round. */
static void start_asking(struct seen *seen, const char *name, double until, char **addresses)
{
	int kept;

	cgroup_enter(name);
	kept = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ask_all(seen, kept, addresses);
	while (now_us() < until ||
	       (!seen->own && !seen->leaked && now_us() < until + PATIENCE_SECONDS * 1e6)) {
		int fresh = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		ask_all(seen, fresh, addresses);
		close(fresh);
		pause_ns(2000000);
		ask_all(seen, kept, addresses);
	}
	_exit(0);
}

static int run_race(const char *milliseconds, char **addresses, const struct names *names)
{
	struct seen *seen = shared_memory(NAMES_MAX * sizeof(*seen));
	double until = now_us() + strtod(milliseconds, NULL) * 1e3;
	int wrong;

	for (int i = 0; i < names->length; i++) {
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (!child)
			start_asking(&seen[i], names->list[i], until, addresses);
	}
	wrong = wait_for_children();
	for (int i = 0; i < names->length; i++) {
		printf("%s rounds=%u parents=%u own=%u between=%u back=%u neither=%u leaked=%u "
		       "error=%d\n",
		       names->list[i], seen[i].rounds, seen[i].parents, seen[i].own,
		       seen[i].between, seen[i].back, seen[i].neither, seen[i].leaked,
		       seen[i].error);
		cgroup_remove(names->list[i]);
	}
	return wrong != 0;
}

static int print_usage(void)
{
	fprintf(stderr, "usage: starts latency PIN-OF-SUBJECTS DIR <names\n"
			"       starts race MILLISECONDS NEITHER PARENTS OWN DIR <names\n");
	return 2;
}

int main(int argc, char **argv)
{
	static struct names names;
	int latency = argc == 4 && !strcmp(argv[1], "latency");
	int race = argc == 7 && !strcmp(argv[1], "race");

	if (!latency && !race)
		return print_usage();
	names_read(&names);
	if (chdir(argv[argc - 1]) < 0)
		die(argv[argc - 1]);
	return latency ? run_latency(argv[2], &names) : run_race(argv[2], argv + 3, &names);
}
