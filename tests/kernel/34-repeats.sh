# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# Repeats of a violation within a second: the first is an event at once, the others are one event
# that says how many, of the time of the newest, with the question and without the command line.
. "$(dirname "$0")/lib.sh"
setup
simple_policy

repeated() { jq -c --argjson pid "$PID" 'select(.process.pid == $pid)' "$EVENTS"; }
# In milliseconds.
stamp() { date -d "$(jq -r '.["@timestamp"]' <<<"$1")" +%s%3N; }
all_logged() { [[ $(repeated | jq -s 'map(.dnsfence.count) | add') == 3 ]]; }

before=$(arrived $BAD4)
probe udp-sendto $BAD4 53 -r 3 -R 4
expect "without the fence, errno" "$ERRNO" 0
((CHECKS++))
wait_until arrived_more $BAD4 $((before + 2)) || fail "without the fence they do not arrive"

start_fence
before=$(arrived $BAD4)
probe udp-sendto $BAD4 53 -r 3 -R 4
expect "errno" "$ERRNO" EPERM
((CHECKS++))
wait_until all_logged || fail "not all three are in the log: $(repeated)"
settle
expect "packets" "$(arrived $BAD4)" "$before"
expect "denied" "$(denied)" 3
first=$(repeated | head -n 1) last=$(repeated | tail -n 1)
expect "the first, count" "$(jq .dnsfence.count <<<"$first")" 1
expect "the last, its question" "$(jq -r .dns.question.name <<<"$last")" leak.dnsfence.test
expect_more "milliseconds from the first to the newest" $(($(stamp "$last") - $(stamp "$first"))) 400
if [[ $(repeated | wc -l) == 2 ]]; then # on a slow machine they may not fall into one second
	expect "the first, its command" "$(jq -r '.process.command_line != null' <<<"$first")" true
	expect "the repeats, their command" "$(jq -r '.process.command_line' <<<"$last")" null
fi
finish
