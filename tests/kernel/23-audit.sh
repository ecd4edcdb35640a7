# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# Audit mode blocks nothing and logs what it would have blocked, once each.
. "$(dirname "$0")/lib.sh"
setup
simple_policy 'mode: audit'

audited() { status_of .counters.audited; }

# watched TECHNIQUE ADDR PORT HOOK [ARG...]: it arrives, and the log says what it was.
watched() {
	local label="$1 $2 $3" technique=$1 addr=$2 port=$3 hook=$4 before counted
	shift 4
	before=$(arrived "$addr") counted=$(audited)
	probe "$technique" "$addr" "$port" "$@"
	expect "$label errno" "$ERRNO" 0
	((CHECKS++))
	wait_until arrived_more "$addr" "$before" || fail "$label: nothing arrived"
	expect_event "$label" "$PID" ".dnsfence.verdict == \"audit\" and .dnsfence.hook == \"$hook\"
		and .event.action == \"dns-audited\" and .dnsfence.mode == \"audit\"
		and (.event.type | index(\"allowed\")) and .process.name == \"leakprobe\"
		and .destination.ip == \"$addr\" and .destination.port == $port"
	case $technique in
	udp-*) expect "$label, audited counter" "$(audited)" $((counted + 1)) ;;
	*) expect_more "$label, audited counter" "$(audited)" "$counted" ;;
	esac
}

start_fence
expect "mode in status" "$(status_of .mode)" audit
watched udp-connect $BAD4 53 packet
watched udp-sendto $BAD6 53 packet
watched udp-sendto $BAD4 853 packet
watched v4mapped-udp-connect $BAD4 53 packet
watched udplite-connect $BAD4 53 packet
watched raw-udp $BAD4 53 packet
watched tcp-connect $BAD4 53 connect4
watched tcp-connect $BAD6 853 connect6
watched ip6-atomic-fragment $BAD6 53 packet
expect "denied in audit mode" "$(denied)" 0
expect_answer "dig @unsanctioned" $BAD_ANSWER fenced dig +short +tries=1 @$BAD4 x.test
expect_answer "dig +tcp @unsanctioned" $BAD_ANSWER fenced dig +tcp +short +tries=1 @$BAD4 x.test

counted=$(audited)
expect_answer "dig @sanctioned" $GOOD_ANSWER fenced dig +short +tries=1 @$GOOD4 x.test
expect "a sanctioned lookup is not audited" "$(audited)" "$counted"
expect_log_whole
finish
