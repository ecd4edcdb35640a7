# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
# limit: 120
#
# The edge behind this host's own NAT: where the way out is a veth pair of the host's own, frames of
# its sockets come in there with the address that NAT has put, which only a `translated` resolver
# excuses. What was not let through to one does not get there.
. "$(dirname "$0")/lib.sh"
setup
kernel_is_from 5.14 || skip "translated resolvers take Linux 5.14"
DAEMON_NETNS=/run/netns/$NEAR
SERVICE=10.96.0.10
near nft -f - <<-RULES || skip "no NAT in this kernel"
	table ip service {
		chain out {
			type nat hook output priority -100;
			ip daddr $SERVICE dnat to $OTHER4
		}
	}
RULES
near sh -ec 'ip link add br0 type bridge && ip link set br0 up
	ip addr flush dev near && ip link set near master br0
	ip link add va type veth peer name vb && ip link set vb master br0 up
	ip link set va up && ip addr add 10.77.0.1/24 dev va
	ip route replace default via 10.77.0.2' || die "no pair"
# A bridge that hands its frames to netfilter would have conntrack see each packet twice.
near sysctl -qw net.bridge.bridge-nf-call-iptables=0 2>/dev/null

# asks TRANSPORT ADDR: ANSWER.
asks() { ANSWER=$(fenced timeout 5 dig +short +tries=1 +time=2 "$1" "@$2" x.test 2>/dev/null | grep -v '^;'); }
is_answered() { asks +notcp "$1" && [[ $ANSWER ]]; }
((CHECKS++))
wait_until is_answered $SERVICE || fail "the service does not answer without the fence"
((CHECKS++))
wait_until is_answered $BAD4 || fail "the other resolver does not answer without the fence"

policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [{address: $SERVICE, translated: true}]}
	policies: [{name: default, resolvers: [good]}]
	edge: {interfaces: [va, vb]}
	events: {stdout: true}
YAML
start_fence
for transport in +notcp +tcp; do
	denied_before=$(denied)
	asks $transport $SERVICE
	expect_match "translated, $transport" "$ANSWER" '^[0-9.]+$'
	expect "translated, $transport, denied counter" "$(denied)" "$denied_before"
	before=$(arrived $BAD4)
	asks $transport $BAD4
	settle
	expect "not translated, $transport" "$ANSWER" ""
	expect "not translated, $transport, packets" "$(arrived $BAD4)" "$before"
	expect_more "not translated, $transport, denied counter" "$(denied)" "$denied_before"
done
expect_log_whole
stop_fence TERM
near "$DNSFENCE" "${INSTANCE[@]}" unload
finish
