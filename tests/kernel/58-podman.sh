# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
# vm: left out, a container engine takes minutes in emulation
#
# Podman's containers, as root: on its default network with the host's resolvers, and on a network
# of its own, where aardvark-dns answers at the bridge's address and asks for them from the cgroup
# of the podman that started it. What it is refused the event lays at the asker's door.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/containers.sh"
setup
setup_world
setup_podman
[[ -x /usr/lib/podman/aardvark-dns || -x /usr/libexec/podman/aardvark-dns ]] ||
	skip "aardvark-dns is not installed"
podman network create apps >/dev/null 2>&1 || die "no network of Podman's own"

box podman plain
box podman strong --privileged
box podman hostnet --network host
box podman app --network apps
box podman peer --network apps
BRIDGE=$(podman network inspect apps 2>/dev/null | jq -r '.[0].subnets[0].gateway')

config() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		resolvers: {good: [$GOOD4], second: [$OTHER4], bridge: [$BRIDGE]}
		policies:
		  - {name: strong, match: {cgroup: $(cgroup_of_box strong)}, resolvers: [second]}
		  - {name: boxes, match: {cgroup: /$PODMAN_PARENT}, resolvers: [good, bridge]}
		  - {name: engine, match: {cgroup: /$ENGINE}, resolvers: [$1], forwards: true}
		  - {name: default, resolvers: []}
		runtimes: {podman: $WORK/podman}
		edge: {interfaces: off}
		events: {stdout: true}
	YAML
}
config good

for name in plain strong hostnet app; do
	box_leaks $name $HARD udp-sendto
	expect "$name asks $HARD, open" "$(box_asks $name $HARD)" $HARD_ANSWER
	expect "$name asks, open" "$(box_asks $name)" $GOOD_ANSWER
done
expect "app asks aardvark-dns, open" "$(box_asks app $BRIDGE)" $GOOD_ANSWER
expect "app has aardvark-dns" "$(in_box app cat /etc/resolv.conf | grep -c "^nameserver $BRIDGE$")" 1

start_fence
for name in plain hostnet app; do
	box_blocked $name boxes $HARD udp-sendto
	box_blocked $name boxes $HARD tcp-connect
	expect "$name asks" "$(box_asks $name)" $GOOD_ANSWER
done
box_blocked strong strong $HARD udp-sendto
box_blocked strong strong $GOOD4 udp-sendto
expect "strong asks $OTHER4" "$(box_asks strong $OTHER4)" $GOOD_ANSWER
expect "app asks aardvark-dns" "$(box_asks app $BRIDGE)" $GOOD_ANSWER
expect_match "app asks for its neighbour" "$(in_box app nslookup peer.dns.podman 2>&1)" \
	"Address: $(podman inspect -f '{{.NetworkSettings.Networks.apps.IPAddress}}' peer 2>/dev/null)"

# aardvark-dns asks what its own policy does not sanction.
config second
dnsfence reload 2>/dev/null
before=$(arrived $GOOD4)
mark_events
expect "app asks, its forwarder may not" "$(box_asks app $BRIDGE)" ''
box_settle app
expect "app asks, its forwarder may not, packets" "$(arrived $GOOD4)" "$before"
expect_new_event "the forwarder" ".dnsfence.cgroup.path == \"/$ENGINE\" and .rule.name == \"engine\"
	and .destination.ip == \"$GOOD4\" and .process.name == \"aardvark-dns\" and
	$(asked_by app nslookup)"
expect "plain asks without it" "$(box_asks plain $GOOD4)" $GOOD_ANSWER

expect_told plain strong hostnet app
expect_no_other_told plain strong hostnet app
expect_log_whole
finish
