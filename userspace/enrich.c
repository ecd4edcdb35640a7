// SPDX-License-Identifier: GPL-2.0-or-later
#include "enrich.h"

#include <pwd.h>
#include <sys/stat.h>

#include "cgroup.h"
#include "question_cache.h"

/* Direct-mapped caches: a lookup is one comparison, a collision costs one more reading. */
#define CACHE_SLOTS 256
#define INTERFACE_CACHE_NS 1000000000ull
#define GONE_CACHE_NS 1000000000ull

/*
 * Waiting is paid from an account that fills with a twentieth of the time that passes. One wait is
 * longer than a reading takes on a busy machine; the second one in vain does not happen, see
 * catalog.h.
 */
#define MS_NS 1000000ull
#define WAIT_MS 5
#define WAIT_SAVED_NS (20 * MS_NS)
#define WAIT_SHARE 20

struct gone_entry {
	uint64_t id, until_ns;
};

struct user_entry {
	uint32_t uid;
	bool known;
	char name[64];
};

struct interface_entry {
	uint32_t ifindex;
	uint64_t until_ns;
	char name[IF_NAMESIZE];
};

struct enricher {
	char *mount;
	int mount_fd;
	struct catalog *catalog;
	uint64_t saved_ns, saved_at; /* the account */
	/* What the event at hand points to. */
	struct facts *facts, *via_facts;
	struct ancestry *process, *parent, *via_process;
	struct timespec passwd_changed;
	struct gone_entry gone[CACHE_SLOTS];
	struct user_entry users[CACHE_SLOTS];
	struct question_cache *questions;
	struct interface_entry interfaces[CACHE_SLOTS];
};

struct enricher *enricher_new(const char *mount, int mount_fd, struct catalog *catalog)
{
	struct enricher *enricher = calloc(1, sizeof(*enricher));

	if (!enricher)
		return NULL;
	enricher->mount = strdup(mount);
	enricher->mount_fd = mount_fd;
	enricher->questions = question_cache_new();
	enricher->catalog = catalog;
	if (!enricher->mount || !enricher->questions) {
		enricher_free(enricher);
		return NULL;
	}
	return enricher;
}

static void enricher_let_go(struct enricher *enricher)
{
	facts_unref(enricher->facts);
	facts_unref(enricher->via_facts);
	ancestry_unref(enricher->process);
	ancestry_unref(enricher->parent);
	ancestry_unref(enricher->via_process);
	enricher->facts = enricher->via_facts = NULL;
	enricher->process = enricher->parent = enricher->via_process = NULL;
}

void enricher_free(struct enricher *enricher)
{
	if (!enricher)
		return;
	enricher_let_go(enricher);
	question_cache_free(enricher->questions);
	free(enricher->mount);
	free(enricher);
}

void enricher_set_catalog(struct enricher *enricher, struct catalog *catalog)
{
	enricher->catalog = catalog;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* Waiting ---------------------------------------------------------------------------------- */

/* How long the next question may wait. To be followed by wait_end(). */
static int wait_begin(struct enricher *enricher, uint64_t *ret_began)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	enricher->saved_ns += (now - enricher->saved_at) / WAIT_SHARE;
	enricher->saved_ns = MIN(enricher->saved_ns, WAIT_SAVED_NS);
	enricher->saved_at = now;
	*ret_began = now;
	return (int)MIN(enricher->saved_ns / MS_NS, WAIT_MS);
}

/* Whether it waited or only worked does not matter: it is small change. */
static void wait_end(struct enricher *enricher, uint64_t began)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	enricher->saved_ns -= MIN(enricher->saved_ns, now - began);
	enricher->saved_at = now;
}

/* Processes -------------------------------------------------------------------------------- */

/* The kernel's clock of events stands still while the machine sleeps, that of processes does not.
 */
static int64_t event_boottime(const struct df_event *record)
{
	return (int64_t)(record->time_ns + clock_ns(CLOCK_BOOTTIME) - clock_ns(CLOCK_MONOTONIC));
}

/* A reference, or NULL. */
static struct ancestry *process_get(struct enricher *enricher, uint32_t pid, const char *comm,
				    int64_t when)
{
	struct ancestry *ancestry = NULL;
	uint64_t began;
	int wait = wait_begin(enricher, &began);

	(void)catalog_ask_process(enricher->catalog, pid, comm, when, wait, &ancestry);
	wait_end(enricher, began);
	return ancestry;
}

/* The kernel's copy of the arguments: zeroes between them, the end cut off or zeroes. */
static void enrich_command(struct event *event)
{
	const uint8_t *from = event->record.command;
	size_t length = DF_COMMAND_MAX - 1;

	while (length && !from[length - 1])
		length--;
	for (size_t i = 0; i < length; i++)
		event->command[i] = from[i] ? (char)from[i] : ' ';
	event->command[length] = 0;
}

/*
 * The parent is the one at the time of the event, as the kernel recorded it. /proc may name
 * another by now, because that one has ended; and often it is the process that has, and its
 * parent, a shell or a supervisor, lives on.
 */
static void enrich_parent(struct enricher *enricher, struct event *event, int64_t when)
{
	const struct df_caller *caller = &event->record.caller;
	const struct ancestry *process = enricher->process;

	if (!caller->parent_tgid)
		return;
	if (process && process->parent == caller->parent_tgid && process->parent_executable[0]) {
		event->parent_executable = process->parent_executable;
		return;
	}
	enricher->parent = process_get(enricher, caller->parent_tgid, caller->parent_comm, when);
	if (enricher->parent)
		event->parent_executable = enricher->parent->executable;
}

static void enrich_process(struct enricher *enricher, struct event *event)
{
	const struct df_caller *caller = &event->record.caller;
	int64_t when = event_boottime(&event->record);

	if (!(event->record.flags & DF_EVENT_CALLER) || !caller->tgid)
		return;
	snprintf(event->process_name, sizeof(event->process_name), "%s", caller->comm);
	enrich_command(event);
	enricher->process = process_get(enricher, caller->tgid, caller->comm, when);
	if (enricher->process)
		event->executable = enricher->process->executable;
	enrich_parent(enricher, event, when);
}

/* Who asked a forwarder did so before the event: whatever started later is another one. */
static void enrich_via(struct enricher *enricher, struct event *event)
{
	const struct df_via *via = &event->record.via;

	if (!via->cgroup_id || !via->tgid)
		return;
	enricher->via_process =
		process_get(enricher, via->tgid, via->comm, event_boottime(&event->record));
	if (enricher->via_process)
		event->via_executable = enricher->via_process->executable;
}

/* Cgroups ---------------------------------------------------------------------------------- */

/* The path of one that the catalog does not know; NULL when it has gone. */
static char *cgroup_look_up(struct enricher *enricher, uint64_t id)
{
	struct gone_entry *entry = &enricher->gone[id % CACHE_SLOTS];
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	char *path;

	if (entry->id == id && entry->until_ns > now)
		return NULL;
	if (cgroup_path_of(enricher->mount_fd, enricher->mount, id, &path) == 0)
		return path;
	*entry = (struct gone_entry){.id = id, .until_ns = now + GONE_CACHE_NS};
	return NULL;
}

/* A reference, or NULL. */
static struct facts *facts_get(struct enricher *enricher, uint64_t id)
{
	_cleanup_free_ char *path = NULL;
	struct facts *facts = NULL;
	uint64_t began;
	int wait;

	if (!id)
		return NULL;
	wait = wait_begin(enricher, &began);
	if (catalog_ask(enricher->catalog, id, NULL, wait, &facts) == -ENOENT) {
		path = cgroup_look_up(enricher, id);
		if (path)
			(void)catalog_ask(enricher->catalog, id, path, wait, &facts);
	}
	wait_end(enricher, began);
	return facts;
}

/* *place: where the reference is kept. */
static const struct facts *enrich_cgroup(struct enricher *enricher, uint64_t id,
					 struct facts **place, char path[1024])
{
	*place = facts_get(enricher, id);
	(void)snprintf(path, 1024, "%s", *place ? (*place)->path : "");
	return *place;
}

static void user_read(struct user_entry *entry)
{
	_cleanup_file_ FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *user;

	while (file && (user = fgetpwent(file)))
		if (user->pw_uid == entry->uid) {
			snprintf(entry->name, sizeof(entry->name), "%s", user->pw_name);
			return;
		}
}

static void users_forget_old(struct enricher *enricher)
{
	struct stat st;

	if (stat("/etc/passwd", &st) < 0 ||
	    memcmp(&st.st_mtim, &enricher->passwd_changed, sizeof(st.st_mtim)) == 0)
		return;
	enricher->passwd_changed = st.st_mtim;
	memset(enricher->users, 0, sizeof(enricher->users));
}

static void enrich_user(struct enricher *enricher, struct event *event)
{
	struct user_entry *entry = &enricher->users[event->record.caller.uid % CACHE_SLOTS];

	if (!(event->record.flags & DF_EVENT_UID))
		return;
	if (!entry->known || entry->uid != event->record.caller.uid) {
		users_forget_old(enricher);
		*entry = (struct user_entry){.uid = event->record.caller.uid, .known = true};
		user_read(entry);
	}
	memcpy(event->user, entry->name, sizeof(event->user));
}

static void interface_name(struct enricher *enricher, uint32_t ifindex, char ret[IF_NAMESIZE])
{
	struct interface_entry *entry = &enricher->interfaces[ifindex % CACHE_SLOTS];
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	ret[0] = 0;
	if (!ifindex)
		return;
	if (entry->ifindex != ifindex || entry->until_ns < now) {
		*entry = (struct interface_entry){.ifindex = ifindex,
						  .until_ns = now + INTERFACE_CACHE_NS};
		if (!if_indextoname(ifindex, entry->name))
			entry->name[0] = 0;
	}
	memcpy(ret, entry->name, sizeof(entry->name));
}

/* Other hooks meet packets in other network namespaces, whose interfaces have no name here. */
static void enrich_interfaces(struct enricher *enricher, struct event *event)
{
	const struct df_event *record = &event->record;
	bool edge = record->hook >= DF_HOOK_CGROUP_MAX;

	interface_name(enricher, edge ? record->ifindex : 0, event->interface);
	interface_name(enricher, edge ? record->ingress_ifindex : 0, event->ingress);
}

/* Repeats carry only the hash of their question: the first of them brought the text. */
static void enrich_question(struct enricher *enricher, struct event *event)
{
	const struct df_event *record = &event->record;
	const uint8_t *bytes = record->question;
	size_t length = record->question_len;

	event->has_question = false;
	if (!(record->flags & DF_EVENT_QUESTION))
		return;
	if (length)
		question_cache_put(enricher->questions, record->question_hash, bytes, length);
	else
		bytes = question_cache_get(enricher->questions, record->question_hash, &length);
	event->has_question = bytes && question_decode(bytes, length, &event->question) == 0;
}

static void enrich_time(struct event *event)
{
	uint64_t ns = event->record.time_ns;
	uint64_t offset = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);

	event->time.tv_sec = (time_t)((ns + offset) / 1000000000ull);
	event->time.tv_nsec = (long)((ns + offset) % 1000000000ull);
}

void enrich_event(struct enricher *enricher, struct event *event)
{
	enricher_let_go(enricher);
	event->executable = event->parent_executable = event->via_executable = NULL;
	event->process_name[0] = event->command[0] = 0;
	event->user[0] = 0;
	enrich_time(event);
	enrich_process(enricher, event);
	enrich_via(enricher, event);
	event->facts =
		enrich_cgroup(enricher, event->record.cgroup_id, &enricher->facts, event->cgroup);
	event->via_facts = enrich_cgroup(enricher, event->record.via.cgroup_id,
					 &enricher->via_facts, event->via_cgroup);
	enrich_user(enricher, event);
	enrich_question(enricher, event);
	enrich_interfaces(enricher, event);
}
