# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
# limit: 120
#
# Programs of others, attached as systemd attaches those of IPAddressDeny= and IPAddressAllow=, on
# the fenced cgroup, below and above it: any denial counts, theirs and ours, and unload leaves
# them. None of that is tampering.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tampering.sh"
need bpftool
setup
simple_policy
mkdir "$CGROUP2/$APPS/unit"
# The fence is around apps; $CGROUP is its ancestor and apps/unit its descendant.
FENCED=$CGROUP2/$APPS BELOW=$CGROUP2/$APPS/unit ABOVE=$CGROUP

THIRD4=10.77.0.16 # answered where BAD4 is

# asks WHAT CGROUP ADDRESS WANTED: what sendto() there says, and whether a packet arrives.
asks() {
	local before
	before=$(arrived "$3")
	probe_in "$2" udp-sendto "$3" 53
	expect "$1, $3 asked in /$2, errno" "$ERRNO" "$4"
	((CHECKS++))
	if [[ $4 == 0 ]]; then
		wait_until arrived_more "$3" "$before" || fail "$1, $3 asked in /$2: nothing arrived"
	else
		settle
		expect "$1, packets at $3" "$(arrived "$3")" "$before"
	fi
}

# bpftool cannot list what a cgroup of Linux 5.10 has; what the programs do is seen there, too.
lists() { kernel_is_from 5.15; }
attached_here() { bpftool -j cgroup show "$1" 2>/dev/null | jq -r '[.[].name] | sort | join(" ")'; }
strangers() { bpftool -j cgroup show "$1" 2>/dev/null | jq '[.[] | select(.name == "stranger")] | length'; }

stranger() {
	tamper attach "$@"
	expect "a stranger's $2 on ${1#"$CGROUP2"}, errno" "$ERRNO" 0
}

# One on the cgroup before the fence comes, the others after it.
stranger "$FENCED" packet allow
asks "without the fence" $APPS $BAD4 0
stranger "$BELOW" packet $OTHER4
stranger "$ABOVE" packet $THIRD4
asks "strangers alone" $APPS/unit $OTHER4 EPERM
asks "strangers alone" $APPS/unit $GOOD4 0
start_fence --cgroup "/$APPS"
stranger "$FENCED" packet allow
stranger "$BELOW" packet allow
stranger "$ABOVE" packet allow

policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {some: [$GOOD4, $OTHER4, $THIRD4]}
	policies: [{name: default, resolvers: [some]}]
	edge: {interfaces: off}
	events: {stdout: true}
YAML
dnsfence reload 2>/dev/null
expect "reload, exit status" $? 0
denied_before=$(denied)
asks "ours denies" $APPS $BAD4 EPERM
asks "ours denies below" $APPS/unit $BAD4 EPERM
expect "our denials" "$(denied)" $((denied_before + 2))
asks "nobody denies" $APPS $OTHER4 0
asks "theirs denies below" $APPS/unit $OTHER4 EPERM
asks "theirs denies above" $APPS $THIRD4 EPERM
asks "theirs denies above" $APPS/unit $THIRD4 EPERM
expect "their denials are not ours" "$(denied)" $((denied_before + 2))
asks "all allow" $APPS $GOOD4 0
asks "all allow" $APPS/unit $GOOD4 0
sleep 1.2
expect "the order at packet" "$(status_of '[.hooks[] | select(.name == "packet") | .order[]
	| if .ours then "ours" else .name end + (if .after then " after" else "" end)] | join(", ")')" \
	"stranger, ours, stranger after, stranger after, stranger after"
expect "nothing of it is tampering" "$(status_of .process.tampered)" 0
expect "nor worth an event: a packet's denial cannot be undone" \
	"$(jq -c 'select(.event.action == "tamper")' "$EVENTS")" ""
expect_match "status names them" "$(dnsfence status)" 'stranger\([0-9]+, tag [0-9a-f]{16}\) \*dnsfence_packet'
expect_log_whole

# Ours goes, theirs stay.
before="$(strangers "$FENCED") $(strangers "$BELOW") $(strangers "$ABOVE")"
! lists || expect "strangers" "$before" "2 2 2"
dnsfence unload 2>/dev/null
expect "unload, exit status" $? 0
wait "$DAEMON"
DAEMON=''
expect "strangers after unload" "$(strangers "$FENCED") $(strangers "$BELOW") $(strangers "$ABOVE")" "$before"
! lists || expect "who is left" "$(attached_here "$FENCED")" "stranger stranger"
asks "after unload" $APPS $BAD4 0
asks "after unload" $APPS/unit $OTHER4 EPERM
finish
