# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
# limit: 120
#
# Root detaches a link, removes and replaces pins, puts another program into a link, writes to
# the policy, swaps a table: within two seconds the fence is whole again, and one event names
# what was done.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tampering.sh"
need bpftool
setup
simple_policy
start_fence
links=$PIN_DIR/links maps=$PIN_DIR/maps
tampered=0

# tampered LABEL OBJECT NAME COMMAND...
tampered() {
	local label=$1 object=$2 name=$3 count
	shift 3
	count=$(tamper_events "$object" "$name")
	"$@"
	((++tampered))
	expect_tamper "$label" "$object" "$name" "$count"
	expect_blocked "$label, afterwards"
	expect "$label: findings in status" \
		"$(status_of '"\(.process.tampered) \(.process.restored)"')" "$tampered $tampered"
	expect "$label: events" "$(tamper_events "$object" "$name")" $((count + 1))
}

# as_root ATTEMPT ARGUMENT...: it has to work, or nothing is shown.
as_root() {
	tamper "$@"
	expect "root: $*, errno" "$ERRNO" 0
}

# leaks ATTEMPT ARGUMENT...: while the daemon is stopped, the tampering opens the fence.
leaks() {
	kill -STOP "$DAEMON"
	as_root "$@"
	expect_leak "$* with a stopped daemon"
	kill -CONT "$DAEMON"
}

replace_pin() {
	rm "$links/connect4"
	as_root link-create "$CGROUP" connect4 allow "$links/connect4"
}

expect_blocked "before"
for hook in packet connect4 connect6; do
	tampered "$hook detached" link $hook as_root link-detach "$links/$hook"
	tampered "the pin of $hook removed" pin $hook rm "$links/$hook"
	tampered "the program of $hook replaced" program $hook \
		as_root link-update "$links/$hook" $hook allow
done
tampered "the pin of connect4 replaced" pin connect4 replace_pin
tampered "packet detached, and a leak" link packet leaks link-detach "$links/packet"
tampered "packet replaced, and a leak" program packet leaks link-update "$links/packet" packet allow
tampered "everybody exempted, and a leak" generation '' leaks generation "$maps/globals"
tampered "the word flipped" active '' as_root active "$maps/globals"
for map in resolvers prefixes subjects; do
	tampered "$map swapped" table $map as_root table "$maps/$map"
done
for map in resolvers globals seal events counters; do
	tampered "the pin of $map removed" pin $map rm "$maps/$map"
done

# Everything at once, the directory included: one event for each.
before=$(pinned_ids)
sequences=$(jq -s 'map(select(.event.action == "tamper" and .event.kind == "alert")) | length' "$EVENTS")
kill -STOP "$DAEMON"
rm -r "$PIN_DIR"
kill -CONT "$DAEMON"
((CHECKS++))
same_pins() { [[ $(pinned_ids 2>/dev/null) == "$before" ]]; }
wait_until same_pins || fail "after the directory went: $(diff <(echo "$before") <(pinned_ids) | tr '\n' ' ')"
expect "events for the directory" "$(jq -s 'map(select(.event.action == "tamper" and .event.kind == "alert")) | length' "$EVENTS")" \
	$((sequences + $(wc -l <<<"$before")))
expect "modes of the pins" "$(find "$PIN_DIR" -type f ! -perm 600 -o -type d ! -perm 700)" ""
timeout 10 "$DNSFENCE" -C "$CONFIG" --cgroup "/$ID" --pin-dir "$PIN_DIR" \
	--runtime-dir "$WORK/other" run >"$WORK/second" 2>&1
expect "a second daemon on the new directory, exit status" $? 1
expect_match "it says why" "$(<"$WORK/second")" "another dnsfence holds"
expect_blocked "after the directory went"

# What is frozen stays frozen, also for root; and nothing was said without a reason. The stranger's
# link in connect4's place may have been seen as a neighbour until it was gone: that is no alert.
tamper table-write "$maps/resolvers"
expect "a table in force, written by root, errno" "$ERRNO" EPERM
expect "the step that failed" "$STEP" write
expect "events that were not restored" \
	"$(jq -s 'map(select(.event.kind == "alert" and .dnsfence.tamper.restored == false)) | length' "$EVENTS")" 0
expect "what an event says" "$(jq -c 'select(.event.dataset == "dnsfence.tamper" and .event.kind == "alert") | [.event.kind,
	.event.category, .event.type, .event.outcome, .event.reason == .dnsfence.tamper.what]' "$EVENTS" | sort -u)" \
	'["alert",["configuration","intrusion_detection"],["change"],"failure",true]'
expect "sequence numbers have no gap" \
	"$(jq -s 'map(.event.sequence) | . == [range(1; length + 1)]' "$EVENTS")" true
dnsfence reload >/dev/null 2>&1
expect "reload, exit status" $? 0
expect_blocked "after a reload"
sleep 1.2
expect "nothing is found after a reload" "$(status_of .process.tampered)" \
	$((tampered + $(wc -l <<<"$before")))
expect_log_whole
finish
