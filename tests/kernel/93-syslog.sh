# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# A real rsyslog gets the events over TCP, UDP and a unix socket, as RFC 5424 has them. It is
# stopped under a flood and started again: the daemon goes on, what it had no room for is counted,
# and the connection is made anew. A second target that nobody listens at does not matter.
. "$(dirname "$0")/lib.sh"
setup
command -v rsyslogd >/dev/null || skip "rsyslogd is not installed"
log=$WORK/events.jsonl
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4, "$GOOD6"]}
	policies: [{name: default, resolvers: [good]}]
	events:
	  stdout: false
	  file: $log
	  queue: 64KiB
	  syslog:
	    facility: local3
	    to: ["tcp:$GOOD4:10601", "tcp:[$GOOD6]:10601", "udp:$GOOD4:10514", "unix:$WORK/dev-log", "tcp:$CLIENT4:9"]
YAML
cat >"$WORK/rsyslog.conf" <<-CONF
	module(load="imtcp")
	module(load="imudp")
	module(load="imuxsock" SysSock.Use="off")
	global(workDirectory="$WORK" maxMessageSize="16k")
	template(name="fields" type="string"
		string="%inputname%|%pri%|%protocol-version%|%hostname%|%app-name%|%procid%|%msgid%|%timestamp:::date-rfc3339%|%msg%\n")
	input(type="imtcp" port="10601")
	input(type="imudp" port="10514")
	input(type="imuxsock" socket="$WORK/dev-log" useSpecialParser="off" unlink="on" ratelimit.interval="0")
	action(type="omfile" file="$WORK/messages" template="fields")
CONF

start_rsyslog() {
	nsenter --net="/run/netns/$FAR" rsyslogd -n -f "$WORK/rsyslog.conf" -i "$WORK/rsyslog.pid" >"$WORK/rsyslog.log" 2>&1 &
	RSYSLOG=$!
	SERVERS+=" $RSYSLOG"
	disown $RSYSLOG
	wait_until rsyslog_listens || die "rsyslogd does not listen: $(<"$WORK/rsyslog.log")"
}
rsyslog_listens() { [[ -S $WORK/dev-log && $(far ss -Hlnt 'sport = 10601') ]]; }

sink() { status_of ".sinks[] | select(.target == \"$1\").$2"; }
tcp4=tcp:$GOOD4:10601 tcp6="tcp:[$GOOD6]:10601" unix=unix:$WORK/dev-log

messages_of() { [[ $(grep -c "\"pid\":$PID," "$WORK/messages" 2>/dev/null) == "$1" ]]; }

start_rsyslog
DAEMON_NETNS=/run/netns/$NEAR
start_fence
connected() { [[ $(status_of '[.sinks[] | select(.problem)] | length') == 1 ]]; }
((CHECKS++))
wait_until connected || fail "not all are connected: $(status_of '.sinks | tostring')"
expect "the target that nobody listens at" "$(sink "tcp:$CLIENT4:9" problem)" "Connection refused"
probe udp-sendto $BAD4 53
((CHECKS++))
wait_until messages_of 4 || fail "rsyslog has not four messages: $(cat "$WORK/messages" "$WORK/rsyslog.log")"
for input in imtcp imudp imuxsock; do
	line=$(grep "^$input|.*\"pid\":$PID," "$WORK/messages" | head -n 1)
	expect_match "what rsyslog has read from $input" "$line" \
		"^$input\|156\|1\|$(hostname)\|dnsfence\|$DAEMON\|dns-denied\|20[0-9T:.-]+(Z|\+00:00)\|"
	expect "and its message" "$(jq -c . <<<"${line##*|}")" "$(jq -c "select(.process.pid == $PID)" "$log")"
done

# Stopped under a flood.
kill -TERM $RSYSLOG
gone() { [[ $(sink "$tcp4" problem) && $(sink "$tcp6" problem) ]]; }
((CHECKS++))
wait_until gone || fail "the daemon does not see that rsyslog has gone: $(status_of '.sinks | tostring')"
denied_before=$(denied) events_before=$(sink "$log" written)
fenced "$PROBE" udp-sendto $BAD4 53 -u -r 3000 >"$WORK/sender"
expect_match "all were blocked" "$(<"$WORK/sender")" 'failed=3000$'
expect "denied" "$(denied)" $((denied_before + 3000))
expect_log_whole
expect "what the file speaks of" "$(jq -s 'map(.dnsfence.count) | add' "$log")" "$(denied)"
for target in "$tcp4" "$tcp6" "$unix"; do
	expect_more "$target: dropped" "$(sink "$target" dropped)" 0
	expect_more "$target: waits" "$(sink "$target" queued)" 0
done
expect "lines that the file dropped" "$(sink "$log" dropped)" 0
expect_more "lines of the flood" "$(sink "$log" written)" "$events_before"
expect_said "that rsyslog has gone" "events to $tcp4: "

# Started again.
start_rsyslog
empty() { [[ $(sink "$tcp4" queued)$(sink "$tcp6" queued)$(sink "$unix" queued) == 000 ]]; }
((CHECKS++))
wait_until empty || wait_until empty || fail "not delivered after the restart: $(status_of '.sinks | tostring')"
probe udp-sendto $BAD6 53
((CHECKS++))
wait_until messages_of 4 || fail "the event after the restart is missing: $(tail -n 4 "$WORK/messages")"
lost=$(grep '|events-lost|' "$WORK/messages" | grep -c '^imtcp|')
expect "accounts of what was dropped, over TCP" "$lost" 2
expect "messages that are no JSON" "$(sed 's/^[^{]*//' "$WORK/messages" |
	jq -R 'fromjson? // "torn"' | grep -c '^"torn"$')" 0
expect_said "that it writes again" "events to $tcp4: writing again"
dnsfence status >/dev/null
expect "status, exit status" $? 0
expect "the daemon is the same" "$(status_of .process.pid)" "$DAEMON"
expect_log_whole
finish
