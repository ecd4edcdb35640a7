# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# How long it takes from mkdir() of a cgroup to its entry in the kernel's table: 200 starts one
# after the other, by either way of following, for a policy that names cgroups and for one that
# names containers, whose files are read first. Each entry has to come; how soon is printed, on
# stderr (-v shows it), and asserted by nobody: it is the machine's load as much as ours.
. "$(dirname "$0")/lib.sh"
STARTS=${STARTS:-$ROOT/build/starts}
[[ -x $STARTS ]] || skip "build/starts is missing"
setup
root=$WORK/root
mkdir -p "$CGROUP/jobs" "$CGROUP/host/docker" "$root/var/lib/docker/containers"
printf 'j%d\n' {1..200} >"$WORK/jobs"
printf '%064x\n' {1..200} >"$WORK/containers"
while read -r id; do
	mkdir "$root/var/lib/docker/containers/$id"
	printf '{"ID":"%s","Name":"/web-%d","Config":{"Image":"registry.example/web:1"}}' "$id" "0x$id" \
		>"$root/var/lib/docker/containers/$id/config.v2.json"
done <"$WORK/containers"

for way in tracepoint inotify; do
	policy <<-YAML
		apiVersion: dnsfence/v1
		follow: ${way/tracepoint/auto}
		runtimes: {host: $root}
		resolvers: {good: [$GOOD4]}
		policies:
		  - {name: jobs, match: {cgroup: "/$ID/jobs/*"}, resolvers: []}
		  - {name: web, match: {container: {name: "web-*"}}, resolvers: []}
		  - {name: default, resolvers: [good]}
	YAML
	start_fence
	expect "the way" "$(status_of .subjects.follow)" $way
	for kind in jobs containers; do
		below=$CGROUP/jobs
		[[ $kind == jobs ]] || below=$CGROUP/host/docker
		line=$("$STARTS" latency "$PIN_DIR/maps/subjects" "$below" <"$WORK/$kind")
		expect "$way, $kind: exit status" $? 0
		expect_match "$way, $kind" "$line" '^starts=200 missing=0 min_us=[0-9]+ '
		echo "$way, $kind: $line" >&2
	done
	stop_fence
done
finish
