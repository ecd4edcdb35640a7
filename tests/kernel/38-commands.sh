# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# What people type: events in both forms, status for people, check, init and the policy that it
# prints; and what programs ask for with -j.
. "$(dirname "$0")/lib.sh"
setup
simple_policy
start_fence

# follow OUTPUT ARGUMENT...: events in the background, until it has what -n says.
follow() {
	local output=$1
	shift
	timeout $((20 * SLOW)) "$DNSFENCE" --runtime-dir "$WORK/run" events "$@" >"$WORK/$output" 2>&1 &
	FOLLOWERS+=("$!")
}
FOLLOWERS=()
follow json -j -n 2
follow lines -n 2
sleep $((SLOW / 2)).3
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
# -j: each message is an object with its place.
messages() { jq -c '[.severity, .line, .column, (.file | if . then split("/") | last else null end)]' "$WORK/$1" | tr -d '\n'; }
dnsfence check -j >"$WORK/fine.json" 2>"$WORK/fine.err"
expect "check -j, exit status" $? 0
expect "check -j of a good file" "$(messages fine.json)" '["info",null,null,null]'
printf 'apiVersion: dnsfence/v1\nmood: 1\nresolvers: {a: [{address: 10.0.0.1, service: mdns}, "1.2"]}\n' \
	>"$WORK/bad.yaml"
"$DNSFENCE" -C "$WORK/bad.yaml" check -j >"$WORK/bad.json" 2>"$WORK/bad.err"
expect "check -j of a bad file, exit status" $? 1
expect "check -j of a bad file" "$(messages bad.json)" \
	'["error",null,null,"bad.yaml"]["error",2,1,"bad.yaml"]["warning",3,17,"bad.yaml"]["error",3,53,"bad.yaml"]'
"$DNSFENCE" -C "$WORK/nowhere.yaml" check -j >"$WORK/nowhere.json" 2>"$WORK/nowhere.err"
expect "check -j without a file, exit status" $? 1
expect "check -j without a file" "$(messages nowhere.json)" '["error",null,null,null]'
generation=$(status_of .generation)
cp "$CONFIG" "$WORK/good.yaml"
"$DNSFENCE" "${INSTANCE[@]}" -C "$WORK/good.yaml" reload >"$WORK/another" 2>&1
expect "reload with another file than the daemon's, exit status" $? 2
expect_match "it says so" "$(<"$WORK/another")" "reads $CONFIG, not $WORK/good.yaml"
expect "and changes nothing: generation" "$(status_of .generation)" "$generation"
# A standard output that is closed is nobody's socket.
for command in status "status -j" metrics "reload -j" "subjects -j"; do
	# shellcheck disable=SC2086
	OUT=$("$DNSFENCE" "${INSTANCE[@]}" -C "$CONFIG" $command 2>&1 >&-)
	expect "$command with stdout closed, exit status" $? 5
	expect_match "$command with stdout closed" "$OUT" '^dnsfence: error: cannot write to standard output'
	# shellcheck disable=SC2086
	OUT=$("$DNSFENCE" "${INSTANCE[@]}" -C "$CONFIG" $command 2>&1 >/dev/full)
	expect "$command on a full disk, exit status" $? 5
done
generation=$(status_of .generation)
cp "$WORK/bad.yaml" "$CONFIG"
dnsfence reload -j >"$WORK/refused.json" 2>"$WORK/refused.err"
expect "reload -j of a bad file, exit status" $? 1
expect_match "reload -j of a bad file" "$(messages refused.json)" \
	'\["error",2,1,"dnsfence.yaml"\].*\["info",null,null,null\]$'
cp "$WORK/good.yaml" "$CONFIG"
dnsfence reload -j >"$WORK/reloaded.json" 2>"$WORK/reloaded.err"
expect "reload -j, exit status" $? 0
expect "reload -j" "$(jq -r .message "$WORK/reloaded.json")" \
	"policy generation $((generation + 1)) is in force"
dnsfence load -j >"$WORK/load.json" 2>"$WORK/load.err"
expect "load -j beside a daemon, exit status" $? 1
expect "load -j beside a daemon" "$(messages load.json)" '["error",null,null,null]'
expect "what -j leaves on stderr" "$(cat "$WORK"/{fine,bad,nowhere,refused,reloaded,load}.err)" ""

dnsfence init >"$WORK/init.yaml" 2>"$WORK/init.err"
expect "init, exit status" $? 0
"$DNSFENCE" -C "$WORK/init.yaml" check >/dev/null
expect "check of what init prints, exit status" $? 0
expect_match "what init prints has comments" "$(<"$WORK/init.yaml")" '#'

# Options before and after the command mean the same.
"$DNSFENCE" status -j "${INSTANCE[@]}" >/dev/null
expect "options after the command, exit status" $? 0
expect_log_whole

# A daemon that was started with a relative path, and in another directory, reads that file.
stop_fence
cd "$WORK" || die "no $WORK"
CONFIG=${CONFIG##*/} start_fence
cd / || die "no /"
generation=$(status_of .generation)
OUT=$("$DNSFENCE" "${INSTANCE[@]}" -C "$WORK/good.yaml" reload 2>&1)
expect "reload with another file than a relative one, exit status" $? 2
expect_match "it says so" "$OUT" "reads $CONFIG, not $WORK/good.yaml"
OUT=$("$DNSFENCE" "${INSTANCE[@]}" -C "${CONFIG##*/}" reload 2>&1)
expect "reload with the same name elsewhere, exit status" $? 2
expect "and changes nothing: generation" "$(status_of .generation)" "$generation"
dnsfence reload >/dev/null 2>&1
expect "reload with the daemon's, exit status" $? 0
finish
