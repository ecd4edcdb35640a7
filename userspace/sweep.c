// SPDX-License-Identifier: GPL-2.0-or-later
#include "sweep.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cgroup.h"
#include "search.h"

#define CHILD_OUT 3 /* the pipe; everything above is closed */

/* Every lock, link and socket of the parent is let go: it may end at any moment, alone. */
static void child_prepare(int out, pid_t parent)
{
	struct rlimit files;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	if (getppid() != parent || (out != CHILD_OUT && dup2(out, CHILD_OUT) < 0) ||
	    syscall(SYS_close_range, CHILD_OUT + 1, ~0u, 0) < 0)
		_exit(1);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max; /* one for each namespace */
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	alarm(SWEEP_LIMIT_S);
}

static int request_check(const struct sweep_request *request, struct problem *problem)
{
	_cleanup_close_ int fd = open(request->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t id;
	int r = fd < 0 ? -errno : cgroup_id_of(fd, request->cgroup, &id);

	if (r == 0)
		return 0;
	return problem_set(problem, -r,
			   "cannot find the cgroup %s%s: %s; --cgroup is a path below %s",
			   request->mount, request->cgroup, strerror(-r), request->mount);
}

int sweep_start(const struct sweep_request *request, struct sweep *ret, struct problem *problem)
{
	pid_t parent = getpid(), pid;
	int ends[2], r = request_check(request, problem);

	if (r < 0)
		return r;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return problem_set(problem, errno, "cannot look for open sockets: %s",
				   strerror(errno));
	if (!request->wait)
		(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	pid = fork();
	if (pid == 0) {
		child_prepare(ends[1], parent);
		search_run(request, CHILD_OUT);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return problem_set(problem, EAGAIN,
				   "cannot start a process to look for open sockets");
	}
	*ret = (struct sweep){.fd = ends[0], .pid = pid};
	return 0;
}

static void totals_add(struct sweep_totals *totals, const struct sweep_record *record)
{
	switch (record->kind) {
	case SWEEP_SOCKET:
		totals->fates[record->fate]++;
		if (record->fate == SWEEP_FATE_FAILED) {
			totals->close_error = record->error;
			totals->unclosed = record->socket.table;
		}
		break;
	case SWEEP_TROUBLE:
		totals->troubles[record->trouble]++;
		if (record->trouble == SWEEP_TROUBLE_TABLE)
			totals->unlisted = record->table;
		else
			totals->trouble_error = record->error;
		break;
	case SWEEP_END:
		totals->complete = true;
	}
}

int sweep_take(struct sweep *sweep, struct sweep_record *ret)
{
	ssize_t length;

	do
		length = read(sweep->fd, ret, sizeof(*ret));
	while (length < 0 && errno == EINTR);
	if (length < 0 && errno == EAGAIN)
		return -EAGAIN;
	if (length != sizeof(*ret)) {
		sweep_stop(sweep);
		return 0;
	}
	totals_add(&sweep->totals, ret);
	return 1;
}

void sweep_stop(struct sweep *sweep)
{
	if (!sweep->pid)
		return;
	(void)kill(sweep->pid, SIGKILL);
	(void)waitpid(sweep->pid, NULL, 0);
	close(sweep->fd);
	sweep->pid = 0;
	sweep->fd = -1;
}

uint64_t sweep_open(const struct sweep_totals *totals)
{
	return totals->fates[SWEEP_FATE_OPEN] + totals->fates[SWEEP_FATE_FAILED] +
	       totals->fates[SWEEP_FATE_AUDITED];
}

bool sweep_troubled(const struct sweep_totals *totals)
{
	if (!totals->complete || totals->fates[SWEEP_FATE_UNJUDGED])
		return true;
	for (int i = 0; i < SWEEP_TROUBLE_MAX; i++)
		if (totals->troubles[i])
			return true;
	return false;
}
