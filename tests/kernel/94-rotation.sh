# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# vm: left out, a flood takes an hour in emulation
# limit: 180
#
# The file is rotated under 50,000 events a second, of which none is lost, and under a flood that
# is more than anybody reads, by logrotate with the configuration that is installed, and by the
# daemon itself: in all the files together every event is there or stated as lost, once, whole and
# in order.
. "$(dirname "$0")/lib.sh"
ASKERS=${ASKERS:-$ROOT/build/askers}
[[ -x $ASKERS ]] || skip "build/askers is missing"
setup
need logrotate
(($(df --output=avail -k "$WORK" | tail -n 1) > 2097152)) || skip "needs 2 GB for the log"
log=$WORK/log/events.jsonl

begin() {
	senders='' before=$(denied) written=$(status_of '.sinks[0].written') lost=$(status_of .log.lost)
	began=${EPOCHREALTIME/./}
}

# pace SECONDS: 50,000 new names a second.
pace() {
	begin
	near "$ASKERS" 50000 "$1" $BAD4 "$CGROUP" <<<asker >"$WORK/asked" &
	senders=$!
}

# flood SECONDS: two senders with new names all the time, for so long.
flood() {
	local address
	begin
	for address in $BAD4 $BAD6; do
		fenced timeout "$1" "$PROBE" udp-sendto $address 53 -u -r 100000000 >/dev/null 2>&1 &
		senders+=" $!"
	done
}

# end_events WHAT: waits until everything is written, and says how fast it came.
end_events() {
	local took offered
	# shellcheck disable=SC2086
	wait $senders
	took=$((${EPOCHREALTIME/./} - began)) offered=$(($(denied) - before))
	((CHECKS++))
	wait_until quiet || fail "not quiet: $(status_of '.log | tostring')"
	echo "$1: $((offered * 1000000 / took)) events a second, $offered in all," \
		"$(($(status_of '.sinks[0].written') - written)) lines," \
		"$(($(status_of .log.lost) - lost)) violations counted but not logged" >&2
}
quiet() { [[ $(status_of '.log.pending == 0 and .sinks[0].queued == 0') == true ]]; }

# files: the log's pieces, the oldest first.
pieces() {
	find "$WORK/log" -name 'events.jsonl*' | sort -t. -k4,4nr
	# The name of the directory has a dot, too. Without a number is the newest.
}

# expect_whole: sequence numbers without a gap, counts that add up, no line that is torn.
expect_whole() {
	pieces | xargs cat | awk -v wanted="$(denied)" '
		!/^\{"@timestamp".*\}\}$/ { torn++ }
		match($0, /"sequence":[0-9]+/) {
			n = substr($0, RSTART + 11, RLENGTH - 11) + 0
			if (last && n != last + 1) gaps++
			last = n
		}
		match($0, /"count":[0-9]+/) { sum += substr($0, RSTART + 8, RLENGTH - 8) }
		END { printf "torn %d, gaps %d, missing %.0f, lines %d\n", torn, gaps, wanted - sum, NR }
	' >"$WORK/verdict"
	expect_match "$1" "$(<"$WORK/verdict")" '^torn 0, gaps 0, missing 0, lines [0-9]+$'
}

run_with() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		resolvers: {good: [$GOOD4, "$GOOD6"]}
		policies: [{name: default, resolvers: [good]}]
		events: {stdout: false, file: $log, $1}
	YAML
	start_fence
}

# rotate TURNS: by logrotate, every half second.
rotate() {
	local turn
	for ((turn = 1; turn <= $1; turn++)); do
		sleep 0.5
		logrotate -f -s "$WORK/logrotate.state" "$WORK/logrotate.conf" 2>"$WORK/logrotate.err" ||
			fail "logrotate: $(<"$WORK/logrotate.err")"
	done
}

# By logrotate. The buffer holds what a slow machine has not read yet; an idle one needs no larger
# one than usual.
run_with 'queue: 64MiB, buffer: 65536'
sed -e "s|/var/log/dnsfence/\*.jsonl|$log|" -e "s|systemctl kill.*|kill -USR1 $DAEMON|" \
	-e 's/rotate 14/rotate 100/' -e '/compress/d' "$ROOT/packaging/dnsfence.logrotate" >"$WORK/logrotate.conf"
grep -q "kill -USR1" "$WORK/logrotate.conf" || die "the installed configuration has no postrotate"
pace 4
rotate 8
end_events "rotated by logrotate"
expect_more "events" "$(($(denied) - before))" 199999
expect "refused" "$(sed -n 's/.* refused=\([0-9]*\).*/\1/p' "$WORK/asked")" $(($(denied) - before))
expect "violations that are not in the log" "$(status_of .log.lost)" 0
expect "lines" "$(cat "$log"* | wc -l)" "$(($(denied) - before))"
expect_more "files" "$(pieces | wc -l)" 4
expect_whole "by logrotate"
flood 3
rotate 6
end_events "rotated by logrotate, flooded"
expect_more "files" "$(pieces | wc -l)" 4
expect "lines that were dropped" "$(status_of .process.sink_dropped)" 0
expect_whole "by logrotate, flooded"
stop_fence TERM
dnsfence unload 2>/dev/null
rm -rf "$WORK/log"

# By the daemon: no file is larger than it says, and no more of them are kept than it says.
run_with 'queue: 16MiB, rotate: {size: 4MiB, keep: 900}'
flood 3
end_events "rotated by the daemon"
expect_more "files" "$(pieces | wc -l)" 3
expect "files that are too large" "$(find "$WORK/log" -size +4194304c)" ""
expect "lines that were dropped" "$(status_of .process.sink_dropped)" 0
expect_whole "by the daemon"
sed -i 's/keep: 900/keep: 2/' "$CONFIG"
rm -f "$log".*
dnsfence reload 2>/dev/null
flood 2
end_events "two kept"
expect "files with keep: 2" "$(cd "$WORK/log" && echo *)" "events.jsonl events.jsonl.1 events.jsonl.2"
finish
