# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# The file system under the log is full: the fence stays closed, the daemon goes on and says so,
# and once there is room the log goes on with whole lines.
. "$(dirname "$0")/lib.sh"
setup
mkdir "$WORK/full"
mount -t tmpfs -o size=64k tmpfs "$WORK/full" 2>/dev/null || skip "no tmpfs can be mounted"
log=$WORK/full/log/events.jsonl # a directory that the daemon makes
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4, "$GOOD6"]}
	policies: [{name: default, resolvers: [good]}]
	events: {stdout: false, file: $log}
YAML
start_fence
probe udp-sendto $BAD4 53
((CHECKS++))
wait_until test -s "$log" || fail "nothing in the log"
expect "mode of the log" "$(stat -c %a "$log")" 640
expect "mode of its directory" "$(stat -c %a "${log%/*}")" 750

before=$(arrived $BAD4)
fenced "$PROBE" udp-sendto $BAD4 53 -r 2000 -u >"$WORK/sender"
expect_match "all were blocked" "$(<"$WORK/sender")" 'failed=2000$'
settle
expect "packets" "$(arrived $BAD4)" "$before"
says_full() { grep -qi 'no space' "$DAEMON_LOG.now"; }
((CHECKS++))
wait_until says_full || fail "the daemon does not say that the disk is full"
expect_more "and not for every event" 20 "$(grep -ci 'no space' "$DAEMON_LOG.now")"
dnsfence status >/dev/null 2>&1
expect "status, exit status" $? 0
expect_answer "dig @sanctioned" $GOOD_ANSWER fenced dig +short +tries=1 @$GOOD4 x.test
expect_log_whole

mount -o remount,size=16m "$WORK/full"
sleep 1.1
probe udp-sendto $BAD6 53
logged_again() {
	jq -ne --argjson pid "$PID" '[inputs | select(.process.pid == $pid)] | length > 0' "$log" \
		>/dev/null 2>&1
}
((CHECKS++))
wait_until logged_again || fail "the log does not go on after there is room"
expect "lines that are no JSON" "$(jq -R 'fromjson? // "torn"' "$log" | grep -c '^"torn"$')" 0
expect_log_whole

# Rotation: moved away, reopened on SIGUSR1.
mv "$log" "$log.1"
kill -USR1 "$DAEMON"
((CHECKS++))
wait_until test -e "$log" || fail "SIGUSR1 does not reopen the log"
probe udp-sendto $BAD4 53
((CHECKS++))
wait_until logged_again || fail "no event in the reopened log"
expect_log_whole
finish
