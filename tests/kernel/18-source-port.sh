# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# A query that leaves from port 53 is a query, and an inherited socket has the policy of where
# it was made and of who uses it: the stricter one.
. "$(dirname "$0")/lib.sh"
setup
simple_policy

cases() {
	leak source-port-53 $BAD4 53 packet send
	leak source-port-53 $BAD6 53 packet send
}
prove cases
stop_fence

mkdir -p "$CGROUP/free" "$CGROUP/apps"
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4]}
	policies:
	  - {name: free, match: {cgroup: /$ID/free}, resolvers: any}
	  - {name: default, resolvers: [good]}
	events: {stdout: true}
YAML
start_fence

# handed_over FROM TO: a socket made in the cgroup FROM, used by a process that is now in TO.
handed_over() {
	(
		echo "$BASHPID" >"$CGROUP/$1/cgroup.procs"
		exec nsenter --net="/run/netns/$NEAR" bash -c "
			exec 9<>/dev/udp/$GOOD4/9
			echo \$\$ >'$CGROUP/$2/cgroup.procs'
			exec '$PROBE' udp-connect $BAD4 53 -c 9"
	)
}

expect_match "made and used where everything is allowed" "$(handed_over free free)" 'errno=0 '
before=$(arrived $BAD4)
expect_match "made in the free cgroup, used in the fenced one" "$(handed_over free apps)" errno=EPERM
expect_match "made in the fenced cgroup, used in the free one" "$(handed_over apps free)" errno=EPERM
expect_match "made and used in the fenced cgroup" "$(handed_over apps apps)" errno=EPERM
settle
expect "packets of the three" "$(arrived $BAD4)" "$before"
expect_log_whole
finish
