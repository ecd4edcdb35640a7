# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# Queries that hide what they are: UDP-Lite, raw sockets, options, extension headers, routing
# headers, tunnels, fragments. What still shows its true target is judged by it; what does not
# is refused even towards a sanctioned resolver.
. "$(dirname "$0")/lib.sh"
setup
simple_policy

readable() {
	local technique
	for technique in udplite-connect raw-udp raw-hdrincl; do
		leak $technique $BAD4 53 packet send
		leak $technique $BAD6 53 packet send
	done
	leak raw-hdrincl-lying $BAD4 53 packet send -f $GOOD4
	leak raw-hdrincl-lying $BAD6 53 packet send -f $GOOD6
	leak raw-fragment-first $BAD4 53 packet send
	leak ip4-options $BAD4 53 packet send
	leak ip6-hopopts $BAD6 53 packet send
	leak ip6-dstopts $BAD6 53 packet send
	leak ip6-dstopts-chain $BAD6 53 packet send -x 7
	leak ip6-atomic-fragment $BAD6 53 packet send
}

unreadable() {
	hidden ip6-routing $BAD6 53 routing-header -f $GOOD6
	hidden ip6-routing $BAD6 853 routing-header -f $GOOD6
	hidden ip6-routing $GOOD6 53 routing-header -f $BAD6
	hidden ip4-lsrr $BAD4 53 source-route -f $GOOD4
	hidden ip4-lsrr $GOOD4 53 source-route -f $BAD4
	hidden raw-fragment-later $BAD4 53 hand-made-fragment
	hidden raw-fragment-later $BAD6 53 hand-made-fragment
	hidden raw-fragment-first $BAD6 53 truncated-header
	hidden raw-fragments $BAD6 53 truncated-header
	hidden ip6-dstopts-chain $BAD6 53 header-chain -x 30
}

# The event of a tunnel names the inner target; the far end counts the outer one.
tunnels() {
	local outer inner failures
	for outer in $BAD4 $BAD6; do
		for inner in $BAD4 $BAD6 $GOOD4; do
			if [[ $PHASE == open ]]; then
				shows_leak "ipip in $outer" "$outer" ipip "$outer" 53 -f "$inner"
				continue
			fi
			failures=$FAILURES
			probe ipip "$outer" 53 -f "$inner"
			expect "ipip in $outer to $inner, errno" "$ERRNO" EPERM
			expect_event "ipip in $outer to $inner" "$PID" ".destination.ip == \"$inner\"
				and .event.reason == \"hand-made-tunnel\" and .dnsfence.hook == \"packet\""
			((FAILURES > failures)) || covered ipip 53 packet hand-made-tunnel
		done
	done
}

cases() {
	readable
	unreadable
	tunnels
}
prove cases

# Not a name resolution: the same shapes towards another port stay open.
for arguments in "raw-udp $BAD4 54" "raw-hdrincl $BAD6 54" "ip6-routing $BAD6 54 -f $GOOD6" \
	"ip4-lsrr $BAD4 54 -f $GOOD4" "ipip $BAD4 54" "ip6-atomic-fragment $BAD6 54" \
	"udplite-connect $BAD4 54"; do
	# shellcheck disable=SC2086
	probe $arguments
	expect "$arguments, errno" "$ERRNO" 0
done
finish
