// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Client and server in one thread, over loopback: a packet is delivered inside the system call
 * that sends it, so no scheduler comes between. Each operation is a function that either did its
 * whole round or failed; nothing is timed that did not happen. Knows no BPF.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "traffic.h"
#include "util.h"

#define DNS_PORT 53
#define BACKLOG 16
#define BATCHES_MAX 16 /* of any row of MEASURES */
#define WAIT_MS 1000 /* for what arrives at once or never */

/* Each operation's traffic carries this: a query for the A records of example.org. */
static const unsigned char query[] = {
	0x2d, 0x53, 0x01, 0x00, 0,   1, 0,   0,   0,   0, 0, 0, 7, 'e', 'x',
	'a',  'm',  'p',  'l',  'e', 3, 'o', 'r', 'g', 0, 0, 1, 0, 1,
};

static struct sockaddr_in address(const char *host, unsigned short port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(host), .sin_port = htons(port)};
}

static struct sockaddr_in plain, resolver, forbidden;

static int open_socket(int type, const struct sockaddr_in *bind_to, const struct sockaddr_in *peer)
{
	const struct timeval wait = {.tv_sec = WAIT_MS / 1000};
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	const int on = 1;
	_cleanup_close_ int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (bind_to) {
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, (const struct sockaddr *)bind_to, sizeof(*bind_to)) < 0)
			return -1;
	}
	if (bind_to && type == SOCK_STREAM) {
		/* Inherited by what accept() returns: a reset leaves no TIME_WAIT behind. */
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		if (listen(fd, BACKLOG) < 0)
			return -1;
	}
	if (peer && connect(fd, (const struct sockaddr *)peer, sizeof(*peer)) < 0)
		return -1;
	return TAKE_FD(fd);
}

int traffic_open(struct traffic *ret_traffic)
{
	struct traffic traffic;
	const int *fds = (const int *)&traffic;

	plain = address(PLAIN_SERVER, PLAIN_PORT);
	resolver = address(RESOLVER_SANCTIONED, DNS_PORT);
	forbidden = address(RESOLVER_FORBIDDEN, DNS_PORT);
	traffic = (struct traffic){
		.plain_server = open_socket(SOCK_DGRAM, &plain, NULL),
		.dns_server = open_socket(SOCK_DGRAM, &resolver, NULL),
		.forbidden_server = open_socket(SOCK_DGRAM, &forbidden, NULL),
		.plain_listener = open_socket(SOCK_STREAM, &plain, NULL),
		.dns_listener = open_socket(SOCK_STREAM, &resolver, NULL),
		.forbidden_listener = open_socket(SOCK_STREAM, &forbidden, NULL),
		.udp = open_socket(SOCK_DGRAM, NULL, NULL),
		.udp_connected = open_socket(SOCK_DGRAM, NULL, &plain),
		.dns_connected = open_socket(SOCK_DGRAM, NULL, &resolver),
		.blocked_tcp = open_socket(SOCK_STREAM, NULL, NULL),
	};
	for (size_t i = 0; i < sizeof(traffic) / sizeof(*fds); i++)
		if (fds[i] < 0)
			return errno ? -errno : -EIO;
	*ret_traffic = traffic;
	return 0;
}

void traffic_close(struct traffic *traffic)
{
	int *fds = (int *)traffic;

	for (size_t i = 0; i < sizeof(*traffic) / sizeof(*fds); i++)
		close(fds[i]);
}

/*
 * One datagram, out and in: one run of each hook that looks at it. An answer would only add a
 * packet to a high port, non-DNS in all arms. peer NULL: the client is connected.
 */
static bool datagram(int client, const struct sockaddr_in *peer, int server)
{
	char buffer[64];

	return sendto(client, query, sizeof(query), 0, (const struct sockaddr *)peer,
		      peer ? sizeof(*peer) : 0) == (ssize_t)sizeof(query) &&
	       recv(server, buffer, sizeof(buffer), 0) == (ssize_t)sizeof(query);
}

/* The client closes first, the server's reset ends it: six segments, none waits for a timer. */
static bool tcp_cycle(const struct sockaddr_in *peer, int listener)
{
	_cleanup_close_ int server = -1, client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (client < 0 || connect(client, (const struct sockaddr *)peer, sizeof(*peer)) < 0)
		return false;
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(TAKE_FD(client));
	return server >= 0;
}

static bool is_denied(ssize_t result)
{
	return result < 0 && errno == EPERM;
}

static ssize_t send_forbidden(int fd)
{
	return sendto(fd, query, sizeof(query), 0, (struct sockaddr *)&forbidden,
		      sizeof(forbidden));
}

static bool operate(const struct traffic *traffic, enum measure measure)
{
	switch (measure) {
	case MEASURE_UDP:
		return datagram(traffic->udp, &plain, traffic->plain_server);
	case MEASURE_DNS:
		return datagram(traffic->udp, &resolver, traffic->dns_server);
	case MEASURE_UDP_CONNECTED:
		return datagram(traffic->udp_connected, NULL, traffic->plain_server);
	case MEASURE_DNS_CONNECTED:
		return datagram(traffic->dns_connected, NULL, traffic->dns_server);
	case MEASURE_TCP:
		return tcp_cycle(&plain, traffic->plain_listener);
	case MEASURE_BLOCKED_SENDTO:
		return is_denied(send_forbidden(traffic->udp));
	case MEASURE_BLOCKED_CONNECT:
		return is_denied(connect(traffic->blocked_tcp, (struct sockaddr *)&forbidden,
					 sizeof(forbidden)));
	default:
		return false;
	}
}

bool traffic_applies(enum measure measure, const struct arm *arm)
{
	if (measure == MEASURE_BLOCKED_SENDTO)
		return arm->blocks_udp;
	if (measure == MEASURE_BLOCKED_CONNECT)
		return arm->tcp == TCP_DENIED;
	return true;
}

/* Did a query reach the forbidden server? */
static bool arrived(const struct traffic *traffic, int wait_ms)
{
	struct pollfd waiting = {.fd = traffic->forbidden_server, .events = POLLIN};
	char buffer[64];

	return poll(&waiting, 1, wait_ms) == 1 &&
	       recv(traffic->forbidden_server, buffer, sizeof(buffer), MSG_DONTWAIT) > 0;
}

/* A connected UDP socket: denied when it connects, or at the latest when it sends. */
static const char *check_connected(const struct arm *arm)
{
	_cleanup_close_ int fd = open_socket(SOCK_DGRAM, NULL, &forbidden);

	if (fd < 0)
		return errno == EPERM && arm->tcp == TCP_DENIED
			       ? NULL
			       : "a UDP socket did not connect to a forbidden resolver";
	if (arm->blocks_udp && !is_denied(send(fd, query, sizeof(query), 0)))
		return "send() to a forbidden resolver was not denied";
	return NULL;
}

static const char *check_udp(const struct traffic *traffic, const struct arm *arm)
{
	ssize_t sent = send_forbidden(traffic->udp);

	if (arm->blocks_udp) {
		if (!is_denied(sent))
			return "sendto() to a forbidden resolver was not denied";
		return arrived(traffic, 0) ? "a denied query arrived" : NULL;
	}
	if (sent < 0 || !arrived(traffic, WAIT_MS))
		return "a query that nothing forbids did not arrive";
	return NULL;
}

static enum tcp_fate tcp_fate(const struct traffic *traffic, int wait_ms)
{
	_cleanup_close_ int accepted = -1,
			    client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd waiting = {.fd = client, .events = POLLOUT};

	if (is_denied(connect(client, (struct sockaddr *)&forbidden, sizeof(forbidden))))
		return TCP_DENIED;
	if (poll(&waiting, 1, wait_ms) != 1 || (waiting.revents & (POLLERR | POLLHUP)))
		return TCP_DROPPED;
	accepted = accept4(traffic->forbidden_listener, NULL, NULL, SOCK_CLOEXEC);
	close(TAKE_FD(client)); /* first, so that the server's reset ends it */
	return TCP_OPENS;
}

const char *traffic_check(const struct traffic *traffic, const struct arm *arm, int patience_ms)
{
	const char *wrong;

	for (enum measure measure = 0; measure < MEASURE_ABSOLUTE; measure++)
		if (!operate(traffic, measure))
			return "traffic that is allowed did not make its round";
	if (!tcp_cycle(&resolver, traffic->dns_listener))
		return "TCP to the sanctioned resolver was not let through";
	wrong = check_connected(arm);
	if (!wrong)
		wrong = check_udp(traffic, arm);
	if (wrong)
		return wrong;
	if (tcp_fate(traffic, arm->tcp == TCP_DROPPED ? patience_ms : WAIT_MS) != arm->tcp)
		return "TCP to a forbidden resolver did not meet what the arm promises";
	return NULL;
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Many short batches and their median, not one long batch: an interrupt spoils one of them. */
double traffic_measure(const struct traffic *traffic, enum measure measure)
{
	static const struct {
		int batches, operations;
	} rows[] = {
#define X(id, name, title, batches, operations) {batches, operations},
		MEASURES(X)
#undef X
	};
	double times[BATCHES_MAX];
	int batches = rows[measure].batches, operations = rows[measure].operations;

	for (int i = 0; i < operations; i++) /* the caches and predictors of this arm */
		if (!operate(traffic, measure))
			return NAN;
	for (int batch = 0; batch < batches; batch++) {
		double start = now_ns();

		for (int i = 0; i < operations; i++)
			if (!operate(traffic, measure))
				return NAN;
		times[batch] = (now_ns() - start) / operations;
	}
	qsort(times, batches, sizeof(*times), compare_doubles);
	return (times[batches / 2 - 1] + times[batches / 2]) / 2;
}
