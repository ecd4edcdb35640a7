// SPDX-License-Identifier: GPL-2.0-or-later
#include "control.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lock.h"
#include "queue.h"

struct client {
	struct control *control;
	struct loop_watch *watch;
	int fd;
	char request[CONTROL_REQUEST_MAX];
	size_t request_length;
	bool json, text; /* follows events */
	bool closing; /* once the queue is empty */
	bool waits; /* until it has read more */
	struct queue queue;
	struct client *next;
};

struct control {
	struct loop *loop;
	struct loop_watch *watch;
	int listener;
	int lock;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct control_owner owner;
	struct client *clients;
	unsigned int clients_length;
	uint64_t dropped; /* by clients that have gone */
};

static void client_free(struct client *client)
{
	struct control *control = client->control;

	for (struct client **at = &control->clients; *at; at = &(*at)->next)
		if (*at == client) {
			*at = client->next;
			break;
		}
	control->clients_length--;
	control->dropped += client->queue.dropped;
	loop_remove(control->loop, client->watch);
	close(client->fd);
	queue_done(&client->queue);
	free(client);
}

static size_t client_tell(void *context, uint64_t count, char *to, size_t size)
{
	const struct client *client = context;
	const struct control_owner *owner = &client->control->owner;

	return owner->tell(owner->context, client->json, count, to, size);
}

/* false: the client has gone, and is freed. */
static bool client_send(struct client *client)
{
	struct iovec parts[2];
	struct msghdr message = {.msg_iov = parts};
	ssize_t sent = 0;
	bool waits;

	message.msg_iovlen = (size_t)queue_parts(&client->queue, parts);
	if (message.msg_iovlen)
		sent = sendmsg(client->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		client_free(client);
		return false;
	}
	if (sent > 0)
		queue_wrote(&client->queue, (size_t)sent);
	waits = queue_bytes(&client->queue) > 0;
	if (!waits && client->closing) {
		client_free(client);
		return false;
	}
	if (waits != client->waits)
		(void)loop_change(client->control->loop, client->watch,
				  EPOLLIN | (waits ? EPOLLOUT : 0));
	client->waits = waits;
	return true;
}

static void client_follow(struct client *client, bool json)
{
	client->json = json;
	client->text = !json;
	queue_push(&client->queue, NULL, 0, "exit 0\n", 7, (struct queue_worth){0});
	(void)client_send(client);
}

/* An answer may be longer than the queue of an event reader: it is sent whole. */
static void client_answer(struct client *client)
{
	const struct control_owner *owner = &client->control->owner;
	char *body = NULL, head[32];
	size_t length = 0;
	FILE *to = open_memstream(&body, &length);
	int code = 5, head_length;

	if (to) {
		code = owner->answer(owner->context, client->request, to);
		(void)fclose(to);
	}
	head_length = snprintf(head, sizeof(head), "exit %d\n", code);
	client->queue.limit = SIZE_MAX;
	queue_push(&client->queue, head, (size_t)head_length, body ?: "", length,
		   (struct queue_worth){0});
	free(body);
	client->closing = true;
	(void)client_send(client);
}

static void client_dispatch(struct client *client)
{
	if (util_streq(client->request, "events json"))
		client_follow(client, true);
	else if (util_streq(client->request, "events text"))
		client_follow(client, false);
	else
		client_answer(client);
}

static void client_read(struct client *client)
{
	size_t room = sizeof(client->request) - client->request_length;
	ssize_t length =
		recv(client->fd, client->request + client->request_length, room, MSG_DONTWAIT);
	char *end;

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length <= 0 || client->json || client->text || client->closing) {
		client_free(client);
		return;
	}
	client->request_length += (size_t)length;
	end = memchr(client->request, '\n', client->request_length);
	if (end) {
		*end = 0;
		client_dispatch(client);
	} else if (client->request_length == sizeof(client->request)) {
		client_free(client);
	}
}

static void client_ready(void *context, uint32_t events)
{
	struct client *client = context;

	/* Whoever gave up while the daemon was stopped has been told that nothing was done. */
	if (events & (EPOLLHUP | EPOLLERR))
		client_free(client);
	else if ((!(events & EPOLLOUT) || client_send(client)) && (events & EPOLLIN))
		client_read(client);
}

static void control_accept(void *context, uint32_t events)
{
	struct control *control = context;
	int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *client;

	(void)events;
	if (fd < 0)
		return;
	client = control->clients_length < CONTROL_CLIENTS_MAX ? calloc(1, sizeof(*client)) : NULL;
	if (!client) {
		close(fd);
		return;
	}
	client->control = control;
	client->fd = fd;
	queue_init(&client->queue, CONTROL_QUEUE_MAX, QUEUE_DROP_NEWEST, client_tell, client);
	client->watch = loop_add(control->loop, fd, EPOLLIN, client_ready, client);
	if (!client->watch) {
		close(fd);
		free(client);
		return;
	}
	client->next = control->clients;
	control->clients = client;
	control->clients_length++;
}

static int control_refuse_dir(const char *path, int error, struct problem *problem)
{
	const char *advice = error == EACCES || error == EPERM ? "run as root, or"
			     : error == ENOENT                 ? "make the directory above it, or"
							       : "";

	return problem_set(problem, error, "cannot use the runtime directory, %s: %s; %s%s", path,
			   strerror(error), advice,
			   *advice ? " give another --runtime-dir" : "give another --runtime-dir");
}

int control_lock(const char *dir, struct problem *problem)
{
	_cleanup_close_ int fd = -1;
	char path[4096];
	struct stat st;

	if (mkdir(dir, 0750) < 0 && errno != EEXIST)
		return control_refuse_dir(dir, errno, problem);
	if (stat(dir, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 022))
		return problem_set(problem, EPERM,
				   "the runtime directory %s must belong to this user, and nobody "
				   "else may write there; run as root, or give another "
				   "--runtime-dir",
				   dir);
	snprintf(path, sizeof(path), "%s/lock", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return control_refuse_dir(path, errno, problem);
	if (lock_take(fd) < 0)
		return problem_set(
			problem, EBUSY,
			"another dnsfence works in %s: \"dnsfence status\" shows it, \"dnsfence "
			"reload\" gives it a changed policy. For a second instance give "
			"--runtime-dir, --pin-dir and --cgroup",
			dir);
	return TAKE_FD(fd);
}

static int control_bind(struct control *control, struct problem *problem)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int r;

	memcpy(address.sun_path, control->path, sizeof(control->path));
	control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->listener < 0)
		return problem_set(problem, errno, "cannot make the control socket: %s",
				   strerror(errno));
	(void)unlink(control->path); /* ours to remove: we hold the lock */
	mask = umask(0177);
	r = bind(control->listener, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (r < 0 || listen(control->listener, 16) < 0)
		return problem_set(problem, errno, "cannot listen on %s: %s", control->path,
				   strerror(errno));
	control->watch =
		loop_add(control->loop, control->listener, EPOLLIN, control_accept, control);
	return control->watch ? 0 : problem_set(problem, ENOMEM, "out of memory");
}

struct control *control_listen(struct loop *loop, const char *dir,
			       const struct control_owner *owner, struct problem *problem,
			       int *ret_error)
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control) {
		*ret_error = problem_set(problem, ENOMEM, "out of memory");
		return NULL;
	}
	control->loop = loop;
	control->owner = *owner;
	control->listener = -1;
	control->lock = -1;
	if ((size_t)snprintf(control->path, sizeof(control->path), "%s/control", dir) >=
	    sizeof(control->path)) {
		*ret_error = problem_set(problem, ENAMETOOLONG,
					 "the name of the runtime directory is too long for a "
					 "socket; give another --runtime-dir");
		free(control);
		return NULL;
	}
	*ret_error = control->lock = control_lock(dir, problem);
	if (control->lock >= 0)
		*ret_error = control_bind(control, problem);
	if (*ret_error < 0) {
		control_close(control);
		return NULL;
	}
	return control;
}

void control_close(struct control *control)
{
	if (!control)
		return;
	while (control->clients)
		client_free(control->clients);
	if (control->watch)
		loop_remove(control->loop, control->watch);
	if (control->listener >= 0) {
		(void)unlink(control->path);
		close(control->listener);
	}
	util_closep(&control->lock);
	free(control);
}

void control_send_event(struct control *control, const char *json, size_t json_length,
			const char *text, size_t text_length, struct queue_worth worth)
{
	struct client *next;

	for (struct client *client = control->clients; client; client = next) {
		const char *line = client->json ? json : text;
		size_t length = client->json ? json_length : text_length;

		next = client->next;
		if ((!client->json && !client->text) || !length)
			continue;
		queue_push(&client->queue, NULL, 0, line, length, worth);
		if (!client->waits)
			(void)client_send(client);
	}
}

void control_tick(struct control *control)
{
	struct client *next;

	for (struct client *client = control->clients; client; client = next) {
		next = client->next;
		queue_tell_missed(&client->queue);
		if (!client->waits && queue_bytes(&client->queue))
			(void)client_send(client);
	}
}

bool control_wants_events(const struct control *control)
{
	for (const struct client *client = control->clients; client; client = client->next)
		if (client->json || client->text)
			return true;
	return false;
}

bool control_wants_text(const struct control *control)
{
	for (const struct client *client = control->clients; client; client = client->next)
		if (client->text)
			return true;
	return false;
}

uint64_t control_dropped(const struct control *control)
{
	uint64_t dropped = control->dropped;

	for (const struct client *client = control->clients; client; client = client->next)
		dropped += client->queue.dropped;
	return dropped;
}

/* A daemon that is stopped or stuck must not hang its clients. */
static void control_set_patience(int fd, unsigned int seconds)
{
	struct timeval patience = {.tv_sec = seconds};

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

static int control_connect(const char *dir, int flags)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd < 0)
		return -errno;
	if ((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s/control", dir) >=
	    sizeof(address.sun_path))
		return -ENAMETOOLONG;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int control_open(const char *dir, const char *request)
{
	_cleanup_close_ int fd = control_connect(dir, SOCK_NONBLOCK);
	char line[CONTROL_REQUEST_MAX];
	int length;

	if (fd < 0)
		return fd;
	length = snprintf(line, sizeof(line), "%s\n", request);
	if (send(fd, line, (size_t)length, MSG_NOSIGNAL) != length)
		return -EPIPE;
	return TAKE_FD(fd);
}

int control_follow(const char *dir, const char *request, control_taker take, void *context)
{
	_cleanup_free_ char *line = NULL;
	_cleanup_file_ FILE *stream = NULL;
	int fd = control_connect(dir, 0), code = -EPROTO, r;
	size_t size = 0;
	ssize_t length;

	if (fd < 0)
		return fd;
	stream = fdopen(fd, "r+");
	if (!stream) {
		close(fd);
		return -ENOMEM;
	}
	control_set_patience(fd, CONTROL_PATIENCE_S);
	if (fprintf(stream, "%s\n", request) < 0 || fflush(stream) != 0)
		return -EPIPE;
	errno = 0;
	while ((length = getline(&line, &size, stream)) > 0) {
		if (code < 0) {
			if (sscanf(line, "exit %d", &code) != 1)
				return -EPROTO;
			control_set_patience(fd, 0);
			continue;
		}
		length -= line[length - 1] == '\n';
		line[length] = 0;
		r = take(context, line, (size_t)length);
		if (r)
			return r < 0 ? r : code;
	}
	if (code < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -ECONNRESET;
	return strncmp(request, "events ", 7) == 0 ? -ECONNRESET : code;
}

/* The answer counts also where it cannot be printed; main says that it could not. */
static int control_copy(void *to, const char *line, size_t length)
{
	(void)fwrite(line, 1, length, to);
	(void)fputc('\n', to);
	(void)fflush(to);
	return 0;
}

int control_request(const char *dir, const char *request, FILE *to)
{
	return control_follow(dir, request, control_copy, to);
}
