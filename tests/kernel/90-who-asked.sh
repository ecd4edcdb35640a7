# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# Who is named in events: unit, container, pod, parent; a process and a cgroup that have gone
# before the event is read; a container that was renamed. The trees are shaped as systemd, Docker
# and the kubelet make them, the files as they write them.
. "$(dirname "$0")/lib.sh"

WEB=$(printf '3f0c%060d' 1) BARE=$(printf '3f0c%060d' 2) APP=$(printf '3f0c%060d' 3)
POD=0e5d4c3b-2a19-4807-b6f5-e4d3c2b1a098

# A slice, so that what is below it can be a unit.
CGROUP=$CGROUP2/$ID.slice APPS=$ID.slice/nginx.service FENCED=/$ID.slice
INSTANCE=(--cgroup "$FENCED" --pin-dir "$PIN_DIR" --runtime-dir "$WORK/run")
setup
docker=$ID.slice/docker-$WEB.scope
bare=$ID.slice/docker-$BARE.scope
pod=$ID.slice/kubepods/burstable/pod$POD/$APP
node=$docker/kubelet/kubepods/besteffort/pod$POD/$APP
mkdir -p "$CGROUP2"/{"$bare","$pod","$node"} "$WORK/docker/containers/$WEB" \
	"$WORK/pods/prod_web-0_$POD" || die "no cgroups or files"

# name_container NAME: as dockerd does, beside and moved over.
name_container() {
	local file=$WORK/docker/containers/$WEB/config.v2.json
	cat >"$file.new" <<-JSON
		{"ID":"$WEB","Config":{"Image":"registry/web:7","Labels":{"app":"web"}},"Name":"/$1"}
	JSON
	mv "$file.new" "$file"
}

name_container web-1
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4]}
	policies: [{name: default, resolvers: [good]}]
	edge: {interfaces: off}
	events: {stdout: true}
	runtimes: {docker: $WORK/docker, pods: $WORK/pods}
YAML

# Open, each of them reaches the resolver that it is about to be refused.
for cgroup in "$APPS" "$docker" "$bare" "$pod" "$node"; do
	before=$(arrived $BAD4)
	probe_in "$cgroup" udp-sendto $BAD4 53
	((CHECKS++))
	wait_until arrived_more $BAD4 "$before" || fail "/$cgroup without the fence: nothing arrived"
done
start_fence

# is_told CGROUP FILTER: refused, and the event says that.
is_told() {
	probe_in "$1" udp-sendto $BAD4 53
	expect "/$1, errno" "$ERRNO" EPERM
	wait_until has_event "$PID" true
	has_event "$PID" "$2"
}

# names CGROUP FILTER: told with that, and its sanctioned twin arrives. On a busy machine names may
# come too late for the first event of a cgroup.
names() {
	local before bad
	bad=$(arrived $BAD4)
	((CHECKS++))
	wait_until is_told "$1" ".dnsfence.cgroup.path == \"/$1\" and ($2)" ||
		fail "/$1: no event with $2, but $(event_of "$PID")"
	expect "/$1, packets" "$(arrived $BAD4)" "$bad"
	before=$(arrived $GOOD4)
	probe_in "$1" udp-sendto $GOOD4 53
	((CHECKS++))
	wait_until arrived_more $GOOD4 "$before" || fail "/$1, sanctioned: nothing arrived"
}

shell=$(readlink "/proc/$$/exe")
names "$APPS" ".dnsfence.unit == \"nginx.service\" and .container == null and .orchestrator == null
	and .process.parent.executable == \"$shell\""
web='.container.id == "'$WEB'" and .container.runtime == "docker" and .container.name == "web-1"
	and .container.image.name == "registry/web:7"'
names "$docker" "$web and .dnsfence.nested == null and .dnsfence.unit == \"docker-$WEB.scope\""
names "$bare" ".container == {id: \"$BARE\", runtime: \"docker\"}"
names "$pod" ".container.id == \"$APP\" and .orchestrator == {type: \"kubernetes\", namespace: \"prod\",
	resource: {type: \"pod\", name: \"web-0\", id: \"$POD\"}}"
names "$node" "$web and .orchestrator == null and .dnsfence.nested.container.id == \"$APP\"
	and .dnsfence.nested.orchestrator.resource.id == \"$POD\""

# The executable of one that stays; the line for people.
hold() {
	in_cgroup "$docker" "$PROBE" udp-sendto $BAD4 53 -u -r 40 -R 20 >/dev/null 2>&1
}
timeout $((20 * SLOW)) "$DNSFENCE" "${INSTANCE[@]}" events >"$WORK/lines" 2>/dev/null &
lines=$!
SERVERS+=" $lines"
sleep 0.5
hold
expect_event "one that stays" "$(<"$WORK/pid")" ".process.executable == \"$(readlink -f "$PROBE")\""
((CHECKS++))
wait_until grep -q ' in container web-1: resolver-not-sanctioned, ' "$WORK/lines" ||
	fail "the readable line: $(tail -n 1 "$WORK/lines")"
kill "$lines"

# An open socket is its container's, too.
hold_socket open "$docker" udp $GOOD4
sockets=$(dnsfence sockets --all 2>/dev/null)
expect_match "dnsfence sockets" "$sockets" "leakprobe\[${HELD_PIDS[open]}\] \(uid 0\) in container web-1, netns "
sockets=$(dnsfence sockets --all -j 2>/dev/null | jq -c --argjson pid "${HELD_PIDS[open]}" \
	'.sockets[] | select(.process.pid == $pid) | .container')
expect "dnsfence sockets -j" "$(jq -r '[.id, .name, .image.name] | @tsv' <<<"$sockets")" \
	"$WEB	web-1	registry/web:7"
send_held open

# A short-lived dig, a hundred times.
in_cgroup "$docker" bash -c "for ((i = 0; i < 100; i++)); do
	dig +tries=1 +time=1 @$BAD4 \$i.test >/dev/null & echo \$!; wait; done" >"$WORK/digs" 2>/dev/null
named() {
	jq -n --rawfile digs "$WORK/digs" "(\$digs | split(\"\n\")) as \$digs |
		[inputs | select((.process.pid | tostring | IN(\$digs[])) and .process.name != null
			and $web) | .process.pid] | unique | length" "$EVENTS"
}
enough_named() { (($(named) >= 99)); }
((CHECKS++))
wait_until enough_named || fail "of 100 digs $(named) are named"

# Gone before the daemon looks: what was known is told, of the other one only its number.
late=$ID.slice/docker-$(printf '3f0c%060d' 4).scope
mkdir "$CGROUP2/$late"
kill -STOP "$DAEMON"
probe_in "$docker/init" udp-sendto $BAD4 53 2>/dev/null # there is no such cgroup: nothing happens
probe_in "$bare" udp-sendto $BAD4 53
known=$PID
probe_in "$late" udp-sendto $BAD4 53
unknown=$PID
wait_until rmdir "$CGROUP2/$bare" 2>/dev/null || fail "the cgroup stays"
wait_until rmdir "$CGROUP2/$late" 2>/dev/null || fail "the cgroup stays"
kill -CONT "$DAEMON"
expect_event "a cgroup gone that was known" "$known" \
	".container.id == \"$BARE\" and .process.name == \"leakprobe\" and .process.executable == null"
expect_event "a cgroup gone that was not" "$unknown" \
	'.dnsfence.cgroup.id > 0 and .dnsfence.cgroup.path == null and .container == null
	and .process.name == "leakprobe"'

# docker rename: within two ticks.
name_container web-2
renamed() {
	probe_in "$docker" udp-sendto $BAD4 53
	wait_until has_event "$PID" true
	has_event "$PID" '.container.name == "web-2"'
}
((CHECKS++))
wait_until renamed || fail "the new name: $(event_of "$PID")"

# Other roots, at a reload.
sed -i "s|docker: [^,]*|docker: $WORK/none|" "$CONFIG"
expect "reload" "$(dnsfence reload >/dev/null 2>&1; echo $?)" 0
probe_in "$docker" udp-sendto $BAD4 53
expect_event "after a reload without those files" "$PID" \
	".container == {id: \"$WEB\", runtime: \"docker\"}"
expect_log_whole
finish
