# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
# limit: 120
#
# A program that runs after ours at connect and calls bpf_set_retval(0), on the same cgroup and on
# an ancestor: connect() then seems to work, and the packet is dropped and logged all the same. The
# daemon names the program once, and status as long as it is there.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tampering.sh"
need bpftool
kernel_is_from 5.18 || skip "before Linux 5.18 no program has bpf_set_retval()"
setup
simple_policy
mkdir "$CGROUP2/$APPS/unit"
# The fence is around apps; $CGROUP is its ancestor and apps/unit its descendant.
FENCED=$CGROUP2/$APPS BELOW=$CGROUP2/$APPS/unit ABOVE=$CGROUP

after_ours() {
	status_of "[.hooks[] | select(.name == \"$1\") | .order[] | select(.after) | .id] | join(\" \")"
}

# The kernel sends the segments of a handshake, so their events name no process.
handshakes_denied() {
	jq -c --arg ip "$1" 'select(.dnsfence.hook == "packet" and .network.transport == "tcp"
		and .destination.ip == $ip and .dnsfence.verdict == "deny")' "$EVENTS" | wc -l
}

more_handshakes_denied() {
	(($(handshakes_denied "$1") > $2))
}

# softened WHAT CGROUP HOOK ADDRESS
softened() {
	local what=$1 address=$4 before packets handshakes
	before=$(denied) packets=$(arrived "$address")
	handshakes=$(handshakes_denied "$address")
	probe_in "$2" udp-connect "$address" 53
	expect "$what, UDP, errno" "$ERRNO" EPERM
	expect "$what, UDP: connect() worked, the packet did not" "$STEP" send
	expect_event "$what, UDP, the call" "$PID" ".dnsfence.hook == \"$3\" and .dnsfence.verdict == \"deny\""
	expect_event "$what, UDP, the packet" "$PID" '.dnsfence.hook == "packet" and .dnsfence.verdict == "deny"
		and .dns.question.name == "leak.dnsfence.test"'
	expect "$what, UDP, denied counter" "$(denied)" $((before + 2))
	probe_in "$2" tcp-connect "$address" 53 -t 500
	expect_match "$what, TCP: no handshake, errno" "$ERRNO" '^(EINPROGRESS|EAGAIN|ETIMEDOUT|EPERM)$'
	((CHECKS++))
	wait_until more_handshakes_denied "$address" "$handshakes" ||
		fail "$what, TCP: no event tells of the packet"
	settle
	expect "$what: packets at the far end" "$(arrived "$address")" "$packets"
}

# stranger CGROUP HOOK KIND: sets COUNT to the events before.
stranger() {
	COUNT=$(tamper_events order "$2")
	tamper attach "$@"
	expect "a stranger's $2 on ${1#"$CGROUP2"}, errno" "$ERRNO" 0
}

stranger "$FENCED" connect4 success # before ours: it can undo nothing
start_fence --cgroup "/$APPS"
probe udp-connect $BAD4 53
expect "a program before ours, UDP, errno" "$ERRNO" EPERM
expect "a program before ours, UDP, step" "$STEP" connect
stranger "$BELOW" connect4 success
probe_in $APPS/unit tcp-connect $BAD4 53
expect "a program below ours, TCP, errno" "$ERRNO" EPERM
expect "a program below ours, TCP, step" "$STEP" connect
sleep 1.2
expect "neither is worth an event" "$(jq -c 'select(.event.action == "tamper")' "$EVENTS")" ""
expect "nor after ours" "$(after_ours connect4)" ""
expect_match "status names the one before" "$(dnsfence status)" 'stranger\([0-9]+, tag [0-9a-f]{16}\) \*dnsfence_connec'

stranger "$FENCED" connect4 success
expect_tamper "on the same cgroup" order connect4 "$COUNT" '(.dnsfence.tamper.restored | not)
	and .event.kind == "event" and .event.outcome == "unknown" and .event.type == ["info"]
	and .dnsfence.tamper.program.name == "stranger"
	and (.dnsfence.tamper.program.tag | test("^[0-9a-f]{16}$"))'
id=$(jq 'select(.dnsfence.tamper.object == "order") | .dnsfence.tamper.program.id' "$EVENTS" | tail -n 1)
expect "the program that the event names, and status" "$(after_ours connect4)" "$id"
expect "its name in the kernel" "$(bpftool -j prog show id "$id" | jq -r .name)" stranger
expect "its tag in the kernel" "$(bpftool -j prog show id "$id" | jq -r .tag)" \
	"$(jq -r 'select(.dnsfence.tamper.object == "order") | .dnsfence.tamper.program.tag' "$EVENTS")"
expect_match "the daemon says so" "$(<"$DAEMON_LOG.now")" "connect4: program $id 'stranger'.*runs after ours"
expect_match "status names it" "$(dnsfence status)" "stranger\($id, tag [0-9a-f]{16}\)  \(who runs after us"
softened "on the same cgroup" $APPS connect4 $BAD4
softened "on the same cgroup, asked below" $APPS/unit connect4 $BAD4

stranger "$ABOVE" connect6 success
expect_tamper "on an ancestor" order connect6 "$COUNT" '.dnsfence.tamper.restored | not'
softened "on an ancestor" $APPS connect6 $BAD6

# Told once; a restart tells it again, for it may matter to whoever starts it.
sleep 1.5
expect "events about connect4" "$(tamper_events order connect4)" 1
expect "events about connect6" "$(tamper_events order connect6)" 1
expect "none of it is tampering" "$(status_of .process.tampered)" 0
expect "the fence" "$(status_of .fence)" closed
expect_log_whole
COUNT=1
stop_fence KILL
start_fence --cgroup "/$APPS"
expect_tamper "after a restart" order connect4 "$COUNT" '.event.kind == "event"'
probe udp-sendto $GOOD4 53
expect "the sanctioned resolver, errno" "$ERRNO" 0
expect_log_whole
finish
