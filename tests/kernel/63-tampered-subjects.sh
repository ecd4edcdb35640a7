# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
# limit: 120
#
# The table that says whom policies are for is not frozen where they speak of cgroups. Root adds
# an entry to it, changes one and deletes one, each of which opens the fence to somebody: within
# two seconds all is as it was, with one event; and what is done while no daemon runs the next one
# finds.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tampering.sh"
setup
mkdir -p "$CGROUP/jobs/one" "$CGROUP/open"
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4], other: [$OTHER4]}
	policies:
	  - {name: open, match: {cgroup: /$ID/open}, resolvers: any}
	  - {name: jobs, match: {cgroup: "/$ID/jobs/*"}, resolvers: [other]}
	  - {name: default, resolvers: [good]}
	events: {stdout: true}
YAML
open=0 # the first policy's rank
subjects=$PIN_DIR/maps/subjects tampered=0

# goes_out CGROUP ADDR: what was done is a danger.
goes_out() {
	local before
	before=$(arrived "$2")
	probe_in "$1" udp-sendto "$2" 53
	((CHECKS++))
	wait_until arrived_more "$2" "$before" || fail "/$1 to $2: nothing went out ($OUT)"
}

# expect_in_order WHAT: each cgroup has its own policy.
expect_in_order() {
	expect_blocked "$1"
	probe_in "$ID/jobs/one" udp-sendto $GOOD4 53
	expect "$1: a job to its parent's resolver, errno" "$ERRNO" EPERM
	probe_in "$ID/jobs/one" udp-sendto $OTHER4 53
	expect "$1: a job to its own resolver, errno" "$ERRNO" 0
}

# as_root CGROUP RANK
as_root() {
	tamper subject "$subjects" "$CGROUP2/$1" "$2"
	expect "root: /$1 gets $2, errno" "$ERRNO" 0
}

# running CGROUP RANK ADDR: done while the daemon cannot look, then found by it.
running() {
	local what="/$1 gets $2" count
	count=$(tamper_events entries subjects)
	kill -STOP "$DAEMON"
	as_root "$1" "$2"
	goes_out "$1" "$3"
	kill -CONT "$DAEMON"
	((++tampered))
	expect_tamper "$what" entries subjects "$count"
	expect_in_order "$what, afterwards"
	sleep 1.2
	expect "$what: events" "$(tamper_events entries subjects)" $((count + 1))
	expect "$what: findings in status" \
		"$(status_of '"\(.process.tampered) \(.process.restored)"')" "$tampered $tampered"
}

# stopped CGROUP RANK ADDR: done while no daemon runs.
stopped() {
	local what="/$1 gets $2 while no daemon runs" count
	local filter='.dnsfence.tamper.what | endswith("while no daemon ran")'
	count=$(tamper_events entries subjects "$filter")
	stop_fence KILL
	as_root "$1" "$2"
	goes_out "$1" "$3"
	start_fence
	expect_tamper "$what" entries subjects "$count" "$filter"
	expect_in_order "$what, afterwards"
	expect "$what: events" "$(tamper_events entries subjects "$filter")" $((count + 1))
	expect "$what: findings in status" \
		"$(status_of '"\(.process.tampered) \(.process.restored)"')" "1 1"
}

start_fence
expect_in_order "before"
running "$APPS" $open $BAD4
running "$ID/jobs/one" $open $BAD4
running "$ID/jobs/one" none $GOOD4
# What the daemon itself does meanwhile is nobody's tampering.
mkdir "$CGROUP/jobs/two"
rmdir "$CGROUP/jobs/two"
sleep 1.2
expect "findings after a cgroup has come and gone" "$(status_of .process.tampered)" $tampered
stopped "$APPS" $open $BAD4
stopped "$ID/jobs/one" $open $BAD4
stopped "$ID/jobs/one" none $GOOD4
expect_log_whole
finish
