# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
# limit: 120
# vm: below the root, its own load says which cgroup
#
# What is done to the fence while no daemon runs, the next one finds, mends and says; so does
# load. A daemon that was killed, or a reload, is no tampering.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tampering.sh"
need bpftool
setup
simple_policy
start_fence
links=$PIN_DIR/links maps=$PIN_DIR/maps

all_tamper_events() { jq -s 'map(select(.event.action == "tamper" and .event.kind == "alert")) | length' "$EVENTS"; }

# unwatched LABEL OBJECT NAME COMMAND...
unwatched() {
	local label=$1 object=$2 name=$3 all
	shift 3
	all=$(all_tamper_events)
	stop_fence KILL
	"$@"
	start_fence
	expect_tamper "$label" "$object" "$name" 0 \
		'.dnsfence.tamper.restored and (.dnsfence.tamper.what | endswith("while no daemon ran"))'
	expect "$label: events" "$(all_tamper_events)" $((all + 1))
	expect_blocked "$label, with the next daemon"
}

as_root() {
	tamper "$@"
	expect "root: $*, errno" "$ERRNO" 0
}

leaks() {
	as_root "$@"
	expect_leak "$* without a daemon"
}

swap_pin() {
	rm "$links/connect6"
	as_root link-create "$CGROUP" connect6 allow "$links/connect6"
}

expect_blocked "before"
unwatched "packet detached" link packet leaks link-detach "$links/packet"
unwatched "packet's program replaced" program packet leaks link-update "$links/packet" packet allow
unwatched "packet's pin removed" pin packet rm "$links/packet"
unwatched "connect6's pin replaced" pin connect6 swap_pin
unwatched "everybody exempted" generation '' leaks generation "$maps/globals"
unwatched "the word flipped" active '' as_root active "$maps/globals"
unwatched "prefixes swapped" table prefixes as_root table "$maps/prefixes"
expect "sequence numbers have no gap" \
	"$(jq -s 'map(.event.sequence) | . == [range(1; length + 1)]' "$EVENTS")" true
expect_log_whole

# A map that has lost its pin is made anew with all others; the counters begin again.
unwatched "a map's pin removed" pin subjects rm "$maps/subjects"
expect_match "the daemon says so" "$(<"$DAEMON_LOG.now")" "not whole; it is replaced"

# Nothing of this is tampering.
all=$(all_tamper_events)
stop_fence KILL
start_fence
dnsfence reload 2>/dev/null
stop_fence TERM
dnsfence load 2>"$WORK/load"
start_fence
sleep 1.2
expect "events after kill, start, reload, stop, load and start" "$(all_tamper_events)" "$all"
expect "what load said" "$(grep -c tampering "$WORK/load")" 0

stop_fence KILL
leaks link-detach "$links/packet"
dnsfence load 2>"$WORK/load"
expect "load, exit status" $? 0
expect_match "load says what was done" "$(<"$WORK/load")" \
	'tampering: link packet: was detached from the cgroup.*restored'
expect_blocked "after load"
finish
