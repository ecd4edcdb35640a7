# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# Frames without an inet socket: what AF_PACKET, AF_XDP, a TUN device and forwarding put on the
# wire. No cgroup hook sees them. This shows, without a fence, that each gets a query out of the
# host, to a resolver that answers: the evidence that the layer at the interfaces has to beat,
# 44-edge-frames. A copy that nft makes of a packet is one more, here with that layer, too.
. "$(dirname "$0")/lib.sh"
setup
near sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
PHASE=open
LLADDR=02:df:00:00:00:02
xdp=af-xdp
probe af-xdp $BAD4 53 -m $LLADDR
if [[ $ERRNO == EBUSY ]] && ! kernel_is_from 6.12; then
	lacking af-xdp 53 "a veth device is busy to it"
	xdp=''
fi

for technique in af-packet-raw af-packet-dgram af-packet-vlan af-packet-qdisc-bypass \
	af-packet-vnet-hdr af-packet-tx-ring $xdp; do
	shows_leak "$technique $BAD4" $BAD4 $technique $BAD4 53 -m $LLADDR
	expect "$technique $BAD4, errno" "$ERRNO" 0
	shows_leak "$technique $BAD6" $BAD6 $technique $BAD6 53 -m $LLADDR -i near
	expect "$technique $BAD6, errno" "$ERRNO" 0
done
for address in $BAD4 $BAD6; do
	shows_leak "tun-inject $address" $address tun-inject $address 53
	expect "tun-inject $address, errno" "$ERRNO" 0
done

# Forwarded: a namespace behind this one, as a virtual machine or a container is.
unshare --net sleep 100 &
GUEST=$!
guest() { nsenter --net="/proc/$GUEST/ns/net" "$@"; }
wait_until guest true
ip -n "$NEAR" link add guest type veth peer name eth0 netns $GUEST || die "no guest"
ip -n "$NEAR" link set guest up
ip -n "$NEAR" addr add 10.79.0.1/24 dev guest
ip -n "$NEAR" addr add fd79::1/64 dev guest nodad
guest ip link set eth0 up
guest ip addr add 10.79.0.2/24 dev eth0
guest ip addr add fd79::2/64 dev eth0 nodad
guest ip route add default via 10.79.0.1
guest ip route add default via fd79::1
for address in $BAD4 $BAD6; do
	before=$(arrived $address)
	guest "$PROBE" udp-sendto $address 53 >/dev/null
	((CHECKS++))
	wait_until arrived_more $address "$before" || fail "forwarded to $address: nothing arrived"
done

# The outer one of two tags is taken off before the hook; the inner one stands where the network
# header would, and the destination address 4 bytes further on than usual.
far nft -f - <<-RULES
	table netdev arrivals {
		chain tagged {
			type filter hook ingress device far priority 1;
			@nh,16,16 0x0800 @nh,160,32 0x0a4d0003 counter
			@nh,16,16 0x86dd @nh,224,16 0xfd77 @nh,336,16 3 counter
		}
	}
RULES
tagged_arrived() {
	(($(far nft -j list chain netdev arrivals tagged | jq '[.. | .packets? // 0] | add') > $1))
}
probe af-packet-qinq $BAD4 53 -m $LLADDR
expect "af-packet-qinq $BAD4, errno" "$ERRNO" 0
((CHECKS++))
wait_until tagged_arrived 0 || fail "af-packet-qinq $BAD4: nothing arrived"
probe af-packet-qinq $BAD6 53 -m $LLADDR
expect "af-packet-qinq $BAD6, errno" "$ERRNO" 0
((CHECKS++))
wait_until tagged_arrived 1 || fail "af-packet-qinq $BAD6: nothing arrived"

# They are whole packets, not only frames: a resolver at the far end answers each kind.
answered() {
	(($(near nft -j list counter netdev arrivals answers | jq '[.. | .packets? // 0] | add') > $1))
}
near nft add counter netdev arrivals answers
near nft add chain netdev arrivals answers '{ type filter hook ingress device near priority 1; }'
near nft add rule netdev arrivals answers 'udp sport 53 counter name answers'
seen=0
for technique in af-packet-raw af-packet-dgram af-packet-qdisc-bypass af-packet-vnet-hdr \
	af-packet-tx-ring $xdp; do
	for address in $BAD4 $BAD6; do
		probe $technique $address 53 -m $LLADDR
		((CHECKS++))
		wait_until answered $seen || fail "$technique $address: the resolver does not answer"
		((seen++))
	done
done

# A copy that nft makes of a packet belongs to no socket, whatever becomes of the original.
near nft -f - <<-RULES
	table ip copy {
		chain output {
			type filter hook output priority 0;
			ip daddr $BAD4 udp dport 53 dup to $GOOD4 device near
		}
	}
RULES
before=$(arrived $BAD4)
probe udp-sendto $BAD4 53
((CHECKS++))
wait_until arrived_more $BAD4 $((before + 1)) || fail "nft dup: no second packet arrived"
simple_policy
sed -i 's/^edge:.*/edge: {interfaces: [near], uplinks: [near]}/' "$CONFIG"
DAEMON_NETNS=/run/netns/$NEAR
start_fence
before=$(arrived $BAD4) denied_before=$(denied)
probe udp-sendto $BAD4 53
expect "nft dup with the edge, errno" "$ERRNO" EPERM
settle
expect "nft dup with the edge, packets" "$(arrived $BAD4)" "$before"
expect "nft dup with the edge: the original and its copy are denied" "$(denied)" $((denied_before + 2))
expect_log_whole
finish
