# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# `dnsfence learn`: a mixed workload is watched and nothing of it blocked; the policy printed at the
# end is one that check takes, that allows all of that workload, and that blocks a fresh leak. What
# looks like a leak is left out and said, unless it is accepted.
. "$(dirname "$0")/lib.sh"
setup
PUBLIC=203.0.113.53
id=$(printf 'b%.0s' {1..64})
mkdir -p "$CGROUP/web" "$CGROUP/jobs/one" "$CGROUP/docker/$id"
ip -n $NEAR route add 203.0.113.0/24 dev near || die "no route"
ip -n $NEAR neigh add $PUBLIC lladdr 02:df:00:00:00:02 nud permanent dev near 2>/dev/null

# workload: who asks whom over what. Sets FAILED, how many could not.
workload() {
	FAILED=0
	probe_in "$ID/web" udp-sendto $GOOD4 53; ((FAILED += STATUS))
	probe_in "$ID/web" udp-connect $GOOD6 53; ((FAILED += STATUS))
	probe_in "$ID/web" tcp-connect $GOOD4 53; ((FAILED += STATUS))
	probe_in "$ID/web" tcp-connect $GOOD4 853; ((FAILED += STATUS))
	probe_in "$ID/jobs/one" udp-sendto $OTHER4 53; ((FAILED += STATUS))
	probe_in "$ID/jobs/one" udp-sendmmsg $OTHER4 53; ((FAILED += STATUS))
	probe_in "$ID/docker/$id" udp-connect $BAD4 53; ((FAILED += STATUS))
}

# learn ARGUMENT...: while the workload runs; LEARNED is the policy, STATUS; words in $WORK/words.
learn() {
	: >"$WORK/words"
	"$DNSFENCE" "${INSTANCE[@]}" learn "$@" >"$WORK/learned.yaml" 2>"$WORK/words" &
	local learner=$!
	is_watching() { grep -q 'watching, nothing is blocked' "$WORK/words"; }
	wait_until is_watching || die "learn does not begin: $(<"$WORK/words")"
	workload
	expect "while learning, nothing is blocked" "$FAILED" 0
	[[ ! ${LEAK:-} ]] || probe_in "$ID/web" udp-sendto $PUBLIC 53
	${DURING:-:}
	kill -INT $learner
	wait $learner
	STATUS=$?
	LEARNED=$(<"$WORK/learned.yaml")
}

learn
expect "learned, exit status" "$STATUS" 0
expect_match "learned, words" "$(<"$WORK/words")" '8 lookups by 3 subjects; 4 resolvers are sanctioned'
expect_match "services" "$LEARNED" "address: \"$GOOD4\", service: \[dns, dot\]}   # 3 lookups by leakprobe"
expect_match "who" "$LEARNED" "match: \{cgroup: \"/$ID/jobs/on\[e\]\"\}"
cp "$WORK/learned.yaml" "$CONFIG"
OUT=$(dnsfence check 2>&1)
expect "check takes it" "$? $OUT" "0 $OUT"
((CHECKS++))
grep -q 'error:' <<<"$OUT" && fail "check: $OUT"

# Enforced: all of the workload, and nothing else.
sed -i 's/^mode: audit/mode: enforce/' "$CONFIG"
start_fence
workload
expect "enforced, the workload" "$FAILED" 0
before=$(arrived $OTHER4)
probe_in "$ID/web" udp-sendto $OTHER4 53
expect "a fresh leak, errno" "$ERRNO" EPERM
settle
expect "a fresh leak, packets" "$(arrived $OTHER4)" "$before"
expect_event "a fresh leak" "$PID" '.rule.name | startswith("web-")'
probe udp-sendto $GOOD4 53
expect "somebody new, errno" "$ERRNO" EPERM
probe_in "$ID/jobs/one" tcp-connect $OTHER4 853
expect "another service, errno" "$ERRNO" EPERM

# Beside that fence: what it refuses is seen, too, and stays refused.
learner_beside() {
	: >"$WORK/words"
	"$DNSFENCE" "${INSTANCE[@]}" learn --for $((2 * SLOW))s >"$WORK/beside.yaml" 2>"$WORK/words" &
	local learner=$!
	wait_until grep -q watching "$WORK/words"
	for technique in "$@"; do
		probe "$technique" $GOOD4 53
	done
	wait $learner
}
# At the packet, or the call where the packet hook cannot ask for the caller.
learner_beside udp-sendto
expect "beside a fence, errno" "$ERRNO" EPERM
expect_match "beside a fence" "$(<"$WORK/beside.yaml")" "/${APPS%?}\[s\]"
expect_match "beside a fence, how often" "$(<"$WORK/beside.yaml")" "$GOOD4.*# 1 lookup by leakprobe"
# As resolvers' clients do: the connect() of a datagram socket is refused, no packet is made.
learner_beside udp-connect tcp-connect
expect "beside a fence, connect, errno" "$ERRNO" EPERM
expect_match "beside a fence, connect" "$(<"$WORK/beside.yaml")" "$GOOD4.*# 2 lookups by leakprobe"
stop_fence
dnsfence unload >/dev/null 2>&1

# What looks like a leak.
LEAK=yes learn
expect "a public resolver, exit status" "$STATUS" 1
expect_match "a public resolver" "$LEARNED" "# left out, it looks like a leak: $PUBLIC   # 1 lookup by leakprobe"
expect "it is not sanctioned" "$(grep -c "address: \"$PUBLIC\"" "$WORK/learned.yaml")" 0
expect_match "words" "$(<"$WORK/words")" '1 resolver is left out.*looks like a leak.*--accept'
LEAK=yes learn --accept
expect "accepted, exit status" "$STATUS" 0
expect "it is sanctioned" "$(grep -c "address: \"$PUBLIC\"" "$WORK/learned.yaml")" 1

# A cgroup that has gone before its event is read: while the learner is held up, somebody comes,
# asks and goes. Whose that was nobody can tell, so nobody gets it, least of all everybody.
goes() {
	kill -STOP $learner
	mkdir "$CGROUP/gone"
	probe_in "$ID/gone" udp-sendto $BAD4 53
	rmdir "$CGROUP/gone" || fail "the cgroup does not go"
	kill -CONT $learner
}
DURING=goes learn
expect "it has gone, exit status" "$STATUS" 1
expect_match "it has gone" "$LEARNED" "# left out: 1 lookup of cgroups that had gone.*#   $BAD4   # 1 lookup by leakprobe"
expect_match "it has gone, everybody" "$LEARNED" "everybody: \[\]"
expect_match "it has gone, words" "$(<"$WORK/words")" '1 lookup is left out: of cgroups that had gone'

dnsfence learn --for soon >/dev/null 2>"$WORK/words"
expect "no duration, exit status" $? 2
expect "nothing is left" "$(find "$PIN_DIR" -type f 2>/dev/null | wc -l)" 0
finish
