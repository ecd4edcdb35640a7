# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# vm: below the root, Prometheus asks by itself
#
# The metrics: the same by command, unix socket, address, textfile and, the daemon apart, without a
# daemon; they are what status says; no series comes or goes with traffic; promtool finds nothing to
# say. Clients that hang hang nobody. The alert rules and the dashboard name what there is.
. "$(dirname "$0")/lib.sh"
setup
need curl promtool python3
socket=$WORK/run/metrics.sock textfile=$WORK/dnsfence.prom port=$((20000 + $$ % 20000))
configure() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		resolvers: {good: [$GOOD4, "$GOOD6"]}
		policies:
		  - {name: some, match: {cgroup: /$ID/quiet}, mode: audit, resolvers: [good]}
		  - {name: default, resolvers: [good]}
		events: {stdout: false, file: $WORK/events.jsonl, syslog: {to: "unix:$WORK/no-syslog"}}
		metrics: {listen: "$1", textfile: $textfile, interval: 1}
	YAML
}
mkdir -p "$CGROUP/quiet"

by_socket() { curl -sf --max-time 5 --unix-socket "$socket" "$@" http://localhost/metrics; }
by_address() { curl -sf --max-time 5 "http://127.0.0.1:$port/metrics"; }

# value METRICS SERIES; lookups VERDICT: summed over hooks and reasons, as status does it.
value() { awk -v series="$2" '{ name = $0; sub(/ [^ ]*$/, "", name) } name == series { print $NF }' "$1"; }
lookups() { awk -v verdict="verdict=\"$1\"" '/^dnsfence_lookups_total/ && index($0, verdict) { n += $NF } END { print n + 0 }' "$2"; }
series() { grep -v '^#' "$1" | sed 's/ [^ ]*$//' | sort; }
steady() { grep -v uptime "$1"; }

configure "unix:$socket"
start_fence
expect "mode of the socket" "$(stat -c %a "$socket")" 660
by_socket >"$WORK/before" || fail "no answer at the socket"
probe udp-sendto $BAD4 53
probe udp-sendto $BAD6 53
probe tcp-connect $BAD4 53
probe udp-sendto $GOOD4 53
probe_in "$ID/quiet" udp-sendto $BAD4 53
expect_log_whole
by_socket >"$WORK/metrics"
dnsfence status -j >"$WORK/status"
expect "allowed" "$(lookups allow "$WORK/metrics")" "$(jq .counters.allowed "$WORK/status")"
expect "denied" "$(lookups deny "$WORK/metrics")" "$(jq .counters.denied "$WORK/status")"
expect "denied and not none" "$(lookups deny "$WORK/metrics")" 3
expect "audited" "$(lookups audit "$WORK/metrics")" 1
expect "one series" "$(value "$WORK/metrics" \
	'dnsfence_lookups_total{hook="connect4",verdict="deny",reason="resolver-not-sanctioned"}')" 1
expect "the fence" "$(value "$WORK/metrics" dnsfence_fence_closed)" 1
expect "policies, and in audit mode" "$(value "$WORK/metrics" dnsfence_policies) $(value "$WORK/metrics" dnsfence_policies_audit)" "2 1"
expect "logged" "$(value "$WORK/metrics" dnsfence_violations_logged_total)" "$(jq .log.logged "$WORK/status")"
expect "lines of the file" "$(value "$WORK/metrics" "dnsfence_sink_lines_written_total{sink=\"file\",target=\"$WORK/events.jsonl\"}")" \
	"$(wc -l <"$WORK/events.jsonl")"
expect "a sink that nobody reads" "$(value "$WORK/metrics" "dnsfence_sink_up{sink=\"syslog\",target=\"unix:$WORK/no-syslog\"}")" 0
expect "series that traffic has made" "$(comm -13 <(series "$WORK/before") <(series "$WORK/metrics"))" ""
expect "what promtool says" "$(promtool check metrics <"$WORK/metrics" 2>&1)" ""

# The same by every way.
dnsfence metrics >"$WORK/command"
expect "the command, exit status" $? 0
expect "the command" "$(steady "$WORK/command")" "$(steady "$WORK/metrics")"
textfile_is_new() { [[ $(steady "$textfile") == "$(steady "$WORK/metrics")" ]]; }
((CHECKS++))
wait_until textfile_is_new || fail "the textfile: $(diff "$textfile" "$WORK/metrics")"
expect "mode of the textfile" "$(stat -c %a "$textfile")" 644
by_socket -H 'Accept: application/openmetrics-text; version=1.0.0' -D "$WORK/headers" >"$WORK/open"
expect "the end of OpenMetrics" "$(tail -n 1 "$WORK/open")" "# EOF"
expect_match "its type" "$(<"$WORK/headers")" "application/openmetrics-text; version=1.0.0"
python3 - "$WORK/open" <<-'PYTHON' || fail "not OpenMetrics"
	import re, sys
	kinds, seen = {}, None
	for line in open(sys.argv[1]):
	    if line.startswith("# TYPE"):
	        _, _, seen, kind = line.split()
	        assert seen not in kinds and not seen.endswith("_total"), line
	        kinds[seen] = kind
	    elif line.startswith("# UNIT"):
	        assert line.split()[2].endswith("_" + line.split()[3]), line
	    elif not line.startswith("#"):
	        name = re.match(r"[a-z0-9_]+", line)[0]
	        assert name == seen + ("_total" if kinds[seen] == "counter" else ""), line
PYTHON
((CHECKS++))
expect "another page" "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$socket" http://localhost/)" 404
expect "another method" "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$socket" -d x http://localhost/metrics)" 405

# Clients that say nothing, half of something, or do not read: a new one is answered, events flow.
hang='import socket, sys, time
held = []
for n in range(40):
    try:
        s = socket.socket(socket.AF_UNIX); s.settimeout(1); s.connect(sys.argv[1])
        s.send([b"", b"GET /met", b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 50][n % 3] or b"G"); held.append(s)
    except OSError: pass
print("held", len(held), flush=True)
time.sleep(60)'
python3 -c "$hang" "$socket" >"$WORK/held" &
hanging=$!
wait_until test -s "$WORK/held"
probe udp-sendto $BAD4 53
expect_event_in_file() { grep -q "\"pid\":$PID," "$WORK/events.jsonl"; }
((CHECKS++))
wait_until expect_event_in_file || fail "events stop with hanging clients"
dnsfence status >/dev/null
expect "status with hanging clients, exit status" $? 0
kill $hanging
wait $hanging 2>/dev/null
((CHECKS++))
wait_until by_socket -o "$WORK/after" || fail "no answer after the hanging clients"

# A reload moves it to an address; what is in use, or not loopback, is refused.
python3 -c "import socket, time; s = socket.socket(); s.bind(('127.0.0.1', $port)); s.listen(); time.sleep(60)" &
holder=$!
configure "127.0.0.1:$port"
port_is_held() { [[ $(ss -Hlnt "sport = $port") ]]; }
wait_until port_is_held
out=$(dnsfence reload 2>&1)
expect "a reload with an address in use, exit status" $? 1
expect_match "what it says" "$out" "metrics.listen: 127.0.0.1:$port is in use"
by_socket >/dev/null || fail "the socket has gone after a failed reload"
kill $holder
wait $holder 2>/dev/null
dnsfence reload 2>/dev/null
expect "a reload with another address, exit status" $? 0
expect "the socket after the reload" "$(ls "$socket" 2>/dev/null)" ""
by_address >"$WORK/address" || fail "no answer at the address"
sed -i "s/127.0.0.1:$port/192.0.2.1:9753/" "$CONFIG"
out=$(dnsfence check 2>&1)
expect_match "an address that is not loopback" "$out" "listen: '192.0.2.1:9753': expected unix:/PATH, or an address of loopback"
configure "127.0.0.1:$port"

# A real Prometheus scrapes, by OpenMetrics, and its rules find the sink that is down.
if command -v prometheus >/dev/null; then
	cat >"$WORK/prometheus.yml" <<-YAML
		global: {scrape_interval: 1s, evaluation_interval: 1s}
		rule_files: [$ROOT/packaging/prometheus/dnsfence.rules.yml]
		scrape_configs:
		  - {job_name: dnsfence, static_configs: [{targets: ["127.0.0.1:$port"]}]}
	YAML
	expect "promtool on its configuration" "$(promtool check config "$WORK/prometheus.yml" >/dev/null 2>&1; echo $?)" 0
	prometheus --config.file="$WORK/prometheus.yml" --storage.tsdb.path="$WORK/tsdb" \
		--web.listen-address="127.0.0.1:$((port + 1))" >"$WORK/prometheus.log" 2>&1 &
	SERVERS+=" $!"
	disown $!
	query() {
		curl -sf --max-time 5 "http://127.0.0.1:$((port + 1))/api/v1/query" --data-urlencode "query=$1" |
			jq -r '.data.result[0].value[1]'
	}
	scraped() { [[ $(query 'sum(dnsfence_lookups_total{verdict="deny"})') == "$(denied)" ]]; }
	((CHECKS++))
	wait_until scraped || wait_until scraped || fail "Prometheus has not scraped: $(tail -n 3 "$WORK/prometheus.log")"
	expect "up" "$(query up)" 1
	expect "its type of a counter" "$(curl -s "http://127.0.0.1:$((port + 1))/api/v1/metadata?metric=dnsfence_lookups" |
		jq -r '.data.dnsfence_lookups[0].type')" counter
	alert_is_pending() { [[ $(query 'count(ALERTS{alertname="DNSFenceSinkDown"})') == 1 ]]; }
	((CHECKS++))
	wait_until alert_is_pending || fail "the rule on a sink that is down does not match"
fi

# Rules and dashboard.
rules=$ROOT/packaging/prometheus dashboard=$ROOT/packaging/grafana/dnsfence.json
out=$(promtool check rules "$rules/dnsfence.rules.yml" 2>&1 && cd "$rules" && promtool test rules dnsfence.test.yml 2>&1)
STATUS=$?
expect "promtool on the rules: $out" $STATUS 0
expect "names in rules and dashboard that there are not" "$({
	jq -r '.. | .expr? // empty' "$dashboard"
	cat "$rules/dnsfence.rules.yml"
} | grep -o 'dnsfence_[a-z_]*' | sort -u | while read -r name; do
	grep -q "^${name}[ {]" "$WORK/metrics" || echo "$name"
done)" ""

# Without a daemon, and without a fence.
stop_fence TERM
expect "the textfile after the end" "$(ls "$textfile" 2>/dev/null)" ""
dnsfence metrics >"$WORK/pins"
expect "without a daemon, exit status" $? 4
expect "the daemon" "$(value "$WORK/pins" dnsfence_daemon_up)" 0
expect "the lookups" "$(grep lookups "$WORK/pins")" "$(grep lookups "$WORK/address")"
expect "what promtool says without a daemon" "$(promtool check metrics <"$WORK/pins" 2>&1)" ""
dnsfence unload 2>/dev/null
dnsfence metrics >"$WORK/open-fence"
expect "without a fence, exit status" $? 1
expect "the fence" "$(value "$WORK/open-fence" dnsfence_fence_closed)" 0
finish
