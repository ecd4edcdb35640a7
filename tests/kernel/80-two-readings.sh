# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# A million packets, most of them near what a configuration names and many of them damaged: the
# loaded packet program, the same parser and verdict compiled for the host, and a plain reading of
# headers and configuration say the same of each. TEST_SEED and TEST_PACKETS choose others.
. "$(dirname "$0")/lib.sh"
DIFFERENTIAL=${DIFFERENTIAL:-$ROOT/build/differential}
((EUID == 0)) || skip "needs root"
[[ $CGROUP2 ]] || skip "no cgroup2 is mounted"
[[ -x $DIFFERENTIAL ]] || skip "build/differential is missing"
mkdir -p "$CGROUP2/$APPS" || die "no cgroup"

packets=${TEST_PACKETS:-$((1000000 / ${DNSFENCE_TEST_SLOW:-1}))}
(
	echo "$BASHPID" >"$CGROUP2/$APPS/cgroup.procs" || exit 125
	TEST_PACKETS=$packets exec "$DIFFERENTIAL"
) >"$WORK/readings" 2>&1
expect "exit status" $? 0
cat "$WORK/readings" >&2
compared=$(sed -n 's/^\([0-9]*\) packets, 0 differences$/\1/p' "$WORK/readings")
expect_more "packets without a difference" "${compared:-0}" $((packets - 1))
finish
