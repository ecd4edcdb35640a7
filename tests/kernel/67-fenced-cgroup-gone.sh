# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
#
# The fenced cgroup is removed, and its programs with it: the daemon says so once, status says that
# the fence is open, and a new cgroup by that name is fenced at once.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tampering.sh"
setup
simple_policy
mkdir "$CGROUP2/$APPS/part"
start_fence --cgroup "/$APPS/part"

probe_in $APPS/part udp-sendto $BAD4 53
expect "before, errno" "$ERRNO" EPERM
before=$(arrived $BAD4)
probe udp-sendto $BAD4 53
expect "beside the fence, errno" "$ERRNO" 0
((CHECKS++))
wait_until arrived_more $BAD4 "$before" || fail "beside the fence nothing arrived"

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
expect "the fence, says status" "$(status_of .fence)" closed
expect "its cgroup, says status" "$(status_of .cgroup)" "/$APPS/part"
expect "findings in status" "$(status_of '"\(.process.tampered) \(.process.restored)"')" "1 1"
expect_log_whole
finish
