# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# load, run, stop, unload: only unload and --ephemeral open the fence, and they leave no link,
# pin, map or program behind.
. "$(dirname "$0")/lib.sh"
need bpftool
setup
simple_policy

# Ids of our links, programs and their maps, by the cgroup they are attached to.
kernel_objects() {
	local id
	id=$(stat -c %i "$CGROUP2$FENCED")
	bpftool -j link show | jq -r --argjson id "$id" \
		'.[] | select(.cgroup_id == $id) | "link \(.id)", "prog \(.prog_id)"'
	bpftool -j link show | jq -r --argjson id "$id" '.[] | select(.cgroup_id == $id) | .prog_id' |
		while read -r prog; do
			bpftool -j prog show id "$prog" | jq -r '.map_ids[]? | "map \(.)"'
		done
}

none_left() {
	local kind id
	while read -r kind id; do
		bpftool -j "$kind" show id "$id" 2>/dev/null | jq -e .id >/dev/null && return 1
	done <"$WORK/objects"
	return 0
}

expect_gone() {
	((CHECKS++))
	wait_until none_left || fail "$1: left in the kernel: $(while read -r kind id; do
		bpftool "$kind" show id "$id" 2>/dev/null | head -n 1
	done <"$WORK/objects" | tr '\n' ' ')"
	expect "$1: pins" "$(find "$PIN_DIR" 2>/dev/null)" ""
	expect "$1: links on the cgroup" "$(kernel_objects)" ""
	dnsfence status >/dev/null 2>&1
	expect "$1: status, exit status" $? 1
	before=$(arrived $BAD4)
	probe udp-sendto $BAD4 53
	expect "$1: the fence is open, errno" "$ERRNO" 0
	((CHECKS++))
	wait_until arrived_more $BAD4 "$before" || fail "$1: nothing arrived"
}

expect_closed() {
	probe udp-sendto $BAD4 53
	expect "$1: UDP, errno" "$ERRNO" EPERM
	probe tcp-connect $BAD4 53
	expect "$1: TCP, errno" "$ERRNO" EPERM
	expect "$1: status" "$(status_of .fence)" closed
}

# Without a daemon.
dnsfence load
expect "load, exit status" $? 0
expect_closed "load"
dnsfence status >/dev/null 2>&1
expect "status after load, exit status" $? 4
kernel_objects >"$WORK/objects"
expect_more "links, programs and maps" "$(wc -l <"$WORK/objects")" 5
expect "modes of the pins" "$(find "$PIN_DIR" -type f ! -perm 600 -o -type d ! -perm 700)" ""
dnsfence unload
expect "unload, exit status" $? 0
expect_gone "unload after load"

# With a daemon that adopts what load has pinned.
dnsfence load
start_fence
expect_closed "run after load"
dnsfence status >/dev/null 2>&1
expect "status with a daemon, exit status" $? 0
stop_fence TERM
expect "SIGTERM, exit status" "$STATUS" 0
expect_closed "after SIGTERM"
start_fence
kernel_objects >"$WORK/objects"
dnsfence unload
expect "unload with a daemon, exit status" $? 0
wait "$DAEMON"
expect "the daemon that was unloaded, exit status" $? 0
DAEMON=''
expect_gone "unload with a daemon"

start_fence --ephemeral
expect_closed "--ephemeral"
kernel_objects >"$WORK/objects"
stop_fence INT
expect "--ephemeral, SIGINT, exit status" "$STATUS" 0
expect_gone "--ephemeral"
finish
