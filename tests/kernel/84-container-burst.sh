# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 180
# vm: left out, 200 containers at once take minutes in emulation
#
# 200 containers started at once, under a policy by name: runc with Docker's cgroups and files,
# because dockerd itself starts them one after the other. Each asks from its first moment. None
# has ever more than its own rights or its parent's, each comes to have its own, and each event
# names the container it is about.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/containers.sh"
need runc sha256sum
setup
setup_world
COUNT=200

policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4], second: [$OTHER4]}
	policies:
	  - {name: burst, match: {container: {name: "burst-*", runtime: docker}}, resolvers: [good]}
	  - {name: parent, match: {cgroup: /$DOCKER_PARENT}, resolvers: [second]}
	  - {name: default, resolvers: []}
	runtimes: {docker: $WORK/docker}
	edge: {interfaces: off}
	events: {stdout: true}
YAML

# What it may never ask; for a second, what only its parent may; then what is its own.
script="leakprobe udp-sendto $HARD 53; leakprobe udp-sendto $OTHER4 53 -r 50 -R 50
	until leakprobe udp-sendto $GOOD4 53; do sleep 1; done"

# docker_file ID NAME: the parts of Docker's config.v2.json that tell who it is, and some others.
docker_file() {
	mkdir -p "$WORK/docker/containers/$1"
	cat >"$WORK/docker/containers/$1/config.v2.json" <<-JSON
		{"StreamConfig":{},"State":{"Running":true,"Pid":1},"ID":"$1","Managed":false,"Path":"sh",
		"Args":[],"Config":{"Hostname":"${1:0:12}","Cmd":["sh"],"Image":"$IMAGE","Labels":{}},
		"Image":"sha256:$1","NetworkSettings":{"Networks":{}},"Name":"/$2","Driver":"overlay2"}
	JSON
}

# Network namespaces are left out: 200 of them are no part of this.
bundles() {
	local i id
	mkdir "$WORK/spec" && (cd "$WORK/spec" && runc spec) || die "no specification"
	jq -c --arg root "$WORK/image" --arg script "$script" '.process.terminal = false
		| .process.args = ["sh", "-c", $script] | .root = {path: $root, readonly: true}
		| .linux.namespaces = [{type: "pid"}, {type: "mount"}] | del(.hostname)
		| .linux.cgroupsPath = "CGROUP"' "$WORK/spec/config.json" >"$WORK/spec/docker.json"
	for ((i = 1; i <= COUNT; i++)); do
		id=$(echo "$ID $i" | sha256sum) id=${id%% *}
		IDS+=("$id")
		mkdir "$WORK/spec/$id"
		sed "s,CGROUP,/$DOCKER_PARENT/$id," "$WORK/spec/docker.json" >"$WORK/spec/$id/config.json"
		docker_file "$id" "burst-$i"
	done
}
IDS=()
bundles
start_fence
before_good=$(arrived $GOOD4)

# All at once, and how many of them have ended well.
# shellcheck disable=SC2016
ended=$(world "$ENGINE" bash -c 'cd "$1" || exit
	for id in */; do
		{ runc --root "$1/state" run -b "$id" "${id%/}" >/dev/null 2>"$id/log" && echo "${id%/}"; } &
	done
	wait' burst "$WORK/spec" | wc -l)
expect "containers that came to have their own policy" "$ended" $COUNT
((ended == COUNT)) || cat "$WORK"/spec/*/log | sort | uniq -c | sort -rn | head -n 5 >&2
expect "packets that neither policy allows" "$(arrived $HARD)" 0
expect "packets that their own allows" "$(arrived $GOOD4)" $((before_good + COUNT))
expect_log_whole

# told FILTER: how many containers have an event that passes, by the cgroup that it tells.
told() {
	jq -r "select(.event.action? == \"dns-denied\" and ($1)) | .dnsfence.cgroup.path // \"\"" "$EVENTS" |
		sort -u | grep -cE "^/$DOCKER_PARENT/[0-9a-f]{64}$"
}
expect "containers with an event" "$(told "true")" $COUNT
expect "containers whose own policy refused $OTHER4" \
	"$(told ".rule.name == \"burst\" and .destination.ip == \"$OTHER4\"")" $COUNT
expect "events of nobody, or under no policy of theirs" "$(jq -c "select(.event.action? == \"dns-denied\" and
	((.dnsfence.cgroup.path // \"\" | test(\"^/$DOCKER_PARENT/[0-9a-f]{64}$\") | not) or
	(.rule.name | IN(\"burst\", \"parent\") | not)))" "$EVENTS" | wc -l)" 0
# Whoever has a policy by his name is named.
names=$(printf '%s\n' "${IDS[@]}" | jq -nR '[inputs] | to_entries | map({(.value): "burst-\(.key + 1)"}) | add')
expect "containers that their own policy's events name" "$(jq -r --argjson names "$names" --arg image $IMAGE \
	'select(.rule.name? == "burst") | select(.container == {id: .dnsfence.cgroup.path | split("/")[-1],
	name: $names[.container.id], image: {name: $image}, runtime: "docker"}) | .container.id' "$EVENTS" |
	sort -u | wc -l)" $COUNT
expect "events of them that do not" "$(jq -c --argjson names "$names" 'select(.rule.name? == "burst") |
	select(.container.name != $names[.dnsfence.cgroup.path | split("/")[-1]])' "$EVENTS" | wc -l)" 0
# At 50 a second: what had not its own policy 20 ms after it began has sent a second one.
echo "under the parent's policy: $(arrived $OTHER4) packets of $COUNT containers"
finish
