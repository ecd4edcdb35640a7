# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# Loopback gets no exemption: a resolver there is a forwarder. 0.0.0.0 and :: mean loopback.
# Counted on the loopback device itself; the resolvers run outside the fenced cgroup.
. "$(dirname "$0")/lib.sh"
setup
simple_policy
ip -n "$NEAR" addr add fd77:10::53/128 dev lo nodad
resolver '' "$NEAR" $BAD_ANSWER 127.0.0.1 127.0.0.53 ::1
wait_until answers near 127.0.0.53 || die "the loopback resolver does not answer"

cases() {
	local technique
	leak udp-connect 127.0.0.53 53 connect4 connect
	leak udp-connect 127.0.0.1 53 connect4 connect
	leak udp-connect ::1 53 connect6 connect
	for technique in udp-sendto udp-cmsg-pktinfo; do
		leak $technique 127.0.0.53 53 packet send
		leak $technique 127.0.0.1 53 packet send
		leak $technique ::1 53 packet send
	done
	leak v4mapped-udp-sendto 127.0.0.53 53 packet send
	leak tcp-connect 127.0.0.53 53 connect4 connect
	leak tcp-connect ::1 53 connect6 connect
	leak udp-any 127.0.0.1 53 packet send
	leak udp-any ::1 53 packet send
}

# These addresses have no good twin here; the policy that lists them comes below.
passes() { :; }

prove cases

policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {local: [127.0.0.53], good: [$GOOD4]}
	policies: [{name: default, resolvers: [local, good]}]
	events: {stdout: true}
YAML
dnsfence reload
expect "reload, exit status" $? 0
expect_answer "127.0.0.53 once it is sanctioned" $BAD_ANSWER \
	fenced dig +short +tries=1 @127.0.0.53 x.test
expect_answer "127.0.0.53 over TCP once it is sanctioned" $BAD_ANSWER \
	fenced dig +tcp +short +tries=1 @127.0.0.53 x.test
probe udp-sendto 127.0.0.1 53
expect "127.0.0.1 is still not, errno" "$ERRNO" EPERM
probe udp-any 127.0.0.1 53
expect "0.0.0.0 is 127.0.0.1 and still not, errno" "$ERRNO" EPERM
finish
