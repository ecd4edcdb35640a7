// SPDX-License-Identifier: GPL-2.0-or-later
#include "crowd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

void names_read(struct names *names)
{
	while (names->length < NAMES_MAX &&
	       fgets(names->list[names->length], sizeof(names->list[0]), stdin)) {
		char *name = names->list[names->length++];

		name[strcspn(name, "\n")] = 0;
	}
}

void cgroup_enter(const char *name)
{
	char path[PATH_MAX];
	int procs;

	snprintf(path, sizeof(path), "%s/cgroup.procs", name);
	if (mkdir(name, 0755) < 0)
		die(name);
	procs = open(path, O_WRONLY | O_CLOEXEC);
	if (procs < 0 || write(procs, "0", 1) != 1)
		die(path);
	close(procs);
}

void cgroup_remove(const char *name)
{
	if (rmdir(name) < 0)
		die(name);
}

void *shared_memory(unsigned long size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

int wait_for_children(void)
{
	int status, wrong = 0;

	while (wait(&status) > 0)
		wrong |= status;
	return wrong;
}
