# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 180
#
# Files that do not answer: Docker's, a user's home, /proc of one process, each a FUSE file system
# whose server never reads a request. The log goes on with blanks, whole and without delay; when
# the files are back, so are the names.
. "$(dirname "$0")/lib.sh"

FLOOD=2000
DOCKER=$(printf '3f0c%060d' 1) LATER=$(printf '3f0c%060d' 2) ALICE=$(printf '3f0c%060d' 3)
ALICE_UID=4711
binary=$DNSFENCE

# hang DIRECTORY: for the daemon, in its mount namespace, nobody answers there from now on;
# HANGING is who does not.
hang() {
	rm -f "$WORK/hanging" # the last one's, which the next is not quick to empty
	# shellcheck disable=SC2016
	nsenter --mount="/proc/$DAEMON/ns/mnt" bash -c 'exec 9<>/dev/fuse &&
		mount -i -t fuse hangs "$1" -o fd=9,rootmode=40000,user_id=0,group_id=0,allow_other &&
		echo hangs && exec sleep 600' - "$1" >"$WORK/hanging" 2>&1 &
	HANGING=$!
	SERVERS+=" $HANGING"
	disown $HANGING
	wait_until grep -qs . "$WORK/hanging"
	[[ $(<"$WORK/hanging") == hangs ]] || skip "no FUSE: $(<"$WORK/hanging")"
	(nsenter --mount="/proc/$DAEMON/ns/mnt" timeout -s KILL 0.5 ls "$1/.") >/dev/null 2>&1
	expect "$1 does not answer, exit" $? 137
}

# answer DIRECTORY: the file system has gone, what it hid is there again.
answer() {
	kill -9 "$HANGING"
	nsenter --mount="/proc/$DAEMON/ns/mnt" umount -l "$1"
}

docker_file() {
	mkdir -p "$1" && echo "{\"ID\":\"${1##*/}\",\"Config\":{\"Image\":\"i\"},\"Name\":\"/$2\"}" \
		>"$1/config.v2.json"
}

[[ -e /dev/fuse ]] || modprobe -q fuse 2>/dev/null
[[ -e /dev/fuse ]] || skip "no /dev/fuse"
setup
home=$WORK/host/home/alice
mkdir -p "$WORK/host/etc" "$home/.local/share/docker/containers" "$CGROUP2/$ID/alice" || die "no directories"
chmod 755 "$WORK"
echo "alice:x:$ALICE_UID:$ALICE_UID::/home/alice:/bin/sh" >"$WORK/host/etc/passwd"
docker_file "$WORK/host/docker/containers/$DOCKER" known
docker_file "$WORK/host/docker/containers/$LATER" later
docker_file "$home/.local/share/docker/containers/$ALICE" hers
chown -R $ALICE_UID "$home" "$CGROUP2/$ID/alice"
known=$ID/docker-$DOCKER.scope later=$ID/docker-$LATER.scope hers=$ID/alice/docker-$ALICE.scope
mkdir "$CGROUP2"/{"$known","$later","$hers"} || die "no cgroups"
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4]}
	policies: [{name: default, resolvers: [good]}]
	edge: {interfaces: off}
	events: {stdout: true, buffer: 8192}
	runtimes: {host: $WORK/host, docker: /docker}
YAML

# What hangs for it must not hang for anybody else: it has a mount namespace of its own.
DNSFENCE=$WORK/run/dnsfence-unshared
printf '#!/bin/sh\nexec unshare --mount %s "$@"\n' "$binary" >"$DNSFENCE"
chmod +x "$DNSFENCE"
before=$(arrived $BAD4)
probe_in "$known" udp-sendto $BAD4 53
wait_until arrived_more $BAD4 "$before" || fail "without the fence nothing arrived"
start_fence
DNSFENCE=$binary

# is_named CGROUP NAME
is_named() {
	probe_in "$1" udp-sendto $BAD4 53
	wait_until has_event "$PID" true
	has_event "$PID" ".container.name == \"$2\""
}

comes_back() {
	((CHECKS++))
	wait_until is_named "$1" "$2" || fail "$2 is not named: $(event_of "$PID")"
}

comes_back "$known" known # it is named to begin with

microseconds() { echo "$EPOCHREALTIME" | tr -d .; }

lines_of() {
	jq -n --argjson pid "$1" \
		'[inputs | select(.process.pid == $pid) | .dnsfence.count] | add // 0' "$EVENTS"
}

all_told() { (($(lines_of "$1") == FLOOD)); }

# ready_flood CGROUP: a process that floods once it is let go; FLOOD_PID.
ready_flood() {
	rm -f "$WORK/go" "$WORK/pid"
	mkfifo "$WORK/go"
	# shellcheck disable=SC2016
	in_cgroup "$1" bash -c 'read -r _ <"$0"; exec "$@"' "$WORK/go" \
		"$PROBE" udp-sendto $BAD4 53 -u -r $FLOOD >"$WORK/flood" 2>&1 &
	wait_until test -s "$WORK/pid"
	FLOOD_PID=$(<"$WORK/pid")
}

# floods WHAT FILTER: every event of the flood is told while the files hang, and passes; another
# container is named meanwhile, and a sanctioned query arrives.
floods() {
	local what=$1 filter=$2 flood=$FLOOD_PID began took before
	began=$(microseconds)
	echo go >"$WORK/go"
	((CHECKS++))
	wait_until all_told "$flood" || fail "$what: of $FLOOD violations $(lines_of "$flood") are told"
	took=$((($(microseconds) - began) / 1000))
	expect_more "$what: milliseconds allowed until all are told" $((3000 * SLOW)) $took
	expect_match "$what, the flood" "$(<"$WORK/flood")" "count=$FLOOD failed=$FLOOD\$"
	expect "$what: events that say something else" \
		"$(jq -c --argjson pid "$flood" "select(.process.pid == \$pid and ($filter | not))" "$EVENTS" |
			head -n 1)" ""
	probe_in "$known" udp-sendto $BAD4 53
	expect_event "$what, of another container" "$PID" '.container.name == "known"'
	before=$(arrived $GOOD4)
	probe_in "$known" udp-sendto $GOOD4 53
	((CHECKS++))
	wait_until arrived_more $GOOD4 "$before" || fail "$what, sanctioned: nothing arrived"
	expect "$what: status, exit" "$(timeout $((2 * SLOW)) "$DNSFENCE" "${INSTANCE[@]}" status \
		>/dev/null 2>&1; echo $?)" 0
}

hang "$WORK/host/docker/containers"
ready_flood "$later"
floods "Docker's files hang" ".container == {id: \"$LATER\", runtime: \"docker\"}"
answer "$WORK/host/docker/containers" || fail "cannot unmount"
comes_back "$later" later

hang "$home"
ready_flood "$hers"
floods "a home hangs" ".container == {id: \"$ALICE\", runtime: \"docker\"}"
answer "$home" || fail "cannot unmount"
comes_back "$hers" hers

ready_flood "$known"
hang "/proc/$FLOOD_PID"
floods "/proc hangs" '.container.name == "known" and .process.name == "leakprobe"
	and .process.executable == null'
answer "/proc/$FLOOD_PID" 2>/dev/null # with the process it has gone already
has_executable() {
	in_cgroup "$known" "$PROBE" udp-sendto $BAD4 53 -u -r 40 -R 20 >/dev/null 2>&1
	has_event "$(<"$WORK/pid")" ".process.executable == \"$(readlink -f "$PROBE")\""
}
((CHECKS++))
wait_until has_executable || fail "no executables after /proc had answered"

expect_log_whole
lost=$(status_of .log.lost)
expect "lost" "$lost" 0
expect "the sequence has gaps" "$(jq -n '[inputs.event.sequence | select(. != null)] |
	[range(1; length) as $i | select(.[$i] != .[$i - 1] + 1)] | length' "$EVENTS")" 0
finish
