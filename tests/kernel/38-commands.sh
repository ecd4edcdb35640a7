# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# What people type: events in both forms, status for people, check, init, and the policy that
# init prints.
. "$(dirname "$0")/lib.sh"
setup
simple_policy
start_fence

# follow OUTPUT ARGUMENT...: events in the background, until it has what -n says.
follow() {
	local output=$1
	shift
	timeout 20 "$DNSFENCE" --runtime-dir "$WORK/run" events "$@" >"$WORK/$output" 2>&1 &
	FOLLOWERS+=("$!")
}
FOLLOWERS=()
follow json -j -n 2
follow lines -n 2
sleep 0.3
probe udp-sendto $BAD4 53
first=$PID
probe tcp-connect $BAD6 53
for pid in "${FOLLOWERS[@]}"; do
	wait "$pid"
	expect "events -n 2, exit status" $? 0
done
expect "events -j, lines" "$(wc -l <"$WORK/json")" 2
expect "events -j is what the log has" "$(jq -c . "$WORK/json")" "$(jq -c . "$EVENTS" | head -n 2)"
expect "events, lines" "$(wc -l <"$WORK/lines")" 2
expect_match "events, the first line" "$(head -n 1 "$WORK/lines")" \
	"$BAD4:53.*leak\.dnsfence\.test.*leakprobe.*$first"
expect_match "events, the second line" "$(tail -n 1 "$WORK/lines")" "fd77::3.*leakprobe.*$PID"

OUT=$(dnsfence status)
expect "status, exit status" $? 0
expect_match "status for people" "$OUT" '[Cc]losed'
expect_match "status counts" "$OUT" 2
expect "status -j is one JSON object" "$(dnsfence status -j | jq -s length)" 1
expect "hooks in status" "$(status_of '[.hooks[] | select(.attached) | .name] | sort | join(" ")')" \
	"connect4 connect6 packet"
expect "what all verdicts of the hooks add up to" \
	"$(status_of '[.counters.hooks[].deny] | add')" "$(denied)"

OUT=$(dnsfence check 2>&1)
expect "check, exit status" $? 0
dnsfence init >"$WORK/init.yaml" 2>"$WORK/init.err"
expect "init, exit status" $? 0
"$DNSFENCE" -C "$WORK/init.yaml" check >/dev/null
expect "check of what init prints, exit status" $? 0
expect_match "what init prints has comments" "$(<"$WORK/init.yaml")" '#'

# Options before and after the command mean the same.
"$DNSFENCE" status -j --runtime-dir "$WORK/run" --pin-dir "$PIN_DIR" --cgroup "/$ID" >/dev/null
expect "options after the command, exit status" $? 0
expect_log_whole
finish
