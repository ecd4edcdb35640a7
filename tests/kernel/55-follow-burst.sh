# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 180
# vm: left out, its containers are gone before emulation gets to them
#
# 200 containers at once, under a policy that goes by their names: a program in each asks from its
# first moment on a resolver that nobody may ask, one that its parent's policy allows alone, one
# that its own policy allows alone. Every packet has to be judged by one of the two: its parent's
# at first, its own from some moment on for good, and never by more than either. How soon is a matter
# of the load, of which 200 that ask without a pause are some.
. "$(dirname "$0")/lib.sh"
STARTS=${STARTS:-$ROOT/build/starts}
[[ -x $STARTS ]] || skip "build/starts is missing"
setup
root=$WORK/root
mkdir -p "$CGROUP/host/docker" "$root/var/lib/docker/containers"
printf '%064x\n' {1..200} >"$WORK/containers"
while read -r id; do
	mkdir "$root/var/lib/docker/containers/$id"
	printf '{"ID":"%s","Name":"/web-%d","Config":{"Image":"registry.example/web:1"}}' "$id" "0x$id" \
		>"$root/var/lib/docker/containers/$id/config.v2.json"
done <"$WORK/containers"

# race: all of them at once; a line for each in $WORK/seen.
race() {
	near "$STARTS" race 2000 $BAD4 $GOOD4 $OTHER4 "$CGROUP/host/docker" \
		<"$WORK/containers" >"$WORK/seen"
}

# sum FIELD: over all of them. without FIELD: how many have none.
sum() { grep -o " $1=[0-9]*" "$WORK/seen" | awk -F= '{ all += $2 } END { print all + 0 }'; }
without() { grep -c " $1=0 " "$WORK/seen"; }

race
expect "without the fence, exit status" $? 0
expect "without the fence, who has not reached the forbidden resolver" "$(without leaked)" 0

for way in tracepoint inotify; do
	policy <<-YAML
		apiVersion: dnsfence/v1
		follow: ${way/tracepoint/auto}
		runtimes: {host: $root}
		resolvers: {good: [$GOOD4], other: [$OTHER4]}
		policies:
		  - {name: web, match: {container: {name: "web-*"}}, resolvers: [other]}
		  - {name: default, resolvers: [good]}
	YAML
	start_fence
	expect "the way" "$(status_of .subjects.follow)" $way
	before=$(arrived $BAD4)
	race
	expect "$way: exit status" $? 0
	expect "$way: containers" "$(wc -l <"$WORK/seen")" 200
	settle
	expect "$way: packets at the forbidden resolver" "$(arrived $BAD4)" "$before"
	expect "$way: what both policies forbid and went out" "$(sum leaked)" 0
	expect "$way: its parent's policy after its own" "$(sum back)" 0
	expect "$way: neither policy's" "$(sum neither)" 0
	expect "$way: other errors" "$(grep -vc ' error=0$' "$WORK/seen")" 0
	expect "$way: containers that never had their own policy" "$(without own)" 0
	echo "$way: $(sum rounds) rounds, $(sum parents) by the parent's policy, $(sum own) by its own," \
		"$(sum between) between" >&2
	stop_fence
done
finish
