# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# vm: left out, the rate is none that emulation reaches
# limit: 120
#
# 1,000 processes, each in a cgroup of its own, offer 100,000 violations a second, no two alike.
# Every cgroup is named in the log, everything is in it or counted as lost. How much was
# lost, and at which rate, is a matter of the machine: it is printed, for README's table.
. "$(dirname "$0")/lib.sh"
ASKERS=${ASKERS:-$ROOT/build/askers}
[[ -x $ASKERS ]] || skip "build/askers is missing"
RATE=${RATE:-100000} LASTING=${LASTING:-5}
setup
simple_policy
printf 'asker-%d\n' {1..1000} >"$WORK/names"
mkdir "$CGROUP/many"

# offer: the askers; PROBE_SAID is what they count.
offer() { PROBE_SAID=$(near "$ASKERS" "$1" "$2" $BAD4 "$CGROUP/many" <"$WORK/names"); }
counted() { sed -n "s/.* $1=\([0-9]*\).*/\1/p" <<<"$PROBE_SAID"; }

before=$(arrived $BAD4)
offer 20000 1
expect "without the fence, refused" "$(counted refused)" 0
expect_more "without the fence, arrived" "$(($(arrived $BAD4) - before))" 10000

start_fence
before=$(arrived $BAD4)
offer "$RATE" "$LASTING"
expect "sent" "$(counted sent)" 0
count=$(counted refused)
expect "arrived" "$(arrived $BAD4)" "$before"
expect "denied" "$(denied)" "$count"

quiet() { [[ $(status_of ".log | .pending + ($count - .logged - .lost)") == 0 ]]; }
((CHECKS++))
wait_until quiet || wait_until quiet || fail "not accounted for: $(status_of '.log | tostring')"
lost=$(status_of .log.lost)
spent=$(awk '{ print $14 + $15 }' "/proc/$DAEMON/stat")
stop_fence TERM
jq -r 'select(.event.action? == "dns-denied")
	| "\(.dnsfence.cgroup.path // "") \(.process.pid // "") \(.dnsfence.count)"' "$EVENTS" >"$WORK/told"
expect "counts in the log" "$(awk '{ all += $NF } END { print all + 0 }' "$WORK/told")" $((count - lost))
expect "lines, one for each" "$(wc -l <"$WORK/told")" $((count - lost))
expect "cgroups named" "$(grep -oE '^[^ ]*/many/asker-[0-9]+ ' "$WORK/told" | sort -u | wc -l)" 1000
expect "events with another cgroup, or none" "$(grep -cvE '^[^ ]*/many/asker-[0-9]+ [0-9]+ ' "$WORK/told")" 0
echo "$count violations of 1,000 cgroups at $(counted rate) a second: $lost lost, daemon's" \
	"processor time $((spent * 1000 / $(getconf CLK_TCK))) ms"
finish
