# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# A reload that cannot be taken changes nothing, says why with file and line, and leaves the
# daemon as it was; the next good one is taken.
. "$(dirname "$0")/lib.sh"
setup
simple_policy
start_fence
cp "$CONFIG" "$WORK/good.yaml"
generation=$(status_of .generation)

unchanged() {
	probe udp-sendto $GOOD4 53
	expect "$1: sanctioned, errno" "$ERRNO" 0
	probe udp-sendto $BAD4 53
	expect "$1: not sanctioned, errno" "$ERRNO" EPERM
	probe tcp-connect $BAD6 53
	expect "$1: not sanctioned, TCP, errno" "$ERRNO" EPERM
	expect "$1: generation" "$(status_of .generation)" "$generation"
	dnsfence status >/dev/null 2>&1
	expect "$1: status, exit status" $? 0
}

# broken WHAT EXPECTED-TEXT: the configuration is on stdin.
broken() {
	policy
	OUT=$(dnsfence reload 2>&1)
	expect "$1: reload, exit status" $? 1
	expect_match "$1: reload says why" "$OUT" "$2"
	unchanged "$1"
}

broken "an unknown key" "dnsfence\.yaml:2:1: error: .*polices.*policies" <<-YAML
	apiVersion: dnsfence/v1
	polices: [{name: default, resolvers: any}]
YAML
broken "not YAML" "dnsfence\.yaml:[0-9]+:[0-9]+: error: " <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [
YAML
broken "an empty file" "error: " </dev/null
broken "a cgroup that is not there" "there is no cgroup" <<-YAML
	apiVersion: dnsfence/v1
	policies:
	  - {name: a, match: {cgroup: /$ID/nowhere}, resolvers: any}
	  - {name: default, resolvers: any}
YAML
broken "no default" "default" <<-YAML
	apiVersion: dnsfence/v1
	policies: [{name: a, match: {user: root}, resolvers: any}]
YAML

rm "$CONFIG"
OUT=$(dnsfence reload 2>&1)
expect "no file: reload, exit status" $? 1
unchanged "no file"

echo 'mode: audit' >"$CONFIG"
kill -HUP "$DAEMON"
hup_was_refused() { grep -q 'error: ' "$DAEMON_LOG.now"; }
((CHECKS++))
wait_until hup_was_refused || fail "SIGHUP with a broken file: the daemon says nothing"
unchanged "SIGHUP with a broken file"

sed "s/$GOOD4/$OTHER4/" "$WORK/good.yaml" >"$CONFIG"
kill -HUP "$DAEMON"
next_generation() { (($(status_of .generation) > generation)); }
((CHECKS++))
wait_until next_generation || fail "SIGHUP with a good file is not taken"
probe udp-sendto $OTHER4 53
expect "the next good policy: now sanctioned, errno" "$ERRNO" 0
probe udp-sendto $GOOD4 53
expect "the next good policy: no longer sanctioned, errno" "$ERRNO" EPERM

stop_fence TERM
dnsfence reload >/dev/null 2>&1
expect "reload without a daemon, exit status" $? 4
finish
