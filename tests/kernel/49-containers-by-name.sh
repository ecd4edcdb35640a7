# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 240
# vm: left out, a container engine takes minutes in emulation
#
# Policies that name containers: by name, image, label, runtime and id, of Docker and Podman side
# by side. The first that matches decides; one that starts later has its parent's policy until its
# own is known, and then that; a renamed one has that of its new name.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/containers.sh"
setup
setup_world
start_docker
setup_podman
docker tag $IMAGE registry.test/tools/box:9 || die "no second image"

box docker web-1 --label tier=front
box docker api
IMAGE=registry.test/tools/box:9 box docker tool
box docker plain
box podman web-1p
box podman api-p

config() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		resolvers: {good: [$GOOD4], second: [$OTHER4], bad: [$BAD4], hard: [$HARD]}
		policies:
		  - {name: one, match: {container: {id: "${BOX_IDS[plain]:0:12}*"}}, resolvers: [good, second]}
		  - {name: api, match: {container: {name: api, runtime: docker}}, resolvers: [second]}
		  - {name: podmans, match: {container: {name: ["web-*", "api-*"], runtime: podman}}, resolvers: [bad]}
		  - {name: front, match: {container: {label: {tier: front}}}, resolvers: [good]}
		  - {name: web, match: {container: {name: "web-*"}}, resolvers: [second]}
		  - {name: tools, match: {container: {image: "registry.test/tools/*"}}, resolvers: [hard]}
		  - {name: images, match: {container: {label: {from: image}, runtime: docker}}, resolvers: []}
		  - {name: default, resolvers: []}
		runtimes: {docker: $WORK/docker, podman: $WORK/podman}
		edge: {interfaces: off}
		events: {stdout: true}
	YAML
}
config

# only NAME POLICY ADDR...: of the four, these answer, and the others are refused by that policy.
only() {
	local name=$1 policy=$2 addr
	shift 2
	for addr in $GOOD4 $OTHER4 $BAD4 $HARD; do
		if [[ " $* " == *" $addr "* ]]; then
			box_probe "$name" udp-sendto "$addr" 53
			expect "$name may ask $addr, errno" "$ERRNO" 0
		else
			box_blocked "$name" "$policy" "$addr" udp-sendto
		fi
	done
}

for name in web-1 api tool plain web-1p api-p; do
	box_leaks $name $HARD udp-sendto
	box_leaks $name $OTHER4 udp-sendto
done
start_fence
only web-1 front $GOOD4
only api api $OTHER4
only tool tools $HARD
only plain one $GOOD4 $OTHER4
only web-1p podmans $BAD4
only api-p podmans $BAD4
expect "web-1 asks" "$(box_asks web-1 $GOOD4)" $GOOD_ANSWER
expect "tool asks" "$(box_asks tool $HARD)" $HARD_ANSWER

# Those that come later.
has_policy() {
	box_probe "$1" udp-sendto "$2" 53
	[[ $ERRNO == 0 ]]
}
later() {
	((CHECKS++))
	wait_until has_policy "$1" "$3" || fail "$1 has not got its policy"
	only "$1" "$2" "$3"
}
box docker late --label tier=front
box docker web-2
box podman web-2p
later late front $GOOD4
later web-2 web $OTHER4
later web-2p podmans $BAD4

expect_told web-1 api tool plain web-1p api-p late web-2 web-2p
expect_no_other_told web-1 api tool plain web-1p api-p late web-2 web-2p

# A name is one for as long as it is borne.
docker rename api former || die "docker rename"
docker rename plain api || die "docker rename"
podman rename api-p nobody 2>/dev/null || die "podman rename"
refused() {
	box_probe "$1" udp-sendto "$2" 53
	[[ $ERRNO == EPERM ]]
}
same_box former api
same_box api plain
same_box nobody api-p
((CHECKS += 2))
wait_until refused former $OTHER4 || fail "the policy of a container's former name stays"
wait_until refused nobody $BAD4 || fail "the policy of a Podman container's former name stays"
only former images
only nobody default
only api one $GOOD4 $OTHER4 # by its id, which comes first

expect_told former nobody api
expect_log_whole
finish
