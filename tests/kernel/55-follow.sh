# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
# limit: 240
#
# Cgroups come and go while the daemon runs, in trees shaped as systemd, Docker, Kubernetes (both
# drivers), Podman, LXC and nspawn make them, with the runtimes' files in a root of the test's own:
# each has its own policy soon after mkdir, its parent's until then, and leaves nothing behind.
. "$(dirname "$0")/lib.sh"
setup
TOP=$ID/host # the test's own tree: what names a unit stands below it, so units are tested by 55-follow-units
root=$WORK/root
id1=$(printf '1%.0s' {1..64}) id2=$(printf '2%.0s' {1..64})
id3=$(printf '5%.0s' {1..64})
pod=11111111-2222-3333-4444-555555555555
mkdir -p "$CGROUP2/$TOP" "$root/var/lib/docker/containers" "$root/var/log/pods/prod_web-0_$pod"

docker_file() { # ID NAME LABEL
	mkdir -p "$root/var/lib/docker/containers/$1"
	printf '{"ID":"%s","Name":"/%s","Config":{"Image":"registry.example/%s:1","Labels":{"tier":"%s"}}}' \
		"$1" "$2" "$2" "$3" >"$root/var/lib/docker/containers/$1/new"
	mv "$root/var/lib/docker/containers/$1/new" "$root/var/lib/docker/containers/$1/config.v2.json"
}

write_policy() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		follow: ${1:-auto}
		runtimes: {host: $root}
		resolvers:
		  good: [$GOOD4, "$GOOD6"]
		  other: [$OTHER4, "$OTHER6"]
		policies:
		  - {name: web, match: {container: {name: "web-*"}}, resolvers: [other]}
		  - {name: front, match: {container: {label: {tier: front}}}, resolvers: []}
		  - {name: prod, match: {pod: {namespace: prod}}, resolvers: [other]}
		  - {name: lxc, match: {container: {runtime: lxc, id: "box*"}}, resolvers: [other]}
		  - {name: nspawn, match: {container: {runtime: systemd-nspawn}}, resolvers: [other]}
		  - {name: podman, match: {container: {runtime: podman}}, resolvers: [other]}
		  - {name: jobs, match: {cgroup: ["/$ID/jobs/*", "/$ID/more/*"]}, resolvers: [other]}
		  - {name: default, resolvers: [good]}
		events: {stdout: true}
	YAML
}

entries() { status_of .subjects.entries; }
entries_are() { [[ $(entries) == "$1" ]]; }

# has_policy CGROUP NAME ALLOWED DENIED: at the first packet after 10 ms.
has_policy() {
	probe_in "$1" udp-sendto "$4" 53
	expect "/$1 to $4, errno" "$ERRNO" EPERM
	expect_event "/$1 to $4" "$PID" ".rule.name == \"$2\" and .dnsfence.cgroup.path == \"/$1\""
	[[ $3 ]] || return 0
	probe_in "$1" udp-sendto "$3" 53
	expect "/$1 to $3, errno" "$ERRNO" 0
}

soon_has_policy() {
	mkdir -p "$CGROUP2/$1"
	sleep $((SLOW - 1)).01
	has_policy "$@"
}

all_shapes() {
	docker_file "$id1" web-1 back
	docker_file "$id2" db front
	soon_has_policy "$TOP/docker/$id1" web $OTHER4 $GOOD4
	soon_has_policy "$TOP/system.slice/docker-$id2.scope" front '' $GOOD4
	soon_has_policy "$TOP/kubepods.slice/kubepods-pod${pod//-/_}.slice/cri-containerd-$id3.scope" prod $OTHER4 $GOOD4
	soon_has_policy "$TOP/kubepods/burstable/pod$pod/$id3" prod $OTHER4 $GOOD4
	soon_has_policy "$TOP/lxc.payload.box1/init" lxc $OTHER4 $GOOD4
	soon_has_policy "$TOP/lxc.payload.other" default $GOOD4 $OTHER4
	soon_has_policy "$TOP/machine.slice/machine-m.scope" nspawn $OTHER4 $GOOD4
	soon_has_policy "$TOP/machine.slice/libpod-$id2.scope/container" podman $OTHER4 $GOOD4
	soon_has_policy "$ID/jobs/one" jobs $OTHER4 $GOOD4
	soon_has_policy "$ID/more/one/below" jobs $OTHER4 $GOOD4
	find "$CGROUP2/$TOP" "$CGROUP/jobs" "$CGROUP/more" -mindepth 1 -depth -type d -exec rmdir {} +
	((CHECKS++))
	wait_until entries_are 0 || fail "$(entries) entries are left"
}

before=$(arrived $BAD4)
probe udp-sendto $BAD4 53
((CHECKS++))
wait_until arrived_more $BAD4 "$before" || fail "without the fence nothing arrived"

mkdir -p "$CGROUP/jobs" "$CGROUP/more"
write_policy
start_fence
expect "the way" "$(status_of .subjects.follow)" tracepoint
all_shapes

# A file that comes late: the parent's policy until then, never more.
mkdir -p "$CGROUP2/$TOP/docker/$(printf '3%.0s' {1..64})"
late=$TOP/docker/$(printf '3%.0s' {1..64})
sleep 0.05
has_policy "$late" default $GOOD4 $OTHER4
docker_file "${late##*/}" web-late back
late_is_known() {
	probe_in "$late" udp-sendto $OTHER4 53
	[[ $ERRNO == 0 ]]
}
((CHECKS++))
wait_until late_is_known || fail "a file that came late is not noticed"
docker_file "${late##*/}" renamed back # as docker rename does
renamed() {
	probe_in "$late" udp-sendto $OTHER4 53
	[[ $ERRNO == EPERM ]]
}
((CHECKS++))
wait_until renamed || fail "a rename is not noticed"

# What comes while the daemon is stopped: more than the ring holds, and all of it is found.
last=$(printf 's5999-%060d' 0)
kill -STOP "$DAEMON"
for ((i = 0; i < 6000; i++)); do
	printf '%s/jobs/s%d-%060d\n' "$CGROUP" $i 0
done >"$WORK/names"
xargs mkdir <"$WORK/names"
probe_in "$ID/jobs/$last" udp-sendto $OTHER4 53
expect "a cgroup that the daemon has not heard of, errno" "$ERRNO" EPERM
kill -CONT "$DAEMON"
((CHECKS++))
wait_until entries_are 6000 || fail "after a stop: $(entries) entries of 6000"
expect_more "news was lost" "$(status_of .subjects.lost)" 0
has_policy "$ID/jobs/$last" jobs $OTHER4 $GOOD4
expect_more "room for more" "$(status_of .subjects.room)" 6000

# A daemon that was killed, a reload: all are there again, and those that went are not.
stop_fence KILL
xargs rmdir < <(head -n 3000 "$WORK/names")
start_fence
((CHECKS++))
wait_until entries_are 3000 || fail "after a kill: $(entries) entries of 3000"
expect "what the next daemon has found of the last one" "$(status_of .process.tampered)" 0
dnsfence reload >/dev/null 2>&1
expect "reload, exit status" $? 0
has_policy "$ID/jobs/$last" jobs $OTHER4 $GOOD4
xargs rmdir < <(tail -n 3000 "$WORK/names")
((CHECKS++))
wait_until entries_are 0 || fail "$(entries) entries are left of those gone"

# Churn: 10,000 that live for a moment leave nothing.
xargs -n 100 sh -c 'mkdir "$@" && rmdir "$@"' sh < <(seq -f "$CGROUP/jobs/c%.0f" 10000)
churned() { [[ $(status_of '.subjects.entries == 0 and .subjects.cgroups < 20') == true ]]; }
((CHECKS++))
wait_until churned || fail "after churn: $(status_of .subjects)"
rmdir "$CGROUP2/$late"

# The same in the other ways.
stop_fence
for way in inotify walk; do
	write_policy $way
	start_fence
	expect "the way" "$(status_of .subjects.follow)" $way
	if [[ $way == inotify ]]; then
		all_shapes
	else
		mkdir "$CGROUP/jobs/walked"
		((CHECKS++))
		wait_until entries_are 1 || fail "the walk finds nothing"
		rmdir "$CGROUP/jobs/walked"
		((CHECKS++))
		wait_until entries_are 0 || fail "the walk leaves what has gone"
	fi
	stop_fence
done
write_policy
start_fence
expect_log_whole
finish
