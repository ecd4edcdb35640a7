// SPDX-License-Identifier: GPL-2.0-or-later
#include "builtin.h"

#include <ctype.h>
#include <dirent.h>
#include <pwd.h>
#include <sys/stat.h>

#include "nameservers.h"
#include "pattern.h"
#include "printable.h"

#define RESOLVED_COMM "systemd-resolve" /* 15 bytes of systemd-resolved */

/* The process behind a loopback resolver. */
struct forwarder {
	bool found;
	bool hidden; /* there is one, but this process may not see who */
	int pid;
	char comm[32];
	char *cgroup; /* NULL: not known */
	uint32_t uid;
};

/* /proc/net/udp writes addresses as host-order words of the network-order bytes. */
static bool udp_line_matches(const char *line, const struct address *address, unsigned long *ret)
{
	char text[40];
	unsigned int port, words[4] = {0}, expected[4];

	if (sscanf(line, "%*d: %39[0-9A-F]:%X %*s %*s %*s %*s %*s %*s %*s %lu", text, &port, ret) !=
		    3 ||
	    port != 53)
		return false;
	for (size_t i = 0; i < strlen(text) / 8 && i < 4; i++)
		sscanf(text + i * 8, "%8X", &words[i]);
	memcpy(expected, address->bytes, sizeof(expected));
	if (strlen(text) != (address->family == 4 ? 8u : 32u))
		return false;
	return memcmp(words, expected, address->family == 4 ? 4 : 16) == 0 ||
	       (!words[0] && !words[1] && !words[2] && !words[3]);
}

/* Inode of the socket that answers at an address on port 53; 0: none. */
static unsigned long udp_find_inode(const char *proc, const struct address *address)
{
	char path[256];
	_cleanup_file_ FILE *file = NULL;
	_cleanup_free_ char *line = NULL;
	unsigned long inode;
	size_t size = 0;

	snprintf(path, sizeof(path), "%s/net/udp%s", proc, address->family == 4 ? "" : "6");
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (getline(&line, &size, file) > 0)
		if (udp_line_matches(line, address, &inode))
			return inode;
	return 0;
}

static bool process_holds(const char *proc, const char *pid, unsigned long inode)
{
	char path[300], link[600], target[64], wanted[64];
	struct dirent *entry;
	bool found = false;
	DIR *directory;

	snprintf(path, sizeof(path), "%s/%s/fd", proc, pid);
	snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	directory = opendir(path);
	while (directory && !found && (entry = readdir(directory))) {
		ssize_t length;

		snprintf(link, sizeof(link), "%s/%s", path, entry->d_name);
		length = readlink(link, target, sizeof(target) - 1);
		if (length <= 0)
			continue;
		target[length] = 0;
		found = util_streq(target, wanted);
	}
	if (directory)
		closedir(directory);
	return found;
}

/* NULL: not known, or above this process's cgroup namespace (cgroup_namespaces(7)): "/..". */
static char *process_cgroup(const char *proc, const char *pid)
{
	char path[300];
	_cleanup_file_ FILE *file = NULL;
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	ssize_t length;

	snprintf(path, sizeof(path), "%s/%s/cgroup", proc, pid);
	file = fopen(path, "re");
	while (file && (length = getline(&line, &size, file)) > 0)
		if (strncmp(line, "0::", 3) == 0) {
			line[length - 1] = 0;
			return strncmp(line + 3, "/..", 3) == 0 ? NULL : strdup(line + 3);
		}
	return NULL;
}

static void forwarder_fill(const char *proc, const char *pid, struct forwarder *forwarder)
{
	char path[300];
	_cleanup_file_ FILE *file = NULL;
	struct stat st;

	forwarder->pid = atoi(pid);
	forwarder->cgroup = process_cgroup(proc, pid);
	snprintf(path, sizeof(path), "%s/%s", proc, pid);
	if (stat(path, &st) == 0)
		forwarder->uid = st.st_uid;
	snprintf(path, sizeof(path), "%s/%s/comm", proc, pid);
	file = fopen(path, "re");
	if (!file || !fgets(forwarder->comm, sizeof(forwarder->comm), file))
		return;
	forwarder->comm[strcspn(forwarder->comm, "\n")] = 0;
	event_make_printable(forwarder->comm);
}

/* Who answers at a loopback address. */
static void forwarder_find(const char *proc, const struct address *address, struct forwarder *ret)
{
	unsigned long inode = udp_find_inode(proc, address);
	struct dirent *entry;
	DIR *directory;

	if (!inode)
		return;
	directory = opendir(proc);
	while (directory && !ret->found && (entry = readdir(directory)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    process_holds(proc, entry->d_name, inode)) {
			forwarder_fill(proc, entry->d_name, ret);
			ret->found = true;
		}
	if (directory)
		closedir(directory);
	ret->hidden = !ret->found;
}

/* Only these can be told from everybody else. */
static bool forwarder_has_policy(const struct forwarder *forwarder)
{
	return forwarder->found &&
	       ((forwarder->cgroup && !util_streq(forwarder->cgroup, "/")) || forwarder->uid);
}

static void write_set(FILE *to, const char *name, const struct nameservers *servers)
{
	char text[ADDRESS_TEXT_MAX];

	fprintf(to, "  %s:\n", name);
	for (size_t i = 0; i < servers->length; i++)
		fprintf(to, "    - \"%s\"%s\n", address_format(&servers->list[i].address, text),
			servers->list[i].zone
				? "   # was written with a zone; sanctioned on every link"
				: "");
	if (!servers->length)
		fprintf(to, "    []\n");
}

/*
 * The forwarder's own policy. It is matched by its cgroup, or, where it has none of its own, by
 * its user; a forwarder that runs as root in the root cgroup cannot be told from others.
 */
static void write_forwarder(FILE *to, const struct forwarder *forwarder, bool upstream)
{
	const char *resolvers = upstream ? "[upstream]" : "any";

	if (forwarder->cgroup && !util_streq(forwarder->cgroup, "/")) {
		/* A glob may have nothing to match yet, as early in the boot. */
		fprintf(to, "  - {name: forwarder, match: {cgroup: ");
		pattern_write(to, forwarder->cgroup, strlen(forwarder->cgroup), "*");
		fprintf(to, "}, resolvers: %s}\n", resolvers);
	} else if (forwarder->uid) {
		fprintf(to, "  - {name: forwarder, match: {user: \"%u\"}, resolvers: %s}\n",
			forwarder->uid, resolvers);
	} else {
		fprintf(to,
			"  # %s (pid %d) shares its cgroup and user with everybody else: give it "
			"a\n"
			"  # cgroup of its own, or its lookups are blocked with the others'.\n",
			forwarder->comm, forwarder->pid);
	}
}

static void write_policies(FILE *to, const struct forwarder *forwarder, bool upstream)
{
	fprintf(to, "policies:\n");
	if (forwarder->hidden)
		fprintf(to, "  # Somebody answers on this host's loopback and forwards; it takes "
			    "root to see who,\n"
			    "  # and without a policy here those lookups are blocked with the "
			    "others'.\n");
	if (forwarder->found) {
		fprintf(to, "  # %s answers on this host's loopback and forwards; %s.\n",
			forwarder->comm,
			upstream ? "it may ask its upstreams, as it names them"
				 : "where it asks is its own configuration's matter");
		write_forwarder(to, forwarder, upstream);
	}
	fprintf(to, "  # Everyone else, whoever they are.\n"
		    "  - {name: default, resolvers: [system]}\n");
}

static const char builtin_head[] =
	"# dnsfence: who on this host may ask which resolver. See dnsfence.yaml(5).\n"
	"# Every other lookup is refused and logged with the name of the culprit.\n"
	"apiVersion: dnsfence/v1\n"
	"\n"
	"# enforce: block and log. audit: log what would be blocked, block nothing.\n"
	"mode: enforce\n"
	"\n"
	"# What connect() and sendto() get: eperm, refused or unreachable.\n"
	"on_deny: eperm\n"
	"\n"
	"# Where a connected UDP socket is refused: connect fails at once; packet lets connect()\n"
	"# succeed and send() fail, and the event has the question.\n"
	"deny_at: connect\n"
	"\n"
	"# What was connected before: close ends it; leave lets the packet layer refuse what it "
	"sends.\n"
	"open_sockets: close\n"
	"\n"
	"# What is fenced: dns (53), dot (853 TCP), doq (853 UDP); also mdns, llmnr, netbios.\n"
	"services: [dns, dot, doq]\n"
	"\n";

static void write_policy(FILE *to, const char *path, const struct nameservers *system,
			 const struct forwarder *forwarder, const struct nameservers *upstream)
{
	fprintf(to, "%sresolvers:\n  # What %s names.\n", builtin_head, path);
	write_set(to, "system", system);
	if (upstream->length) {
		fprintf(to, "  # Where the forwarder on this host asks.\n");
		write_set(to, "upstream", upstream);
	}
	fprintf(to, "\n# The first one that matches decides; the last has no match.\n");
	write_policies(to, forwarder, upstream->length > 0);
	fprintf(to, "\nevents:\n"
		    "  stdout: true   # JSON lines; readable lines on a terminal\n"
		    "  # file: /var/log/dnsfence/events.jsonl\n"
		    "  # allowed: 100               # allowed lookups, too: one in so many\n"
		    "  # journal: true              # and syslog, socket: see dnsfence.yaml(5)\n"
		    "\n# metrics: {listen: 127.0.0.1:9753}   # for Prometheus\n");
}

int builtin_policy(const struct builtin_sources *sources, char **ret)
{
	const char *path =
		sources && sources->resolv_conf ? sources->resolv_conf : "/etc/resolv.conf";
	const char *resolved = sources && sources->resolved_resolv_conf
				       ? sources->resolved_resolv_conf
				       : "/run/systemd/resolve/resolv.conf";
	const char *proc = sources && sources->proc ? sources->proc : "/proc";
	struct nameservers system = {0}, upstream = {0};
	struct forwarder forwarder = {0};
	size_t size;
	FILE *to;
	int r = nameservers_read(path, &system);

	if (r < 0 && r != -ENOENT)
		return r;
	if (!system.length)
		nameservers_add_local(&system);
	for (size_t i = 0; i < system.length && !forwarder.found; i++)
		if (address_is_loopback(&system.list[i].address))
			forwarder_find(proc, &system.list[i].address, &forwarder);
	if (forwarder.found && strncmp(forwarder.comm, RESOLVED_COMM, strlen(RESOLVED_COMM)) == 0)
		(void)nameservers_read(resolved, &upstream);
	to = open_memstream(ret, &size);
	if (!to) {
		free(forwarder.cgroup);
		return -ENOMEM;
	}
	write_policy(to, path, &system, &forwarder, &upstream);
	r = (forwarder.hidden || forwarder.found) && !forwarder_has_policy(&forwarder);
	free(forwarder.cgroup);
	return fclose(to) == 0 ? r : -ENOMEM;
}
