# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# What each program costs this kernel's verifier, which gives up at a million instructions. A
# program may not grow by more than a quarter over what tests/kernel/insns has recorded of the same
# compiler, unless `make insns` records it anew, where everybody sees it; and never beyond a quarter
# of the million, which leaves room for the kernels that nobody has tried.
. "$(dirname "$0")/lib.sh"
((EUID == 0)) || skip "needs root"
INSNS=${INSNS:-$ROOT/build/insns} RECORDED=${RECORDED:-$HERE/insns}
[[ -x $INSNS ]] || die "build/insns is missing: make build/insns"
ceiling=250000 slack=100 # a program of thirty instructions may gain some, too
series=$(uname -r | cut -d. -f1,2)
compiler=$("${CLANG:-clang}" -dumpversion | cut -d. -f1)

"$INSNS" >"$WORK/insns" || die "the programs cannot be measured"

# recorded PROGRAM: for this kernel; nothing where this kernel is not in the table.
recorded() {
	awk -v kernel="$series" -v program="$1" '
		$1 == "program" { for (i = 2; i <= NF; i++) if ($i == kernel) column = i }
		column && $1 == program { print $column }' "$RECORDED"
}

known=''
grep -qx "# As compiled by clang $compiler" "$RECORDED" && known=$(awk '$1 == "program"' "$RECORDED")
while read -r program count; do
	covered "$program" '' "$count"
	expect_more "$program: instructions that it may cost" $((ceiling + 1)) "$count"
	[[ " $known " == *" $series "* ]] || continue
	was=$(recorded "$program")
	expect_match "$program is recorded for $series; make insns" "$was" '^[0-9]+$'
	[[ $was ]] && expect_more "$program: instructions for $series, at most a quarter over the $was of tests/kernel/insns" \
		$((was * 5 / 4 + slack + 1)) "$count"
done <"$WORK/insns"
expect_more "programs measured" "$(wc -l <"$WORK/insns")" 4
finish
