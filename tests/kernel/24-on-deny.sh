# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# The errno that connect() and sendto() get, by configuration and by policy. Other than eperm
# the address hooks answer, before a packet exists; what they do not see stays EPERM. Before Linux
# 5.18 there is EPERM only, and the packet layer goes on answering sendto().
. "$(dirname "$0")/lib.sh"
setup
mkdir -p "$CGROUP/soft"

# wanted ERRNO: what this kernel makes of it; SENDMSG4, SENDMSG6: the layer that answers sendto().
if kernel_is_from 5.18; then
	wanted() { echo "$1"; }
	SENDMSG4=sendmsg4 SENDMSG6=sendmsg6
else
	wanted() { echo EPERM; }
	SENDMSG4=packet SENDMSG6=packet
fi

# refused_with ERRNO TECHNIQUE ADDR HOOK STEP
refused_with() {
	local before label="$2 $3 with $1" denied_before failures=$FAILURES
	before=$(arrived "$3") denied_before=$(denied)
	probe "$2" "$3" 53
	expect "$label, errno" "$ERRNO" "$1"
	expect "$label, step" "$STEP" "$5"
	settle
	expect "$label, packets" "$(arrived "$3")" "$before"
	expect "$label, denied counter" "$(denied)" $((denied_before + 1))
	expect_event "$label" "$PID" ".dnsfence.hook == \"$4\" and .dnsfence.verdict == \"deny\"
		and .event.reason == \"resolver-not-sanctioned\" and .destination.ip == \"$3\""
	((FAILURES > failures)) || covered "$2" 53 "$4" "$1"
}

all_with() {
	refused_with "$1" udp-connect $BAD4 connect4 connect
	refused_with "$1" udp-connect $BAD6 connect6 connect
	refused_with "$1" udp-sendto $BAD4 $SENDMSG4 send
	refused_with "$1" udp-sendto $BAD6 $SENDMSG6 send
	refused_with "$1" udp-sendmmsg $BAD4 $SENDMSG4 send
	refused_with "$1" tcp-connect $BAD4 connect4 connect
	refused_with "$1" tcp-connect $BAD6 connect6 connect
	refused_with "$1" tcp-tfo $BAD4 connect4 send
	refused_with "$1" v4mapped-udp-connect $BAD4 connect6 connect
	refused_with "$1" v4mapped-udp-sendto $BAD4 $SENDMSG4 send
	refused_with "$1" v4mapped-tcp $BAD4 connect6 connect
	refused_with "$1" sin-on-in6 $BAD4 $SENDMSG4 send
	refused_with "$1" udp-connect-sendto-elsewhere $BAD4 $SENDMSG4 send
	refused_with EPERM udplite-connect $BAD4 packet send
	refused_with EPERM raw-udp $BAD4 packet send
	probe udp-cmsg-tos $GOOD4 53
	expect "control message to a sanctioned resolver, errno" "$ERRNO" 0
	expect_answer "dig @sanctioned" $GOOD_ANSWER fenced dig +short +tries=1 @$GOOD4 x.test
	expect_answer "dig +tcp @sanctioned" $GOOD_ANSWER fenced dig +tcp +short +tries=1 @$GOOD6 x.test
}

simple_policy 'on_deny: refused'
start_fence
all_with "$(wanted ECONNREFUSED)"

simple_policy 'on_deny: unreachable'
dnsfence reload
expect "reload, exit status" $? 0
all_with "$(wanted EHOSTUNREACH)"

# A policy of its own, then back to none: the hooks that only an errno needs are gone again.
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4, "$GOOD6"]}
	policies:
	  - {name: soft, match: {cgroup: /$ID/soft}, on_deny: refused, resolvers: [good]}
	  - {name: default, resolvers: [good]}
	events: {stdout: true}
YAML
dnsfence reload
probe_in "$ID/soft" udp-sendto $BAD4 53
expect "a policy's own on_deny, errno" "$ERRNO" "$(wanted ECONNREFUSED)"
probe udp-sendto $BAD4 53
expect "beside it the default, errno" "$ERRNO" EPERM

simple_policy
dnsfence reload
probe udp-sendto $BAD4 53
expect "back at eperm, errno" "$ERRNO" EPERM
expect "sendmsg4 attached though nothing needs it" \
	"$(status_of '.hooks[] | select(.name == "sendmsg4") | .attached')" false
expect_log_whole
finish
