// SPDX-License-Identifier: GPL-2.0-or-later
#include "drift.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>

#include "log.h"
#include "nameservers.h"
#include "rdnss.h"

#define PROPOSALS_MAX 512 /* at a time; the oldest one makes room */
#define SECOND_NS 1000000000ull

enum drift_source {
	DRIFT_RESOLV_CONF,
	DRIFT_RESOLVED,
	DRIFT_NETWORK_MANAGER,
	DRIFT_NETWORKD,
	DRIFT_ROUTER,
	DRIFT_SOURCE_MAX,
};

/* Files in the language of resolv.conf(5); of networkd a directory with one for each interface. */
static const struct {
	const char *name, *path;
} sources[DRIFT_SOURCE_MAX] = {
	[DRIFT_RESOLV_CONF] = {"resolv.conf", "/etc/resolv.conf"},
	[DRIFT_RESOLVED] = {"systemd-resolved", "/run/systemd/resolve/resolv.conf"},
	[DRIFT_NETWORK_MANAGER] = {"NetworkManager", "/run/NetworkManager/no-stub-resolv.conf"},
	[DRIFT_NETWORKD] = {"systemd-networkd", "/run/systemd/netif/links"},
	[DRIFT_ROUTER] = {"router-advertisement", NULL},
};

/* A resolver outside the policy, as somebody proposes it. */
struct proposal {
	enum drift_source source;
	uint32_t ifindex; /* 0: of no one interface */
	struct address resolver;
	uint64_t until_ns; /* CLOCK_MONOTONIC, of an advertisement */
	uint64_t seen; /* in which round of its source */
};

/* What tells that a file is another one than last time. */
struct file_state {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct drift {
	char *root;
	struct drift_handler handler;
	int fd;
	bool quiet; /* what is found is remembered, not told */
	uint64_t round;
	struct file_state files[DRIFT_NETWORKD];
	struct proposal proposals[PROPOSALS_MAX];
	size_t length;
	struct event event;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* The order of what stays is the order in which it came. */
static void proposal_remove(struct drift *drift, size_t index)
{
	memmove(&drift->proposals[index], &drift->proposals[index + 1],
		(--drift->length - index) * sizeof(drift->proposals[0]));
}

static struct proposal *proposal_find(struct drift *drift, enum drift_source source,
				      uint32_t ifindex, const struct address *resolver)
{
	for (size_t i = 0; i < drift->length; i++) {
		struct proposal *proposal = &drift->proposals[i];

		if (proposal->source == source && proposal->ifindex == ifindex &&
		    address_equal(&proposal->resolver, resolver))
			return proposal;
	}
	return NULL;
}

static struct proposal *proposal_add(struct drift *drift, enum drift_source source,
				     uint32_t ifindex, const struct address *resolver)
{
	if (drift->length == PROPOSALS_MAX)
		proposal_remove(drift, 0);
	drift->proposals[drift->length] =
		(struct proposal){.source = source, .ifindex = ifindex, .resolver = *resolver};
	return &drift->proposals[drift->length++];
}

static void drift_report(struct drift *drift, const struct proposal *proposal,
			 const struct address *router, uint32_t lifetime_s)
{
	struct event_drift *to = &drift->event.drift;

	if (drift->quiet)
		return;
	drift->event = (struct event){.kind = EVENT_DRIFT};
	clock_gettime(CLOCK_REALTIME, &drift->event.time);
	to->source = sources[proposal->source].name;
	(void)address_format(&proposal->resolver, to->resolver);
	to->lifetime_s = lifetime_s;
	if (router && router->family)
		(void)address_format(router, to->router);
	if (proposal->ifindex)
		(void)if_indextoname(proposal->ifindex, drift->event.interface);
	if (proposal->source == DRIFT_NETWORKD)
		(void)snprintf(to->path, sizeof(to->path), "%s/%u", sources[DRIFT_NETWORKD].path,
			       proposal->ifindex);
	else if (sources[proposal->source].path)
		(void)snprintf(to->path, sizeof(to->path), "%s", sources[proposal->source].path);
	drift->handler.report(drift->handler.context, &drift->event);
}

/* The proposal, told if it is new; NULL when it is inside the policy. */
static struct proposal *drift_propose(struct drift *drift, enum drift_source source,
				      uint32_t ifindex, const struct address *resolver,
				      const struct address *router, uint32_t lifetime_s)
{
	struct proposal *proposal = proposal_find(drift, source, ifindex, resolver);

	if (drift->handler.sanctioned(drift->handler.context, resolver)) {
		if (proposal)
			proposal_remove(drift, (size_t)(proposal - drift->proposals));
		return NULL;
	}
	if (!proposal) {
		proposal = proposal_add(drift, source, ifindex, resolver);
		drift_report(drift, proposal, router, lifetime_s);
	}
	proposal->seen = drift->round;
	return proposal;
}

void drift_advertised(struct drift *drift, const struct rdnss *rdnss)
{
	for (size_t i = 0; i < rdnss->length; i++) {
		struct proposal *proposal;

		if (!rdnss->lifetime_s) {
			proposal = proposal_find(drift, DRIFT_ROUTER, rdnss->ifindex,
						 &rdnss->resolvers[i]);
			if (proposal)
				proposal_remove(drift, (size_t)(proposal - drift->proposals));
			continue;
		}
		proposal = drift_propose(drift, DRIFT_ROUTER, rdnss->ifindex, &rdnss->resolvers[i],
					 &rdnss->router, rdnss->lifetime_s);
		if (proposal)
			proposal->until_ns = rdnss->lifetime_s == RDNSS_FOR_EVER
						     ? UINT64_MAX
						     : now_ns() + rdnss->lifetime_s * SECOND_NS;
	}
}

static void drift_on_rdnss(void *context, const struct rdnss *rdnss)
{
	drift_advertised(context, rdnss);
}

static void drift_expire(struct drift *drift)
{
	uint64_t now = now_ns();

	for (size_t i = drift->length; i-- > 0;)
		if (drift->proposals[i].source == DRIFT_ROUTER &&
		    drift->proposals[i].until_ns < now)
			proposal_remove(drift, i);
}

/* Those of a source that its last round did not show are withdrawn. */
static void drift_withdraw(struct drift *drift, enum drift_source source)
{
	for (size_t i = drift->length; i-- > 0;)
		if (drift->proposals[i].source == source &&
		    drift->proposals[i].seen != drift->round)
			proposal_remove(drift, i);
}

static struct file_state file_look(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct file_state){0};
	return (struct file_state){st.st_dev, st.st_ino, st.st_size, st.st_mtim};
}

static bool file_same(const struct file_state *a, const struct file_state *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static void drift_propose_all(struct drift *drift, enum drift_source source, uint32_t ifindex,
			      const struct nameservers *servers)
{
	for (size_t i = 0; i < servers->length; i++)
		(void)drift_propose(drift, source, ifindex, &servers->list[i].address, NULL, 0);
}

/*
 * A file that has gone proposes nothing, as does one that is empty: the local machine's resolver,
 * which resolv.conf(5) then falls back to, nobody has proposed.
 */
static void drift_look_at_file(struct drift *drift, enum drift_source source)
{
	struct nameservers servers = {0};
	struct file_state state;
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s%s", drift->root, sources[source].path);
	state = file_look(path);
	if (file_same(&state, &drift->files[source]))
		return;
	drift->files[source] = state;
	drift->round++;
	(void)nameservers_read(path, &servers);
	drift_propose_all(drift, source, 0, &servers);
	drift_withdraw(drift, source);
}

/* networkd's state of an interface has a line DNS=ADDRESS ADDRESS... */
static void networkd_read(const char *path, struct nameservers *servers)
{
	_cleanup_file_ FILE *file = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		char *rest = line + 4;

		if (strncmp(line, "DNS=", 4) != 0)
			continue;
		for (char *word; (word = strsep(&rest, " \n"));)
			nameservers_add_systemd(servers, word);
	}
}

/* A handful of small files, read every time: they are replaced, and in no order. */
static void drift_look_at_links(struct drift *drift)
{
	char directory[PATH_MAX], path[PATH_MAX + 16];
	struct dirent *entry;
	DIR *links;

	(void)snprintf(directory, sizeof(directory), "%s%s", drift->root,
		       sources[DRIFT_NETWORKD].path);
	drift->round++;
	links = opendir(directory);
	while (links && (entry = readdir(links))) {
		struct nameservers servers = {0};

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%.10s", directory, entry->d_name);
		networkd_read(path, &servers);
		drift_propose_all(drift, DRIFT_NETWORKD, (uint32_t)strtoul(entry->d_name, NULL, 10),
				  &servers);
	}
	if (links)
		closedir(links);
	drift_withdraw(drift, DRIFT_NETWORKD);
}

void drift_tick(struct drift *drift)
{
	drift_expire(drift);
	for (enum drift_source source = 0; source < DRIFT_NETWORKD; source++)
		drift_look_at_file(drift, source);
	drift_look_at_links(drift);
}

struct drift *drift_new(const char *root, const struct drift_handler *handler)
{
	struct drift *drift = calloc(1, sizeof(*drift));

	if (!drift)
		return NULL;
	drift->fd = -1;
	drift->root = strdup(root);
	if (!drift->root) {
		drift_free(drift);
		return NULL;
	}
	drift->handler = *handler;
	drift->fd = rdnss_open();
	if (drift->fd < 0)
		log_warning("cannot follow the routers' advertisements: %s", strerror(-drift->fd));
	drift->quiet = true;
	drift_tick(drift);
	drift->quiet = false;
	return drift;
}

void drift_free(struct drift *drift)
{
	if (!drift)
		return;
	util_closep(&drift->fd);
	free(drift->root);
	free(drift);
}

int drift_fd(const struct drift *drift)
{
	return MAX(drift->fd, -1);
}

/* What was lost comes again: routers repeat themselves, RFC 4861 6.2.4. */
void drift_read(struct drift *drift)
{
	int r = rdnss_read(drift->fd, drift_on_rdnss, drift);

	if (r < 0)
		log_debug("routers' advertisements: %s", strerror(-r));
}
