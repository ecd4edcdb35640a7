// SPDX-License-Identifier: GPL-2.0-or-later
#include "trial.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "counters.h"
#include "tools/leakprobe/probe.h"

#define TIMEOUT_MS 500 /* of a connect() or send() */
#define TRIAL_MS 4000 /* of all its calls */
#define BUSY_TRIES 20
#define BUSY_PAUSE_NS 50000000
/* RFC 6761 6.4: no such name is ever delegated. The first label is another one each time. */
#define NAME_SUFFIX "dnsfence.invalid"
#define NEEDLE "\10dnsfence\7invalid"

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

#define STEP_ENTER "enter" /* his network, cgroup and user could not be taken on */

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

bool trial_is_possible(const struct technique *technique)
{
	return place_of(technique) != PLACE_NONE;
}

static bool place_addresses(const struct tester *tester, const struct trial *trial, uint16_t port,
			    struct probe *p)
{
	const bool v6 = trial->family == 6;
	const enum place place = place_of(trial->technique);
	const char *to = tester->targets[v6], *other = v6 ? STAGE_OTHER6 : STAGE_OTHER4;

	if (place == PLACE_GROUP)
		to = v6 ? GROUP6 : GROUP4;
	else if (place == PLACE_BROADCAST)
		to = BROADCAST4;
	else if (place == PLACE_OWN_SOURCE)
		other = v6 ? STAGE_NEAR6 : STAGE_NEAR4;
	return parse_address(to, port, &p->to) && parse_address(other, port, &p->other);
}

/* In the child: who is asked about, in the network of our own. 0 or -errno. */
static int become_asker(const struct tester *tester, const struct trial *trial)
{
	const uint32_t uid = tester->asker.uid;
	int r = stage_enter(trial->stage);

	if (r < 0)
		return r;
	if (write(tester->procs, "0", 1) < 0)
		return -errno;
	if (trial->technique->privilege != NEEDS_NOTHING || uid == DF_UID_ANY || uid == 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setgid(uid) < 0 || setuid(uid) < 0)
		return -errno;
	return 0;
}

static void try_it(const struct tester *tester, const struct trial *trial, uint16_t port,
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
	if (!place_addresses(tester, trial, port, &p) || !make_query(&p, 0)) {
		ret->error = EINVAL;
		return;
	}
	r = become_asker(tester, trial);
	if (r < 0) {
		(void)snprintf(ret->step, sizeof(ret->step), STEP_ENTER);
		ret->error = -r;
		return;
	}
	r = trial->technique->run(&p);
	ret->error = -r;
	(void)snprintf(ret->step, sizeof(ret->step), "%s", r ? p.step : "none");
}

static void child_run(const struct tester *tester, const struct trial *trial, uint16_t port,
		      const char *name, int answer)
{
	struct report report = {0};

	try_it(tester, trial, port, name, &report);
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
static int trial_run(struct tester *tester, const struct trial *trial, uint16_t port,
		     bool *ret_left, struct report *ret)
{
	struct watch_for watch = {.port = port};
	int answer[2], r;
	char name[128];
	pid_t child;

	(void)snprintf(watch.label, sizeof(watch.label), "leaktest-%s-%lu", tester->token,
		       ++tester->serial);
	(void)snprintf(name, sizeof(name), "%s." NAME_SUFFIX, watch.label);
	if (pipe2(answer, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child == 0)
		child_run(tester, trial, port, name, answer[1]);
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

static void counters_take(const struct tester *tester, struct df_counters *ret)
{
	if (!tester->loaded || counters_read(tester->maps[FENCE_COUNTERS], ret) < 0)
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
static enum leak_verdict verdict_of(const struct tester *tester, bool left, bool denied,
				    bool audited, const struct report *report)
{
	if (left)
		return audited ? LEAK_AUDITED : LEAK_OPEN;
	if (denied || (!tester->loaded && report->error == EPERM))
		return LEAK_CLOSED;
	return LEAK_IMPOSSIBLE;
}

static int trial_judge_once(struct tester *tester, const struct trial *trial,
			    struct df_counters counters[2], struct outcome *ret)
{
	int denied, audited, r;
	bool left = false;

	counters_take(tester, &counters[0]);
	r = trial_run(tester, trial, trial->port, &left, &ret->report);
	/* Who could not even begin has shown nothing. */
	if (r >= 0 && util_streq(ret->report.step, STEP_ENTER))
		r = -ret->report.error;
	counters_take(tester, &counters[1]);
	denied = hook_that(&counters[0], &counters[1], DF_VERDICT_DENY, &ret->report);
	audited = hook_that(&counters[0], &counters[1], DF_VERDICT_AUDIT, &ret->report);
	/* The tap is before the edge: there it is the edge's own word that counts. */
	if (trial->stage == tester->frames && denied == DF_HOOK_EDGE_IN)
		left = false;
	ret->hook = left ? audited : denied;
	ret->verdict = verdict_of(tester, left, denied >= 0, audited >= 0, &ret->report);
	return r;
}

/* What the one before has used may be busy for a moment: AF_XDP's queue is given back late. */
int trial_judge(struct tester *tester, const struct trial *trial, struct outcome *ret)
{
	struct df_counters *counters = calloc(2, sizeof(*counters));
	const struct timespec pause = {.tv_nsec = BUSY_PAUSE_NS};
	int r = counters ? 0 : -ENOMEM;

	for (int i = 0; r >= 0 && i < BUSY_TRIES; i++) {
		r = trial_judge_once(tester, trial, counters, ret);
		if (ret->verdict != LEAK_IMPOSSIBLE || ret->report.error != EBUSY)
			break;
		(void)nanosleep(&pause, NULL);
	}
	free(counters);
	return r;
}
