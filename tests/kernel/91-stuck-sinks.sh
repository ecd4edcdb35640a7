# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# Every kind of sink at once, and all of them but the file stuck: nobody reads the standard output,
# the syslog socket and a reader's socket. The file has everything and in time, each stuck one its
# own account, and when they read again they are told what they have missed.
. "$(dirname "$0")/lib.sh"
setup
need socat
log=$WORK/log/events.jsonl syslog=$WORK/syslog socket=$WORK/run/events.sock
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4, "$GOOD6"]}
	policies: [{name: default, resolvers: [good]}]
	events:
	  stdout: true
	  file: $log
	  socket: $socket
	  syslog: {to: "unix:$syslog", format: text}
	  queue: 256KiB
	  drop: ${DROP:=newest}
YAML

# sink NAME FIELD
sink() { status_of ".sinks[] | select(.name == \"$1\").$2"; }
sums() { jq -s 'map(.dnsfence.count) | add // 0' "$1"; }

mkfifo "$WORK/pipe"
EVENTS=$WORK/pipe
exec 8<>"$WORK/pipe" # a reader that does not read
socat -u "UNIX-RECV:$syslog" "CREATE:$WORK/syslog.out" &
syslogd=$!
wait_until test -S "$syslog" || die "no syslog socket"
start_fence
expect "mode of the socket" "$(stat -c %a "$socket")" 660
for reader in 1 2; do
	socat -u "UNIX-CONNECT:$socket" "CREATE:$WORK/reader.$reader" &
	eval "reader$reader=\$!"
done
both_read() { [[ $(sink socket readers) == 2 ]]; }
((CHECKS++))
wait_until both_read || fail "the socket has $(sink socket readers) readers"
probe udp-sendto $BAD4 53
for out in "$log" "$WORK/reader.1" "$WORK/reader.2" "$WORK/syslog.out"; do
	((CHECKS++))
	wait_until test -s "$out" || fail "nothing in ${out##*/}"
done
expect_match "the syslog message" "$(<"$WORK/syslog.out")" \
	"^<28>1 20[0-9-]+T[0-9:]+\.[0-9]{6}Z [^ ]+ dnsfence $DAEMON dns-denied - DENIED dns/udp $BAD4:53 leak.dnsfence.test A by leakprobe\[$PID\]"
expect "a reader's line is the file's" "$(<"$WORK/reader.1")" "$(<"$log")"

# shellcheck disable=SC2154 # the eval above
kill -STOP "$syslogd" "$reader1"
denied_before=$(denied)
fenced "$PROBE" udp-sendto $BAD4 53 -u -r 20000 >"$WORK/sender"
expect_match "all were blocked" "$(<"$WORK/sender")" 'failed=20000$'
((CHECKS++))
wait_until log_is_whole || fail "the log is not whole: $(status_of '.log | tostring')"
expect "what the file speaks of" "$(sums "$log")" $((denied_before + 20000))
expect "lines that the file dropped" "$(sink file dropped)" 0
reader_has_all() { [[ $(sums "$WORK/reader.2") == "$(sums "$log")" ]]; }
((CHECKS++))
wait_until reader_has_all || fail "the other reader has $(sums "$WORK/reader.2") of $(sums "$log")"
for name in stdout syslog socket; do
	expect_more "lines that $name dropped" "$(sink $name dropped)" 0
	expect_more "bytes that wait for $name" "$(sink $name queued_bytes)" 0
	expect_more "and no more than its queue" $((256 * 1024 + 1024)) "$(sink $name queued_bytes)"
	expect "which lines $name drops" "$(sink $name drops)" "$DROP"
done
expect "stdout: every line is accounted for" "$(status_of '.sinks as $all
	| ($all[] | select(.name == "stdout")) as $stuck | ($all[] | select(.name == "file")) as $file
	| $stuck.written + $stuck.dropped + $stuck.queued == $file.written')" true
text=$(dnsfence status)
expect_match "status in words" "$text" \
	$'\nsinks\n.*  syslog .*dropped \(the '"$DROP"'\), [0-9]+ wait \([0-9]+ KiB of 256\), unix:'

# They read again: whole lines, in order, with an account of what is missing where it is missing.
kill -CONT "$syslogd" "$reader1"
timeout $((3 * SLOW)) cat <&8 >"$WORK/read" &
all_read() { [[ $(sink stdout queued)$(sink socket queued)$(sink syslog queued) == 000 ]]; }
((CHECKS++))
wait_until all_read || fail "they do not catch up: $(status_of '.sinks | tostring')"
probe udp-sendto $BAD6 53
last_arrived() { grep -q "leakprobe\[$PID\]" "$WORK/syslog.out" && grep -q "\"pid\":$PID," "$WORK/reader.1"; }
((CHECKS++))
wait_until last_arrived || fail "the last event does not come through"
wait %cat 2>/dev/null
whole_again() { [[ $(sums "$WORK/reader.1") == "$(denied)" ]]; }
((CHECKS++))
wait_until whole_again || fail "the stuck reader's sums: $(sums "$WORK/reader.1") of $(denied)"
expect "the stuck reader's lines in order" "$(jq -s '[.[] | .event.sequence // empty] |
	. == sort' "$WORK/reader.1")" true
# Without a number in the sequence: about this reader alone, not about the ring.
accounts='[.[] | select(.event.action == "events-lost" and (.event.sequence | not))] | length'
expect_more "accounts of what was missing" "$(jq -s "$accounts" "$WORK/reader.1")" 0
expect "accounts in the file" "$(jq -s "$accounts" "$log")" 0
lost=$(grep -o 'LOST   [0-9]* viol' "$WORK/syslog.out" | awk '{ n += $2 } END { print n + 0 }')
expect_more "what syslog was told that it had missed" "$lost" 0

# A reader who goes, and a socket that another program holds.
kill "$reader1"
one_left() { [[ $(sink socket readers) == 1 ]]; }
((CHECKS++))
wait_until one_left || fail "the reader who has gone is still there"
sed -i "s|socket: $socket|socket: $syslog|" "$CONFIG"
out=$(dnsfence reload 2>&1)
expect "a reload with another's socket, exit status" $? 1
expect_match "what it says" "$out" "events.socket: $syslog is there already"
expect "the socket is as it was" "$(sink socket target)" "$socket"
sed -i "/socket:/d; s/stdout: true/stdout: false/" "$CONFIG"
dnsfence reload 2>/dev/null
expect "a reload without socket and stdout, exit status" $? 0
expect "the sinks that are left" "$(status_of '[.sinks[].name] | join(" ")')" "file syslog"
expect "the socket has gone" "$(ls "$socket" 2>/dev/null)" ""
expect_log_whole
finish
