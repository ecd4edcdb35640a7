# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
# vm: left out, a container engine takes minutes in emulation
#
# Podman's containers, without root. What they send leaves the host through slirp4netns, from the
# cgroup of the podman that started it: a lookup has to pass the container's policy and then
# slirp4netns'. Its own resolver, 10.0.2.3, is one more forwarder. Its events name the container.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/containers.sh"
make_user
setup
setup_world
setup_rootless
SLIRP=10.0.2.3

box rootless web
box rootless other
box rootless hostnet --network host
box rootless named

config() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		resolvers: {good: [$GOOD4], second: [$OTHER4], slirp: [$SLIRP], hard: [$HARD]}
		policies:
		  - {name: other, match: {cgroup: $(cgroup_of_box other)}, resolvers: [second, hard]}
		  - {name: nobody, match: {container: {name: named}}, resolvers: any}
		  - {name: named, match: {container: {name: "nam*", runtime: podman, user: $ROOTLESS_UID}}, resolvers: [second]}
		  - {name: boxes, match: {cgroup: /$ROOTLESS_PARENT}, resolvers: [good, slirp]}
		  - {name: session, match: {cgroup: /$ROOTLESS_MANAGER/session}, resolvers: [$1], forwards: true}
		  - {name: default, resolvers: []}
		runtimes: {host: /proc/$WORLD/root}
		edge: {interfaces: off}
		events: {stdout: true}
	YAML
}
config 'good, second'

for name in web other hostnet named; do
	box_leaks $name $HARD udp-sendto
	expect "$name asks $HARD, open" "$(box_asks $name $HARD)" $HARD_ANSWER
done
expect "web asks slirp4netns, open" "$(box_asks web $SLIRP)" $GOOD_ANSWER

start_fence
for name in web hostnet; do
	box_blocked $name boxes $HARD udp-sendto
	box_blocked $name boxes $HARD tcp-connect
	expect "$name asks $GOOD4" "$(box_asks $name $GOOD4)" $GOOD_ANSWER
done
expect "web asks slirp4netns" "$(box_asks web $SLIRP)" $GOOD_ANSWER
box_blocked other other $GOOD4 udp-sendto
expect "other asks $OTHER4" "$(box_asks other $OTHER4)" $GOOD_ANSWER

# By its name, which counts for this user's containers where the policy names him.
box_blocked named named $GOOD4 udp-sendto
box_blocked named named $HARD udp-sendto
expect "named asks $OTHER4" "$(box_asks named $OTHER4)" $GOOD_ANSWER

# slirp_refused NAME ADDR: the event is slirp4netns', and names who asked it.
slirp_refused() {
	expect_new_event "$1 asks $2, slirp4netns" ".dnsfence.cgroup.path == \"/$ROOTLESS_MANAGER/session\" and
		.rule.name == \"session\" and .destination.ip == \"$2\" and
		.process.name == \"slirp4netns\" and .user.id == \"$ROOTLESS_UID\" and
		$(asked_by "$1" nslookup)"
}

# What the container may ask, and slirp4netns may not.
before=$(arrived $HARD)
mark_events
expect "other asks $HARD, by slirp4netns" "$(box_asks other $HARD)" ''
box_settle other
expect "other asks $HARD, packets" "$(arrived $HARD)" "$before"
slirp_refused other $HARD
config second
dnsfence reload 2>/dev/null
before=$(arrived $GOOD4)
mark_events
expect "web asks slirp4netns, which may not" "$(box_asks web $SLIRP)" ''
box_settle web
expect "web asks slirp4netns, which may not, packets" "$(arrived $GOOD4)" "$before"
slirp_refused web $GOOD4
expect "other still asks $OTHER4" "$(box_asks other $OTHER4)" $GOOD_ANSWER

expect_told web other hostnet named
expect_no_other_told web other hostnet named
expect_log_whole
finish
