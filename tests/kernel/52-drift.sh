# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# A router advertises a resolver, resolv.conf and what systemd's and NetworkManager's daemons write
# name one: outside the policy each is told once, within a second of a router's, inside it never.
. "$(dirname "$0")/lib.sh"
need python3 unshare
setup

# The daemon sees files of its own in these places; the host's stay as they are.
mkdir -p "$WORK/tree/resolve" "$WORK/tree/netif/links" "$WORK/manager"
echo "nameserver $GOOD4" >"$WORK/resolv.conf"
REAL=$DNSFENCE
cat >"$WORK/dnsfence" <<SH
#!/bin/sh
mount --bind "$WORK" /mnt && mount -t tmpfs none /run && mkdir -p /run/systemd /run/NetworkManager &&
	mount --bind /mnt/tree /run/systemd && mount --bind /mnt/manager /run/NetworkManager &&
	mount --bind "$WORK/etc" /etc &&
	exec "$REAL" "\$@"
SH
cp -a /etc "$WORK/etc" && cp --remove-destination "$WORK/resolv.conf" "$WORK/etc/resolv.conf" ||
	die "no copy of /etc"
cat >"$WORK/enter" <<SH
#!/bin/sh
exec unshare --mount --propagation private sh "$WORK/dnsfence" "\$@"
SH
chmod +x "$WORK/enter"

# drifts FILTER: how many events of that kind there are.
drifts() {
	jq -s "map(select(.event.action == \"resolver-drift\" and ($1))) | length" "$EVENTS"
}

has_drifts() {
	(($(drifts "$1") >= $2))
}

# told WHAT FILTER COUNT: by now, and no more than that.
told() {
	((CHECKS++))
	wait_until has_drifts "$2" "$3" || fail "$1: $(drifts "$2") events, want $3"
	expect "$1" "$(drifts "$2")" "$3"
}

# advertise LIFETIME RESOLVER...: SENT, nanoseconds.
advertise() {
	SENT=$(far timeout 10 python3 "$HERE/advertise.py" far "$@") || fail "no advertisement was sent"
}

# A whole look at the files, and a reading of what routers have sent.
look() {
	sleep 1.5
}

near sysctl -qw net.ipv6.conf.near.accept_ra=2 || skip "no net.ipv6.conf.near.accept_ra"
simple_policy
DNSFENCE=$WORK/enter DAEMON_NETNS=/run/netns/$NEAR start_fence
DNSFENCE=$REAL

# The far end has a link-local address to send from once it is no longer tentative.
has_link_local() { [[ $(ip -n $FAR -6 addr show dev far scope link -tentative) == *fe80* ]]; }
wait_until has_link_local || die "the far end has no link-local address"

# Inside the policy: nothing. The one after it shows that it was read.
advertise 600 "$GOOD6"
advertise 600 "$BAD6"
from_router='.dnsfence.drift.source == "router-advertisement"'
told "a router's resolver" "$from_router" 1
event=$(jq -c "select(.event.action == \"resolver-drift\")" "$EVENTS")
expect "the event" "$(jq -c '[.destination.ip, .observer.ingress.interface.name, .dnsfence.drift.lifetime,
	.event.kind, .event.dataset]' <<<"$event")" "[\"$BAD6\",\"near\",600,\"alert\",\"dnsfence.drift\"]"
expect_match "its router" "$(jq -r .source.ip <<<"$event")" '^fe80::'
stamp=$(date -d "$(jq -r '.["@timestamp"]' <<<"$event")" +%s%N)
expect_more "within a second: ms" $((1000 * SLOW)) $(((stamp - SENT) / 1000000))
expect_said "for people" "drift: router-advertisement at near proposes the resolver $BAD6"

# Once more is no news; withdrawn and advertised again is.
advertise 600 "$BAD6"
advertise 600 fd77::4 "$GOOD6"
told "another resolver" "$from_router" 2
advertise 0 "$BAD6"
advertise 600 "$BAD6"
told "withdrawn and back" "$from_router" 3

# Files. What stood there before the daemon is not told.
echo "nameserver $BAD4" >>"$WORK/etc/resolv.conf"
told "resolv.conf" '.dnsfence.drift.source == "resolv.conf"' 1
printf 'nameserver %s\n' "$GOOD4" $OTHER4 >"$WORK/tree/resolve/resolv.conf"
told "systemd-resolved" '.dnsfence.drift.source == "systemd-resolved"' 1
echo "nameserver $OTHER6" >"$WORK/manager/no-stub-resolv.conf"
told "NetworkManager" '.dnsfence.drift.source == "NetworkManager"' 1
index=$(near cat /sys/class/net/near/ifindex 2>/dev/null || ip -n $NEAR -j link show near | jq '.[0].ifindex')
echo "DNS=$GOOD4 $OTHER4" >"$WORK/tree/netif/links/$index"
told "systemd-networkd" '.dnsfence.drift.source == "systemd-networkd" and
	.observer.ingress.interface.name == "near" and .destination.ip == "'$OTHER4'"' 1
look
expect "all of them" "$(drifts true)" 7

# After a reload that names them they are inside; what it no longer names is outside again.
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4, "$GOOD6", 10.77.0.0/24, "fd77::/64"]}
	policies: [{name: default, resolvers: [good]}]
YAML
((CHECKS++))
dnsfence reload 2>"$WORK/reload" || fail "reload: $(<"$WORK/reload")"
echo "nameserver 10.77.0.31" >"$WORK/etc/resolv.conf"
advertise 600 "$BAD6"
look
expect "inside the new policy" "$(drifts true)" 7
simple_policy
((CHECKS++))
dnsfence reload 2>"$WORK/reload" || fail "reload: $(<"$WORK/reload")"
advertise 600 "$BAD6"
told "outside the old one" "$from_router" 4

# No violation, and no gap in the numbers.
expect "violations" "$(denied)" 0
expect "numbers" "$(jq -s '[.[].event.sequence] == [range(1; length + 1)]' "$EVENTS")" true
finish
