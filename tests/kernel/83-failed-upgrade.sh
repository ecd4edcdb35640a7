# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# An upgrade that fails, for want of descriptors or because it is asked to fence something else,
# leaves the fence closed and its pins and counters as they were. What a death has left half pinned
# is not called open, and the next start mends it.
. "$(dirname "$0")/lib.sh"
OWN=$DNSFENCE OTHER=$ROOT/build/upgrade/layout/dnsfence
[[ -x $OTHER ]] || skip "build/upgrade is missing"
setup
simple_policy

# expect_untouched WHAT: closed, and the counters of the first version go on.
expect_untouched() {
	probe udp-sendto $BAD4 53
	((violations++))
	expect "$1: errno" "$ERRNO" EPERM
	expect "$1: status" "$(status_of '[.fence, .generation, .counters.denied] | tostring')" \
		"[\"closed\",1,$violations]"
}

probe udp-sendto $BAD4 53
expect "without the fence, errno" "$ERRNO" 0
dnsfence load 2>/dev/null
violations=0 failures=0
expect_untouched "the first version"
before=$(arrived $BAD4)

# With ever more descriptors it gets ever further, until it succeeds.
for descriptors in 8 12 16 20 24; do
	(ulimit -n "$descriptors" && DNSFENCE=$OTHER && dnsfence load) 2>"$WORK/complaint" && break
	((failures++))
	expect_untouched "an upgrade with $descriptors descriptors"
done
expect_more "upgrades that failed" $failures 2
mkdir "$CGROUP/elsewhere"
DNSFENCE=$OTHER
"$DNSFENCE" -C "$CONFIG" --cgroup "/$ID/elsewhere" --pin-dir "$PIN_DIR" --runtime-dir "$WORK/run" \
	load 2>"$WORK/complaint"
expect "an upgrade around another cgroup, exit status" $? 1
expect_match "its complaint" "$(<"$WORK/complaint")" "around another cgroup"
DNSFENCE=$OWN
expect_untouched "an upgrade around another cgroup"

DNSFENCE=$OTHER
dnsfence load 2>"$WORK/complaint"
expect_match "an upgrade" "$(<"$WORK/complaint")" "pinned in $PIN_DIR is another version's"
violations=0
expect_untouched "the other version"
DNSFENCE=$OWN
expect "this version on its pins, status" "$(dnsfence status >/dev/null 2>&1; echo $?)" 1
dnsfence load 2>/dev/null
violations=0
expect_untouched "this version again"

# A death between pinning a link beside its name and giving it that name.
sed -i 's/^on_deny:.*//; 1a hooks: all' "$CONFIG"
dnsfence load 2>/dev/null
expect "sendmsg4 is attached" "$(ls "$PIN_DIR/links/sendmsg4")" "$PIN_DIR/links/sendmsg4"
mv "$PIN_DIR/links/sendmsg4" "$PIN_DIR/links/sendmsg4-new"
simple_policy
dnsfence load 2>/dev/null
expect "links of hooks that are not needed" "$(find "$PIN_DIR/links" -name 'sendmsg*')" ""

# A death between removing the names of old maps and giving them to new ones.
rm "$PIN_DIR"/maps/*
dnsfence status >"$WORK/status" 2>&1
expect "status without maps, exit status" $? 1
expect_match "what it says" "$(<"$WORK/status")" "not whole"
probe udp-sendto $BAD4 53
expect "without names of maps, errno" "$ERRNO" EPERM
dnsfence load 2>/dev/null
violations=0
expect_untouched "mended"
settle
expect "packets" "$(arrived $BAD4)" "$before"
finish
