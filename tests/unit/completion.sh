#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `dnsfence completion` prints, in the shells themselves: every command and option that --help
# shows is offered, what their arguments may be, and names that a shell could expand do nothing but
# stand there. BUILD names the build directory. Needs no root; a shell that is missing is skipped.
# shellcheck source=tests/unit/lib.bash
. "$(dirname "$0")/lib.bash"
unset DNSFENCE_FAKE

# The program, but for a list of cgroups that somebody with bad intentions has named.
mkdir "$work/bin"
cat >"$work/bin/dnsfence" <<-FAKE
	#!/bin/sh
	case "\$*" in
	"completion cgroups") printf '%s\n' '/ab.slice' '/ab.slice/\$(touch $work/expanded)' '/z\`touch $work/expanded\`' '/x;touch $work/expanded' ;;
	*) exec "$build/dnsfence" "\$@" ;;
	esac
FAKE
chmod +x "$work/bin/dnsfence"
export PATH=$work/bin:$PATH
for shell in bash zsh fish; do
	dnsfence completion $shell >"$work/$shell" || fail "completion: no script for $shell"
done
mkdir "$work/files" && touch "$work/files/one.yaml" && mkdir "$work/files/onward"

# in_bash WORD...: what is offered for the last of them; in_fish LINE: likewise.
in_bash() {
	bash --norc --noprofile -c '. "$1"; shift; COMP_WORDS=(dnsfence "$@") COMP_CWORD=$#
		_dnsfence; printf "%s\n" "${COMPREPLY[@]}"' bash "$work/bash" "$@" 2>/dev/null | sort -u
}
in_fish() {
	fish --no-config -c 'source $argv[1]; complete -C "$argv[2]"' "$work/fish" "$1" 2>/dev/null |
		cut -f 1 | sort -u
}

# What an interactive zsh reads first: ^I completes, ^X tells the line, and whatever compadd is
# told to offer is written down. Its -O, -A and -D offer nothing.
cat >"$work/zshrc" <<-'ZSH'
	autoload -Uz compinit; compinit -u -D
	zstyle ':completion:*' list-prompt ''; LISTMAX=0; unsetopt beep
	compadd() {
		local -a found
		if [[ ${@[(I)-[OAD]]} == 0 ]]; then
			builtin compadd -A found "$@"
			((#found)) && print -rl -- $found >>$work/offered
		fi
		builtin compadd "$@"
	}
	dump() { print -r -- $BUFFER >$work/line.new; mv $work/line.new $work/line }
	zle -N dump; bindkey '^X' dump
	touch $work/ready
ZSH
cat >"$work/drive" <<-'ZSH'
	zmodload zsh/zpty
	await() { for ((try = 0; try < 500; try++)) { [[ -e $1 ]] && break; zpty -r -t shell _ ; sleep 0.02 } }
	zpty shell "TERM=dumb zsh -f -i"
	zpty -w shell "work=$1; PATH=$1/bin:\$PATH; fpath=($1/functions \$fpath); . $1/zshrc"
	await $1/ready
	zpty -w -n shell "$2"$'\t'
	zpty -w -n shell $'\x18'
	await $1/line
	zpty -d shell
ZSH
mkdir "$work/functions" && cp "$work/zsh" "$work/functions/_dnsfence"

# in_zsh LINE: the line after a press of the tabulator key, in a shell on a terminal.
# zsh_offers LINE: what is offered then.
in_zsh() {
	rm -f "$work/line" "$work/ready" "$work/offered"
	timeout 60 zsh -f "$work/drive" "$work" "$1" >/dev/null 2>&1
	cat "$work/line" 2>/dev/null
}
zsh_offers() {
	in_zsh "$1" >/dev/null
	sort -u "$work/offered" 2>/dev/null
}

# offers WHAT GOT WANTED...: each of them is among what was got.
offers() {
	local what=$1 got=$2 word
	shift 2
	for word in "$@"; do
		grep -qxF -e "$word" <<<"$got" && continue
		fail "completion: $what: no $word in: $(xargs <<<"$got")"
		return
	done
	pass "completion: $what"
}

# Of --help: the commands; the long options of a command, its own and the common ones.
commands() { dnsfence --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\)  .*/\1/p'; }
options() { dnsfence "$1" --help | sed -n 's/^  \(-.,\|   \) --\([a-z-]*\).*/--\2/p' | sort -u; }

readarray -t all < <(commands)
((${#all[@]} > 8)) || fail "completion: --help has no commands"
offers "bash, commands" "$(in_bash '')" "${all[@]}"
for command in "${all[@]}"; do
	readarray -t wanted < <(options "$command")
	same "bash, options of $command" "$(in_bash "$command" -- | grep -- ^-- | xargs)" "${wanted[*]}"
done
same "bash, a command's beginning" "$(in_bash expl)" explain
same "bash, none but the common ones before it" "$(in_bash --co)" --config
same "bash, behind an option and its argument" "$(in_bash --cgroup /a --pin-dir /b expl)" explain
same "bash, behind --cgroup=/a" "$(in_bash --cgroup = /a expl)" explain
offers "bash, files" "$(in_bash -C "$work/files/on")" "$work/files/one.yaml" "$work/files/onward"
same "bash, directories" "$(in_bash --pin-dir "$work/files/on")" "$work/files/onward"
same "bash, cgroups" "$(in_bash explain --cgroup /ab | head -n 1)" "/ab.slice"
same "bash, cgroups behind =" "$(in_bash explain --cgroup = /ab | head -n 1)" "/ab.slice"
same "bash, no verdict on a number" "$(in_bash events --lines '')" ""
same "bash, shells" "$(in_bash completion z)" zsh
offers "bash, users" "$(in_bash explain --user ro)" root
offers "bash, processes" "$(in_bash explain --pid '')" 1
in_bash explain --cgroup / >/dev/null
same "bash, names are not expanded" "$(ls "$work/expanded" 2>/dev/null)" ""
offers "bash, names are quoted" "$(in_bash explain --cgroup /ab.slice/)" \
	"/ab.slice/\\\$\\(touch\\ $work/expanded\\)"

if command -v fish >/dev/null; then
	offers "fish, commands" "$(in_fish 'dnsfence ')" "${all[@]}"
	for command in "${all[@]}"; do
		readarray -t wanted < <(options "$command")
		same "fish, options of $command" "$(in_fish "dnsfence $command --" | xargs)" "${wanted[*]}"
	done
	same "fish, behind an option and its argument" "$(in_fish 'dnsfence --cgroup /a expl')" explain
	offers "fish, files" "$(in_fish "dnsfence -C $work/files/on")" "$work/files/one.yaml"
	same "fish, directories" "$(in_fish "dnsfence --pin-dir $work/files/on")" "$work/files/onward/"
	offers "fish, cgroups" "$(in_fish 'dnsfence explain --cgroup /ab')" /ab.slice
	same "fish, shells" "$(in_fish 'dnsfence completion z')" zsh
	offers "fish, users" "$(in_fish 'dnsfence explain --user ro')" root
	in_fish 'dnsfence explain --cgroup /' >/dev/null
	same "fish, names are not expanded" "$(ls "$work/expanded" 2>/dev/null)" ""
else
	skip "completion: fish is not installed"
fi

if command -v zsh >/dev/null; then
	same "zsh, commands" "$(zsh_offers 'dnsfence ')" "$(printf '%s\n' "${all[@]}" | sort)"
	for command in "${all[@]}"; do
		same "zsh, options of $command" "$(zsh_offers "dnsfence $command --")" "$(options "$command")"
	done
	same "zsh, options behind a word" "$(zsh_offers 'dnsfence explain 8.8.8.8 --')" "$(options explain)"
	same "zsh, behind an option and its argument" "$(in_zsh 'dnsfence --cgroup=/a -C/b expl')" \
		'dnsfence --cgroup=/a -C/b explain '
	same "zsh, users behind =" "$(in_zsh 'dnsfence explain --user=nobod')" 'dnsfence explain --user=nobody '
	same "zsh, a command's beginning" "$(in_zsh 'dnsfence expl')" 'dnsfence explain '
	same "zsh, a common option" "$(in_zsh 'dnsfence --pin')" 'dnsfence --pin-dir='
	same "zsh, a command's option" "$(in_zsh 'dnsfence explain --liv')" 'dnsfence explain --live '
	same "zsh, no other command's option" "$(in_zsh 'dnsfence status --liv')" 'dnsfence status --liv'
	same "zsh, files" "$(in_zsh "dnsfence -C $work/files/one.")" \
		"dnsfence -C $work/files/one.yaml "
	same "zsh, shells" "$(in_zsh 'dnsfence completion fi')" 'dnsfence completion fish '
	same "zsh, users" "$(in_zsh 'dnsfence explain --user nobod')" 'dnsfence explain --user nobody '
	same "zsh, cgroups" "$(in_zsh 'dnsfence explain --cgroup /ab')" \
		'dnsfence explain --cgroup /ab.slice'
	same "zsh, names are quoted" "$(in_zsh 'dnsfence explain --cgroup /x')" \
		"dnsfence explain --cgroup /x\\;touch\\ $work/expanded "
	same "zsh, names are not expanded" "$(ls "$work/expanded" 2>/dev/null)" ""
else
	skip "completion: zsh is not installed"
fi
finish
