// SPDX-License-Identifier: GPL-2.0-or-later
#include "ancestry.h"

#include <fcntl.h>
#include <limits.h>

#define STAT_BYTES 1024 /* the first fields of /proc/PID/stat, the name among them */

struct process {
	char executable[PATH_MAX];
	char name[64];
	uint32_t parent;
	int64_t started;
};

/* One directory of /proc stays one process: after its end it has nothing to say any more. */
static int process_open(uint32_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u", pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -ESRCH : fd;
}

static size_t process_read_file(int process, const char *name, char *text, size_t size)
{
	_cleanup_close_ int fd = openat(process, name, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);

	text[length > 0 ? length : 0] = 0;
	return length > 0 ? (size_t)length : 0;
}

/* Fields 4 and 22 of proc_pid_stat(5). The name before them may have blanks and parentheses. */
static int process_read_stat(int process, struct process *to)
{
	char text[STAT_BYTES];
	unsigned long long ticks = 0;
	const char *after;

	if (!process_read_file(process, "stat", text, sizeof(text)))
		return -ESRCH;
	after = strrchr(text, ')');
	if (!after || sscanf(after + 1,
			     " %*c %u %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			     "%*d %*d %llu",
			     &to->parent, &ticks) != 2)
		return -ESRCH;
	to->started = (int64_t)ticks * (1000000000 / sysconf(_SC_CLK_TCK));
	return 0;
}

static int process_read(uint32_t pid, struct process *to)
{
	_cleanup_close_ int process = process_open(pid);
	ssize_t length;

	*to = (struct process){0};
	if (process < 0)
		return process;
	length = readlinkat(process, "exe", to->executable, sizeof(to->executable) - 1);
	to->executable[length > 0 ? length : 0] = 0;
	(void)process_read_file(process, "comm", to->name, sizeof(to->name));
	to->name[strcspn(to->name, "\n")] = 0;
	return process_read_stat(process, to);
}

static const char *pack(char **at, const char *text)
{
	char *to = *at;

	if (!text[0])
		return "";
	*at = stpcpy(to, text) + 1;
	return to;
}

static struct ancestry *ancestry_pack(uint32_t pid, const struct process *process,
				      const struct process *parent)
{
	size_t length =
		strlen(process->executable) + strlen(parent->executable) + strlen(parent->name) + 3;
	struct ancestry *ancestry = malloc(sizeof(*ancestry) + length);
	char *at;

	if (!ancestry)
		return NULL;
	*ancestry = (struct ancestry){.references = 1,
				      .pid = pid,
				      .parent = process->parent,
				      .started = process->started};
	at = (char *)(ancestry + 1);
	ancestry->executable = pack(&at, process->executable);
	ancestry->parent_executable = pack(&at, parent->executable);
	ancestry->parent_name = pack(&at, parent->name);
	return ancestry;
}

struct ancestry *ancestry_blank(uint32_t pid)
{
	const struct process none = {0};

	return ancestry_pack(pid, &none, &none);
}

int ancestry_read(uint32_t pid, struct ancestry **ret)
{
	struct process process, parent = {0};
	int r = process_read(pid, &process);

	if (r < 0)
		return r;
	/* The parent may end now, and its number be another's: only who started before counts. */
	if (process.parent &&
	    (process_read(process.parent, &parent) < 0 || parent.started > process.started))
		parent = (struct process){0};
	*ret = ancestry_pack(pid, &process, &parent);
	return *ret ? 0 : -ENOMEM;
}

struct ancestry *ancestry_ref(struct ancestry *ancestry)
{
	__atomic_add_fetch(&ancestry->references, 1, __ATOMIC_RELAXED);
	return ancestry;
}

void ancestry_unref(struct ancestry *ancestry)
{
	if (ancestry && __atomic_sub_fetch(&ancestry->references, 1, __ATOMIC_ACQ_REL) == 0)
		free(ancestry);
}
