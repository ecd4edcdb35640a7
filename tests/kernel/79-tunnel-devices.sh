# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 240
#
# Tunnel devices other than VXLAN (72-tunnels). A device is given the inner packet, which the packet
# layer judges; what leaves it belongs to nobody's socket. IPsec is no device: 79-ipsec. The kernels
# of tests/vm/run have the modules that this takes.
. "$(dirname "$0")/lib.sh"
setup
KINDS='' LACKS=''

# Each kind has its inner network: near .1, good .2, bad .3.
number_of() {
	case $1 in
	gre) echo 81 ;;
	ipip) echo 82 ;;
	sit) echo 83 ;;
	ip6gre) echo 84 ;;
	ip6tnl) echo 85 ;;
	geneve) echo 86 ;;
	wireguard) echo 87 ;;
	esac
}

families_of() {
	case $1 in
	ipip) echo 4 ;;
	sit) echo 6 ;;
	*) echo 4 6 ;;
	esac
}

# inner KIND FAMILY HOST
inner() {
	if [[ $2 == 4 ]]; then
		echo "10.$(number_of "$1").0.$3"
	else
		echo "fd$(number_of "$1")::$3"
	fi
}

# add_device KIND NAMESPACE LOCAL4 REMOTE4 LOCAL6 REMOTE6: its name is the kind's with a t.
add_device() {
	local device=t$1 ends4="local $3 remote $4" ends6="local $5 remote $6" options
	case $1 in
	gre | ipip | sit) options="type $1 $ends4" ;;
	ip6gre) options="type ip6gre $ends6" ;;
	ip6tnl) options="type ip6tnl mode any $ends6" ;;
	geneve) options="type geneve id 7 remote ${4/$CLIENT4/$GOOD4}" ;; # the source is not to choose
	wireguard) options="type wireguard" ;;
	esac
	# shellcheck disable=SC2086
	ip -n "$2" link add "$device" $options
}

wireguard_keys() {
	local end
	for end in near far; do
		(umask 077 && wg genkey >"$WORK/$end.key")
		wg pubkey <"$WORK/$end.key" >"$WORK/$end.pub"
	done
	near wg set twireguard private-key "$WORK/near.key" listen-port 51820 \
		peer "$(<"$WORK/far.pub")" allowed-ips 0.0.0.0/0,::/0 endpoint "$CLIENT4:51820"
	far wg set twireguard private-key "$WORK/far.key" listen-port 51820 \
		peer "$(<"$WORK/near.pub")" allowed-ips 0.0.0.0/0,::/0 endpoint 10.77.0.1:51820
}

# join KIND: both ends up, with addresses, and the far end's count of what comes out.
join() {
	local device=t$1 family bits=24 none='' host
	for family in $(families_of "$1"); do
		[[ $family == 6 ]] && bits=64 none=nodad
		# shellcheck disable=SC2086
		ip -n "$NEAR" addr add "$(inner "$1" $family 1)/$bits" dev "$device" $none
		for host in 2 3; do
			# shellcheck disable=SC2086
			ip -n "$FAR" addr add "$(inner "$1" $family $host)/$bits" dev "$device" $none
		done
	done
	ip -n "$NEAR" link set "$device" up && ip -n "$FAR" link set "$device" up
	far nft -f - <<-RULES
		table netdev arrivals {
			chain $device {
				type filter hook ingress device "$device" priority 0;
				meta protocol ip ip protocol != icmp update @seen4 { ip daddr counter }
				meta protocol ip6 ip6 nexthdr != ipv6-icmp update @seen6 { ip6 daddr counter }
			}
		}
	RULES
}

# make_tunnel KIND: into KINDS, or why not into LACKS.
make_tunnel() {
	local said
	if [[ $1 == wireguard ]] && ! command -v wg >/dev/null; then
		LACKS+=" wg"
		return
	fi
	if said=$(add_device "$1" "$NEAR" 10.77.0.1 $CLIENT4 fd77::1 $CLIENT6 2>&1) &&
		add_device "$1" "$FAR" $CLIENT4 10.77.0.1 $CLIENT6 fd77::1; then
		[[ $1 != wireguard ]] || wireguard_keys || die "wg"
		join "$1" || die "no $1 device"
		KINDS+=" $1"
		return
	fi
	[[ $said == *'Unknown device type'* || $said == *'not supported'* ]] || die "$1: $said"
	LACKS+=" $1"
	lacking "$1" 53 "no module $1"
}

for kind in gre ipip sit ip6gre ip6tnl geneve wireguard; do
	make_tunnel $kind
done
[[ $KINDS ]] || skip "no modules:$LACKS"

# all_inner HOST: that host's address in every tunnel.
all_inner() {
	local kind family
	for kind in $KINDS; do
		for family in $(families_of "$kind"); do
			inner "$kind" "$family" "$1"
		done
	done
}
mapfile -t good < <(all_inner 2)
mapfile -t bad < <(all_inner 3)
resolver '' "$FAR" 192.0.2.2 "${good[@]}"
resolver '' "$FAR" 192.0.2.67 "${bad[@]}"
for address in "${good[@]}" "${bad[@]}"; do
	wait_until answers near "$address" || die "no resolver behind the tunnel at $address"
done

# tunnel_policy LINE...
tunnel_policy() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		$(printf '%s\n' "$@")
		resolvers: {good: [$(printf '"%s", ' "${good[@]}")]}
		policies: [{name: default, resolvers: [good]}]
		events: {stdout: true}
	YAML
}

twin() { echo "${1%3}2"; }

# The devices' names stand for the paths in the table of kernels.
by_device() {
	local kind family failures address
	for kind in $KINDS; do
		failures=$FAILURES
		for family in $(families_of "$kind"); do
			address=$(inner "$kind" "$family" 3)
			leak tcp-connect "$address" 53 "connect$family" connect
			leak udp-sendto "$address" 53 packet send
		done
		[[ $PHASE == closed ]] || continue
		((FAILURES > failures)) || covered "$kind" 53 "call, packet"
	done
}

tunnel_policy 'edge: {interfaces: off}'
prove by_device

# What is no lookup goes through each, and the outer packet leaves: nothing more is counted.
ordinary() {
	local address before outer denied_before
	denied_before=$(denied)
	for address in "${bad[@]}"; do
		before=$(arrived "$address")
		probe udp-sendto "$address" 9
		expect "port 9 at $address, $1, errno" "$ERRNO" 0
		((CHECKS++))
		wait_until arrived_more "$address" "$before" || fail "port 9 at $address, $1: nothing came out"
		fenced ping -c 1 -W 3 -q "$address" >/dev/null
		expect "ping $address, $1, exit status" $? 0
		before=$(arrived "$(twin "$address")")
		probe udp-sendto "$(twin "$address")" 53
		expect "a sanctioned lookup, $(twin "$address"), $1, errno" "$ERRNO" 0
		((CHECKS++))
		wait_until arrived_more "$(twin "$address")" "$before" ||
			fail "a sanctioned lookup, $(twin "$address"), $1: nothing came out"
	done
	expect "denied counter, $1" "$(denied)" "$denied_before"
}
ordinary "edge off"
outer=$(arrived $CLIENT4)
((CHECKS++))
((outer > 0)) || fail "no outer packet was seen at $CLIENT4: the tunnels are none"

tunnel_policy 'edge: {interfaces: [near], uplinks: [near]}'
dnsfence reload 2>/dev/null
ordinary "edge on"
expect_log_whole
finish
