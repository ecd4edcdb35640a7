// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * leakprobe: sends one DNS query by a chosen technique and says what the system calls answered:
 * which ways out of a host are open, and what an application sees where one is closed. Every
 * technique is a row of its family's table. Nothing here waits for an answer, and nothing knows
 * of dnsfence: the far end or a packet counter says whether the query arrived.
 */
#include "probe.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_NAME "leak.dnsfence.test"
#define CHAIN_MAX 255
#define INHERITED_MAX 16

struct options {
	struct probe probe;
	const char *verb, *address;
	unsigned long repeat;
	unsigned long rate; /* -R, a second; 0: as fast as it goes */
	int inherited[INHERITED_MAX];
	unsigned int inherited_len;
};

static void print_usage(FILE *to)
{
	fputs("usage: leakprobe -l\n"
	      "       leakprobe TECHNIQUE ADDR [PORT] [options]\n"
	      "       leakprobe hold-KIND ADDR [PORT] [options]\n"
	      "Send one DNS query for an A record by a technique and print\n"
	      "  technique addr port errno=NAME step=socket|connect|send|none elapsed_us=N\n"
	      "hold-udp, -udplite, -tcp, -mptcp, -v4mapped-udp and -v4mapped-tcp connect, print\n"
	      "\"ready\", and send after a line on stdin; hold-tcp-listen listens on the\n"
	      "connection's own port before it sends; hold-udp-cork ends a datagram begun\n"
	      "towards ADDR, connected to port 9.\n"
	      "\n"
	      "  -l        list the techniques: name, families, the privilege it takes, help\n"
	      "  -n NAME   name to ask for (default " DEFAULT_NAME ")\n"
	      "  -f ADDR   second address, for techniques that need one (default ADDR)\n"
	      "  -r COUNT  do it COUNT times; the line then ends with count=N failed=N\n"
	      "            and tells of the first failure\n"
	      "  -R RATE   with -r: that many a second, not as fast as it goes\n"
	      "  -u        with -r: another name each time\n"
	      "  -c FD     use the inherited socket FD; again: do it on each\n"
	      "  -s PORT   bind() the source port first (not on raw sockets)\n"
	      "  -i DEVICE of techniques that choose one (default: the one with the source "
	      "address)\n"
	      "  -m LLADDR where frames go (default ff:ff:ff:ff:ff:ff)\n"
	      "  -x NUMBER extension headers of ip6-dstopts-chain (default 7), protocol of "
	      "raw-protocol, raw-ports\n"
	      "  -t MS     bound of a connect() or send() (default 3000), then EINPROGRESS\n"
	      "  -h        this text\n"
	      "\n"
	      "exit status: 0 every system call succeeded, 1 one failed, 2 usage\n",
	      to);
}

static void print_techniques(void)
{
	static const char *const families[] = {"", "4", "6", "4 6"};
	static const char *const privileges[] = {"none", "CAP_NET_RAW", "CAP_NET_ADMIN",
						 "CAP_NET_BIND_SERVICE"};

	for (size_t i = 0; i < technique_tables_len; i++)
		for (const struct technique *row = technique_tables[i]; row->name; row++)
			printf("%-29s %-4s %-21s %s\n", row->name, families[row->families],
			       privileges[row->privilege], row->help);
}

static bool parse_number(const char *text, unsigned long max, unsigned long *ret_number)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || number > max)
		return false;
	*ret_number = number;
	return true;
}

static bool parse_lladdr(const char *text, unsigned char ret_lladdr[6])
{
	struct ether_addr address;

	if (!ether_aton_r(text, &address))
		return false;
	memcpy(ret_lladdr, &address, sizeof(address));
	return true;
}

static bool parse_option(struct options *options, int option, const char *value)
{
	unsigned long number = 0;

	switch (option) {
	case 'n':
		options->probe.name = value;
		return true;
	case 'f':
		return parse_address(value, 0, &options->probe.other);
	case 'u':
		options->probe.unique = true;
		return true;
	case 'r':
		return parse_number(value, UINT32_MAX, &options->repeat) && options->repeat;
	case 'R':
		return parse_number(value, 1000000, &options->rate) && options->rate;
	case 'c':
		if (!parse_number(value, INT32_MAX, &number) ||
		    options->inherited_len == INHERITED_MAX)
			return false;
		options->inherited[options->inherited_len++] = (int)number;
		return true;
	case 's':
		if (!parse_number(value, UINT16_MAX, &number))
			return false;
		options->probe.source_port = (uint16_t)number;
		return true;
	case 'i':
		options->probe.device = value;
		return true;
	case 'm':
		return parse_lladdr(value, options->probe.lladdr);
	case 'x':
		if (!parse_number(value, CHAIN_MAX, &number))
			return false;
		options->probe.chain = (unsigned int)number;
		return true;
	case 't':
		if (!parse_number(value, 3600000, &number))
			return false;
		options->probe.timeout_ms = (unsigned int)number;
		return true;
	}
	return false;
}

/* TECHNIQUE ADDR [PORT]. */
static bool parse_operands(struct options *options, char **operands, int len)
{
	unsigned long port = 53;
	struct probe *p = &options->probe;

	if (len < 2 || len > 3 || (len == 3 && !parse_number(operands[2], UINT16_MAX, &port)))
		return false;
	options->verb = operands[0];
	options->address = operands[1];
	if (!parse_address(operands[1], (uint16_t)port, &p->to))
		return false;
	if (!p->other.any.sa_family)
		p->other = p->to;
	return true;
}

static void print_result(const struct options *options, int error, const char *step,
			 uint64_t elapsed)
{
	const char *name = error ? strerrorname_np(error) : "0";

	printf("%s %s %u errno=%s step=%s elapsed_us=%" PRIu64, options->verb, options->address,
	       port_of(&options->probe.to), name ? name : "unknown", error ? step : "none",
	       elapsed);
}

/* Once for each inherited socket, or once on a socket of its own. 0 or the first errno. */
static int run_once(struct options *options, const struct technique *technique)
{
	struct probe *p = &options->probe;
	unsigned int i = 0;
	int result;

	do {
		p->inherited = i < options->inherited_len ? options->inherited[i] : -1;
		result = technique->run(p);
		if (p->fd >= 0)
			close(p->fd);
		p->fd = -1;
	} while (!result && ++i < options->inherited_len);
	return -result;
}

/* Until the done-th is due, so that one that was late does not delay the others. */
static void keep_rate(const struct options *options, uint64_t started, unsigned long done)
{
	uint64_t due = started + done * 1000000 / options->rate;
	struct timespec until = {.tv_sec = (time_t)(due / 1000000),
				 .tv_nsec = (long)(due % 1000000 * 1000)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static int run_technique(struct options *options, const struct technique *technique)
{
	unsigned long failed = 0;
	const char *step = "none";
	uint64_t started = now_us();
	int first = 0;

	for (unsigned long i = 0; i < options->repeat; i++) {
		int error;

		if (options->rate)
			keep_rate(options, started, i);
		if (options->probe.unique && !make_query(&options->probe, i + 1))
			return 2;
		error = run_once(options, technique);
		if (error && !failed++) {
			first = error;
			step = options->probe.step;
		}
	}
	print_result(options, first, step, now_us() - started);
	if (options->repeat > 1)
		printf(" count=%lu failed=%lu", options->repeat, failed);
	putchar('\n');
	return failed ? 1 : 0;
}

static int run_held(struct options *options, const struct hold *hold)
{
	struct probe *p = &options->probe;
	uint64_t started;
	int result = run_hold(p, hold, options->repeat, &started);

	if (result > 0)
		return result;
	print_result(options, -result, p->step, now_us() - started);
	putchar('\n');
	return result ? 1 : 0;
}

static int usage_error(const char *text, const char *word)
{
	fprintf(stderr, "leakprobe: %s%s\n", text, word);
	return 2;
}

static int run(struct options *options)
{
	unsigned int family = is_ip4(&options->probe.to) ? FOR_4 : FOR_6;
	const struct hold *hold = find_hold(options->verb);
	const struct technique *technique;

	if (!make_query(&options->probe, 0))
		return usage_error("no domain name: ", options->probe.name);
	if (hold)
		return run_held(options, hold);
	technique = find_technique(options->verb);
	if (!technique)
		return usage_error("no such technique (leakprobe -l lists them): ", options->verb);
	if (!(technique->families & family))
		return usage_error("the technique does not know this family: ", options->address);
	return run_technique(options, technique);
}

int main(int argc, char **argv)
{
	struct options options = {
		.probe = {.name = DEFAULT_NAME,
			  .step = "none",
			  .fd = -1,
			  .inherited = -1,
			  .lladdr = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
			  .chain = 7,
			  .timeout_ms = 3000},
		.repeat = 1,
	};
	int option;

	while ((option = getopt(argc, argv, "ln:f:r:R:uc:s:i:m:x:t:h")) != -1) {
		if (option == 'l' || option == 'h') {
			if (option == 'l')
				print_techniques();
			else
				print_usage(stdout);
			return 0;
		}
		if (!parse_option(&options, option, optarg)) {
			print_usage(stderr);
			return 2;
		}
	}
	if (!parse_operands(&options, argv + optind, argc - optind)) {
		print_usage(stderr);
		return 2;
	}
	return run(&options);
}
