# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# vm: below the root, its clients ask the fenced server from the root cgroup
#
# What is no lookup is not harmed: a DNS server inside the fenced cgroup answers from port 53,
# also to clients that ask from port 53; and a client that asks from port 53 is judged by where
# it asks, like any other. Before Linux 6.6 no cgroup_skb program sees the SYN-ACK of a listener
# over IPv6, so an answer there to a client on port 53 is refused, like a query on such a socket.
. "$(dirname "$0")/lib.sh"
setup
simple_policy
resolver "$APPS" "$NEAR" $GOOD_ANSWER 10.77.0.1 fd77::1
wait_until answers far 10.77.0.1 || die "the fenced server does not answer without the fence"

ask() { far dig +short +tries=1 +time=2 "$@" x.test; }

start_fence
questions=("-b $CLIENT4 @10.77.0.1" "-b $CLIENT6 @fd77::1" "-b $CLIENT4#53 @10.77.0.1"
	"-b $CLIENT6#53 @fd77::1" "+tcp -b $CLIENT4 @10.77.0.1" "+tcp -b $CLIENT6 @fd77::1"
	"+tcp -b $CLIENT4#53 @10.77.0.1" "-b $CLIENT4#853 @10.77.0.1"
	"-b $CLIENT4#5300 -p 5300 @10.77.0.1")
unseen="+tcp -b $CLIENT6#53 @fd77::1"
kernel_is_from 6.6 && questions+=("$unseen")
for options in "${questions[@]}"; do
	# shellcheck disable=SC2086
	expect_answer "the fenced server to dig $options" $GOOD_ANSWER ask $options
done
expect "denials while the server answered" "$(denied)" 0
if ! kernel_is_from 6.6; then
	# shellcheck disable=SC2086
	expect_match "the fenced server to dig $unseen" "$(ask $unseen)" 'no servers could be reached'
	expect_more "denials of that answer" "$(denied)" 0
	lacking "answer over TCP, IPv6, to port 53" 53 "refused: its SYN-ACK is not seen"
fi
expect_more "answers counted" "$(status_of '.counters.reasons.answer // 0')" 1

# A client whose source port is 53.
before_bad=$(arrived $BAD4) before_good=$(arrived $GOOD4)
ip -n "$NEAR" addr add 10.77.0.9/24 dev near
ip -n "$FAR" neigh add 10.77.0.9 lladdr 02:df:00:00:00:01 nud permanent dev far
expect_answer "dig from port 53, sanctioned" $GOOD_ANSWER \
	fenced dig +short +tries=1 +time=2 -b 10.77.0.9#53 @$GOOD4 x.test
expect_more "dig from port 53, sanctioned, packets" "$(arrived $GOOD4)" "$before_good"
expect_match "dig from port 53, not sanctioned" \
	"$(fenced dig +tries=1 +time=2 -b 10.77.0.9#53 @$BAD4 x.test 2>&1)" '[Pp]ermission denied'
settle
expect "dig from port 53, not sanctioned, packets" "$(arrived $BAD4)" "$before_bad"

probe source-port-53 $BAD6 53
expect "a query from port 53 beside the server, errno" "$ERRNO" EPERM
expect_log_whole
finish
