/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A crowd in cgroups of its own, which are made and entered by the names that come on standard
 * input, one a line. Shared by askers and starts; a call that fails ends the program.
 */
#ifndef DNSFENCE_TOOLS_CROWD_H
#define DNSFENCE_TOOLS_CROWD_H

#define NAMES_MAX 2000

struct names {
	char list[NAMES_MAX][128];
	int length;
};

/* Says what failed, with errno, and ends with exit code 1. */
_Noreturn void die(const char *what);

void names_read(struct names *names);

/* Make the cgroup of that name in the current directory and go there. */
void cgroup_enter(const char *name);

/* What is left when all who were in them have ended. */
void cgroup_remove(const char *name);

/* Zeroed memory that children share. */
void *shared_memory(unsigned long size);

/* Until every child has ended: 0, or what went wrong with some of them. */
int wait_for_children(void);

#endif
