# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# The programs are built where they are used, by whatever clang is there: this kernel takes what
# each of those makes that the test machine has, and the verifier has as much room left.
. "$(dirname "$0")/lib.sh"
((EUID == 0)) || skip "needs root"
compilers=("$ROOT"/build/compilers/clang-*/insns)
[[ -x ${compilers[0]} ]] || skip "no clang but the usual one"
ceiling=250000 # as for the usual one, see 47-insns.sh
"$ROOT/build/insns" | cut -d' ' -f1 >"$WORK/programs"
expect_more "programs" "$(wc -l <"$WORK/programs")" 4

for insns in "${compilers[@]}"; do
	compiler=$(basename "$(dirname "$insns")")
	expect "$compiler: exit code" "$("$insns" >"$WORK/insns" 2>"$WORK/why"; echo $?)" 0
	expect "$compiler: what was refused" "$(grep -E 'failed|^insns:' "$WORK/why")" ""
	expect "$compiler: programs" "$(cut -d' ' -f1 "$WORK/insns")" "$(<"$WORK/programs")"
	while read -r program count; do
		covered "$compiler $program" '' "$count"
		expect_more "$compiler: $program: instructions that it may cost" $((ceiling + 1)) "$count"
	done <"$WORK/insns"
done
finish
