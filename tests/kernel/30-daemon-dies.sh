# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# kill -9 of the daemon opens nothing: queries under way stay blocked, a new daemon takes over
# what is pinned, the log goes on where it was and says what it missed.
. "$(dirname "$0")/lib.sh"
setup
simple_policy

# logged_counts: what all events of the file account for, losses included.
logged_counts() { jq -s 'map(.dnsfence.count) | add // 0' "$EVENTS"; }
sequences_are_whole() {
	jq -s 'map(.event.sequence) | . == [range(1; length + 1)]' "$EVENTS"
}
all_accounted() { [[ $(logged_counts) == $(denied) ]]; }

start_fence
probe udp-sendto $BAD4 53
expect_event "with the first daemon" "$PID" '.dnsfence.verdict == "deny"'
before=$(arrived $BAD4)

# Queries without a pause through the death and the take-over.
fenced "$PROBE" udp-sendto $BAD4 53 -r 300000 >"$WORK/through" 2>&1 &
through=$!
stop_fence KILL
expect "kill -9, exit status of the daemon" "$STATUS" 137
probe udp-connect $BAD4 53
expect "without a daemon UDP is blocked, errno" "$ERRNO" EPERM
orphan=$PID
probe tcp-connect $BAD6 53
expect "without a daemon TCP is blocked, errno" "$ERRNO" EPERM
probe udp-connect $GOOD4 53
expect "without a daemon the sanctioned one is open, errno" "$ERRNO" 0
dnsfence status >/dev/null 2>&1
expect "status without a daemon, exit status" $? 4
expect "the fence, says status" "$(status_of .fence)" closed
expect "the daemon, says status" "$(status_of .daemon)" false
denied_before=$(denied)

start_fence
expect_more "the counters went on" $(($(denied) + 1)) "$denied_before"
wait $through
expect "blocked all the way" "$(grep -o 'failed=.*' "$WORK/through")" failed=300000
settle
expect "packets through it all" "$(arrived $BAD4)" "$before"
expect_event "a query between the daemons" "$orphan" '.dnsfence.verdict == "deny"'
expect_log_whole
((CHECKS++))
wait_until all_accounted || fail "the events account for $(logged_counts), denied: $(denied)"
expect "sequence numbers go on without a gap" "$(sequences_are_whole)" true

# More violations than the ring buffer holds while nobody reads it.
stop_fence KILL
fenced "$PROBE" udp-sendto $BAD4 53 -r 20000 -u >/dev/null
start_fence
((CHECKS++))
wait_until grep -q '"action":"events-lost"' "$EVENTS" || fail "no event states the loss"
expect_log_whole
expect_more "losses in status" "$(status_of .log.lost)" 0
((CHECKS++))
wait_until all_accounted || fail "with losses the events account for $(logged_counts), denied: $(denied)"
expect "lost in the log and in status" "$(jq -s 'map(select(.event.action == "events-lost")
	| .dnsfence.count) | add' "$EVENTS")" "$(status_of .log.lost)"

probe udp-sendto $BAD4 53
expect_event "with the last daemon" "$PID" '.dnsfence.verdict == "deny"'
finish
