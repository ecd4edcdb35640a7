# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# Somebody reads the daemon's stdout too slowly, or not at all. The daemon does not wait for him:
# it enforces, answers, and counts what he did not get; what he gets is whole lines.
. "$(dirname "$0")/lib.sh"
setup
simple_policy
mkfifo "$WORK/pipe"
EVENTS=$WORK/pipe
exec 8<>"$WORK/pipe" # a reader that does not read
start_fence

before=$(arrived $BAD4)
fenced "$PROBE" udp-sendto $BAD4 53 -u -r 20000 >"$WORK/sender"
expect_match "all were blocked" "$(<"$WORK/sender")" 'failed=20000$'
settle
expect "packets" "$(arrived $BAD4)" "$before"
expect "denied" "$(denied)" 20000
dnsfence status >/dev/null
expect "status, exit status" $? 0
expect_log_whole
expect_more "lines that were dropped" "$(status_of .process.sink_dropped)" 0

# Now he reads what is there, and new events come through again.
timeout $((2 * SLOW)) cat <&8 >"$WORK/read"
probe udp-sendto $BAD6 53
timeout $((2 * SLOW)) cat <&8 >>"$WORK/read"
expect "lines that are no JSON" "$(jq -R 'fromjson? // "torn"' "$WORK/read" | grep -c '^"torn"$')" 0
expect "the last event comes through" \
	"$(jq -r --argjson pid "$PID" 'select(.process.pid == $pid) | .destination.ip' "$WORK/read")" $BAD6
expect "lines read and lines written" "$(wc -l <"$WORK/read")" "$(status_of .process.sink_written)"

# The log itself says how much is missing before that event: what was read adds up to all of it.
expect_more "stated losses" "$(jq -s '[.[] | select(.event.action == "events-lost").dnsfence.count] |
	add // 0' "$WORK/read")" 0
expect "the counts of all that was read" "$(jq -s 'map(.dnsfence.count) | add' "$WORK/read")" 20001

# Followers of the live stream who stop reading: what they get adds up, too.
sum() { jq -s 'map(.dnsfence.count) | add // 0' "$WORK/json"; }
adds_up() { (($(sum) == $(denied) - missed)); }
idle() { [[ $(status_of .log.pending) == 0 ]]; }
begun() {
	probe udp-sendto $BAD6 53
	[[ -s $WORK/json && -s $WORK/text ]]
}
"$DNSFENCE" --runtime-dir "$WORK/run" events -j >"$WORK/json" &
followers=$!
"$DNSFENCE" --runtime-dir "$WORK/run" events >"$WORK/text" &
followers+=" $!"
"$DNSFENCE" --runtime-dir "$WORK/run" events --process nobody >"$WORK/filtered" 2>"$WORK/filtered.err" &
followers+=" $!"
SERVERS+=" $followers"
((CHECKS++))
wait_until begun || fail "nobody can follow"
wait_until idle
missed=$(($(denied) - $(sum))) # before there was a follower
# shellcheck disable=SC2086
kill -STOP $followers
fenced "$PROBE" udp-sendto $BAD4 53 -u -r 20000 >"$WORK/sender"
((CHECKS++))
wait_until idle || fail "not idle: $(status_of '.log | tostring')"
adds_up && fail "the follower was stopped, and has everything"
# shellcheck disable=SC2086
kill -CONT $followers
((CHECKS++))
wait_until adds_up || fail "a follower's events add up to $(sum), of $(($(denied) - missed))"
lost() { jq -c 'select(.event.action == "events-lost" and .event.sequence == null)' "$WORK/json"; }
lines=$(grep -c . "$WORK/json") told=$(lost | jq -s 'map(.dnsfence.count) | add // 0')
expect_more "what a follower is told that it missed" "$told" 0
expect "its events, and those it missed" "$((lines - $(lost | grep -c .) + told))" "$(($(denied) - missed))"
expect_more "losses told to who filters" \
	"$(grep -c 'events that were lost, some of which may have been wanted: [1-9]' "$WORK/filtered.err")" 0
expect "what the filter lets pass" "$(<"$WORK/filtered")" ""
expect_more "losses told in readable lines" "$(grep -c ' LOST ' "$WORK/text")" 0
probe udp-sendto $BAD6 53
((CHECKS++))
wait_until grep -q "\"pid\":$PID\b" "$WORK/json" || fail "the follower gets nothing new"
expect "a follower's lines that are no JSON" \
	"$(jq -R 'fromjson? // "torn"' "$WORK/json" | grep -c '^"torn"$')" 0
stop_fence TERM
expect "SIGTERM with a reader that does not read, exit status" "$STATUS" 0
finish
