# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
#
# What the tests of tampering share, beside lib.sh: build/tamper, run by whoever, and the events
# that say what was found.

TAMPER=${TAMPER:-$ROOT/build/tamper}
[[ -x $TAMPER ]] || skip "build/tamper is missing"

# tamper ATTEMPT ARGUMENT...: sets OUT STATUS ERRNO STEP. AS: an array, what to run it under.
AS=()
tamper() {
	OUT=$("${AS[@]}" "$TAMPER" "$@" 2>&1)
	STATUS=$?
	ERRNO=${OUT##*errno=} STEP=${OUT##*step=}
	ERRNO=${ERRNO%% *} STEP=${STEP%% *}
}

# tamper_times OBJECT NAME [FILTER]: of each event about it, when it was written.
tamper_times() {
	jq -r --arg object "$1" --arg name "$2" "select(.event.action == \"tamper\"
		and .event.dataset == \"dnsfence.tamper\" and .dnsfence.tamper.object == \$object
		and (.dnsfence.tamper.name // \"\") == \$name and (${3:-true})) | .[\"@timestamp\"]" \
		"$EVENTS" 2>/dev/null
}

tamper_events() {
	tamper_times "$@" | wc -l
}

has_tamper_event() {
	(($(tamper_events "$1" "$2" "$4") > $3))
}

# expect_tamper WHAT OBJECT NAME COUNT [FILTER]: one more than COUNT, written within two seconds.
expect_tamper() {
	local start=${EPOCHREALTIME/./} took filter=${5:-.dnsfence.tamper.restored}
	((CHECKS++))
	wait_until has_tamper_event "$2" "$3" "$4" "$filter" || {
		fail "$1: no event says so; the log has: $(jq -c 'select(.event.action == "tamper")
			| .dnsfence' "$EVENTS" | tail -n 3)"
		return
	}
	took=$(($(date -d "$(tamper_times "$2" "$3" "$filter" | tail -n 1)" +%s%6N) - start))
	((CHECKS++))
	((took < 2000000 * ${DNSFENCE_TEST_SLOW:-1})) || fail "$1: it took $took microseconds"
}

# expect_blocked WHAT: neither the call nor the packet gets out, the sanctioned one does.
expect_blocked() {
	local before
	before=$(arrived $BAD4)
	probe udp-sendto $BAD4 53
	expect "$1: sendto() to a forbidden resolver, errno" "$ERRNO" EPERM
	probe tcp-connect $BAD4 53
	expect "$1: connect() to a forbidden resolver, errno" "$ERRNO" EPERM
	settle
	expect "$1: packets at the forbidden resolver" "$(arrived $BAD4)" "$before"
	probe udp-sendto $GOOD4 53
	expect "$1: sendto() to the sanctioned resolver, errno" "$ERRNO" 0
	expect "$1: the fence" "$(status_of .fence)" closed
}

# expect_leak WHAT: it was a danger.
expect_leak() {
	local before
	before=$(arrived $BAD4)
	probe udp-sendto $BAD4 53
	((CHECKS++))
	wait_until arrived_more $BAD4 "$before" || fail "$1: nothing leaks ($OUT)"
}

# pinned_ids: everything below the pin directory with the kernel's ids.
pinned_ids() {
	local pin
	for pin in "$PIN_DIR"/links/*; do
		bpftool -j link show pinned "$pin" | jq -r --arg pin "${pin##*/}" \
			'"\($pin) \(.id) \(.prog_id) \(.cgroup_id)"'
	done
	for pin in "$PIN_DIR"/maps/*; do
		bpftool -j map show pinned "$pin" | jq -r --arg pin "${pin##*/}" '"\($pin) \(.id)"'
	done
}
