# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# Policies by cgroup: with all below it, the first in the file wins over the nearest ancestor,
# globs follow cgroups that come later, an empty list denies all, any exempts.
. "$(dirname "$0")/lib.sh"
setup
mkdir -p "$CGROUP/any/deep/er" "$CGROUP/none" "$CGROUP/outer/inner" "$CGROUP/jobs" "$CGROUP/audit"
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers:
	  good: [$GOOD4, "$GOOD6"]
	  other: [$OTHER4, "$OTHER6"]
	policies:
	  - {name: any, match: {cgroup: /$ID/any}, resolvers: any}
	  - {name: none, match: {cgroup: /$ID/none}, resolvers: []}
	  - {name: outer, match: {cgroup: /$ID/outer}, resolvers: [other]}
	  - {name: inner, match: {cgroup: /$ID/outer/inner}, resolvers: [good]}
	  - {name: jobs, match: {cgroup: /$ID/jobs/*}, resolvers: [other]}
	  - {name: watched, match: {cgroup: /$ID/audit}, mode: audit, resolvers: []}
	  - {name: default, resolvers: [good]}
	events: {stdout: true}
YAML
start_fence

# judged CGROUP ADDR ERRNO [RULE]
judged() {
	local technique
	for technique in udp-connect udp-sendto tcp-connect; do
		probe_in "$ID/$1" $technique "$2" 53
		expect "$technique in /$1 to $2, errno" "$ERRNO" "$3"
		[[ $3 == EPERM ]] && expect_event "$technique in /$1 to $2" "$PID" \
			".rule.name == \"$4\" and .dnsfence.cgroup.path == \"/$ID/$1\""
	done
}

judged apps $GOOD4 0
judged apps $OTHER4 EPERM default
for cgroup in any any/deep any/deep/er; do
	judged $cgroup $BAD4 0
	judged $cgroup $BAD6 0
done
deep=any$(printf '/%d' {1..40}) # deeper than any level that a policy may name
mkdir -p "$CGROUP/$deep"
judged "$deep" $BAD4 0
judged none $GOOD4 EPERM none
judged none $BAD6 EPERM none
judged outer $OTHER6 0
judged outer $GOOD4 EPERM outer
judged outer/inner $OTHER4 0
judged outer/inner $GOOD4 EPERM outer # the first in the file, not the nearest

probe_in "$ID/audit" udp-sendto $BAD4 53
expect "a policy in audit mode, errno" "$ERRNO" 0
expect_event "a policy in audit mode" "$PID" '.dnsfence.verdict == "audit" and .rule.name == "watched"'

# A cgroup that no policy knows yet has its parent's policy, and soon the one of the glob.
judged jobs $OTHER4 EPERM default
mkdir "$CGROUP/jobs/late"
probe_in "$ID/jobs/late" udp-sendto $BAD4 53
expect "a cgroup made after the load is never open, errno" "$ERRNO" EPERM
late_is_known() {
	probe_in "$ID/jobs/late" udp-sendto $OTHER4 53
	[[ $ERRNO == 0 ]]
}
((CHECKS++))
wait_until late_is_known || fail "the glob does not follow a cgroup made after the load"
judged jobs/late $GOOD4 EPERM jobs

mkdir "$CGROUP/any/later" # below a known one: known at once
judged any/later $BAD4 0
expect_log_whole
finish
