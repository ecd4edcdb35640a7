# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
# vm: below the root, a part of it is about processes outside the fenced cgroup
#
# A container as Docker makes one: a network namespace behind a veth pair and a bridge, masqueraded
# by this host. Its sockets have their cgroup's policy; their frames must not be judged again by
# another one on the way out, whatever NAT has made of them, unless NAT sends them elsewhere.
. "$(dirname "$0")/lib.sh"
setup
DAEMON_NETNS=/run/netns/$NEAR
BOX=${ID}b service=10.96.0.10
MAC=02:df:00:00:00:80 # the bridge
cleanup_more() { ip netns del "$BOX" 2>/dev/null; }

ip netns add "$BOX" || die "no network namespace"
ip -n "$NEAR" link add br0 address $MAC type bridge || die "no bridge"
ip -n "$NEAR" link add ve0 type veth peer name eth0 netns "$BOX"
ip -n "$NEAR" link set ve0 master br0
for device in ve0 br0; do ip -n "$NEAR" link set $device up; done
ip -n "$NEAR" addr add 10.80.0.1/24 dev br0
ip -n "$NEAR" addr add fd80::1/64 dev br0 nodad
ip -n "$BOX" link set lo up
ip -n "$BOX" link set eth0 up
ip -n "$BOX" addr add 10.80.0.2/24 dev eth0
ip -n "$BOX" addr add fd80::2/64 dev eth0 nodad
ip -n "$BOX" route add default via 10.80.0.1
ip -n "$BOX" route add default via fd80::1
near sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
near nft -f - <<-RULES || die "no NAT"
	table inet nat {
		chain post {
			type nat hook postrouting priority 100;
			oifname "near" masquerade
		}
		chain pre {
			type nat hook prerouting priority -100;
			ip daddr $service meta l4proto { tcp, udp } th dport 53 dnat ip to $OTHER4
		}
	}
RULES

# boxed CGROUP COMMAND...: in the container, in that cgroup; its process id is left in $WORK/pid.
boxed() {
	local cgroup=$1
	shift
	(
		echo "$BASHPID" >"$WORK/pid"
		echo "$BASHPID" >"$CGROUP2/$cgroup/cgroup.procs" || exit 125
		exec nsenter --net="/run/netns/$BOX" "$@"
	)
}

box_asks() { expect_answer "the container asks $*" $GOOD_ANSWER boxed "$APPS" dig +short +tries=1 +time=2 "$@" x.test; }

box_probe() {
	OUT=$(boxed "$APPS" "$PROBE" "$@" 2>&1)
	PID=$(<"$WORK/pid")
	ERRNO=${OUT##*errno=} ERRNO=${ERRNO%% *}
}

reaches_far() { [[ $(boxed "$APPS" dig +short +tries=1 +time=1 @$GOOD4 x.test) ]]; }
wait_until reaches_far || die "the container reaches nothing"

config() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		resolvers: {good: [$GOOD4, "$GOOD6", {address: $service$1}]}
		policies:
		  - {name: box, match: {cgroup: /$APPS}, resolvers: [good]}
		  - {name: default, resolvers: []}
		edge: {interfaces: ["ve*", near], uplinks: [near]}
		events: {stdout: true}
	YAML
}

for target in $BAD4 $BAD6; do
	before=$(arrived $target)
	box_probe udp-sendto $target 53
	box_probe af-packet-raw $target 53 -i eth0 -m $MAC
	((CHECKS++))
	wait_until arrived_more $target $((before + 1)) || fail "$target without the fence: nothing arrived ($OUT)"
done
box_asks @$service

config ', translated: true'
start_fence
for address in $GOOD4 $GOOD6 $service; do
	box_asks @$address
	box_asks +tcp @$address
done
for target in $BAD4 $BAD6; do
	before=$(arrived $target)
	box_probe udp-sendto $target 53
	expect "udp-sendto $target, errno" "$ERRNO" EPERM
	box_probe tcp-connect $target 53
	expect "tcp-connect $target, errno" "$ERRNO" EPERM
	expect_event "tcp-connect $target" "$PID" '.rule.name == "box" and .dnsfence.hook != "edge_in"'
	box_probe af-packet-raw $target 53 -i eth0 -m $MAC
	settle
	expect "$target, packets at the far end" "$(arrived $target)" "$before"
	((CHECKS++))
	wait_until grep -q "\"hook\":\"edge_in\".*\"path\":\"/$APPS\"" "$EVENTS" ||
		fail "af-packet-raw $target: no event with the container's cgroup"
	box_probe af-packet-raw "$(twin $target)" 53 -i eth0 -m $MAC
	before=$(arrived "$(twin $target)")
	box_probe af-packet-raw "$(twin $target)" 53 -i eth0 -m $MAC
	((CHECKS++))
	wait_until arrived_more "$(twin $target)" "$before" || fail "af-packet-raw $(twin $target): nothing arrived"
done

# The host's NAT sends a sanctioned address elsewhere, and the policy does not say that it may.
config ''
dnsfence reload 2>/dev/null
before=$(arrived $OTHER4)
expect "DNAT of what is not marked translated" \
	"$(boxed "$APPS" dig +short +tries=1 +time=1 @$service x.test 2>/dev/null | grep -c '^[0-9]')" 0
settle
expect "DNAT of what is not marked translated, packets" "$(arrived $OTHER4)" "$before"
expect_match "DNAT of what is not marked translated, event" \
	"$(jq -c "select(.destination.ip? == \"$OTHER4\") | .dnsfence.hook" "$EVENTS" | tail -n 1)" edge_out
box_asks @$GOOD4

# A process outside the fenced cgroup, in the same container.
before=$(arrived $BAD4)
mkdir "$CGROUP2/$ID-out"
boxed "$ID-out" "$PROBE" udp-sendto $BAD4 53 >/dev/null
boxed "$ID-out" "$PROBE" af-packet-raw $BAD4 53 -i eth0 -m $MAC >/dev/null
rmdir "$CGROUP2/$ID-out"
((CHECKS++))
wait_until arrived_more $BAD4 $((before + 1)) || fail "processes outside --cgroup are fenced"
expect_log_whole
near "$DNSFENCE" "${INSTANCE[@]}" unload 2>/dev/null
expect "unload, exit status" $? 0
DAEMON=''
finish
