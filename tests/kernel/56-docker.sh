# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
# vm: left out, a container engine takes minutes in emulation
#
# Docker's own containers on its default bridge, and with the flags that take walls down: the
# host's network, all privileges, raw sockets, the host's processes. Programs with a hard-coded
# 8.8.8.8 reach it without the fence, and not with it; what their policy sanctions they may ask.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/containers.sh"
setup
setup_world
start_docker
# shellcheck disable=SC2034
DAEMON_NETNS=/run/netns/$NEAR

box docker plain
box docker other --cap-drop ALL --user 1000
box docker hostnet --network host
box docker strong --privileged
box docker raw --cap-drop ALL --cap-add NET_RAW
box docker pids --pid host
BOXES="plain other hostnet strong raw pids"
BRIDGE_MAC=$(mac_of docker0)

policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4], second: [$OTHER4]}
	policies:
	  - {name: other, match: {cgroup: $(cgroup_of_box other)}, resolvers: [second]}
	  - {name: boxes, match: {cgroup: /$DOCKER_PARENT}, resolvers: [good]}
	  - {name: default, resolvers: []}
	runtimes: {docker: $WORK/docker}
	edge: {interfaces: ["docker*", "veth*", near], uplinks: [near]}
	events: {stdout: true}
YAML

policy_of() { [[ $1 == other ]] && echo other || echo boxes; }

# One container, to a forbidden resolver by each way that sockets have, and to a sanctioned one.
for name in $BOXES; do
	box_leaks "$name" $HARD udp-sendto
	box_leaks "$name" $HARD tcp-connect
	expect "$name asks $HARD, open" "$(box_asks "$name" $HARD)" $HARD_ANSWER
done
for name in plain strong raw; do
	box_leaks $name $HARD af-packet-raw -i eth0 -m "$BRIDGE_MAC"
done
box_leaks hostnet $HARD af-packet-raw -i near -m 02:df:00:00:00:02

start_fence
for name in $BOXES; do
	policy=$(policy_of "$name")
	box_blocked "$name" "$policy" $HARD udp-sendto
	box_blocked "$name" "$policy" $HARD udp-connect
	box_blocked "$name" "$policy" $HARD tcp-connect
	mark_events
	expect "$name asks $HARD" "$(box_asks "$name" $HARD)" ''
	expect_new_event "$name, nslookup" "$(box_event "$name" $HARD "$policy" \
		'.process.name == "nslookup"')"
done

# Each has the resolver of its own policy, and not the other's.
for name in plain hostnet strong raw pids; do
	expect "$name asks $GOOD4" "$(box_asks "$name" $GOOD4)" $GOOD_ANSWER
	expect "$name asks what resolv.conf names" "$(box_asks "$name")" $GOOD_ANSWER
done
box_blocked plain boxes $OTHER4 udp-sendto
expect "other asks $OTHER4" "$(box_asks other $OTHER4)" $GOOD_ANSWER
box_blocked other other $GOOD4 udp-sendto

# Frames: no socket of theirs is an inet socket, the edge judges them by their cgroup.
frame_blocked() {
	local name=$1 device=$2 mac=$3 before
	before=$(arrived $HARD)
	mark_events
	box_probe_settled "$name" af-packet-raw $HARD 53 -i "$device" -m "$mac"
	expect "$name, af-packet-raw, packets at the far end" "$(arrived $HARD)" "$before"
	expect_new_event "$name, af-packet-raw" "$(box_event "$name" $HARD boxes \
		'.dnsfence.hook | startswith("edge")' | sed 's/ and .process.pid > 0//')"
}
for name in plain strong raw; do
	frame_blocked $name eth0 "$BRIDGE_MAC"
done
frame_blocked hostnet near 02:df:00:00:00:02
before=$(arrived $GOOD4)
box_probe raw af-packet-raw $GOOD4 53 -i eth0 -m "$BRIDGE_MAC"
((CHECKS++))
wait_until arrived_more $GOOD4 "$before" || fail "raw, a sanctioned frame did not arrive ($OUT)"

# shellcheck disable=SC2086
expect_told $BOXES
# shellcheck disable=SC2086
expect_no_other_told $BOXES
expect_log_whole
finish
