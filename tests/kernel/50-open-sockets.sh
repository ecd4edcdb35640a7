# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
# vm: below the root, a part of it is about sockets outside the fenced cgroup
#
# What was open before: TCP connections and connected UDP sockets to resolvers that are not
# sanctioned are closed when the fence closes, and after a reload; those beside them are not. The
# daemon is in another network namespace than they.
. "$(dirname "$0")/lib.sh"
setup

OUTSIDE4=10.77.0.16 # as bad as BAD4, and counted apart from it
KINDS="udp:$BAD4 udp:$BAD6 v4mapped-udp:$BAD4 tcp:$BAD4 tcp:$BAD6 v4mapped-tcp:$BAD4"
[[ -e /proc/sys/net/mptcp/enabled ]] && KINDS+=" mptcp:$BAD4"
CASES=$(wc -w <<<"$KINDS") RESETS=$(grep -o "tcp:$BAD4" <<<"$KINDS" | wc -l)

hold_each() {
	local case
	for case in $KINDS; do
		hold_socket "$case" $APPS "${case%%:*}" "${case#*:}"
	done
}

# An aborted connection tells why; an aborted datagram socket has lost its peer.
errno_of_closed() {
	[[ $1 == *udp* ]] && echo EDESTADDRREQ || echo ECONNABORTED
}

# Without the fence they send.
hold_each
for case in $KINDS; do
	held_works "$case" "${case#*:}"
done

# When the fence closes. UDP-Lite is the one that Linux cannot close; the packet layer is left.
simple_policy
hold_each
hold_socket udplite $APPS udplite $BAD4
hold_socket good-udp $APPS udp $GOOD4
hold_socket good-tcp $APPS tcp $GOOD6
hold_socket outside-udp . udp $OUTSIDE4
hold_socket outside-tcp . tcp $OUTSIDE4
before4=$(arrived $BAD4) before6=$(arrived $BAD6)
start_fence -v
expect_said "the start" "^dnsfence: closed $CASES open sockets to resolvers that are not sanctioned\$"
expect_said "the start, UDP-Lite" 'warning: 1 open socket .* cannot be closed (udplite: Linux'
expect_said "the details" "closed .*dns/tcp $BAD4:53 .* by leakprobe\[${HELD_PIDS[tcp:$BAD4]}\]"
settle
expect "resets, and nothing else, over IPv4" "$(arrived $BAD4)" $((before4 + RESETS))
expect "a reset, and nothing else, over IPv6" "$(arrived $BAD6)" $((before6 + 1))
expect "closing is no violation" "$(denied)" 0
for case in $KINDS; do
	failures=$FAILURES
	held_fails "$case" "${case#*:}" "$(errno_of_closed "$case")"
	((FAILURES > failures)) || covered "hold-${case%%:*}" 53 "closed by sock_diag"
done
expect "what was closed gets no further than the socket" "$(denied)" 0
failures=$FAILURES
held_fails udplite $BAD4 EPERM
((FAILURES > failures)) || covered hold-udplite 53 packet
held_works good-udp $GOOD4
held_works good-tcp $GOOD6
held_works outside-udp $OUTSIDE4
held_works outside-tcp $OUTSIDE4

# After a reload that withdraws a resolver. What it lists still stays open.
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4, "$GOOD6", $OTHER4]}
	policies: [{name: default, resolvers: [good]}]
YAML
dnsfence reload 2>/dev/null
for addr in $GOOD4 $GOOD6 $OTHER4; do
	hold_socket "udp:$addr" $APPS udp $addr
	hold_socket "tcp:$addr" $APPS tcp $addr
done
sed -i "s/^resolvers: .*/resolvers: {good: [$OTHER4]}/" "$CONFIG"
dnsfence reload 2>/dev/null
expect "reload, exit status" $? 0
expect_said "the reload" '^dnsfence: closed 4 open sockets'
for case in udp:$GOOD4 udp:$GOOD6 tcp:$GOOD4 tcp:$GOOD6; do
	held_fails "$case" "${case#*:}" "$(errno_of_closed "$case")"
done
held_works udp:$OTHER4 $OTHER4
held_works tcp:$OTHER4 $OTHER4

# A reload that fails closes nothing.
hold_socket udp $APPS udp $OTHER4
sed -i "s/^resolvers: .*/resolvers: {good: [$GOOD4], bad: nonsense}/" "$CONFIG"
dnsfence reload 2>/dev/null
expect "a broken reload, exit status" $? 1
held_works udp $OTHER4
expect_log_whole
dnsfence unload 2>/dev/null
wait "$DAEMON"
DAEMON=''

# `load` does it, too, and waits for it.
simple_policy
hold_socket udp $APPS udp $BAD4
hold_socket tcp $APPS tcp $BAD4
OUT=$(dnsfence load 2>&1)
expect "load, exit status" $? 0
expect_match "load" "$OUT" 'closed 2 open sockets'
held_fails udp $BAD4 EDESTADDRREQ
held_fails tcp $BAD4 ECONNABORTED
dnsfence unload 2>/dev/null

# Nothing is closed in audit mode, of one policy or of all; or if the configuration says so.
mkdir -p "$CGROUP/audited"
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4]}
	policies:
	  - {name: watched, match: {cgroup: /$ID/audited}, mode: audit, resolvers: [good]}
	  - {name: default, resolvers: [good]}
YAML
hold_socket audited-udp $ID/audited udp $BAD4
hold_socket audited-tcp $ID/audited tcp $BAD4
hold_socket udp $APPS udp $BAD4
start_fence
expect_said "beside a policy in audit mode" \
	'^dnsfence: closed 1 open socket .*; 2 open sockets would be closed but for audit mode$'
held_works audited-udp $BAD4
held_works audited-tcp $BAD4
held_fails udp $BAD4 EDESTADDRREQ
dnsfence unload 2>/dev/null
wait "$DAEMON"
DAEMON=''

simple_policy 'open_sockets: leave'
hold_socket udp $APPS udp $BAD4
start_fence
dnsfence reload 2>/dev/null
sleep 0.5
held_fails udp $BAD4 EPERM
expect "the log with open_sockets: leave" "$(grep -c 'open socket' "$DAEMON_LOG.now")" 0
finish
