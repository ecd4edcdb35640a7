# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# A TCP connection under a segment routing header names a sanctioned resolver at connect() and
# goes to the first hop instead. Only the packet layer sees that; TCP callers then wait in vain,
# so the probe's own bound ends the connect().
. "$(dirname "$0")/lib.sh"
setup
simple_policy

before=$(arrived $BAD6)
probe ip6-routing-tcp $BAD6 53 -f $GOOD6 -t 500
wait_until arrived_more $BAD6 "$before" || fail "without the fence: no segment at the hop ($OUT)"

start_fence
before=$(arrived $BAD6) denied_before=$(denied)
probe ip6-routing-tcp $BAD6 53 -f $GOOD6 -t 500
expect "connect() under a routing header, exit status" "$STATUS" 1
expect "connect() under a routing header, step" "$STEP" connect
settle
expect "packets at the hop" "$(arrived $BAD6)" "$before"
expect_more "denied counter" "$(denied)" "$denied_before"
expect_event "routing header over TCP" "$PID" '.event.reason == "routing-header" and
	.dnsfence.hook == "packet" and .network.transport == "tcp" and .dnsfence.verdict == "deny"'
((FAILURES)) || covered ip6-routing-tcp 53 packet routing-header

probe tcp-connect $GOOD6 53
expect "the same resolver without the header, errno" "$ERRNO" 0
expect_log_whole
finish
