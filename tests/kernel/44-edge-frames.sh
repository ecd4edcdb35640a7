# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 180
#
# Frames that a process of this host makes itself: AF_PACKET in its variants, tagged or labelled, TUN. They
# meet the fence at the uplink, by their socket's cgroup where they have one. Sockets that would
# send past it are refused before they can.
. "$(dirname "$0")/lib.sh"
setup
DAEMON_NETNS=/run/netns/$NEAR
MAC=02:df:00:00:00:02
near sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
far nft -f - <<-RULES || die "no counters of tagged frames"
	table netdev tagged {
		chain ingress {
			type filter hook ingress device far priority 1;
			@ll,96,16 { 0x8100, 0x88a8, 0x8847, 0x8864, 0-1500 } counter comment "tagged"
		}
		chain fragments {
			type filter hook ingress device far priority 2;
			@ll,96,16 0x86dd @nh,48,8 44 counter
		}
	}
RULES
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4, "$GOOD6"]}
	policies:
	  - {name: free, match: {cgroup: /$ID/free}, resolvers: any}
	  - {name: default, resolvers: [good]}
	edge: {interfaces: [near], uplinks: [near]}
	events: {stdout: true}
YAML
mkdir "$CGROUP2/$ID/free"

# landed TECHNIQUE ADDR: frames of that technique for that address at the far end.
landed() {
	case $1 in
	af-packet-vlan* | af-packet-qinq | af-packet-mpls* | af-packet-snap | af-packet-pppoe)
		far nft list chain netdev tagged ingress | sed -n 's/.*counter packets \([0-9]*\).*/\1/p' ;;
	af-packet-padded-fragment)
		far nft list chain netdev tagged fragments | sed -n 's/.*counter packets \([0-9]*\).*/\1/p' ;;
	*) arrived "$2" ;;
	esac
}

landed_more() { (($(landed "$1" "$2") > $3)); }

frames="af-packet-raw af-packet-dgram af-packet-vlan af-packet-qinq af-packet-vnet-hdr af-packet-tx-ring
af-packet-mpls af-packet-vlan-mpls af-packet-snap af-packet-pppoe"

# lands CGROUP TECHNIQUE ADDR [PORT]: it arrives.
lands() {
	local before
	before=$(landed "$2" "$3")
	probe_in "$1" "$2" "$3" "${4:-53}" -i near -m $MAC
	((CHECKS++))
	wait_until landed_more "$2" "$3" "$before" || fail "$2 $3 from $1: nothing arrived ($OUT)"
}

# is_dropped TECHNIQUE ADDR: it does not, and the log says why and who.
is_dropped() {
	local before denied_before failures=$FAILURES
	before=$(landed "$1" "$2") denied_before=$(denied)
	probe "$1" "$2" 53 -i near -m $MAC
	settle
	expect "$1 $2, frames at the far end" "$(landed "$1" "$2")" "$before"
	expect "$1 $2, denied counter" "$(denied)" $((denied_before + 1))
	expect_event "$1 $2" "$PID" ".dnsfence.hook == \"edge_out\" and .destination.ip == \"$2\"
		and .destination.port == 53 and .process.name == \"leakprobe\"
		and .dnsfence.cgroup.path == \"/$APPS\" and .rule.name == \"default\"
		and .observer.egress.interface.name == \"near\" and .user.name == \"root\"
		and .dns.question.name == \"leak.dnsfence.test\""
	((FAILURES > failures)) || covered "$1" 53 edge_out
}

for technique in $frames; do
	for target in $BAD4 $BAD6; do
		lands "$APPS" $technique $target
	done
done
bypasses="af-packet-qdisc-bypass af-xdp"
probe af-xdp $BAD4 53 -i near -m $MAC
if [[ $ERRNO == EBUSY ]] && ! kernel_is_from 6.12; then
	lacking af-xdp 53 "a veth device is busy to it"
	bypasses=af-packet-qdisc-bypass
fi
for technique in $bypasses tun-inject af-packet-mpls-deep; do
	lands "$APPS" $technique $BAD4
done
lands "$APPS" af-packet-padded-fragment $BAD6

start_fence
for technique in $frames; do
	for target in $BAD4 $BAD6; do
		is_dropped $technique $target
		lands "$APPS" $technique "$(twin $target)"
		lands "$ID/free" $technique $target
		lands "$APPS" $technique $target 54
	done
done
probe af-packet-raw $BAD4 53 -i near -m $MAC
expect "the errno of AF_PACKET" "$ERRNO" ENOBUFS

# is_unreadable TECHNIQUE ADDR REASON: what cannot be looked into does not go out, wherever it goes.
is_unreadable() {
	local before denied_before
	before=$(landed "$1" "$2") denied_before=$(denied)
	probe "$1" "$2" 53 -i near -m $MAC
	settle
	expect "$1 $2, frames at the far end" "$(landed "$1" "$2")" "$before"
	expect "$1 $2, denied counter" "$(denied)" $((denied_before + 1))
	expect_event "$1 $2" "$PID" ".dnsfence.hook == \"edge_out\"
		and .event.reason == \"$3\" and .process.name == \"leakprobe\""
}

# More labels than are followed: whatever is under them.
for target in $BAD4 $GOOD6; do
	is_unreadable af-packet-mpls-deep $target header-chain
done
lands "$ID/free" af-packet-mpls-deep $BAD4

# What stands behind the end of a packet does not count as its ports.
for target in $BAD6 $GOOD6; do
	is_unreadable af-packet-padded-fragment $target truncated-header
done
lands "$ID/free" af-packet-padded-fragment $BAD6

# Past the edge: refused where it begins, whatever the address.
rule=' and .rule.name == "default"'
kernel_is_from 6.1 || rule=''
for technique in af-packet-qdisc-bypass af-xdp; do
	for target in $BAD4 $GOOD6; do
		before=$(arrived $target) denied_before=$(denied) failures=$FAILURES
		probe $technique $target 53 -i near -m $MAC
		expect "$technique $target, errno" "$ERRNO" EPERM
		settle
		expect "$technique $target, frames at the far end" "$(arrived $target)" "$before"
		expect "$technique $target, denied counter" "$(denied)" $((denied_before + 1))
		expect_event "$technique $target" "$PID" '.event.reason == "bypass-socket"
			and .dnsfence.hook == "setsockopt" and .process.name == "leakprobe"
			and .dnsfence.errno == 1 and .network.protocol == null'"$rule"
		((FAILURES > failures)) || covered $technique 53 setsockopt
	done
	if kernel_is_from 6.1; then
		[[ $bypasses != *$technique* ]] || lands "$ID/free" $technique $BAD4
	else # whose policy counts cannot be told there, so that everybody's is refused
		probe_in "$ID/free" $technique $BAD4 53 -i near -m $MAC
		expect "$technique $BAD4 from $ID/free, errno" "$ERRNO" EPERM
	fi
done

# What a TUN device injects is nobody's: it is judged by the last policy.
failures=$FAILURES
before=$(arrived $BAD4)
probe tun-inject $BAD4 53
expect "tun-inject, errno" "$ERRNO" 0
settle
expect "tun-inject, packets at the far end" "$(arrived $BAD4)" "$before"
lands "$APPS" tun-inject $GOOD4
((CHECKS++))
has_tun_event() {
	[[ $(jq -c "select(.dnsfence.hook? == \"edge_out\" and .destination.ip == \"$BAD4\"
		and (has(\"process\") | not) and .observer.egress.interface.name == \"near\")" "$EVENTS") ]]
}
wait_until has_tun_event || fail "tun-inject: no event of a frame that nobody's socket has sent"
((FAILURES > failures)) || covered tun-inject 53 edge_out
expect_log_whole

# Without the edge they are nobody's matter again.
sed -i 's/^edge:.*/edge: {interfaces: off}/' "$CONFIG"
dnsfence reload 2>/dev/null
expect "reload without the edge" $? 0
lands "$APPS" af-packet-raw $BAD4
lands "$APPS" af-packet-qdisc-bypass $BAD4
expect "queueing disciplines left" "$(near tc qdisc show | grep -c clsact)" 0
finish
