/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration as plain data, and its way from YAML. Filled by config.c from the table in
 * schema.c; read by policy.c, subjects.c and the commands.
 */
#ifndef DNSFENCE_CONFIG_H
#define DNSFENCE_CONFIG_H

#include "address.h"
#include "diagnostic.h"
#include "endpoint.h"

#define CONFIG_API_VERSION "dnsfence/v1"
#define CONFIG_DEFAULT_PATH "/etc/dnsfence/dnsfence.yaml"
#define CONFIG_SYSLOG_MAX 8

enum config_mode { MODE_ENFORCE, MODE_AUDIT, MODE_INHERIT };
enum config_edge { EDGE_OFF, EDGE_AUTO, EDGE_NAMED };
enum config_hooks { HOOKS_AUTO, HOOKS_ALL };
enum config_open_sockets { OPEN_SOCKETS_CLOSE, OPEN_SOCKETS_LEAVE };
/* How the daemon hears of cgroups, in the order in which the ways are tried. */
enum follow_way { FOLLOW_TRACEPOINT, FOLLOW_INOTIFY, FOLLOW_NONE, FOLLOW_WAYS };
enum config_deny_at { DENY_AT_CONNECT, DENY_AT_PACKET };
enum config_syslog_format { SYSLOG_FORMAT_JSON, SYSLOG_FORMAT_TEXT };

struct word {
	char *text;
	struct mark where;
};

/* Names and globs, in the order of the file. */
struct words {
	struct word *list;
	size_t length;
};

struct prefixes {
	struct address *list;
	size_t length;
};

struct resolver {
	struct address address;
	uint32_t services; /* bit per enum df_service; 0: every fenced one */
	uint16_t port; /* 0: the services' own */
	uint8_t protocols; /* DF_PROTO_ bits; 0: what the services speak */
	bool translated;
	struct mark where;
};

struct resolver_set {
	char *name;
	struct resolver *resolvers;
	size_t length;
	struct mark where;
};

/* A label of that name has one of those values. */
struct label_match {
	char *key;
	struct words values;
};

struct label_matches {
	struct label_match *list; /* all must hold */
	size_t length;
};

/* User names and uids, and what uids they are once subjects.c has found them. */
struct users {
	struct words words;
	uint32_t *uids; /* NULL: not found yet; as many as there are words */
};

/* Lists are "one of"; an empty one says nothing. */
struct container_match {
	struct words names;
	struct words images;
	struct words ids;
	struct label_matches labels;
	uint32_t runtimes; /* bit per enum runtime */
	struct users owners;
	struct mark where; /* line 0: the match says nothing of containers */
};

struct pod_match {
	struct words namespaces;
	struct words names;
	struct label_matches labels;
	struct mark where; /* likewise */
};

/* Who a policy is for: all keys that say something must hold. */
struct match {
	struct words cgroups; /* paths below the cgroup2 mount, or globs */
	struct words units; /* of the system's manager */
	struct words user_units; /* of a user's own */
	struct container_match container;
	struct pod_match pod;
	struct users users;
	struct words interfaces; /* on which a frame came in */
	struct prefixes sources; /* of frames */
	struct mark where;
};

struct policy_config {
	char *name;
	struct match match;
	bool any; /* resolvers: any */
	char **sets; /* names */
	struct mark *set_marks;
	size_t sets_length;
	int mode; /* enum config_mode */
	int on_deny; /* errno, 0: the configuration's */
	bool has_match;
	bool forwards; /* looks names up for others */
	struct mark where;
};

struct edge_config {
	int mode; /* enum config_edge, what interfaces says */
	struct words interfaces; /* as written: auto, off, or names and globs */
	struct words uplinks; /* fenced on the way out, whatever their kind */
	struct mark interfaces_where, uplinks_where;
};

/*
 * Does anything have to be done at interfaces? auto speaks of the host as a whole: of a fence
 * around a cgroup below the root (level 0) it asks nothing.
 */
static inline bool edge_config_asks(const struct edge_config *config, uint32_t cgroup_level)
{
	return config->mode == EDGE_NAMED || (config->mode == EDGE_AUTO && !cgroup_level);
}

/* Where the runtimes' files are, see runtimes.h; no list: the distributions' own places. */
#define RUNTIME_ROOT_MAX 400 /* bytes of a path */
#define RUNTIME_ROOTS_MAX 32 /* of one runtime */

struct runtime_roots {
	char *host; /* where this host's root directory is seen; NULL: at / */
	struct words docker, containerd, crio, podman, pods;
};

/* Syslog daemons, in the order of the file. */
struct syslog_place {
	struct endpoint_config target;
	struct mark where;
};

struct syslog_targets {
	struct syslog_place *list;
	size_t length;
};

struct config {
	char **files; /* what it was read from; marks point here */
	size_t files_length;
	int mode;
	int on_deny;
	uint32_t services; /* bit per enum df_service */
	struct resolver_set *sets;
	size_t sets_length;
	struct policy_config *policies;
	size_t policies_length;
	bool policies_unread; /* no list, or under a key that is none, which has been told */
	struct edge_config edge;
	int hooks;
	int deny_at; /* enum config_deny_at */
	int open_sockets; /* enum config_open_sockets */
	int follow; /* enum follow_way, the first to try */
	bool events_stdout;
	char *events_file; /* NULL: none */
	struct mark events_file_where;
	uint64_t rotate_size; /* bytes; 0: the file is not rotated */
	int rotate_keep; /* files beside it */
	bool events_journal;
	char *events_socket; /* NULL: none */
	struct mark events_socket_where;
	struct syslog_targets syslog;
	int syslog_facility; /* number of RFC 5424 6.2.1 */
	int syslog_format; /* enum config_syslog_format */
	uint64_t queue_size; /* bytes, of each sink */
	int queue_drop; /* enum queue_drop */
	int events_allowed; /* of the allowed lookups one in so many is logged; 0: none */
	int ring_kib; /* size of the ring buffer */
	struct runtime_roots runtimes;
	struct endpoint_config metrics_listen; /* text NULL: none */
	struct mark metrics_listen_where;
	char *metrics_file; /* for node_exporter; NULL: none */
	struct mark metrics_file_where;
	int metrics_interval; /* seconds between writing it */
	bool builtin; /* no file: made from resolv.conf */
};

/* The defaults, before any file. */
void config_init(struct config *config);
void config_done(struct config *config);

/*
 * Read path and the *.yaml of the dnsfence.d beside it, merged in order of name. 0 (there may be
 * warnings in *diagnostics); -EINVAL with the errors there; -ENOENT when there is neither; -ENOMEM.
 * *ret is filled with what could be read: the marks in *diagnostics point into it, so print them
 * before config_done().
 */
int config_load(const char *path, struct config *ret, struct diagnostics *diagnostics);

/* The same from memory; name stands in the messages. For tests and the fuzzer. */
int config_load_text(const char *text, size_t length, const char *name, struct config *ret,
		     struct diagnostics *diagnostics);

int runtime_roots_copy(const struct runtime_roots *from, struct runtime_roots *ret);
void runtime_roots_done(struct runtime_roots *roots);

bool runtime_roots_equal(const struct runtime_roots *a, const struct runtime_roots *b);
int words_copy(const struct words *from, struct words *ret);
void words_done(struct words *words);
/* Does one of them, a name or glob, match? What is no glob is compared as it is. */
bool word_is_glob(const char *text);
bool words_match(const struct words *words, const char *text);

const struct resolver_set *config_find_set(const struct config *config, const char *name);

#endif
