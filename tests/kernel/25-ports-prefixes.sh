# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# Resolvers on ports of their own, for one transport or one service only, and prefixes: the last
# address inside and the first one outside.
. "$(dirname "$0")/lib.sh"
setup
mkdir -p "$CGROUP/plain"
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers:
	  own: [{address: $GOOD4, service: dns, port: 5300}]
	  udp: [{address: $OTHER4, service: dns, protocol: udp}, {address: "$OTHER6", service: dot}]
	  net: [10.77.0.16/28, "fd77::1:0/112"]
	policies:
	  - {name: plain, match: {cgroup: /$ID/plain}, resolvers: [net]}
	  - {name: default, resolvers: [own, udp, net]}
	events: {stdout: true}
YAML

# judged TECHNIQUE ADDR PORT ERRNO [CGROUP]
judged() {
	local before
	before=$(arrived "$2")
	probe_in "$ID/${5:-apps}" "$1" "$2" "$3"
	expect "$1 $2 $3 in /${5:-apps}, errno" "$ERRNO" "$4"
	if [[ $4 == EPERM ]]; then
		settle
		expect "$1 $2 $3 in /${5:-apps}, packets" "$(arrived "$2")" "$before"
		expect_event "$1 $2 $3" "$PID" ".destination.ip == \"$2\" and .destination.port == $3
			and .event.reason == \"resolver-not-sanctioned\""
		return
	fi
	((CHECKS++))
	wait_until arrived_more "$2" "$before" || fail "$1 $2 $3 in /${5:-apps}: nothing arrived"
}

start_fence
for technique in udp-connect udp-sendto tcp-connect; do
	judged $technique $GOOD4 5300 0
	judged $technique $GOOD4 53 EPERM # only its own port was listed
	judged $technique $GOOD4 5300 EPERM plain # fenced there for who does not list it
	judged $technique 10.77.0.16 53 0
	judged $technique 10.77.0.31 53 0
	judged $technique 10.77.0.32 53 EPERM
	judged $technique fd77::1:0 53 0
	judged $technique fd77::1:ffff 53 0
	judged $technique fd77::2:0 53 EPERM
	judged $technique 10.77.0.16 53 0 plain
	judged $technique 10.77.0.16 853 0
done
judged udp-sendto $BAD4 5300 0 # nobody's resolver: not fenced
judged tcp-connect $BAD4 5300 0 plain
judged v4mapped-udp-sendto 10.77.0.31 53 0
judged v4mapped-tcp 10.77.0.32 53 EPERM
judged udp-sendto $OTHER4 53 0
judged tcp-connect $OTHER4 53 EPERM
judged udp-sendto $OTHER4 853 EPERM
judged tcp-connect $OTHER6 853 0
judged udp-sendto $OTHER6 853 EPERM
judged udp-sendto $OTHER6 53 EPERM
expect_answer "dig -p 5300" $GOOD_ANSWER fenced dig +short +tries=1 -p 5300 @$GOOD4 x.test
expect_log_whole
finish
