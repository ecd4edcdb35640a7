// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Many who ask a forbidden resolver at a steady rate, each from a cgroup of his own:
 *
 *   askers RATE SECONDS ADDRESS DIR <names
 *
 * Names of cgroups to make below DIR come on standard input, one a line. A process in each sends
 * its share of RATE questions a second, in bursts, one asker after the other, and no name is asked
 * twice. All are counted: sent and refused (EPERM) are printed, with the rate that was reached.
 * The cgroups are gone again at the end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "crowd.h"

#define RATE_MAX 1000000
#define SECONDS_MAX 60
#define BURST 20
#define START_NS 300000000ll /* until everybody is ready to sleep for his first turn */
#define PORT 53
#define NAME_OFFSET 13 /* of the first label's text in the question */
#define NAME_DIGITS 12

struct plan {
	int64_t begin, turn; /* CLOCK_MONOTONIC, ns; a turn is one burst of one asker */
	int askers, bursts;
	struct sockaddr_in resolver;
};

struct tally {
	uint64_t sent, refused;
	int64_t end;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static void sleep_until(int64_t when)
{
	struct timespec until = {when / 1000000000, when % 1000000000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static void ask(int fd, const struct sockaddr_in *resolver, uint64_t number, struct tally *tally)
{
	/* Type A, class IN: its last byte follows the string. */
	unsigned char question[] = "\0\1\1\0\0\1\0\0\0\0\0\0"
				   "\14"
				   "000000000000"
				   "\4"
				   "test"
				   "\0\0\1\0";

	question[sizeof(question) - 1] = 1;
	for (int i = NAME_DIGITS - 1; i >= 0; i--, number /= 10)
		question[NAME_OFFSET + i] = (unsigned char)('0' + number % 10);
	if (sendto(fd, question, sizeof(question), 0, (const struct sockaddr *)resolver,
		   sizeof(*resolver)) == (ssize_t)sizeof(question))
		tally->sent++;
	else if (errno == EPERM)
		tally->refused++;
	else
		die("sendto");
}

static _Noreturn void run_asker(const struct plan *plan, int self, const char *name,
				struct tally *tally)
{
	int fd;

	(void)prctl(PR_SET_TIMERSLACK, 1ul); /* ns; 50 us otherwise */
	cgroup_enter(name);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	for (int burst = 0; burst < plan->bursts; burst++) {
		int64_t turn = (int64_t)burst * plan->askers + self;

		sleep_until(plan->begin + turn * plan->turn);
		for (int i = 0; i < BURST; i++)
			ask(fd, &plan->resolver, (uint64_t)turn * BURST + (uint64_t)i, tally);
	}
	tally->end = now_ns();
	_exit(0);
}

static int report(const struct plan *plan, const struct tally *tallies)
{
	uint64_t sent = 0, refused = 0;
	int64_t end = plan->begin + 1;

	for (int i = 0; i < plan->askers; i++) {
		sent += tallies[i].sent;
		refused += tallies[i].refused;
		if (tallies[i].end > end)
			end = tallies[i].end;
	}
	printf("askers=%d sent=%llu refused=%llu rate=%.0f\n", plan->askers,
	       (unsigned long long)sent, (unsigned long long)refused,
	       (double)(sent + refused) * 1e9 / (double)(end - plan->begin));
	return 0;
}

static int run(struct plan *plan, const struct names *names)
{
	struct tally *tallies = shared_memory(NAMES_MAX * sizeof(*tallies));
	int wrong;

	plan->begin = now_ns() + START_NS;
	for (int i = 0; i < plan->askers; i++) {
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (!child)
			run_asker(plan, i, names->list[i], &tallies[i]);
	}
	wrong = wait_for_children();
	for (int i = 0; i < plan->askers; i++)
		cgroup_remove(names->list[i]);
	return wrong ? 1 : report(plan, tallies);
}

int main(int argc, char **argv)
{
	static struct names names;
	struct plan plan = {.resolver = {.sin_family = AF_INET, .sin_port = htons(PORT)}};
	long rate = argc == 5 ? strtol(argv[1], NULL, 10) : 0;
	long seconds = argc == 5 ? strtol(argv[2], NULL, 10) : 0;

	if (rate < 1 || rate > RATE_MAX || seconds < 1 || seconds > SECONDS_MAX ||
	    inet_pton(AF_INET, argv[3], &plan.resolver.sin_addr) != 1) {
		fprintf(stderr, "usage: askers RATE SECONDS ADDRESS DIR <names\n");
		return 2;
	}
	names_read(&names);
	plan.askers = names.length;
	if (!plan.askers || chdir(argv[4]) < 0)
		die(argv[4]);
	plan.turn = 1000000000ll * BURST / rate;
	plan.bursts = (int)(rate * seconds / BURST / plan.askers) + 1;
	return run(&plan, &names);
}
