#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dnsfence(8) has what --help has: every command, in its order, every option with its letter and its
# default, every exit status. BUILD names the build directory. Needs no root.
# shellcheck source=tests/unit/lib.bash
. "$(dirname "$0")/lib.bash"
page=$(dirname "$0")/../../docs/dnsfence.8.scd

section() { sed -n "/^# $1\$/,/^# /p" "$page"; }
# Of --help, with a command or without: "-C --config" for each option, or " --cgroup".
options() { "$build/dnsfence" "$@" --help | sed -n 's/^  \(-.\)\?,\? * --\([a-z-]*\).*/\1 --\2/p'; }
commands() { "$build/dnsfence" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\)  .*/\1/p'; }

same "commands" "$(section COMMANDS | sed -n 's/^\*\([a-z]*\)\*.*/\1/p' | xargs)" "$(commands | xargs)"
same "commands in the synopsis" "$(section SYNOPSIS | grep -o '\*[a-z]*\*' | tr -d '*' | grep -vx 'dnsfence\|bash\|zsh\|fish' | sort -u | xargs)" \
	"$(commands | sort | xargs)"
missing=$(for command in '' $(commands); do
	# shellcheck disable=SC2086
	options $command
done | sort -u | while read -r letter name; do
	grep -q -e "\*${name:-$letter}[* ]" "$page" || echo "${name:-$letter}"
	[[ ! $name ]] || grep -q -e "\*${letter}[* ]" "$page" || echo "$letter"
done)
same "options that are missing" "$missing" ""
missing=$("$build/dnsfence" --help | grep -o 'default /[^ ,]*' | while read -r _ path; do
	section OPTIONS | grep -qF "_${path}_" || echo "$path"
done)
same "defaults that are missing" "$missing" ""
same "exit statuses" "$(section 'EXIT STATUS' | sed -n 's/^\*\([0-9]\)\*$/\1/p' | xargs)" \
	"$("$build/dnsfence" --help | sed -n '/^Exit codes:/,$p' | grep -o '\b[0-9]\b' | xargs)"
finish
