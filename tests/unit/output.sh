#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What cannot be printed is told and no success, whichever command it is; a reader who has gone is
# nothing to tell. BUILD names the build directory. Needs no root.
# shellcheck source=tests/unit/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$work" || exit 1

for command in --help --version "run --help" "completion bash" "completion shells" \
	"events --file log" "events --file log -j" "-C bad check -j"; do
	echo '{"@timestamp":"2026-11-24T10:00:00Z","event":{"action":"dns-denied"}}' >log
	echo 'x: 1' >bad
	set -- 5 # check -j has its own finding to tell
	[[ $command != *check* ]] || set -- 1
	# shellcheck disable=SC2086
	"$build/dnsfence" $command >/dev/full 2>err
	same "$command, a full disk, exit status" $? "$1"
	same "$command, a full disk, words" "$(grep -c 'error: cannot write to standard output' err) $(wc -l <err)" "1 1"
	# shellcheck disable=SC2086
	"$build/dnsfence" $command >&- 2>err
	same "$command, closed, exit status" $? "$1"
	same "$command, closed, words" "$(grep -c 'error: cannot write to standard output' err) $(wc -l <err)" "1 1"
	# shellcheck disable=SC2086
	(
		trap '' PIPE
		"$build/dnsfence" $command 2>err
		echo $? >status
	) | true
	[[ $1 == 1 ]] || set -- 0
	same "$command, nobody reads, exit status" "$(<status)" "$1"
	same "$command, nobody reads, words" "$(<err)" ""
done
"$build/dnsfence" --help >/dev/null 2>&- <&-
same "the others closed" $? 0

"$build/dnsfence" audit --root nowhere >out 2>err
same "audit of no root, exit status" $? 2
same "audit of no root, words" "$(grep -c 'nowhere: No such file or directory' err) $(wc -c <out)" "1 0"
"$build/dnsfence" completion tcsh >out 2>err
same "a shell that is not known" "$? $(grep -c "for 'tcsh'; name a shell" err)" "2 1"
finish
