# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# What this kernel lacks: status says it by name, in both forms, with and without a daemon, and
# the policy that needs it stays on the refusing side. The version of Linux is the second opinion
# here; the product itself finds out by trying.
. "$(dirname "$0")/lib.sh"
setup
mkdir -p "$CGROUP/soft"

# Which policies need it is the third column.
features='packet-task 5.8 any
packet-cgroup 6.12 several
sockopt-cgroup 6.1 edge
errno 5.18 several
netns-cookie 5.14 translated'

lacks() { status_of ".kernel.lacks[] | select(.name == \"$1\") | $2"; }

# status_knows WHAT POLICY: it names what is lacking, and what this policy needs of that.
status_knows() {
	local name since needed text
	text=$(dnsfence status)
	expect "$1: the release" "$(status_of .kernel.release)" "$(uname -r)"
	expect "$1: the release, for people" \
		"$(awk '$1 == "kernel" { sub(/,$/, "", $2); print $2 }' <<<"$text")" "$(uname -r)"
	while read -r name since needed; do
		if kernel_is_from "$since"; then
			expect "$1: $name is not lacking" "$(lacks "$name" .since)" ""
			continue
		fi
		expect "$1: $name is lacking since" "$(lacks "$name" .since)" "$since"
		expect "$1: $name is needed" "$(lacks "$name" .needed)" \
			"$([[ " any $2 " == *" $needed "* ]] && echo true || echo false)"
		expect_match "$1: $name, for people" "$text" "lacks $name \\(Linux $since\\): .+"
	done <<<"$features"
	kernel_is_from 6.12 || return
	expect_match "$1: nothing is lacking, for people" "$text" 'lacks nothing'
}

# warns_of NAME SINCE: the daemon does so where the policy cannot be met as written.
warns_of() {
	local said
	said=$(grep -c "this kernel lacks $1 (Linux $2)" "$DAEMON_LOG.now")
	expect "the daemon warns of $1" "$said" "$(kernel_is_from "$2" && echo 0 || echo 1)"
}

simple_policy
start_fence
status_knows "one policy" none
expect "one policy: warnings" "$(grep -c 'this kernel lacks' "$DAEMON_LOG.now")" 0
stop_fence TERM
status_knows "no daemon" none
dnsfence unload 2>/dev/null

policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4, "$GOOD6"], other: [$OTHER4, "$OTHER6"]}
	policies:
	  - {name: soft, match: {cgroup: /$ID/soft}, on_deny: refused, resolvers: [other]}
	  - {name: default, resolvers: [good]}
	events: {stdout: true}
YAML
start_fence
status_knows "several policies" several
warns_of errno 5.18
# For its errno here, to judge the sender there.
expect "sendmsg4 is attached" "$(status_of '.hooks[] | select(.name == "sendmsg4") | .attached')" true

# denied_in CGROUP ERRNO RULE TECHNIQUE ADDR: whichever layer that is here.
denied_in() {
	local before label="$4 in /$1 to $5" failures=$FAILURES hook
	before=$(arrived "$5")
	probe_in "$ID/$1" "$4" "$5" 53
	expect "$label, errno" "$ERRNO" "$2"
	settle
	expect "$label, packets" "$(arrived "$5")" "$before"
	expect_event "$label" "$PID" ".rule.name == \"$3\" and .dnsfence.verdict == \"deny\"
		and .dnsfence.cgroup.path == \"/$ID/$1\""
	hook=$(event_of "$PID" | jq -r .dnsfence.hook)
	((FAILURES > failures)) || covered "$4, several policies, $3" 53 "$hook" "$ERRNO"
}

refused=$(kernel_is_from 5.18 && echo ECONNREFUSED || echo EPERM)
for technique in udp-sendto udp-connect tcp-connect udp-connect-sendto-elsewhere; do
	denied_in apps EPERM default $technique $OTHER4
	denied_in soft "$refused" soft $technique $GOOD4
	denied_in soft "$refused" soft $technique $GOOD6
done
probe_in "$ID/soft" udp-sendto $OTHER4 53
expect "the policy's own resolver, errno" "$ERRNO" 0
probe udp-sendto $GOOD6 53
expect "the default's resolver, errno" "$ERRNO" 0
expect_log_whole
stop_fence TERM
dnsfence unload

# defers_for POLICIES WARNINGS: deny_at: packet, and where that is none it is told.
defers_for() {
	local hook=packet
	(($2)) && hook=connect4
	start_fence
	expect "deny_at: packet, $1, warnings" \
		"$(grep -c 'deny_at: packet has no effect' "$DAEMON_LOG.now")" "$2"
	probe udp-connect $OTHER4 53
	settle
	expect_event "deny_at: packet, $1" "$PID" ".dnsfence.hook == \"$hook\""
	stop_fence TERM
	dnsfence unload
}
simple_policy "deny_at: packet"
defers_for "one policy" 0
sed -i "s|policies: \[|&{name: soft, match: {cgroup: /$ID/soft}, resolvers: []}, |" "$CONFIG"
defers_for "two policies" "$(kernel_is_from 6.12 && echo 0 || echo 1)"
finish
