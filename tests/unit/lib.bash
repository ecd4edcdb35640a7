# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034 # some of it is for those who source this
#
# What the scripts beside this one share: the build directory, a directory of their own that goes
# at the end, and one line for each verdict. They end with `finish`.
set -u
build=$(realpath "${BUILD:-build}")
passed=0 failed=0 skipped=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pass() { echo "PASS $1"; ((passed++)); }
fail() { echo "FAIL $1"; ((failed++)); }
skip() { echo "SKIP $1"; ((skipped++)); }

# same WHAT GOT WANTED
same() {
	local what
	what="$(basename "$0" .sh): $1"
	if [[ $2 == "$3" ]]; then pass "$what"; else fail "$what: '$2', not '$3'"; fi
}

finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	((failed == 0))
	exit
}
