# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# vm: left out, 1,000 reloads under load take an hour in emulation
# limit: 400
#
# 1,000 reloads between two policies under queries without a pause. GOOD is sanctioned by both,
# BAD by neither: no query may ever meet a verdict that neither policy gives. OTHER is sanctioned
# by every second one and shows that the reloads take effect.
. "$(dirname "$0")/lib.sh"
setup

# two_policies NUMBER OTHER-SET: a list long enough that filling it in takes a while.
write_policy() {
	local number
	echo 'apiVersion: dnsfence/v1'
	echo 'resolvers:'
	echo "  good: [$GOOD4, \"$GOOD6\", 10.99.0.0/16]"
	echo "  other: [$OTHER4, \"fd77::4\"]"
	echo '  many:'
	for ((number = 0; number < 500; number++)); do
		echo "    - 172.16.$((number / 250)).$((number % 250))"
	done
	echo 'policies:'
	echo "  - {name: one, match: {cgroup: /$ID/apps/none-$1*}, resolvers: any}"
	echo "  - {name: default, resolvers: [many, good$2]}"
	echo 'events: {stdout: true}'
}

# stream NAME ADDR TECHNIQUE: probes in batches until the reloads are done.
stream() {
	while [[ ! -e $WORK/done ]]; do
		fenced "$PROBE" "$3" "$2" 53 -r 5000
	done >"$WORK/stream.$1" 2>&1
}

write_policy 1 '' >"$WORK/one.yaml"
write_policy 2 ', other' >"$WORK/two.yaml"
cp "$WORK/one.yaml" "$CONFIG"
start_fence
before=$(arrived $BAD4) before6=$(arrived $BAD6) streams=''
stream good $GOOD4 udp-sendto & streams+=" $!"
stream bad $BAD4 udp-sendto & streams+=" $!"
stream bad-tcp $BAD6 tcp-connect & streams+=" $!"

failed=0 wrong=0
for ((round = 1; round <= 500; round++)); do
	for policy in two one; do
		cp "$WORK/$policy.yaml" "$CONFIG.new" && mv "$CONFIG.new" "$CONFIG"
		dnsfence reload >>"$WORK/reload.log" 2>&1 || ((failed++))
		((round % 50)) && continue
		probe udp-sendto $OTHER4 53
		[[ $policy == two && $ERRNO == 0 ]] || [[ $policy == one && $ERRNO == EPERM ]] || ((wrong++))
	done
done
: >"$WORK/done"
# shellcheck disable=SC2086
wait $streams

expect "reloads that failed ($(tail -n 1 "$WORK/reload.log"))" $failed 0
expect "verdicts right after a reload that were the old ones" $wrong 0
expect_more "batches to the sanctioned resolver" "$(grep -c count= "$WORK/stream.good")" 1
expect "batches to the sanctioned resolver with a failure" \
	"$(grep -vc 'count=5000 failed=0$' "$WORK/stream.good")" 0
for name in bad bad-tcp; do
	expect_more "$name batches" "$(grep -c count= "$WORK/stream.$name")" 1
	expect "$name batches with a query let through" \
		"$(grep -vc 'errno=EPERM .*count=5000 failed=5000$' "$WORK/stream.$name")" 0
done
settle
expect "packets at the forbidden resolver, IPv4" "$(arrived $BAD4)" "$before"
expect "packets at the forbidden resolver, IPv6" "$(arrived $BAD6)" "$before6"
expect "generation after 1000 reloads" "$(status_of .generation)" 1001
expect_log_whole
finish
