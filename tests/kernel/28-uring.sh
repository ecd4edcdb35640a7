# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# io_uring: the kernel makes the system call, in the caller's context, in a worker thread or in a
# polling thread. The event names the process, not the iou-wrk or iou-sqp thread.
. "$(dirname "$0")/lib.sh"
setup
simple_policy

cases() {
	local technique
	for technique in uring-connect uring-tcp; do
		leak $technique $BAD4 53 connect4 connect
		leak $technique $BAD6 53 connect6 connect
	done
	for technique in uring-socket uring-sendmsg uring-async uring-sqpoll uring-sqpoll-async \
		uring-send-zc uring-sendmsg-zc uring-send-to; do
		leak $technique $BAD4 53 packet send
		leak $technique $BAD6 53 packet send
	done
	leak uring-sqpoll $BAD4 853 packet send
	leak uring-async $BAD6 853 packet send
}
prove cases

# The layer at the call sees the same, where a policy needs it.
simple_policy 'on_deny: refused'
dnsfence reload 2>/dev/null
for technique in uring-connect uring-tcp uring-sendmsg uring-async uring-sqpoll uring-send-zc; do
	probe $technique $BAD4 53
	expect "$technique with on_deny: refused, errno" "$ERRNO" ECONNREFUSED
	expect_event "$technique with on_deny: refused" "$PID" '.process.name == "leakprobe"
		and (.dnsfence.hook == "sendmsg4" or .dnsfence.hook == "connect4")'
done
expect_log_whole
finish
