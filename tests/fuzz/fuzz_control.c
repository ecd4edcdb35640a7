// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any bytes as what a client writes to the control socket, in two pieces. The
 * handler sees whole requests only, once a connection; every other client is dropped, and the
 * daemon's side never waits.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "userspace/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[32] = "/tmp/fuzz-control.XXXXXX";
static struct loop loop;
static struct control *control;
static unsigned int requests;

static int answer(void *context, const char *request, FILE *to)
{
	(void)context;
	if (strlen(request) >= CONTROL_REQUEST_MAX || strchr(request, '\n') || ++requests > 1)
		abort();
	fprintf(to, "%s\n", request);
	return 0;
}

static size_t tell(void *context, bool json, uint64_t count, char *to, size_t size)
{
	(void)context;
	return (size_t)snprintf(to, size, "%c%llu\n", json ? '{' : '-', (unsigned long long)count);
}

static void clean_up(void)
{
	char lock[64];

	control_close(control);
	loop_done(&loop);
	snprintf(lock, sizeof(lock), "%s/lock", dir);
	(void)unlink(lock);
	(void)rmdir(dir);
}

static void start(void)
{
	const struct control_owner owner = {answer, tell, NULL};
	struct problem problem;
	int error;

	if (!mkdtemp(dir) || loop_init(&loop) < 0)
		abort();
	control = control_listen(&loop, dir, &owner, &problem, &error);
	if (!control)
		abort();
	atexit(clean_up);
}

static int client_new(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/control", dir);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		abort();
	return fd;
}

/* Accept, read, write: each takes a round of its own. */
static void turn(void)
{
	for (int round = 0; round < 4; round++)
		if (loop_run_once(&loop, 0) < 0)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const starts[] = {"", "events json\n", "events text\n", "status"};
	const char *before = starts[size ? data[0] % ARRAY_LEN(starts) : 0];
	size_t half = size ? data[size - 1] % size : 0;
	char reply[CONTROL_REQUEST_MAX + 16];
	ssize_t length;
	int fd;

	if (!control)
		start();
	requests = 0;
	fd = client_new();
	(void)send(fd, before, strlen(before), MSG_NOSIGNAL | MSG_DONTWAIT);
	turn();
	(void)send(fd, data, half, MSG_NOSIGNAL | MSG_DONTWAIT);
	turn();
	control_send_event(control, "{}\n", 3, "-\n", control_wants_text(control) ? 2 : 0,
			   (struct queue_worth){.violations = 1});
	(void)send(fd, data + half, size - half, MSG_NOSIGNAL | MSG_DONTWAIT);
	turn();
	length = recv(fd, reply, sizeof(reply), MSG_DONTWAIT);
	if (length > 0 && (length < 7 || memcmp(reply, "exit ", 5) != 0))
		abort();
	if (requests && length <= 0)
		abort();
	close(fd);
	turn();
	if (control_wants_events(control))
		abort();
	return 0;
}
