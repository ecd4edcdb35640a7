# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# io_uring: the kernel makes the system call, in the caller's context, in a worker thread or in a
# polling thread. The event names the process, not the iou-wrk or iou-sqp thread.
. "$(dirname "$0")/lib.sh"
setup
simple_policy

# has TECHNIQUE: operations that came after Linux 5.10.
has() {
	local since=5.10
	case $1 in
	uring-socket) since=5.19 ;;
	uring-send-zc | uring-send-to) since=6.0 ;;
	uring-sendmsg-zc) since=6.1 ;;
	esac
	kernel_is_from $since && return
	[[ $PHASE == open ]] || lacking "$1" 53 "io_uring has it from Linux $since on"
	return 1
}

cases() {
	local technique
	for technique in uring-connect uring-tcp; do
		leak $technique $BAD4 53 connect4 connect
		leak $technique $BAD6 53 connect6 connect
	done
	for technique in uring-socket uring-sendmsg uring-async uring-sqpoll uring-sqpoll-async \
		uring-send-zc uring-sendmsg-zc uring-send-to; do
		has $technique || continue
		leak $technique $BAD4 53 packet send
		leak $technique $BAD6 53 packet send
	done
	leak uring-sqpoll $BAD4 853 packet send
	leak uring-async $BAD6 853 packet send
}
prove cases

# The layer at the call sees the same, where a policy needs it; before 5.18 there is no other errno.
at_call() {
	local technique
	simple_policy 'on_deny: refused'
	dnsfence reload 2>/dev/null
	for technique in uring-connect uring-tcp uring-sendmsg uring-async uring-sqpoll uring-send-zc; do
		has $technique || continue
		probe $technique $BAD4 53
		expect "$technique with on_deny: refused, errno" "$ERRNO" ECONNREFUSED
		expect_event "$technique with on_deny: refused" "$PID" '.process.name == "leakprobe"
			and (.dnsfence.hook == "sendmsg4" or .dnsfence.hook == "connect4")'
	done
}
kernel_is_from 5.18 && at_call
expect_log_whole
finish
