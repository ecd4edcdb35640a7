# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# vm: below the root, one of its sockets is outside of the fence
#
# `dnsfence sockets`: what is open to which resolvers and whose it is, as lines and as JSON, with
# and without a fence; --kill; sockets that only look like a lookup; what cannot be looked at.
. "$(dirname "$0")/lib.sh"
setup
need setpriv socat ss
NETNS=$(stat -Lc %i "/run/netns/$NEAR")

# sockets ARGUMENT...: OUT STATUS, words in $WORK/words.
sockets() {
	OUT=$(dnsfence sockets "$@" 2>"$WORK/words")
	STATUS=$?
}

# of_socket NAME FILTER: of the JSON in OUT, what it says of a held socket.
of_socket() {
	jq -r --argjson pid "${HELD_PIDS[$1]}" \
		".sockets[] | select(.process.pid == \$pid) | $2" <<<"$OUT"
}

mkdir -p "$CGROUP/web"
policy <<-YAML
	apiVersion: dnsfence/v1
	open_sockets: leave
	resolvers: {good: [$GOOD4, "$GOOD6"], other: [$OTHER4]}
	policies:
	  - {name: web, match: {cgroup: "/$ID/w*"}, resolvers: [other]}
	  - {name: default, resolvers: [good]}
YAML

# Nothing is open.
sockets
expect "nothing is open, exit status" "$STATUS" 0
expect "nothing is open, lines" "$OUT" ""
expect_match "nothing is open" "$(<"$WORK/words")" 'no socket is open'

# Whose they are, and by which policy, before there is a fence.
hold_socket udp $APPS udp $BAD4
hold_socket tcp $APPS tcp $BAD6
mptcp=mptcp
[[ -e /proc/sys/net/mptcp/enabled ]] || mptcp=tcp
hold_socket mptcp $APPS $mptcp $BAD4
hold_socket mapped $APPS v4mapped-tcp $BAD4
hold_socket good $APPS tcp $GOOD6
hold_socket web-good $ID/web udp $OTHER4
hold_socket web-bad $ID/web udp $GOOD4
hold_socket outside . udp 10.77.0.16
sockets
expect "some are open, exit status" "$STATUS" 1
expect "some are open, lines" "$(wc -l <<<"$OUT")" 5
expect_match "a line" "$OUT" "open +dns/udp $BAD4:53 from 10\.77\.0\.1:[0-9]+ \(established\) by \
leakprobe\[${HELD_PIDS[udp]}\] \(uid 0\) in /$APPS, netns $NETNS: resolver-not-sanctioned, policy default"
expect_match "a line over IPv6" "$OUT" "dns/tcp \[$BAD6\]:53 from \[fd77::1\]:"
sockets -j
expect "JSON, exit status" "$STATUS" 1
expect "JSON is one object" "$(jq -s length <<<"$OUT")" 1
expect "JSON, totals" "$(jq -c '[.totals.open, .totals.closed, .complete, (.sockets | length)]' \
	<<<"$OUT")" '[5,0,true,5]'
expect "JSON of one" "$(of_socket udp '[.outcome, .verdict, .reason, .policy, .service, .transport,
	.destination.ip, .destination.port, .source.ip, .process.name, .user.id, .cgroup.path,
	.netns.inode] | map(tostring) | join(" ")')" "open deny resolver-not-sanctioned default dns udp \
$BAD4 53 10.77.0.1 leakprobe 0 /$APPS $NETNS"
expect "MPTCP belongs to its process" "$(of_socket mptcp .transport)" tcp
expect "a v4-mapped address is an IPv4 one" "$(of_socket mapped .destination.ip)" $BAD4
expect "the first policy that matches" "$(of_socket web-bad .policy)" web
sockets --all -j
expect "--all, exit status" "$STATUS" 1
expect "--all" "$(jq -c '[.totals.open, .totals.sanctioned]' <<<"$OUT")" '[5,2]'
expect "--all, a sanctioned one" "$(of_socket web-good '.outcome + " " + .verdict')" 'sanctioned allow'

# The same under a fence that leaves them; then they are closed, and those beside them are not.
start_fence
sockets
expect "under a fence, lines" "$(wc -l <<<"$OUT")" 5
sockets --kill -j
expect "--kill, exit status" "$STATUS" 0
expect "--kill" "$(jq -c '[.totals.open, .totals.closed]' <<<"$OUT")" '[0,5]'
expect "--kill, one" "$(of_socket tcp .outcome)" closed
expect_match "--kill, words" "$(<"$WORK/words")" 'closed 5 open sockets'
sockets
expect "after --kill, exit status" "$STATUS" 0
held_fails udp $BAD4 EDESTADDRREQ
held_fails tcp $BAD6 ECONNABORTED
held_fails mptcp $BAD4 ECONNABORTED
held_fails mapped $BAD4 ECONNABORTED
held_fails web-bad $GOOD4 EDESTADDRREQ
held_works good $GOOD6
held_works web-good $OTHER4
held_works outside 10.77.0.16
dnsfence unload 2>/dev/null
wait "$DAEMON"
DAEMON=''

# A handshake that nobody answers ends at once.
far nft add chain netdev arrivals silent '{ type filter hook ingress device far priority 1; }'
far nft add rule netdev arrivals silent ip daddr $CLIENT4 tcp dport 53 drop
in_cgroup $APPS "$PROBE" tcp-connect $CLIENT4 53 -t 30000 >"$WORK/handshake" 2>&1 &
handshake=$!
handshaking() {
	sockets
	[[ $OUT == *"$CLIENT4:53"*syn-sent* ]]
}
wait_until handshaking || fail "the handshake is not listed: $OUT"
sockets --kill
expect "--kill of a handshake, exit status" "$STATUS" 0
wait "$handshake"
expect_match "what connect() said" "$(<"$WORK/handshake")" 'errno=ECONNABORTED step=connect'
far nft flush chain netdev arrivals silent

# A server whose client uses port 53, and a socket from port 53, only look like lookups.
in_cgroup $APPS socat TCP-LISTEN:7000,reuseaddr,fork PIPE &
listening() { [[ $(near ss -Hltn sport = :7000) ]]; }
wait_until listening || fail "the server does not listen"
far socat TCP:10.77.0.1:7000,bind=$CLIENT4:53 PIPE &
serving() { [[ $(near ss -Htn state established sport = :7000) ]]; }
wait_until serving || fail "the server has no client"
hold_socket from53 $APPS udp $BAD4 -s 53
sockets --kill
expect "--kill of servers' sockets, exit status" "$STATUS" 0
expect "servers' sockets" "$(grep -c '^left ' <<<"$OUT")" 2
((CHECKS++))
serving || fail "the server's connection has gone"
held_works from53 $BAD4

# A socket whose cgroup has been removed, with a process that has been moved.
mkdir "$CGROUP/gone"
hold_socket gone $ID/gone udp $BAD4
echo "${HELD_PIDS[gone]}" >"$CGROUP2/$APPS/cgroup.procs"
wait_until rmdir "$CGROUP/gone" 2>/dev/null
sockets
expect "a removed cgroup, exit status" "$STATUS" 3
expect_match "a removed cgroup" "$OUT" "unjudged +dns/udp .*leakprobe\[${HELD_PIDS[gone]}\].* a cgroup gone"
expect_match "a removed cgroup, words" "$(<"$WORK/words")" '1 open socket belongs to a cgroup that has gone'
"$DNSFENCE" -C "$CONFIG" --cgroup "/$ID/web" sockets 2>/dev/null
expect "a removed cgroup elsewhere, exit status" $? 0
held_works gone $BAD4

# Without rights it says so, and the rights of the service are enough.
rights=$(sed -n 's/^CapabilityBoundingSet=//p' "$ROOT/packaging/dnsfence.service" | tr 'A-Z ' 'a-z,' |
	sed 's/cap_/+/g')
hold_socket udp $APPS udp $BAD4
chmod 755 "$WORK"
install -m 755 "$DNSFENCE" "$WORK/copy"
OUT=$(setpriv --reuid 65534 --clear-groups "$WORK/copy" -C "$CONFIG" --cgroup "/$ID" sockets 2>&1)
expect "without rights, exit status" $? 3
expect_match "without rights" "$OUT" 'warning: .*(cannot be entered|could not begin).*root'
OUT=$(setpriv --bounding-set "-all,$rights" "$DNSFENCE" -C "$CONFIG" --cgroup "/$ID" sockets --kill 2>&1)
expect "with the service's rights, exit status" $? 0
expect_match "with the service's rights" "$OUT" "closed 1 open socket"
expect_match "with the service's rights, the owner" "$OUT" "closed .*leakprobe\[${HELD_PIDS[udp]}\]"
held_fails udp $BAD4 EDESTADDRREQ
OUT=$("$DNSFENCE" -C "$CONFIG" --cgroup "/$ID/none" sockets 2>&1)
expect "a cgroup that is not there, exit status" $? 1
expect_match "a cgroup that is not there" "$OUT" "there is no cgroup /$ID/none below"
OUT=$(dnsfence status --kill 2>&1)
expect "--kill elsewhere, exit status" $? 2
finish
