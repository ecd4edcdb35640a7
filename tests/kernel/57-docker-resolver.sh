# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
# vm: left out, a container engine takes minutes in emulation
#
# Docker's resolver at 127.0.0.11 of its own networks. To the container it is one behind NAT, to
# be marked `translated`; the lookup beyond it is the daemon's, made in the container's network
# namespace, and its policy's. Where that refuses the upstream, nobody's answer comes back, and
# the event says who asked.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/containers.sh"
setup
setup_world
start_docker
docker network create apps >/dev/null || die "no network of Docker's own"

box docker app --network apps
box docker peer --network apps
box docker stray --network apps --dns $HARD # the daemon asks that one for it
box docker bare --network apps

policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4], embedded: [{address: 127.0.0.11, translated: true}]}
	policies:
	  - {name: bare, match: {cgroup: $(cgroup_of_box bare)}, resolvers: [good]}
	  - {name: boxes, match: {cgroup: /$DOCKER_PARENT}, resolvers: [embedded]}
	  - {name: engine, match: {cgroup: /$ENGINE}, resolvers: [good], forwards: true}
	  - {name: default, resolvers: []}
	runtimes: {docker: $WORK/docker}
	edge: {interfaces: off}
	events: {stdout: true}
YAML

for name in app stray bare; do
	expect "$name has Docker's resolver" "$(in_box $name cat /etc/resolv.conf | head -n 1)" \
		'nameserver 127.0.0.11'
done
expect "app asks, open" "$(box_asks app)" $GOOD_ANSWER
expect "stray asks, open" "$(box_asks stray)" $HARD_ANSWER
expect "bare asks, open" "$(box_asks bare)" $GOOD_ANSWER
box_leaks app $HARD udp-sendto

start_fence
before=$(denied)
expect "app asks" "$(box_asks app)" $GOOD_ANSWER
expect_match "app asks for its neighbour" "$(in_box app nslookup peer 2>&1)" \
	"Address: $(docker inspect -f '{{.NetworkSettings.Networks.apps.IPAddress}}' peer)"
expect "denied so far" "$(denied)" "$before"

# Past the resolver: the container's own policy.
box_blocked app boxes $HARD udp-sendto
box_blocked app boxes $GOOD4 tcp-connect

# A container that has not been given Docker's resolver.
mark_events
expect "bare asks" "$(box_asks bare)" ''
expect_new_event "bare asks" "$(box_event bare 127.0.0.11 bare '.process.name == "nslookup"')"
expect "bare asks $GOOD4" "$(box_asks bare $GOOD4)" $GOOD_ANSWER

box_blocked stray boxes $GOOD4 udp-sendto

# Docker's resolver asks what it must not, for a container that may ask it.
before=$(arrived $HARD)
mark_events
expect "stray asks" "$(box_asks stray)" ''
box_settle stray
expect "stray asks, packets at the far end" "$(arrived $HARD)" "$before"
space=$(in_box stray readlink /proc/self/ns/net)
expect_new_event "stray asks" ".dnsfence.cgroup.path == \"/$ENGINE\" and .rule.name == \"engine\" and
	.destination.ip == \"$HARD\" and .process.name == \"dockerd\" and
	.dnsfence.via.netns.inode == ${space//[^0-9]/} and $(asked_by stray nslookup)"

# And when its policy sanctions that one, too.
sed -i "s/good: \[$GOOD4\]/good: [$GOOD4], engine: [$GOOD4, $HARD]/
	s/\(name: engine.*resolvers: \)\[good\]/\1[engine]/" "$CONFIG"
dnsfence reload 2>/dev/null
expect "stray asks what is sanctioned now" "$(box_asks stray)" $HARD_ANSWER
box_blocked stray boxes $HARD udp-sendto

expect_told app bare stray
expect_no_other_told app bare stray
expect_log_whole
finish
