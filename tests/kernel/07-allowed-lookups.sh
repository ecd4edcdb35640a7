# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# events: {allowed: N}: allowed lookups in the log. Off, all of them, some of them; and violations
# are never crowded out by them, whatever floods the ring while nobody reads it.
. "$(dirname "$0")/lib.sh"
need socat
setup

# sampled NUMBER: the policy, and whoever enforces it, with one in so many.
sampled() {
	simple_policy
	sed -i "s/^events:.*/events: {stdout: true, allowed: $1, buffer: 64}/" "$CONFIG"
}
allowed_events() { grep -c '"action":"dns-allowed"' "$EVENTS"; }
read_all() { [[ $(status_of .log.allowed_sampled) == "$(allowed_events)" ]]; }
expect_all_read() {
	((CHECKS++))
	wait_until read_all || fail "$1: $(allowed_events) events of $(status_of .log.allowed_sampled) records"
}
# floods COUNT ADDRESS: lookups, each with a question, that arrive; or do not.
floods() {
	fenced "$PROBE" udp-sendto "$2" 53 -r "$1" >"$WORK/sender" || true
}

# Off: the packets arrive and are counted, the log says nothing.
sampled 0
: >"$EVENTS"
start_fence
before=$(arrived $GOOD4)
floods 50 $GOOD4
settle
expect_more "off, packets" "$(arrived $GOOD4)" $((before + 49))
expect_more "off, allowed" "$(status_of .counters.allowed)" 49
probe udp-sendto $BAD4 53
expect_event "off, a violation" "$PID" '.event.action == "dns-denied" and (.dnsfence | has("sample") | not)'
expect "off, events" "$(allowed_events)" 0
expect "off, records" "$(status_of '.log.allowed_sampled + .log.allowed_crowded')" 0

# One in one: each lookup is one event, over UDP and TCP, whose other segments are none.
sampled 1
dnsfence reload >/dev/null || fail "reload"
for lookup in "udp-sendto $GOOD4" "udp-connect $GOOD6" "tcp-connect $GOOD4"; do
	read -r technique addr <<<"$lookup"
	before=$(allowed_events)
	probe "$technique" "$addr" 53
	expect "$lookup, errno" "$ERRNO" 0
	expect_event "$lookup" "$PID" ".event.action == \"dns-allowed\" and .event.outcome == \"success\"
		and .event.kind == \"event\" and .event.type == [\"connection\", \"allowed\"]
		and .event.reason == \"sanctioned\" and .dnsfence.verdict == \"allow\"
		and .destination.ip == \"$addr\" and .destination.port == 53
		and .dns.question.name == \"leak.dnsfence.test\" and .process.name == \"leakprobe\"
		and .network.transport == \"$(transport_of "$technique")\" and .rule.name == \"default\"
		and .dnsfence.cgroup.path == \"/$APPS\" and .dnsfence.sample == 1 and .dnsfence.count == 1"
	expect_all_read "$lookup"
	expect "$lookup, events" "$(allowed_events)" $((before + 1))
done
probe udp-sendto $BAD4 53
expect_event "beside violations" "$PID" '.event.action == "dns-denied"'
expect_log_whole
expect "only lookups" "$("$DNSFENCE" --runtime-dir "$WORK/run" top -b -n 1 -d 1 -j | jq .seen.broken)" 0

# One in ten, by chance: of 2000 between 120 and 280, which is six standard deviations.
sampled 10
dnsfence reload >/dev/null || fail "reload"
expect_all_read "before one in ten"
before=$(status_of '.log.allowed_sampled + .log.allowed_crowded')
"$DNSFENCE" --runtime-dir "$WORK/run" top -b -n 1 -d $((3 * SLOW)) --by resolver -j >"$WORK/top" &
top=$!
sleep $SLOW
floods 2000 $GOOD4
chosen=$(($(status_of '.log.allowed_sampled + .log.allowed_crowded') - before))
expect_more "one in ten, chosen" $chosen 119
expect_more "one in ten, not chosen" 281 $chosen
expect_all_read "one in ten"
expect "one in ten, said" "$(jq -r 'select(.dnsfence.sample == 10) | .destination.ip' "$EVENTS" | sort -u)" $GOOD4
wait $top
expect "top, an estimate" "$(jq -c '[.seen.estimated, .rows[0].estimated, .rows[0].key, .rows[0].allowed % 10,
	.rows[0].allowed > 0]' "$WORK/top")" "[true,true,\"$GOOD4:53 dns/udp\",0,true]"

# Nobody reads: lookups fill half of the ring, what does not fit is counted, and violations that
# fit into the other half are all there.
sampled 1
dnsfence reload >/dev/null || fail "reload"
expect_all_read "before the flood"
events_before=$(allowed_events)
crowded=$(status_of .log.allowed_crowded) lost=$(status_of .log.lost)
kill -STOP "$DAEMON"
floods 500 $GOOD4
for _ in 1 2 3 4 5; do
	probe udp-sendto $BAD4 53
	expect "in the flood, errno" "$ERRNO" EPERM
	floods 20 $GOOD4
done
kill -CONT "$DAEMON"
expect_event "the violation behind the flood" "$PID" '.event.action == "dns-denied" and .destination.ip == "'$BAD4'"'
expect_more "left out and counted" "$(status_of .log.allowed_crowded)" "$crowded"
expect "violations lost" "$(status_of .log.lost)" "$lost"
expect_log_whole
expect_all_read "after the flood"
expect "the flood, logged and left out" \
	"$(($(allowed_events) - events_before + $(status_of .log.allowed_crowded) - crowded))" 600
expect_match "status says it" "$(dnsfence status)" 'sampled +[0-9]+ allowed lookups \([1-9][0-9]* left out'
expect_match "metrics say it" "$(dnsfence metrics)" 'dnsfence_allowed_crowded_total [1-9]'
expect "events, chosen by what was decided" \
	"$(dnsfence events --file "$EVENTS" --action dns-allowed -j | jq -r .dnsfence.verdict | sort -u)" allow
expect "events, a line" "$(dnsfence events --file "$EVENTS" --action dns-allowed | grep -c ' ALLOW  dns/')" \
	"$(allowed_events)"
stop_fence

# One place does not take what it is sent: lookups fill half of its queue, and the violations
# behind them are not missing there.
log=$WORK/log.jsonl socket=$WORK/run/events.sock
sed -i "s|^events:.*|events: {file: $log, socket: $socket, queue: 64KiB, allowed: 1}|" "$CONFIG"
EVENTS=$log
start_fence
socat -u "UNIX-CONNECT:$socket" "CREATE:$WORK/reader" &
reader=$!
reads() { [[ $(status_of '.sinks[] | select(.name == "socket").readers') == 1 ]]; }
wait_until reads || die "nobody reads the socket"
kill -STOP $reader
socket_dropped() { status_of '.sinks[] | select(.name == "socket").dropped'; }
for ((i = 0; i < 20; i++)); do
	floods 100 $GOOD4
	(($(socket_dropped) > 0)) && break
done
expect_more "lookups that the stuck reader misses" "$(socket_dropped)" 0
dropped=$(socket_dropped)
for _ in 1 2 3 4 5; do
	probe udp-sendto $BAD4 53
done
expect_event "the file has the last violation" "$PID" '.event.action == "dns-denied"'
expect "lines that the violations took from the reader" "$(socket_dropped)" "$dropped"
kill -CONT $reader
denied_read() { (($(grep -c '"action":"dns-denied"' "$WORK/reader") == 5)); }
((CHECKS++))
wait_until denied_read || fail "the reader has $(grep -c '"action":"dns-denied"' "$WORK/reader") violations"
expect "events-lost, for lookups nobody is told" "$(grep -c '"action":"events-lost"' "$WORK/reader")" 0
stop_fence
wait $reader
finish
