# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# A resolver behind this host's own NAT, as a Kubernetes service address is: the packet layer
# meets another address than the call named. `translated: true` sanctions that, for this address
# alone and in the daemon's network namespace alone. Before Linux 5.14 that namespace cannot be
# told, and such a resolver is refused.
. "$(dirname "$0")/lib.sh"
setup
service=10.96.0.10 service6=fd96::10
ip -n "$NEAR" route add $service/32 dev near
ip -n "$NEAR" route add $service6/128 dev near
near nft -f - <<-RULES || skip "no NAT in this kernel"
	table inet nat {
		chain output {
			type nat hook output priority -100;
			ip daddr $service meta l4proto { tcp, udp } th dport 53 dnat ip to $OTHER4
			ip6 daddr $service6 meta l4proto { tcp, udp } th dport 53 dnat ip6 to $OTHER6
		}
	}
RULES
config() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		resolvers: {good: [$GOOD4, {address: $service$1}, {address: "$service6"$1}]}
		policies: [{name: default, resolvers: [good]}]
		events: {stdout: true}
	YAML
}
ask() { fenced dig +short +tries=1 +time=2 "$@" x.test; }

expect_answer "through NAT without the fence" $GOOD_ANSWER ask @$service

# In the namespace of the daemon.
config ', translated: true'
DAEMON_NETNS=/run/netns/$NEAR
start_fence

# refused_by_old_kernel: said by name when it starts, and closed.
refused_by_old_kernel() {
	local technique before denied_before
	expect "warnings of netns-cookie" "$(grep -c 'lacks netns-cookie (Linux 5.14)' "$DAEMON_LOG")" 1
	expect "netns-cookie is needed, says status" \
		"$(status_of '.kernel.lacks[] | select(.name == "netns-cookie") | .needed')" true
	for technique in udp-connect udp-sendto v4mapped-udp-sendto; do
		before=$(arrived $OTHER4) denied_before=$(denied)
		probe $technique $service 53
		expect "$technique through NAT, errno" "$ERRNO" EPERM
		settle
		expect "$technique through NAT, packets" "$(arrived $OTHER4)" "$before"
		expect "$technique through NAT, denied" "$(denied)" $((denied_before + 1))
		expect_event "$technique through NAT" "$PID" \
			".dnsfence.hook == \"packet\" and .destination.ip == \"$OTHER4\""
	done
	passes "without NAT" $GOOD4 udp-sendto $GOOD4 53
	expect_log_whole
	lacking "translated resolver" 53 "refused: a packet's network namespace cannot be told"
	finish
}
kernel_is_from 5.14 || refused_by_old_kernel

expect_answer "through NAT, UDP" $GOOD_ANSWER ask @$service
expect_answer "through NAT, TCP" $GOOD_ANSWER ask +tcp @$service
for technique in udp-connect udp-sendto udp-sendmmsg udp-cmsg-tos udp-cmsg-pktinfo \
	v4mapped-udp-connect v4mapped-udp-sendto sin-on-in6 tcp-connect v4mapped-tcp; do
	passes "$technique through NAT" $OTHER4 $technique $service 53
done
for technique in udp-connect udp-sendto udp-cmsg-tos tcp-connect; do
	passes "$technique through NAT" $OTHER6 $technique $service6 53
done

((FAILURES)) || covered "translated resolver" 53 passes

# What NAT leads to is not sanctioned itself, and nothing else rides along on such a socket.
refused() {
	probe "$@"
	expect "$*, errno" "$ERRNO" EPERM
}
for address in $OTHER4 $OTHER6 $BAD4 $BAD6; do
	before=$(arrived $address)
	through=$service
	[[ $address == *:* ]] && through=$service6
	refused udp-connect $address 53
	refused udp-sendto $address 53
	refused udplite-connect $address 53
	refused tcp-connect $address 53
	refused udp-connect-sendto-elsewhere $address 53 -f $through
	refused udp-same-port-elsewhere $address 53 -f $through
	# IPv4 turns a datagram that has begun around when its socket is connected; IPv6 does not.
	if [[ $address == *:* ]]; then
		refused udp-cork-connect $address 53 -f $through
		refused udp-cork-connect $address 53 -f $through -s 53
	fi
	settle
	expect "packets at $address" "$(arrived $address)" "$before"
done

# Without the key the packet layer's address decides.
config ''
dnsfence reload
expect "reload, exit status" $? 0
probe udp-sendto $service 53
expect "through NAT, not marked translated, errno" "$ERRNO" EPERM
stop_fence TERM

# In another namespace than the daemon's somebody else may have made the NAT rules.
DAEMON_NETNS=''
config ', translated: true'
start_fence
probe udp-sendto $service 53
expect "through the NAT of another namespace, errno" "$ERRNO" EPERM
expect_log_whole
finish
