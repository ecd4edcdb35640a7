# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# Plain UDP DNS by every system call that sends a datagram: connected or not, with control
# messages, several at once, large, segmented, corked; IPv4, IPv6 and IPv4-mapped. A connect() is
# denied at once; everything else by the packet layer, which reads the question.
. "$(dirname "$0")/lib.sh"
setup
simple_policy

cases() {
	local technique
	for technique in udp-connect udp-cmsg-tos udp-cork; do
		leak $technique $BAD4 53 connect4 connect
		leak $technique $BAD6 53 connect6 connect
	done
	for technique in udp-sendto udp-sendmsg udp-sendmmsg udp-cmsg-pktinfo udp-big udp-gso; do
		leak $technique $BAD4 53 packet send
		leak $technique $BAD6 53 packet send
	done
	leak v4mapped-udp-connect $BAD4 53 connect6 connect
	leak v4mapped-udp-sendto $BAD4 53 packet send
	leak sin-on-in6 $BAD4 53 packet send
	leak udp-connect-sendto-elsewhere $BAD4 53 packet send -f $GOOD4
	leak udp-connect-sendto-elsewhere $BAD6 53 packet send -f $GOOD6
}
prove cases

expect_answer "dig, sanctioned, IPv4" $GOOD_ANSWER fenced dig +short +tries=1 @$GOOD4 x.test
expect_answer "dig, sanctioned, IPv6" $GOOD_ANSWER fenced dig +short +tries=1 @$GOOD6 x.test
finish
