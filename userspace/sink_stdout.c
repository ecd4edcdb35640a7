// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink.h"

#include <poll.h>

void sink_stdout_init(struct sink_stdout *sink)
{
	*sink = (struct sink_stdout){.terminal = isatty(STDOUT_FILENO) == 1};
}

bool sink_stdout_ready(void)
{
	struct pollfd poll_out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&poll_out, 1, 0) == 1 && (poll_out.revents & POLLOUT);
}

/*
 * The descriptor is shared with whoever started us, so it is not made non-blocking: a pipe that
 * polls writable takes PIPE_BUF (4096) bytes at least, and a line is written in such pieces.
 */
void sink_stdout_write(struct sink_stdout *sink, const char *line, size_t length, uint64_t count)
{
	struct pollfd poll_out = {.fd = STDOUT_FILENO, .events = POLLOUT};
	size_t done = 0;

	while (done < length) {
		ssize_t n;

		/* Wait only to end a line that has begun, and not for ever. */
		if (poll(&poll_out, 1, done ? 100 : 0) != 1 || !(poll_out.revents & POLLOUT))
			break;
		n = write(STDOUT_FILENO, line + done, MIN(length - done, (size_t)4096));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (done == length) {
		sink->counters.written++;
		return;
	}
	sink->counters.dropped++;
	sink->counters.missed += count;
}
