# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
# limit: 240
#
# Containers whose policies are by name, many of them, while one asks all the time: neither a daemon
# that is killed and started anew nor a reload that reads all the runtimes' files again lets a packet
# through. A cgroup made below the fenced one that was itself made anew has its own policy soon.
. "$(dirname "$0")/lib.sh"
setup
root=$WORK/root
COUNT=300 RATE=1000
box() { printf '%064x' "$1"; }
for ((i = 1; i <= COUNT; i++)); do
	id=$(box $i)
	mkdir -p "$CGROUP/docker/docker-$id.scope" "$root/var/lib/docker/containers/$id"
	printf '{"ID":"%s","Name":"/box-%d","Config":{"Image":"box","Labels":{}}}' "$id" $i \
		>"$root/var/lib/docker/containers/$id/config.v2.json"
done

write_policy() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		runtimes: {host: $root, docker: [/var/lib/docker${1:+, $1}]}
		resolvers: {good: [$GOOD4]}
		policies:
		  - {name: strict, match: {container: {name: "box*"}}, resolvers: []}
		  - {name: tree, match: {cgroup: "/$ID/apps/strict*"}, resolvers: []}
		  - {name: default, resolvers: [good]}
		events: {stdout: true}
	YAML
}

# sends_meanwhile WHAT COMMAND...: from one of them, to what the default policy sanctions.
sends_meanwhile() {
	local what=$1 before sender
	shift
	before=$(arrived $GOOD4)
	in_cgroup "$ID/docker/docker-$(box $COUNT).scope" "$PROBE" udp-sendto $GOOD4 53 \
		-r $((4 * RATE)) -R $RATE >"$WORK/sender" 2>&1 &
	sender=$!
	sleep 0.5
	"$@"
	wait $sender
	expect "$what, what the sender was told" "$(grep -o 'count=.*' "$WORK/sender")" \
		"count=$((4 * RATE)) failed=$((4 * RATE))"
	settle
	expect "$what, packets" "$(arrived $GOOD4)" "$before"
}
restart() {
	stop_fence KILL
	start_fence
}
reload_all() { dnsfence reload 2>"$WORK/reload"; }

before=$(arrived $GOOD4)
probe_in "$ID/docker/docker-$(box 1).scope" udp-sendto $GOOD4 53
expect "without the fence, errno" "$ERRNO" 0
settle
expect_more "without the fence, packets" "$(arrived $GOOD4)" "$before"
write_policy
start_fence
is_strict() { probe_in "$ID/docker/docker-$(box $COUNT).scope" udp-sendto $GOOD4 53; [[ $ERRNO == EPERM ]]; }
((CHECKS++))
wait_until is_strict || fail "the container has no policy by its name"
probe_in "$ID/docker" udp-sendto $GOOD4 53
expect "beside the containers, errno" "$ERRNO" 0
for turn in 1 2; do
	sends_meanwhile "killed and started, $turn" restart
done
mkdir "$root/more"
write_policy /more
sends_meanwhile "a reload with another place for files" reload_all
stop_fence TERM
dnsfence unload

mkdir "$CGROUP/apps/part"
FENCED_AT=("${INSTANCE[@]}")
sed -i "s|/$ID/apps/strict|/$ID/apps/part/strict|" "$CONFIG"
start_fence --cgroup "/$ID/apps/part"
strict_soon() {
	mkdir "$CGROUP/apps/part/strict-$1"
	own() { probe_in "$ID/apps/part/strict-$1" udp-sendto $GOOD4 53; [[ $ERRNO == EPERM ]]; }
	((CHECKS++))
	SECONDS=0
	wait_until own "$1" || fail "$2: a new cgroup has no policy of its own: $(dnsfence status 2>&1 | grep -E "subjects|fence")"
}
strict_soon 1 "at first"
rmdir "$CGROUP/apps/part/strict-1" "$CGROUP/apps/part" && mkdir "$CGROUP/apps/part"
fenced_again() { [[ $(status_of .fence) == closed && $(probe_in "$ID/apps/part" udp-sendto $BAD4 53; echo "$ERRNO") == EPERM ]]; }
wait_until fenced_again || fail "the new cgroup is not fenced"
sleep 2 # a tick, on which the follower is made for it
began=$(date +%s%N)
strict_soon 2 "made anew"
expect "made anew, before the next walk of 10 s" "$((($(date +%s%N) - began) / 1000000000 < 3 * SLOW))" 1
expect_log_whole
finish
