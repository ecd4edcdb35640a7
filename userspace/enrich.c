// SPDX-License-Identifier: GPL-2.0-or-later
#include "enrich.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>

#include "cgroup.h"

/* Direct-mapped caches: a lookup is one comparison, a collision costs one more reading. */
#define CACHE_SLOTS 256
#define PROCESS_CACHE_NS 1000000000ull
#define INTERFACE_CACHE_NS 1000000000ull

struct process_entry {
	uint32_t pid;
	uint64_t until_ns;
	char comm[16]; /* as the record has it: another process may have the number since */
	char executable[256];
};

struct cgroup_entry {
	uint64_t id;
	char path[1024];
};

struct user_entry {
	uint32_t uid;
	bool known;
	char name[64];
};

struct question_entry {
	uint64_t hash;
	struct question_text text;
};

struct interface_entry {
	uint32_t ifindex;
	uint64_t until_ns;
	char name[IF_NAMESIZE];
};

struct enricher {
	char *mount;
	int mount_fd;
	struct timespec passwd_changed;
	struct process_entry processes[CACHE_SLOTS];
	struct cgroup_entry cgroups[CACHE_SLOTS];
	struct user_entry users[CACHE_SLOTS];
	struct question_entry questions[CACHE_SLOTS];
	struct interface_entry interfaces[CACHE_SLOTS];
};

struct enricher *enricher_new(const char *mount)
{
	struct enricher *enricher = calloc(1, sizeof(*enricher));

	if (!enricher)
		return NULL;
	enricher->mount = strdup(mount);
	enricher->mount_fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!enricher->mount) {
		enricher_free(enricher);
		return NULL;
	}
	return enricher;
}

void enricher_free(struct enricher *enricher)
{
	if (!enricher)
		return;
	util_closep(&enricher->mount_fd);
	free(enricher->mount);
	free(enricher);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static void process_read(struct process_entry *entry)
{
	char path[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%u/exe", entry->pid);
	length = readlink(path, entry->executable, sizeof(entry->executable) - 1);
	entry->executable[length > 0 ? length : 0] = 0;
}

static const struct process_entry *process_get(struct enricher *enricher,
					       const struct df_caller *caller)
{
	struct process_entry *entry = &enricher->processes[caller->tgid % CACHE_SLOTS];
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (entry->pid == caller->tgid && entry->until_ns > now &&
	    util_streq(entry->comm, caller->comm))
		return entry;
	*entry = (struct process_entry){.pid = caller->tgid, .until_ns = now + PROCESS_CACHE_NS};
	memcpy(entry->comm, caller->comm, sizeof(entry->comm));
	process_read(entry);
	return entry;
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

static void enrich_process(struct enricher *enricher, struct event *event)
{
	const struct df_caller *caller = &event->record.caller;

	if (!(event->record.flags & DF_EVENT_CALLER) || !caller->tgid)
		return;
	snprintf(event->process_name, sizeof(event->process_name), "%s", caller->comm);
	enrich_command(event);
	memcpy(event->executable, process_get(enricher, caller)->executable,
	       sizeof(event->executable));
}

static void cgroup_get(struct enricher *enricher, uint64_t id, char ret[1024])
{
	struct cgroup_entry *entry = &enricher->cgroups[id % CACHE_SLOTS];
	char *path;

	ret[0] = 0;
	if (!id)
		return;
	if (entry->id != id) {
		entry->id = 0;
		if (cgroup_path_of(enricher->mount_fd, enricher->mount, id, &path) < 0)
			return;
		entry->id = id;
		snprintf(entry->path, sizeof(entry->path), "%s", path);
		free(path);
	}
	memcpy(ret, entry->path, sizeof(entry->path));
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
	struct question_entry *entry = &enricher->questions[record->question_hash % CACHE_SLOTS];

	event->has_question = false;
	if (!(record->flags & DF_EVENT_QUESTION))
		return;
	if (record->question_len) {
		if (question_decode(record->question, record->question_len, &event->question) < 0)
			return;
		entry->hash = record->question_hash;
		entry->text = event->question;
		event->has_question = true;
	} else if (entry->hash == record->question_hash) {
		event->question = entry->text;
		event->has_question = true;
	}
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
	event->process_name[0] = event->executable[0] = event->command[0] = 0;
	event->user[0] = 0;
	enrich_time(event);
	enrich_process(enricher, event);
	cgroup_get(enricher, event->record.cgroup_id, event->cgroup);
	cgroup_get(enricher, event->record.via.cgroup_id, event->via_cgroup);
	enrich_user(enricher, event);
	enrich_question(enricher, event);
	enrich_interfaces(enricher, event);
}
