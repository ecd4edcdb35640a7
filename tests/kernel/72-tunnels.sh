# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# Tunnels of the kernel's own. Of a tunnel device the inner packet is judged, on its way into the
# device; the outer one belongs to nobody's socket. A segment routing encapsulation by a route
# leaves only the outer packet to see: whatever is under its header is refused.
. "$(dirname "$0")/lib.sh"
setup
INNER_BAD4=10.78.0.3 INNER_BAD6=fd78::3 INNER_GOOD4=10.78.0.2 INNER_GOOD6=fd78::2
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$INNER_GOOD4, "$INNER_GOOD6", "fd79::2"]}
	policies: [{name: default, resolvers: [good]}]
	events: {stdout: true}
YAML
twin() {
	case $1 in
	"$INNER_BAD4") echo $INNER_GOOD4 ;;
	"$INNER_BAD6") echo $INNER_GOOD6 ;;
	esac
}

# tunnel DEVICE: the far end's count of what comes out of it, and its resolvers there.
join() {
	ip -n "$NEAR" -batch - <<-END && ip -n "$FAR" -batch - <<-END || die "no $1 device"
		link set $1 up
		addr add 10.78.0.1/24 dev $1
		addr add fd78::1/64 dev $1 nodad
	END
		link set $1 up
		addr add $INNER_GOOD4/24 dev $1
		addr add $INNER_BAD4/24 dev $1
		addr add $INNER_GOOD6/64 dev $1 nodad
		addr add $INNER_BAD6/64 dev $1 nodad
	END
	far nft add chain netdev arrivals "$1" "{ type filter hook ingress device $1 priority 0; }"
	far nft add rule netdev arrivals "$1" ip protocol != icmp update @seen4 '{ ip daddr counter }'
	far nft add rule netdev arrivals "$1" meta protocol ip6 ip6 nexthdr != ipv6-icmp \
		update @seen6 '{ ip6 daddr counter }'
}

ip -n "$NEAR" link add vx type vxlan id 7 dstport 4789 local 10.77.0.1 remote $CLIENT4 dev near &&
	ip -n "$FAR" link add vx type vxlan id 7 dstport 4789 local $CLIENT4 remote 10.77.0.1 dev far ||
	die "no vxlan"
join vx
resolver '' "$FAR" 192.0.2.2 $INNER_GOOD4 $INNER_GOOD6
resolver '' "$FAR" 192.0.2.67 $INNER_BAD4 $INNER_BAD6
wait_until answers near $INNER_GOOD4 || die "no resolver behind the tunnel"

cases() {
	local technique
	for technique in udp-connect tcp-connect mptcp-connect; do
		if [[ $technique == mptcp-connect && ! -e /proc/sys/net/mptcp/enabled ]]; then
			[[ $PHASE == open ]] || lacking mptcp-connect 53 "built without MPTCP"
			continue
		fi
		leak $technique $INNER_BAD4 53 connect4 connect
		leak $technique $INNER_BAD6 53 connect6 connect
	done
	for technique in udp-sendto udp-big udp-gso udplite-sendto raw-udp raw-hdrincl; do
		leak $technique $INNER_BAD4 53 packet send
		leak $technique $INNER_BAD6 53 packet send
	done
	segments
}

# segments: to a host behind a segment, fd77::5, by a route that encapsulates.
segments() {
	local mode target before failures
	for mode in encap inline; do
		for target in fd79::3 fd79::2; do
			ip -n "$NEAR" -6 route replace $target/128 encap seg6 mode $mode segs $CLIENT6 dev near
			before=$(arrived $CLIENT6) failures=$FAILURES
			probe udp-sendto $target 53
			if [[ $PHASE == open ]]; then
				((CHECKS++))
				wait_until arrived_more $CLIENT6 "$before" || fail "seg6 $mode: nothing left"
				continue
			fi
			expect "seg6 $mode to $target, errno" "$ERRNO" EPERM
			settle
			expect "seg6 $mode to $target, packets" "$(arrived $CLIENT6)" "$before"
			expect_event "seg6 $mode to $target" "$PID" '.event.reason == "routing-header" and
				.dnsfence.hook == "packet" and .dns.question.name == "leak.dnsfence.test"'
			((FAILURES > failures)) || covered "udp-sendto, seg6 $mode" 53 packet routing-header
		done
	done
}
prove cases

# What is no lookup goes through them, and is not counted.
denied_before=$(denied)
for address in $INNER_BAD4 $INNER_BAD6; do
	for technique in udp-sendto udp-big; do
		before=$(arrived $address)
		probe $technique $address 9
		expect "$technique to port 9 by vxlan, errno" "$ERRNO" 0
		((CHECKS++))
		wait_until arrived_more $address "$before" || fail "$technique to port 9 by vxlan: nothing"
	done
done
before=$(arrived $CLIENT6)
probe udp-sendto fd79::3 54
expect "seg6, another port, errno" "$ERRNO" 0
((CHECKS++))
wait_until arrived_more $CLIENT6 "$before" || fail "seg6, another port: nothing left"
expect "denied counter" "$(denied)" "$denied_before"
finish
