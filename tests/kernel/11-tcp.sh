# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# DNS over TCP by every way to open a connection: connect(), both kinds of Fast Open, Multipath
# TCP, IPv4-mapped. The connect layer denies each with EPERM before a segment leaves.
. "$(dirname "$0")/lib.sh"
setup
simple_policy

cases() {
	leak tcp-connect $BAD4 53 connect4 connect
	leak tcp-connect $BAD6 53 connect6 connect
	leak tcp-tfo $BAD4 53 connect4 send
	leak tcp-tfo $BAD6 53 connect6 send
	leak tcp-tfo-connect $BAD4 53 connect4 connect
	leak tcp-tfo-connect $BAD6 53 connect6 connect
	leak v4mapped-tcp $BAD4 53 connect6 connect
	if [[ -e /proc/sys/net/mptcp/enabled ]]; then
		leak mptcp-connect $BAD4 53 connect4 connect
		leak mptcp-connect $BAD6 53 connect6 connect
	else
		lacking mptcp-connect 53 "built without MPTCP, so nothing can leave by it"
	fi
}
prove cases

expect_answer "dig +tcp, IPv4" $GOOD_ANSWER fenced dig +tcp +short +tries=1 @$GOOD4 x.test
expect_answer "dig +tcp, IPv6" $GOOD_ANSWER fenced dig +tcp +short +tries=1 @$GOOD6 x.test
expect_match "dig +tcp, not sanctioned" \
	"$(fenced dig +tcp +tries=1 +time=2 @$BAD4 x.test 2>&1)" '[Pp]ermission denied'

# Other ports are nobody's business, on the same addresses too.
probe udp-sendto $BAD4 54
expect "UDP to port 54, errno" "$ERRNO" 0
fenced "$PROBE" tcp-connect $BAD4 5300 >/dev/null
expect "TCP to port 5300, exit status" $? 0
finish
