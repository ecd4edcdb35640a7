# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# The journal's native protocol, and this host's own syslog socket, in a mount namespace where both
# sockets are the test's: fields that hold what the file holds, also with newlines in them; a
# journal that does not read delays nobody. The catalogue knows every message id.
. "$(dirname "$0")/lib.sh"
setup
need python3 unshare
log=$WORK/events.jsonl

# A mount namespace with a /run/systemd and a /dev of its own, which a process keeps.
mkdir -p /run/systemd
mkfifo "$WORK/hold"
unshare -m --propagation private sh -c '
	mount -t tmpfs tmpfs /run/systemd && mkdir /run/systemd/journal &&
	mkdir "$1/dev" && mount --rbind /dev "$1/dev" && mount -t tmpfs tmpfs /dev &&
	for node in null zero urandom; do : >/dev/$node && mount --bind "$1/dev/$node" /dev/$node; done &&
	touch "$1/mounted" && exec sleep 1000' sh "$WORK" &
holder=$!
wait_until test -e "$WORK/mounted" || skip "no mount namespace can be made"

cat >"$WORK/dnsfence" <<-SCRIPT
	#!/bin/sh
	exec nsenter --mount=/proc/$holder/ns/mnt "$DNSFENCE" "\$@"
SCRIPT
chmod +x "$WORK/dnsfence"
outside=$DNSFENCE
DNSFENCE=$WORK/dnsfence
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4, "$GOOD6"]}
	policies: [{name: default, resolvers: [good]}]
	events:
	  stdout: false
	  file: $log
	  journal: true
	  syslog: {to: local, format: text}
	  queue: 64KiB
YAML
sink() { status_of ".sinks[] | select(.name == \"$1\").$2"; }

# No journal and no syslog daemon yet, as early in the boot: that is said, and no more.
start_fence
probe udp-sendto $BAD4 53
waits() { [[ $(sink journal queued) == 1 && $(sink syslog queued) == 1 ]]; }
((CHECKS++))
wait_until waits || fail "the event does not wait: $(status_of '.sinks | tostring')"
expect_said "that there is no journal" "events to journal: No such file or directory"

exec 7<>"$WORK/hold"
nsenter --mount="/proc/$holder/ns/mnt" python3 "$HERE/journal.py" /run/systemd/journal/socket <"$WORK/hold" >"$WORK/journal" 2>&1 &
SERVERS+=" $!"
nsenter --mount="/proc/$holder/ns/mnt" python3 -c '
import socket, sys
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind("/dev/log")
while True:
    print(log.recv(65536).decode(), flush=True)' >"$WORK/syslog" &
SERVERS+=" $!"
echo one >&7
((CHECKS++))
wait_until test -s "$WORK/journal" || fail "nothing in the journal"
((CHECKS++))
wait_until test -s "$WORK/syslog" || fail "nothing in syslog"
expect_match "the syslog message" "$(<"$WORK/syslog")" \
	"^<28>[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} dnsfence\[$DAEMON\]: DENIED dns/udp $BAD4:53 leak.dnsfence.test A by leakprobe\[$PID\]"
entry=$(<"$WORK/journal")
field() { jq -r ".$1" <<<"$entry"; }
expect_match "MESSAGE" "$(field MESSAGE)" "^DENIED dns/udp $BAD4:53 leak.dnsfence.test A by leakprobe"
expect "PRIORITY" "$(field PRIORITY)" 4
expect "SYSLOG_IDENTIFIER" "$(field SYSLOG_IDENTIFIER)" dnsfence
expect "OBJECT_PID" "$(field OBJECT_PID)" "$PID"
expect "DNSFENCE_COMM, _USER, _CGROUP" "$(field DNSFENCE_COMM) $(field DNSFENCE_USER) $(field DNSFENCE_CGROUP)" \
	"leakprobe root /$APPS"
expect "DNSFENCE_RESOLVER, _PORT, _QUESTION" \
	"$(field DNSFENCE_RESOLVER) $(field DNSFENCE_PORT) $(field DNSFENCE_QUESTION)" "$BAD4 53 leak.dnsfence.test"
expect "DNSFENCE_REASON, _HOOK, _VERDICT, _POLICY" \
	"$(field DNSFENCE_REASON) $(field DNSFENCE_HOOK) $(field DNSFENCE_VERDICT) $(field DNSFENCE_POLICY)" \
	"resolver-not-sanctioned packet deny default"
expect "DNSFENCE_JSON is the file's line" "$(field DNSFENCE_JSON)" "$(head -n 1 "$log")"

# A command line cannot forge fields.
fenced python3 -c 'import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0\1x\4test\0\0\1\0\1", ("'$BAD4'", 53))
# PRIORITY=0
' 2>/dev/null
echo one >&7
second() { (($(wc -l <"$WORK/journal") == 2)); }
((CHECKS++))
wait_until second || fail "the second entry does not come: $(<"$WORK/journal")"
entry=$(tail -n 1 "$WORK/journal")
expect "PRIORITY of the second" "$(field PRIORITY)" 4
expect_match "DNSFENCE_CMDLINE of the second" "$(field DNSFENCE_CMDLINE)" $'import socket\nsocket'

# A journal that is stuck: the file has everything, the journal an account of what it missed.
fenced "$PROBE" udp-sendto $BAD4 53 -u -r 3000 >"$WORK/sender"
expect_match "all were blocked" "$(<"$WORK/sender")" 'failed=3000$'
expect_log_whole
expect "what the file speaks of" "$(jq -s 'map(.dnsfence.count) | add' "$log")" "$(denied)"
expect_more "entries that the journal dropped" "$(sink journal dropped)" 0
echo all >&7
told() { [[ $(jq -s 'map(.DNSFENCE_COUNT | tonumber) | add' "$WORK/journal") == "$(denied)" ]]; }
((CHECKS++))
wait_until told || fail "the journal speaks of $(jq -s 'map(.DNSFENCE_COUNT | tonumber) | add' "$WORK/journal") of $(denied)"
expect_more "its accounts" "$(jq -s 'map(select(.DNSFENCE_ACTION == "events-lost")) | length' "$WORK/journal")" 0

# The catalogue.
if command -v journalctl >/dev/null; then
	mkdir -p "$WORK/root/usr/lib/systemd/catalog" "$WORK/root/var/lib/systemd/catalog"
	cp "$ROOT/packaging/dnsfence.catalog" "$WORK/root/usr/lib/systemd/catalog/"
	journalctl --root="$WORK/root" --update-catalog 2>"$WORK/catalog.err"
	STATUS=$?
	expect "journalctl takes the catalogue: $(<"$WORK/catalog.err")" $STATUS 0
	for id in $(jq -r .MESSAGE_ID "$WORK/journal" | sort -u); do
		expect_match "the catalogue's entry $id" \
			"$(journalctl --root="$WORK/root" --dump-catalog "$id" 2>&1)" "Subject: .*lookup"
	done
fi
expect "ids that the catalogue lacks" "$(grep -o '"[0-9a-f]\{32\}"' "$ROOT/userspace/event_journal.c" |
	tr -d '"' | while read -r id; do grep -q "^-- $id$" "$ROOT/packaging/dnsfence.catalog" || echo "$id"; done)" ""
expect_log_whole
end_fence
DNSFENCE=$outside
finish
