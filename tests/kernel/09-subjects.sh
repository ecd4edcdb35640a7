# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# `dnsfence subjects`: the tree of cgroups with who lives in each, its policy, the entry that
# decided, and how often it was refused; by the configuration, by what is in force, as lines.
. "$(dirname "$0")/lib.sh"
setup
id=$(printf 'a%.0s' {1..64}) pod=11111111-2222-3333-4444-555555555555
root=$WORK/root
mkdir -p "$CGROUP/docker/$id/below" "$CGROUP/kubepods/burstable/pod$pod" "$CGROUP/plain" "$CGROUP/shared" \
	"$root/var/lib/docker/containers/$id" "$root/var/log/pods/prod_web-0_$pod"
printf '{"ID":"%s","Name":"/web-1","Config":{"Image":"registry.example/web:7","Labels":{}}}' "$id" \
	>"$root/var/lib/docker/containers/$id/config.v2.json"
policy <<-YAML
	apiVersion: dnsfence/v1
	runtimes: {host: $root}
	resolvers: {good: [$GOOD4], other: [$OTHER4]}
	policies:
	  - {name: web, match: {container: {name: "web-*"}}, resolvers: [other]}
	  - {name: prod, match: {pod: {namespace: prod}}, resolvers: [other]}
	  - {name: nobody, match: {user: nobody}, resolvers: []}
	  - {name: shared, match: {cgroup: /$ID/shared, user: daemon}, resolvers: [other]}
	  - {name: default, resolvers: [good]}
	events: {stdout: true}
YAML

# subjects ARGUMENT...: OUT, a JSON object; STATUS.
subjects() {
	OUT=$(dnsfence subjects -j "$@" 2>"$WORK/words")
	STATUS=$?
}
# of PATH FILTER: of that cgroup, below the test's own.
of() { jq -c --arg path "/$ID$1" ".cgroups[] | select(.path == \$path) | $2" <<<"$OUT"; }

# expect_tree WHAT: who lives where, and with which policy.
expect_tree() {
	expect "$1, exit status" "$STATUS" 0
	expect "$1, the container" "$(of "/docker/$id" '[.container.name, .container.image, .container.runtime, .policy, .rank, .own]')" \
		'["web-1","registry.example/web:7","docker","web",1,true]'
	expect "$1, the pod" "$(of "/kubepods/burstable/pod$pod" '[.pod.namespace, .pod.name, .pod.uid, .policy, .rank, .own]')" \
		"[\"prod\",\"web-0\",\"$pod\",\"prod\",2,true]"
	expect "$1, a user" "$(jq -r '.users[] | "\(.uid) \(.name) \(.policy) \(.rank)"' <<<"$OUT")" "65534 nobody nobody 3"
	expect "$1, a user in one cgroup" "$(of /shared '[.policy, .own, .users]')" \
		'["default",false,[{"uid":1,"name":"daemon","policy":"shared","rank":4}]]'
}

subjects
expect "no fence: by what" "$(jq -r .by <<<"$OUT")" configuration
expect_tree "no fence"
expect "no fence: a cgroup like any other" "$(of /plain .)" ""
expect "no fence: no counters" "$(of "/docker/$id" .denied)" null
expect_match "no fence: words" "$(<"$WORK/words")" 'no fence is pinned.*no daemon answers'

start_fence
subjects --all
expect "fenced: by what" "$(jq -r .by <<<"$OUT")" "in force"
expect "fenced: the first one" "$(jq -r '.cgroups[0].path' <<<"$OUT")" "$(status_of .cgroup)"
expect_tree "fenced"
expect "what is below inherits" "$(of "/docker/$id/below" '[.policy, .rank, .own, .container]')" '["web",1,false,null]'
expect "a cgroup like any other" "$(of /plain '[.policy, .own, .denied]')" '["default",false,0]'

# Refusals are counted where they belong, and what passes is none.
for _ in 1 2 3; do probe_in "$ID/docker/$id" udp-sendto $GOOD4 53; done
expect "the container asks who is not its resolver" "$ERRNO" EPERM
probe_in "$ID/docker/$id" udp-sendto $OTHER4 53
expect "the container asks its resolver" "$ERRNO" 0
probe_in "$ID/plain" udp-sendto $OTHER4 53
counted() {
	subjects --all
	[[ $(of "/docker/$id" .denied)-$(of /plain .denied) == 3-1 ]]
}
((CHECKS++))
wait_until counted || fail "counters: $(of "/docker/$id" .) $(of /plain .)"
subjects
expect "whoever was refused is shown" "$(of /plain .denied)" 1

# What is in force, not what stands in the file by now; and without the daemon.
sed -i 's/name: web,/name: changed,/' "$CONFIG"
subjects
expect "the file has changed" "$(of "/docker/$id" .policy)" '"web"'
OUT=$(dnsfence subjects 2>/dev/null)
expect_match "lines" "$OUT" "CGROUP +POLICY +BY"
expect_match "a line of the container" "$OUT" "$id +web +own, rank 1  container web-1 \(docker\) of registry.example/web:7  denied 3, audited 0"
expect_match "a line of the pod" "$OUT" "pod$pod +prod +own, rank 2  pod prod/web-0"
expect_match "a line of a user in a cgroup" "$OUT" "shared +default +inherited
 +user daemon +shared +own, rank 4
"
expect_match "a line of a user in any" "$OUT" $'\n'"user nobody +nobody +rank 3"
stop_fence
subjects
expect_tree "pinned, without the daemon"
expect_match "without the daemon: words" "$(<"$WORK/words")" 'no daemon answers'
dnsfence -C /nowhere subjects >/dev/null 2>&1
expect "no configuration, exit status" $? 1
finish
