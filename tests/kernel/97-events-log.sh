# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# The events command over a daemon's log: what was logged, also into files that were rotated and
# packed since; chosen by time and field, and followed over a rotation. Live, too.
. "$(dirname "$0")/lib.sh"
need gzip
setup
LOG=$WORK/log.jsonl
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4, "$GOOD6"]}
	policies: [{name: default, resolvers: [good]}]
	edge: {interfaces: off}
	events: {stdout: true, file: $LOG}
YAML

before=$(arrived $BAD4)
probe udp-sendto $BAD4 53
expect "without the fence, errno" "$ERRNO" 0
((CHECKS++))
wait_until arrived_more $BAD4 "$before" || fail "without the fence nothing arrived"
start_fence

# violate ADDR: refused there and let through to its twin; PIDs in the order of the log.
PIDS=()
violate() {
	local before
	before=$(arrived "$1")
	probe udp-sendto "$1" 53
	expect "$1, errno" "$ERRNO" EPERM
	PIDS+=("$PID")
	expect_event "$1" "$PID" ".destination.ip == \"$1\""
	probe udp-sendto "$(twin "$1")" 53
	expect "$(twin "$1"), errno" "$ERRNO" 0
	expect "packets at $1" "$(arrived "$1")" "$before"
}
# rotate: as logrotate does; packed from the second on, like `delaycompress`.
rotate() {
	[[ ! -e $LOG.2.gz ]] || mv "$LOG.2.gz" "$LOG.3.gz"
	[[ ! -e $LOG.1 ]] || { mv "$LOG.1" "$LOG.2" && gzip "$LOG.2"; }
	mv "$LOG" "$LOG.1"
	kill -USR1 "$DAEMON"
	((CHECKS++))
	wait_until test -e "$LOG" || fail "the daemon did not open its log again"
}
pids() { jq -r .process.pid | tr '\n' ' '; }

violate $BAD4
rotate
violate $BAD6
rotate
"$DNSFENCE" -C "$CONFIG" "${INSTANCE[@]}" events --file "$LOG" -f -j >"$WORK/followed" 2>"$WORK/followed.err" &
FOLLOWER=$!
followed() { (($(wc -l <"$WORK/followed") >= $1)); }
((CHECKS++))
wait_until followed 2 || fail "-f does not begin with what is there: $(<"$WORK/followed.err")"
violate $BAD4

expect "events --since, from the configuration's file" \
	"$(dnsfence events --since -1h -j | pids)" "${PIDS[*]} "
expect "events --file" "$(dnsfence events --file "$LOG" -j | pids)" "${PIDS[*]} "
expect "as they were logged" "$(dnsfence events --since -1h -j | jq -S -c .)" "$(jq -S -c . "$EVENTS")"
expect "events -n 2" "$(dnsfence events --since -1h -j -n 2 | pids)" "${PIDS[0]} ${PIDS[1]} "
expect "events --until before" "$(dnsfence events --until -1h -j | pids)" ""
second=$(jq -r --argjson pid "${PIDS[1]}" 'select(.process.pid == $pid)."@timestamp"' "$EVENTS")
expect "events --since the second's time" "$(dnsfence events --since "$second" -j | pids)" \
	"${PIDS[1]} ${PIDS[2]} "
expect "events --until the second's time" "$(dnsfence events --until "$second" -j | pids)" \
	"${PIDS[0]} ${PIDS[1]} "

# By field: what matches, and what does not.
expect "--dst" "$(dnsfence events --since -1h --dst "$BAD6" -j | pids)" "${PIDS[1]} "
expect "--dst with a port" "$(dnsfence events --since -1h --dst "$BAD4:53" -j | pids)" \
	"${PIDS[0]} ${PIDS[2]} "
expect "--dst of the resolver that is let through" "$(dnsfence events --since -1h --dst $GOOD4 -j | pids)" ""
expect "--process, by pid" "$(dnsfence events --since -1h --process "${PIDS[1]}" -j | pids)" "${PIDS[1]} "
expect "--process, by another name" "$(dnsfence events --since -1h --process dig -j | pids)" ""
expect "--cgroup" "$(dnsfence events --since -1h --cgroup "/$ID/*" --user root --policy default \
	--question '*.dnsfence.test' --reason 'resolver-*' --action dns-denied --process leakprobe -j | pids)" \
	"${PIDS[*]} "
expect "--where" "$(dnsfence events --since -1h --where network.type=ipv6 -j | pids)" "${PIDS[1]} "
expect "--where, two alternatives" "$(dnsfence events --since -1h --where network.type=ipv6 \
	--where network.type=ipv4 -j | pids)" "${PIDS[*]} "
expect "--where, negated" "$(dnsfence events --since -1h --where 'network.type!=ipv6' -j | pids)" \
	"${PIDS[0]} ${PIDS[2]} "
OUT=$(dnsfence events --since -1h --where netwrok.type=ipv6 -j 2>&1)
expect_match "a field that is not there" "$OUT" "did you mean 'network.type'"

OUT=$(dnsfence events --since -1h)
expect "compact, lines" "$(wc -l <<<"$OUT")" 3
expect_match "compact" "$OUT" "DENIED dns/udp $BAD4:53 leak\.dnsfence\.test A by leakprobe\[${PIDS[0]}\] \(root\) in /$APPS: resolver-not-sanctioned, policy default"
OUT=$(dnsfence events --since -1h --process "${PIDS[0]}" --full)
expect_match "full" "$OUT" "process\.pid +${PIDS[0]}"$'\n'
expect "full, fields" "$(wc -l <<<"$OUT")" "$(jq -c --argjson pid "${PIDS[0]}" \
	'select(.process.pid == $pid) | [paths(scalars | true) | map(select(type == "string")) | join(".")] | unique | length' "$EVENTS")"

# Torn and strange lines are counted, and stop nothing.
{
	head -c 100 "$LOG.1"
	printf '\nhello\n{}\n'
	cat "$LOG.1"
} >"$WORK/torn"
OUT=$(dnsfence events --file "$WORK/torn" -j 2>"$WORK/torn.err")
expect "a torn log, exit status" $? 0
expect "a torn log, events" "$(pids <<<"$OUT")" "${PIDS[1]} "
expect_match "a torn log" "$(<"$WORK/torn.err")" 'left out: 3'
expect "standard input" "$(zcat "$LOG.2.gz" | dnsfence events --file - -j | pids)" "${PIDS[0]} "

# Followed over a rotation: nothing lost, nothing twice.
rotate
violate $BAD6
rotate
violate $BAD4
((CHECKS++))
wait_until followed 5 || fail "-f: $(wc -l <"$WORK/followed") of 5 events"
expect "-f over rotations" "$(pids <"$WORK/followed")" "${PIDS[*]} "
kill "$FOLLOWER" 2>/dev/null

# Live, filtered by who asks for it.
timeout $((20 * SLOW)) "$DNSFENCE" --runtime-dir "$WORK/run" events -n 1 --dst "$BAD6" --full >"$WORK/live" 2>&1 &
live=$!
sleep $((SLOW / 2)).5
violate $BAD4
violate $BAD6
wait "$live"
expect "live, exit status" $? 0
expect_match "live" "$(<"$WORK/live")" "process\.pid +${PIDS[6]}"
expect "live, events" "$(grep -c '^@timestamp' "$WORK/live")" 1

dnsfence events --since noon >/dev/null 2>"$WORK/err"
expect "no time, exit status" $? 2
expect_match "no time" "$(<"$WORK/err")" "takes a time"
dnsfence events --file "$WORK/nowhere" >/dev/null 2>&1
expect "no log, exit status" $? 1
simple_policy
dnsfence events --since -1h >/dev/null 2>"$WORK/err"
expect "no log in the configuration, exit status" $? 1
expect_match "no log in the configuration" "$(<"$WORK/err")" 'events\.file'
expect_log_whole
finish
