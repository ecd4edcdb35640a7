// SPDX-License-Identifier: GPL-2.0-or-later
#include "metrics_server.h"

#include <dlfcn.h>
#include <microhttpd.h>
#include <sys/epoll.h>

#include "metrics.h"

#define SERVER_LIBRARY "libmicrohttpd.so.12"
#define SERVER_CONNECTIONS 16u
#define SERVER_SILENCE_S 10u
#define SERVER_MEMORY (32u * 1024) /* bytes a connection */
#define SERVER_TURNS 8 /* at once; the rest comes with the next event or tick */

/* What is used of the library. */
#define SERVER_FUNCTIONS(X)            \
	X(start_daemon)                \
	X(stop_daemon)                 \
	X(run)                         \
	X(get_timeout)                 \
	X(get_daemon_info)             \
	X(lookup_connection_value)     \
	X(create_response_from_buffer) \
	X(add_response_header)         \
	X(queue_response)              \
	X(destroy_response)

static struct {
	void *library;
#define X(name) __typeof__(&MHD_##name) name;
	SERVER_FUNCTIONS(X)
#undef X
} mhd;

struct metrics_server {
	struct loop *loop;
	struct loop_watch *watch;
	struct MHD_Daemon *daemon;
	char *where; /* as the configuration says it */
	char *path; /* of a unix socket, or NULL */
	metrics_writer writer;
	void *context;
};

static const char *server_load(void)
{
	if (mhd.library)
		return NULL;
	mhd.library = dlopen(SERVER_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!mhd.library)
		return dlerror();
#define X(name)                                                 \
	*(void **)&mhd.name = dlsym(mhd.library, "MHD_" #name); \
	if (!mhd.name) {                                        \
		(void)dlclose(mhd.library);                     \
		mhd.library = NULL;                             \
		return SERVER_LIBRARY " lacks MHD_" #name;      \
	}
	SERVER_FUNCTIONS(X)
#undef X
	return NULL;
}

static enum MHD_Result server_reply(struct MHD_Connection *connection, unsigned int status,
				    const char *type, const char *text, size_t length)
{
	struct MHD_Response *response =
		mhd.create_response_from_buffer(length, (void *)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	(void)mhd.add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)mhd.add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = mhd.queue_response(connection, status, response);
	mhd.destroy_response(response);
	return result;
}

static enum MHD_Result server_refuse(struct MHD_Connection *connection, unsigned int status,
				     const char *text)
{
	return server_reply(connection, status, "text/plain", text, strlen(text));
}

/* Prometheus asks for both and prefers OpenMetrics; who does not name it gets the older one. */
static bool server_wants_open_metrics(struct MHD_Connection *connection)
{
	const char *accept =
		mhd.lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);

	return accept && strstr(accept, "application/openmetrics-text");
}

static enum MHD_Result server_answer(void *context, struct MHD_Connection *connection,
				     const char *url, const char *method, const char *version,
				     const char *upload, size_t *upload_size, void **state)
{
	struct metrics_server *server = context;
	_cleanup_(json_done) struct json text = {0};
	bool open_metrics;

	(void)version;
	(void)upload;
	(void)state;
	if (*upload_size) { /* a body is of no interest, and need not be read to its end */
		*upload_size = 0;
		return MHD_YES;
	}
	if (!util_streq(method, MHD_HTTP_METHOD_GET) && !util_streq(method, MHD_HTTP_METHOD_HEAD))
		return server_refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET /metrics\n");
	if (!util_streq(url, "/metrics"))
		return server_refuse(connection, MHD_HTTP_NOT_FOUND,
				     "dnsfence: the metrics are at /metrics\n");
	open_metrics = server_wants_open_metrics(connection);
	if (server->writer(server->context, open_metrics, &text) < 0)
		return server_refuse(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
	return server_reply(connection, MHD_HTTP_OK,
			    open_metrics ? METRICS_TYPE_OPEN : METRICS_TYPE_TEXT, text.text,
			    text.length);
}

/* The library keeps a list of its own of what is ready: empty it, within bounds. */
static void server_run(struct metrics_server *server)
{
	MHD_UNSIGNED_LONG_LONG timeout = 0;

	for (int turn = 0; turn < SERVER_TURNS; turn++) {
		(void)mhd.run(server->daemon);
		if (mhd.get_timeout(server->daemon, &timeout) != MHD_YES || timeout)
			return;
	}
}

static void server_ready(void *context, uint32_t events)
{
	(void)events;
	server_run(context);
}

void metrics_server_tick(struct metrics_server *server)
{
	if (server)
		server_run(server);
}

static int server_start(struct metrics_server *server, int fd)
{
	const union MHD_DaemonInfo *info;

	server->daemon = mhd.start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, server_answer, server, MHD_OPTION_LISTEN_SOCKET,
		(MHD_socket)fd, MHD_OPTION_CONNECTION_LIMIT, SERVER_CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, SERVER_SILENCE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)SERVER_MEMORY, MHD_OPTION_END);
	if (!server->daemon) {
		close(fd);
		return -ENOMEM;
	}
	info = mhd.get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return -ENOTSUP;
	server->watch = loop_add(server->loop, info->epoll_fd, EPOLLIN, server_ready, server);
	return server->watch ? 0 : -ENOMEM;
}

static int server_listen(struct metrics_server *server, const struct endpoint_config *listen)
{
	int fd = listen->path ? endpoint_listen_unix(listen->path) : endpoint_listen_tcp(listen);

	if (fd < 0)
		return fd;
	if (listen->path)
		server->path = strdup(listen->path);
	return server_start(server, fd);
}

struct metrics_server *metrics_server_new(struct loop *loop, const struct endpoint_config *listen,
					  metrics_writer writer, void *context,
					  struct problem *problem)
{
	struct metrics_server *server = calloc(1, sizeof(*server));
	const char *missing = server_load();
	int r;

	if (missing || !server) {
		free(server);
		problem_set(problem, ENOTSUP, "metrics.listen: %s; install libmicrohttpd12",
			    missing ? missing : strerror(ENOMEM));
		return NULL;
	}
	server->loop = loop;
	server->writer = writer;
	server->context = context;
	server->where = strdup(listen->text);
	r = server->where ? server_listen(server, listen) : -ENOMEM;
	if (r >= 0)
		return server;
	metrics_server_free(server);
	if (r == -EADDRINUSE)
		problem_set(problem, EINVAL,
			    "metrics.listen: %s is in use; name another, or end "
			    "what listens there",
			    listen->text);
	else
		problem_set(problem, EINVAL,
			    "metrics.listen: cannot listen on %s: %s; name another", listen->text,
			    strerror(-r));
	return NULL;
}

void metrics_server_free(struct metrics_server *server)
{
	if (!server)
		return;
	if (server->watch)
		loop_remove(server->loop, server->watch);
	if (server->daemon) /* closes the socket */
		mhd.stop_daemon(server->daemon);
	if (server->path)
		(void)unlink(server->path);
	free(server->path);
	free(server->where);
	free(server);
}

bool metrics_server_is_at(const struct metrics_server *server, const struct endpoint_config *listen)
{
	return server && util_streq(server->where, listen->text);
}
