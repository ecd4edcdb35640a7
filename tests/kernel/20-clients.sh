# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# Real clients, as people use them: dig, kdig, getent, and a static busybox, with the resolver
# named on the command line or in resolv.conf; denied where they connect, and where they send.
. "$(dirname "$0")/lib.sh"
setup
simple_policy

# blocked CLIENT COMMAND...: fails, nothing arrives, and the log names the client. MORE: what else
# the event says.
MORE=true
blocked() {
	local client=$1 before
	shift
	before=$(arrived $BAD4)
	OUT=$(fenced_client "$@" 2>&1)
	STATUS=$?
	PID=$(<"$WORK/pid")
	((CHECKS++))
	((STATUS)) || [[ $client == kdig ]] || fail "$*: exit status 0, output: $OUT"
	settle
	expect "$*, packets" "$(arrived $BAD4)" "$before"
	expect_event "$*" "$PID" ".process.name == \"$client\" and .destination.ip == \"$BAD4\"
		and .event.reason == \"resolver-not-sanctioned\" and ($MORE)
		and .dnsfence.cgroup.path == \"/$APPS\" and .user.name == \"root\""
}

# leaks COMMAND...: without the fence the same command gets the forbidden answer.
leaks() {
	((CHECKS++))
	[[ $(fenced_client "$@" 2>&1) == *"$BAD_ANSWER"* ]] || fail "$* does not leak without the fence"
}

allowed() {
	((CHECKS++))
	[[ $(fenced_client "$@" 2>&1) == *"$GOOD_ANSWER"* ]] || fail "$*: no answer from the resolver"
}

resolv_conf $BAD4
leaks dig +short +tries=1 @$BAD4 x.test
leaks dig +short x.test
leaks getent ahostsv4 x.test
command -v kdig >/dev/null && leaks kdig +short @$BAD4 x.test
command -v busybox >/dev/null && leaks busybox nslookup x.test

all_blocked() {
	blocked dig dig +tries=1 +time=2 @$BAD4 x.test
	DIG=$OUT
	blocked dig dig +tries=1 +time=2 x.test
	blocked getent getent ahostsv4 x.test
	command -v kdig >/dev/null && blocked kdig kdig +retry=0 +timeout=2 @$BAD4 x.test
	command -v busybox >/dev/null && blocked busybox busybox nslookup x.test
	expect_log_whole
}

start_fence
all_blocked
expect_match "dig @unsanctioned says why" "$DIG" '[Pp]ermission denied'

# Later, and with the question in the log.
simple_policy 'deny_at: packet'
dnsfence reload 2>/dev/null
MORE='.dnsfence.hook == "packet" and .dns.question.name == "x.test"'
all_blocked
expect_match "the log has dig's command line" \
	"$(jq -r 'select(.process.name == "dig") | .process.command_line' "$EVENTS")" \
	"dig \\+tries=1 \\+time=2 @$BAD4 x.test"

resolv_conf $GOOD4
allowed dig +short +tries=1 @$GOOD4 x.test
allowed dig +short x.test
allowed getent ahostsv4 x.test
command -v kdig >/dev/null && allowed kdig +short @$GOOD4 x.test
command -v busybox >/dev/null && allowed busybox nslookup x.test

# A forbidden first server does not keep a client from its sanctioned second one.
resolv_conf $BAD4 $GOOD4
allowed getent ahostsv4 y.test
allowed dig +short y.test
finish
