# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# Names that others choose, of cgroups, processes and files, with what a terminal obeys and what ends
# a line: nothing of it gets into a message, an explanation or a line of the log. The path of the
# fenced cgroup means the same however many slashes it is written with.
. "$(dirname "$0")/lib.sh"
setup
ESC=$'\033' NEWLINE=$'\n'
id=$(printf 'a%.0s' {1..64})
odd="odd${ESC}[31m"$'\t\xe2\x80\xa8\xff'"end"
place="var/lib/docker/containers/$id"
root="$WORK/root"
mkdir -p "$CGROUP/$odd" "$CGROUP/docker/$id" "$root/$place"
# raw FILE: the first line with a byte that a terminal obeys.
raw() { LC_ALL=C grep -a -m 1 -P '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]' "$1"; }

simple_policy
for written in "/$ID" "/$ID/" "//$ID" "//$ID//"; do
	"$DNSFENCE" -C "$CONFIG" --cgroup "$written" explain $BAD4 --cgroup "/$ID/docker" >"$WORK/out" 2>&1
	expect "--cgroup $written, exit status" $? 1
	expect_match "--cgroup $written" "$(<"$WORK/out")" '^DENIED'
done
for written in "/$ID/." "/$ID/.." "/./$ID" "$ID"; do
	"$DNSFENCE" -C "$CONFIG" --cgroup "$written" explain $BAD4 >"$WORK/out" 2>&1
	expect "--cgroup $written, exit status" $? 2
	expect_match "--cgroup $written" "$(<"$WORK/out")" 'takes a plain path'
	"$DNSFENCE" -C "$CONFIG" explain $BAD4 --cgroup "$written" >"$WORK/out" 2>&1
	expect "explain --cgroup $written, exit status" $? 2
	expect_match "explain --cgroup $written" "$(<"$WORK/out")" 'takes a plain path'
done
deep=/$ID$(printf '/d%.0s' {1..31})
mkdir -p "$CGROUP2$deep"
for command in subjects check "explain $BAD4"; do
	# shellcheck disable=SC2086 # a command and its words
	"$DNSFENCE" -C "$CONFIG" --cgroup "$deep" $command >"$WORK/out" 2>&1
	expect "$command --cgroup of 32 levels, exit status" $? 2
	expect_match "$command --cgroup of 32 levels" "$(<"$WORK/out")" 'deeper than 31 levels'
done
"$DNSFENCE" -C "$CONFIG" --cgroup "/$ID/none" check >"$WORK/out" 2>&1
expect "check --cgroup of none, exit status" $? 1
expect_match "check --cgroup of none" "$(<"$WORK/out")" "there is no cgroup /$ID/none"

"$DNSFENCE" -C "$CONFIG" --cgroup "/$ID" explain $BAD4 --cgroup "/$ID/$odd" >"$WORK/out" 2>&1
expect "explain, exit status" $? 1
expect_match "explain names it" "$(<"$WORK/out")" 'cgroup /.*/odd\?\[31m\?'
expect "explain, raw bytes" "$(raw "$WORK/out")" ""
printf '%s[31mEVIL\n' "$ESC" | "$DNSFENCE" -C "$CONFIG" --cgroup "/$ID" explain - >"$WORK/out" 2>&1
expect_match "explain -, what is no destination" "$(<"$WORK/out")" 'EVIL'
expect "explain -, raw bytes" "$(raw "$WORK/out")" ""

# A file of a runtime that is broken, below a directory with a line of its own in its name.
evil="x$NEWLINE<2>kernel: forged${ESC}[2J"
mkdir -p "$root/run/containerd/io.containerd.runtime.v2.task/$evil/$id"
echo '{broken' >"$root/run/containerd/io.containerd.runtime.v2.task/$evil/$id/config.json"
mkdir -p "$CGROUP/system.slice/nerdctl-$id.scope"
policy <<-YAML
	apiVersion: dnsfence/v1
	runtimes: {host: $root}
	resolvers: {good: [$GOOD4]}
	policies:
	  - {name: web, match: {container: {name: "web-*"}}, resolvers: []}
	  - {name: default, resolvers: [good]}
	events: {stdout: true}
YAML
start_fence
probe_in "$ID/system.slice/nerdctl-$id.scope" udp-sendto $BAD4 53
expect "errno" "$ERRNO" EPERM
probe_in "$ID/$odd" udp-sendto $BAD4 53
expect "in a cgroup of that name, errno" "$ERRNO" EPERM
settle
expect_match "the daemon tells of the file" "$(<"$DAEMON_LOG.now")" 'config.json: it is no JSON'
expect "and begins no line of its own" "$(grep -c '^<2>' "$DAEMON_LOG.now")" 0
expect "the daemon's words, raw bytes" "$(raw "$DAEMON_LOG.now")" ""
expect "the log, raw bytes" "$(raw "$EVENTS")" ""
expect_event "the cgroup, whole but for what is no UTF-8" "$PID" \
	".dnsfence.cgroup.path == \"/$ID/odd\\u001b[31m\\t\\u2028\\ufffdend\""
dnsfence subjects --all >"$WORK/out" 2>&1
expect_match "subjects" "$(<"$WORK/out")" 'odd\?\[31m'
expect "subjects, raw bytes" "$(raw "$WORK/out")" ""
expect_log_whole
end_fence
finish
