# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 180
#
# Options and headers that hide a target, beyond those of 13-shapes: as control messages, over
# TCP, and made by hand. An unprivileged user can bring the segment routing header of 13-shapes;
# the others here take CAP_NET_RAW.
. "$(dirname "$0")/lib.sh"
setup
simple_policy

readable() {
	leak ip6-cmsg-hopopts $BAD6 53 packet send
	leak ip6-cmsg-dstopts $BAD6 53 packet send
	leak raw-ah $BAD4 53 packet send
	leak raw-ah $BAD6 53 packet send
	for technique in raw-tcp-syn raw-tcp-data raw-tcp-synack raw-tcp-rst; do
		leak $technique $BAD4 53 packet send
		leak $technique $BAD6 53 packet send
	done
}

unreadable() {
	local protocol
	hidden ip4-ssrr $BAD4 53 source-route -f $GOOD4
	hidden ip4-cmsg-lsrr $BAD4 53 source-route -f $GOOD4
	hidden ip4-cmsg-lsrr $GOOD4 53 source-route -f $BAD4
	hidden ip6-routing-raw $BAD6 53 routing-header -f $GOOD6
	hidden ip6-routing-raw $GOOD6 53 routing-header -f $BAD6
	hidden ip6-routing-raw $GOOD6 853 routing-header -f $BAD6
	hidden ip6-fragment-next $BAD6 53 hand-made-fragment
	for protocol in 132 33; do # SCTP, DCCP
		hidden raw-ports $BAD4 53 transport -x $protocol
		hidden raw-ports $BAD6 853 transport -x $protocol
	done
}

cases() {
	readable
	unreadable
}
prove cases

# The decoy of two overlapping first fragments goes to port 9; what names port 53 stays here.
for address in $BAD4 $BAD6; do
	before=$(arrived $address) failures=$FAILURES
	probe raw-overlap $address 53
	expect "raw-overlap $address, errno" "$ERRNO" EPERM
	settle
	expect "raw-overlap $address, packets" "$(arrived $address)" $((before + 1))
	expect_event "raw-overlap $address" "$PID" \
		'.event.reason == "resolver-not-sanctioned" and .destination.port == 53'
	((FAILURES > failures)) || covered raw-overlap 53 packet
done

# A segment routing encapsulation, by hand: the event names the inner target.
for inner in $BAD4 $BAD6 $GOOD6; do
	before=$(arrived $GOOD6) failures=$FAILURES
	probe ip6-routing-tunnel $GOOD6 53 -f $inner
	expect "routing header, inside it $inner, errno" "$ERRNO" EPERM
	settle
	expect "routing header, inside it $inner, packets" "$(arrived $GOOD6)" "$before"
	expect_event "routing header, inside it $inner" "$PID" \
		".event.reason == \"routing-header\" and .destination.ip == \"$inner\""
	((FAILURES > failures)) || covered ip6-routing-tunnel 53 packet routing-header
done

# A TCP connection under a source route: the SYN is dropped, the probe's own bound ends it.
before=$(arrived $BAD4) denied_before=$(denied) failures=$FAILURES
probe ip4-lsrr-tcp $BAD4 53 -f $GOOD4 -t 500
expect "ip4-lsrr-tcp, step" "$STEP" connect
settle
expect "ip4-lsrr-tcp, packets at the hop" "$(arrived $BAD4)" "$before"
expect_more "ip4-lsrr-tcp, denied counter" "$(denied)" "$denied_before"
expect_event "ip4-lsrr-tcp" "$PID" '.event.reason == "source-route" and .dnsfence.hook == "packet"'
((FAILURES > failures)) || covered ip4-lsrr-tcp 53 packet source-route

# Mobile IPv6's routing header needs no privilege where the kernel has it; this one may not.
probe ip6-cmsg-routing $BAD6 53 -f $GOOD6
expect_match "routing header of type 2, errno" "$ERRNO" '^(EPERM|EINVAL)$'
probe ip6-cmsg-2292routing $BAD6 53 -f $GOOD6
expect_match "routing header of type 2, RFC 2292, errno" "$ERRNO" '^(EPERM|EINVAL)$'
expect_log_whole
finish
