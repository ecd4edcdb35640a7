# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
#
# For tests of the interface layer, sourced after lib.sh: a guest behind a router behind the near
# namespace, which forwards for it. What comes out of the router has no socket any more, as what
# comes out of a virtual machine.
#
#   guest 10.78.0.2 fd78::2 -- router -- vm0 10.79.0.1 fd79::1 near -- far

ROUTER=${ID}r GUEST=${ID}g GUEST4=10.78.0.2 GUEST6=fd78::2

guest() { nsenter --net="/run/netns/$GUEST" "$@"; }

cleanup_more() {
	ip netns del "$ROUTER" 2>/dev/null
	ip netns del "$GUEST" 2>/dev/null
}

forwarding() {
	nsenter --net="/run/netns/$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# join_spaces NAMESPACE DEVICE ADDR4 ADDR6 NAMESPACE DEVICE ADDR4 ADDR6: a veth pair.
join_spaces() {
	ip -n "$1" link add "$2" type veth peer name "$6" netns "$5" || die "no veth pair"
	ip -n "$1" addr add "$3" dev "$2" && ip -n "$1" addr add "$4" dev "$2" nodad
	ip -n "$5" addr add "$7" dev "$6" && ip -n "$5" addr add "$8" dev "$6" nodad
	ip -n "$1" link set "$2" up && ip -n "$5" link set "$6" up || die "no link"
}

setup_guest() {
	ip netns add "$ROUTER" && ip netns add "$GUEST" || die "no network namespaces"
	join_spaces "$NEAR" vm0 10.79.0.1/24 fd79::1/64 "$ROUTER" outer 10.79.0.2/24 fd79::2/64
	join_spaces "$ROUTER" inner 10.78.0.1/24 fd78::1/64 "$GUEST" eth0 $GUEST4/24 $GUEST6/64
	forwarding "$NEAR"
	forwarding "$ROUTER"
	ip -n "$GUEST" route add default via 10.78.0.1
	ip -n "$GUEST" route add default via fd78::1
	ip -n "$ROUTER" route add default via 10.79.0.1
	ip -n "$ROUTER" route add default via fd79::1
	ip -n "$NEAR" route add 10.78.0.0/24 via 10.79.0.2
	ip -n "$NEAR" route add fd78::/64 via fd79::2
	ip -n "$FAR" route add default via 10.77.0.1
	ip -n "$FAR" route add default via fd77::1
	wait_until guest ping -c 1 -W 1 -q $GOOD4 >/dev/null || die "the guest reaches nothing"
	wait_until guest ping -c 1 -W 1 -q $GOOD6 >/dev/null || die "the guest reaches nothing by IPv6"
}

# edge_policy POLICIES: lines of YAML; both interfaces fenced, near as the uplink that it is here.
edge_policy() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		${MODE:+mode: $MODE}
		resolvers: {good: [$GOOD4, "$GOOD6"]}
		policies:
		$(printf '  - %s\n' "$@")
		edge: {interfaces: [vm0, near], uplinks: [near]}
		events: {stdout: true}
	YAML
}

guest_probe() {
	OUT=$(guest "$PROBE" "$@" 2>&1)
	ERRNO=${OUT##*errno=} ERRNO=${ERRNO%% *}
}

# guest_leaks|guest_stays_in TECHNIQUE ADDR PORT: without the fence it arrives; with it, it does not.
guest_leaks() {
	local before
	before=$(arrived "$2")
	guest_probe "$@" -t 300
	((CHECKS++))
	wait_until arrived_more "$2" "$before" || fail "$* from the guest, open: nothing arrived ($OUT)"
}

# frame_event FILTER
has_frame_event() {
	[[ $(jq -c "select(.dnsfence.hook? and (.dnsfence.hook | startswith(\"edge\")) and ($1))" \
		"$EVENTS" 2>/dev/null | head -n 1) ]]
}

expect_frame_event() {
	((CHECKS++))
	wait_until has_frame_event "$2" || fail "$1: no event with $2; the last: $(tail -n 1 "$EVENTS")"
}

# settle_guest: what the guest sent before this has arrived, or never will.
settle_guest() {
	local before
	before=$(arrived $CLIENT4)
	guest "$PROBE" udp-sendto $CLIENT4 9 >/dev/null
	wait_until arrived_more $CLIENT4 "$before" || fail "a packet of the guest to port 9 did not arrive"
}

guest_stays_in() {
	local before denied_before failures=$FAILURES
	before=$(arrived "$2") denied_before=$(denied)
	guest_probe "$@" -t 300
	settle_guest
	expect "$* from the guest, packets at the far end" "$(arrived "$2")" "$before"
	expect_more "$* from the guest, denied counter" "$(denied)" "$denied_before"
	expect_frame_event "$* from the guest" ".destination.ip == \"$2\" and .destination.port == $3
		and .dnsfence.hook == \"edge_in\" and .observer.ingress.interface.name == \"vm0\"
		and .event.reason == \"resolver-not-sanctioned\" and .dnsfence.verdict == \"deny\"
		and (.source.ip | test(\"^(10.78.0.2|fd78::2)$\")) and (has(\"process\") | not)"
	((FAILURES > failures)) || covered "$1 forwarded" "$3" edge_in
}

guest_asks() {
	expect_answer "the guest asks $*" $GOOD_ANSWER guest dig +short +tries=1 +time=2 "$@" x.test
}
