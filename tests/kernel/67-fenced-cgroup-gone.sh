# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
#
# The fenced cgroup is removed, and its programs with it: the daemon says so once, status says that
# the fence is open, and a new cgroup by that name is fenced at once, also at the interfaces, which
# judge the frames of that cgroup's sockets alone.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tampering.sh"
setup
simple_policy
sed -i 's/^edge:.*/edge: {interfaces: [near], uplinks: [near]}/' "$CONFIG"
mkdir "$CGROUP2/$APPS/part"
DAEMON_NETNS=/run/netns/$NEAR
start_fence --cgroup "/$APPS/part"

# frame CGROUP: from a socket that no cgroup hook sees.
frame() { probe_in "$1" af-packet-raw $BAD4 53 -i near -m 02:df:00:00:00:02; }

# frame_lands|frame_stays WHAT CGROUP
frame_lands() {
	local before
	before=$(arrived $BAD4)
	frame "$2"
	((CHECKS++))
	wait_until arrived_more $BAD4 "$before" || fail "$1: nothing arrived ($OUT)"
}

frame_stays() {
	local before denied_before
	before=$(arrived $BAD4) denied_before=$(denied)
	frame "$2"
	expect "$1, errno" "$ERRNO" ENOBUFS
	settle
	expect "$1, packets at the far end" "$(arrived $BAD4)" "$before"
	expect "$1, denied counter" "$(denied)" $((denied_before + 1))
	expect_event "$1" "$PID" ".dnsfence.hook == \"edge_out\" and .dnsfence.verdict == \"deny\"
		and .dnsfence.cgroup.path == \"/$APPS/part\""
}

probe_in $APPS/part udp-sendto $BAD4 53
expect "before, errno" "$ERRNO" EPERM
before=$(arrived $BAD4)
probe udp-sendto $BAD4 53
expect "beside the fence, errno" "$ERRNO" 0
((CHECKS++))
wait_until arrived_more $BAD4 "$before" || fail "beside the fence nothing arrived"

frame_stays "before, a frame" $APPS/part
frame_lands "beside the fence, a frame" $APPS

rmdir "$CGROUP2/$APPS/part" || die "the cgroup cannot be removed"
expect_tamper "removed" cgroup '' 0 '.dnsfence.tamper.restored == false and .event.outcome == "success"
	and (.dnsfence.tamper.what | startswith("the fenced cgroup has gone"))'
expect "the fence, says status" "$(status_of .fence)" open
dnsfence status >/dev/null 2>&1
expect "status, exit status" $? 1
sleep 2.2
expect "it is said once" "$(jq -c 'select(.event.action == "tamper")' "$EVENTS" | wc -l)" 1
expect "findings in status" "$(status_of '"\(.process.tampered) \(.process.restored)"')" "1 0"
kill -0 "$DAEMON"
expect "the daemon is alive" $? 0

mkdir "$CGROUP2/$APPS/part"
expect_tamper "made again" cgroup '' 0
probe_in $APPS/part udp-sendto $BAD4 53
expect "in the new one, errno" "$ERRNO" EPERM
probe_in $APPS/part tcp-connect $BAD4 53
expect "in the new one, connect(), errno" "$ERRNO" EPERM
probe_in $APPS/part udp-sendto $GOOD4 53
expect "in the new one, the sanctioned resolver, errno" "$ERRNO" 0
frame_stays "in the new one, a frame" $APPS/part
frame_lands "beside the new one, a frame" $APPS
expect "the fence, says status" "$(status_of .fence)" closed
expect "its cgroup, says status" "$(status_of .cgroup)" "/$APPS/part"
expect "findings in status" "$(status_of '"\(.process.tampered) \(.process.restored)"')" "1 1"
expect_log_whole
finish
