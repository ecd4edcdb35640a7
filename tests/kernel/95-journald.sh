# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# A real systemd-journald, in a mount namespace where /run/systemd, /run/log and /dev are the
# test's: journalctl finds the event by its message id and by the fence's own fields, the trusted
# fields name the daemon, and -x shows what our catalogue says of it.
. "$(dirname "$0")/lib.sh"
JOURNALD=${JOURNALD:-/lib/systemd/systemd-journald}
need journalctl unshare
[[ -x $JOURNALD ]] || skip "systemd-journald is not installed"
[[ -s /etc/machine-id ]] || skip "this host has no /etc/machine-id, which a journal needs"
setup

mkdir -p /run/systemd /run/log
unshare -m --propagation private sh -c '
	mount -t tmpfs tmpfs /run/systemd && mkdir /run/systemd/journal &&
	mount -t tmpfs tmpfs /run/log && mkdir /run/log/journal &&
	mkdir "$1/dev" && mount --rbind /dev "$1/dev" && mount -t tmpfs tmpfs /dev &&
	for node in null zero urandom; do : >/dev/$node && mount --bind "$1/dev/$node" /dev/$node; done &&
	printf "[Journal]\nStorage=volatile\nReadKMsg=no\nRateLimitBurst=0\n" >"$1/journald.conf" &&
	mount --bind "$1/journald.conf" /etc/systemd/journald.conf &&
	mount -t tmpfs tmpfs /usr/lib/systemd/catalog && cp "$3" /usr/lib/systemd/catalog/ &&
	mount -t tmpfs tmpfs /var/lib/systemd/catalog && journalctl --update-catalog &&
	exec "$2"' sh "$WORK" "$JOURNALD" "$ROOT/packaging/dnsfence.catalog" >"$WORK/journald" 2>&1 &
journald=$!
SERVERS+=" $journald"
disown $journald
within() { nsenter --mount="/proc/$journald/ns/mnt" "$@"; }
journal() { within journalctl -D /run/log/journal --no-pager -q "$@"; }
# shellcheck disable=SC2317,SC2329 # wait_until calls it
serves() { within test -S /run/systemd/journal/socket; }
wait_until serves || skip "systemd-journald does not run here: $(tail -n 1 "$WORK/journald")"

cat >"$WORK/dnsfence" <<-SCRIPT
	#!/bin/sh
	exec nsenter --mount=/proc/$journald/ns/mnt "$DNSFENCE" "\$@"
SCRIPT
chmod +x "$WORK/dnsfence"
DNSFENCE=$WORK/dnsfence
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4, "$GOOD6"]}
	policies: [{name: default, resolvers: [good]}]
	events: {stdout: false, file: $WORK/events.jsonl, journal: true}
YAML

probe udp-sendto $BAD4 53
expect "without the fence, errno" "$ERRNO" 0
start_fence
probe udp-sendto $BAD4 53
expect "errno" "$ERRNO" EPERM
id=$(sed -n 's/^-- //p' "$ROOT/packaging/dnsfence.catalog" | head -n 1)
# shellcheck disable=SC2317,SC2329 # wait_until calls it
arrives() {
	journal -o json MESSAGE_ID="$id" DNSFENCE_RESOLVER=$BAD4 >"$WORK/entry" && [[ -s $WORK/entry ]]
}
((CHECKS++))
wait_until arrives || fail "journalctl finds no such event: $(journal -n 3)"
expect "entries" "$(wc -l <"$WORK/entry")" 1
field() { jq -r ".$1" "$WORK/entry"; }
expect_match "MESSAGE" "$(field MESSAGE)" "^DENIED dns/udp $BAD4:53 leak.dnsfence.test A by leakprobe\[$PID\]"
expect "PRIORITY, SYSLOG_IDENTIFIER" "$(field PRIORITY) $(field SYSLOG_IDENTIFIER)" "4 dnsfence"
expect "trusted fields: _PID, _UID, _COMM" "$(field _PID) $(field _UID) $(field _COMM)" "$DAEMON 0 dnsfence"
expect "OBJECT_PID" "$(field OBJECT_PID)" "$PID"
expect "DNSFENCE_QUESTION, _REASON, _POLICY" \
	"$(field DNSFENCE_QUESTION) $(field DNSFENCE_REASON) $(field DNSFENCE_POLICY)" \
	"leak.dnsfence.test resolver-not-sanctioned default"
expect "DNSFENCE_JSON is the file's line" "$(field DNSFENCE_JSON)" "$(head -n 1 "$WORK/events.jsonl")"
expect "by a question nobody asked" "$(journal -o json DNSFENCE_QUESTION=other.dnsfence.test | wc -l)" 0
expect_match "journalctl -x" "$(journal -x MESSAGE_ID="$id")" \
	"Subject: A lookup of $BAD4 was denied"
expect_log_whole
end_fence
finish
