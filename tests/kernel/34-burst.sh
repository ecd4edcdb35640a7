# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# vm: left out, a million violations take an hour in emulation
# limit: 240
#
# A million violations with a million names, as fast as two senders can. Each is in the log or
# counted as lost, exactly; meanwhile the daemon answers and does not grow.
. "$(dirname "$0")/lib.sh"
setup
simple_policy

(($(df --output=avail -k "$WORK" | tail -n 1) > 2097152)) || skip "needs 2 GB for the log"
start_fence
before=$(arrived $BAD4)

senders=''
for address in $BAD4 $BAD6; do
	fenced "$PROBE" udp-sendto $address 53 -u -r 500000 >"$WORK/sender.$address" 2>&1 &
	senders+=" $!"
done
# 8 MiB and twice the ring of 1 MiB; the sanitizers take more.
rss_limit=$((8192 + 2 * 1024)) rss_max=0 answers=0 silences=''
# shellcheck disable=SC2086
while kill -0 $senders 2>/dev/null; do
	timeout $((5 * SLOW)) "$DNSFENCE" "${INSTANCE[@]}" status -j >"$WORK/status" 2>&1 && ((++answers)) ||
		silences+="exit $?: $(<"$WORK/status") "
	rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$DAEMON/status")
	((rss > rss_max)) && rss_max=$rss
	sleep 0.2
done
# shellcheck disable=SC2086
wait $senders
for address in $BAD4 $BAD6; do
	expect_match "the sender to $address" "$(<"$WORK/sender.$address")" 'count=500000 failed=500000$'
done
settle
expect "packets that arrived" "$(arrived $BAD4)" "$before"
expect "denied" "$(denied)" 1000000
expect_more "status answered" $answers 0
expect "what status said when it did not answer" "$silences" ""
[[ $DNSFENCE == */san/* ]] ||
	expect_more "resident size in KiB is below the limit" $rss_limit "$rss_max"

quiet() { [[ $(status_of '.log | .pending + (1000000 - .logged - .lost)') == 0 ]]; }
((CHECKS++))
wait_until quiet || wait_until quiet || fail "not accounted for: $(status_of '.log | tostring')"
expect "logged + lost" "$(status_of '.log.logged + .log.lost')" 1000000

# Every event is a line of the file, and the losses among them are those of status.
lost=$(status_of .log.lost)
stop_fence TERM
sums=$(awk 'match($0, /"count":[0-9]+/) { n = substr($0, RSTART + 8, RLENGTH - 8); all += n }
	/"action":"events-lost"/ { lost += n }
	END { printf "%.0f %.0f", all, lost }' "$EVENTS")
expect "the counts of all events, and the losses among them" "$sums" "1000000 $lost"
finish
