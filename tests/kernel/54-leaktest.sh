# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 180
# vm: below the root, what is outside of the fence is a part of it
#
# `dnsfence leaktest` says "open" of every way without a fence, "closed" by a hook with it, and of
# each way what is true where only some are closed: by cgroup, by user, in audit mode, at the edge.
# It leaves nothing behind, and nothing of it reaches the network.
. "$(dirname "$0")/lib.sh"
setup
need setpriv
mkdir -p "$CGROUP/any" "$CGROUP/audit" "$CGROUP/parent/child"

# leaktest ARGUMENT...: OUT, a JSON object; STATUS; words in $WORK/words.
leaktest() {
	OUT=$(near timeout $((60 * SLOW)) "$DNSFENCE" -C "$CONFIG" "${INSTANCE[@]}" leaktest -j "$@" 2>"$WORK/words")
	STATUS=$?
}

totals() { jq -r '.totals | "\(.open) \(.audited) \(.closed > 150)"' <<<"$OUT"; }
of() { jq -c "[.techniques[] | $1] | unique" <<<"$OUT"; }

policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4, "$GOOD6"], documentation: [203.0.113.53]}
	policies:
	  - {name: any, match: {cgroup: "/$ID/any"}, resolvers: any}
	  - {name: audit, match: {cgroup: "/$ID/audit"}, mode: audit, resolvers: [good]}
	  - {name: user, match: {user: nobody}, resolvers: [documentation]}
	  - {name: default, resolvers: [good]}
	edge: {interfaces: off}
YAML

# Without a fence every way is open: the techniques work, and the far end sees them.
leaktest --cgroup "/$APPS"
expect "no fence, exit status" "$STATUS" 1
expect "no fence, closed" "$(jq .totals.closed <<<"$OUT")" 0
expect_more "no fence, open" "$(jq .totals.open <<<"$OUT")" 150
expect_match "no fence, words" "$(<"$WORK/words")" 'nothing is pinned'
open=$(jq .totals.open <<<"$OUT")

start_fence
before=$(denied)
leaktest --cgroup "/$APPS"
expect "fenced, exit status" "$STATUS" 0
expect "fenced" "$(totals)" "0 0 true"
expect "what was open is closed" "$(jq .totals.closed <<<"$OUT")" "$open"
expect_more "each attempt was counted" "$(denied)" $((before + open - 1))
expect "a connect()" "$(of 'select(.technique == "udp-connect" and .type == "ipv4") |
	[.verdict, .hook, .errno, .step, .privilege]')" '[["closed","connect4","EPERM","connect","none"]]'
expect "over IPv6" "$(of 'select(.technique == "tcp-connect" and .type == "ipv6") | .hook')" '["connect6"]'
expect_match "a sendto()" "$(of 'select(.technique == "udp-sendto") | .hook')" '^\["(packet|sendmsg4","sendmsg6)"\]$'
expect "a routing header" "$(of 'select(.technique == "ip6-routing") | .verdict')" '["closed"]'
expect_match "left out" "$(<"$WORK/words")" '[0-9]+ techniques that take a privilege were left out'
expect_event "its events" "$(jq -r 'select(.dns.question.name // "" | endswith(".dnsfence.invalid")) | .process.pid' \
	"$EVENTS" | head -n 1)" '.process.name == "dnsfence" and .dnsfence.cgroup.path == "/'$APPS'"'

# Who asks decides: exempt, audited, a user whose policy has the target, outside of the fence.
leaktest --cgroup "/$ID/any"
expect "exempt" "$STATUS $(jq '.totals | [.open, .closed]' -c <<<"$OUT")" "1 [$open,0]"
expect_match "exempt, words" "$(<"$WORK/words")" 'dnsfence explain'
leaktest --cgroup "/$ID/audit"
expect "audited, exit status" "$STATUS" 1
expect "audited, a packet" "$(of 'select(.technique == "udp-sendto") | .verdict')" '["audited"]'
expect "audited, nothing is closed" "$(jq .totals.closed <<<"$OUT")" 0
leaktest --cgroup "/$APPS" --user nobody
expect "a user, exit status" "$STATUS" 1
expect "a user, the address that his policy has" "$(of 'select(.technique == "udp-sendto" and .type == "ipv4") | .verdict')" '["open"]'
expect "a user, the other" "$(of 'select(.technique == "udp-sendto" and .type == "ipv6") | .verdict')" '["closed"]'
leaktest --cgroup "/$APPS" --target $GOOD4 --target $BAD6
expect "targets, a sanctioned one" "$(of 'select(.technique == "tcp-connect" and .type == "ipv4") | .verdict')" '["open"]'
expect "targets, another" "$(of 'select(.technique == "tcp-connect" and .type == "ipv6") | .verdict')" '["closed"]'
for address in $BAD4 $BAD6 203.0.113.53; do # alone, and the one that is there in any case
	leaktest --cgroup "/$APPS" --target $address
	expect "a target alone, $address" "$STATUS $(totals)" "0 0 0 true"
done
leaktest --cgroup /
expect "outside of the fence" "$STATUS $(jq .totals.closed <<<"$OUT")" "1 0"
expect_match "outside, words" "$(<"$WORK/words")" 'outside of what is fenced'

# A cgroup that takes no processes itself: one of our own below it, gone afterwards.
if grep -qw pids "$CGROUP2/cgroup.controllers" && echo +pids >"$CGROUP/cgroup.subtree_control" 2>/dev/null &&
	echo +pids >"$CGROUP/parent/cgroup.subtree_control" 2>/dev/null; then
	leaktest --cgroup "/$ID/parent"
	expect "a cgroup of cgroups" "$STATUS $(totals)" "0 0 0 true"
fi
# One that takes none at all, beside a threaded one.
mkdir -p "$CGROUP/threads/threaded" "$CGROUP/threads/beside"
echo threaded >"$CGROUP/threads/threaded/cgroup.type"
leaktest --cgroup "/$ID/threads/beside"
expect "a cgroup that takes no processes, exit status" "$STATUS" 3
expect_match "and words" "$(<"$WORK/words")" "the cgroup /$ID/threads/beside: Operation not supported; a cgroup that takes none"
expect "cgroups left behind" "$(find "$CGROUP" -name 'dnsfence-leaktest-*')" ""

# What takes a privilege: the packet layer refuses all but frames, those the edge.
leaktest --cgroup "/$APPS" --all
expect "all, exit status" "$STATUS" 1
expect "all, what is open" "$(of 'select(.verdict == "open") | .technique | split("-")[1] | test("packet|xdp")')" '[true]'
expect "all, raw sockets" "$(of 'select(.technique == "raw-hdrincl") | [.verdict, .hook]')" '[["closed","packet"]]'
stop_fence
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4, "$GOOD6"]}
	policies: [{name: default, resolvers: [good]}]
	edge: {interfaces: "dfleak*", uplinks: near}
YAML
DAEMON_NETNS=/run/netns/$NEAR start_fence
leaktest --cgroup "/$APPS" --all
expect "with the edge, exit status" "$STATUS $(<"$WORK/words")" "0 $(<"$WORK/words")"
expect "with the edge, what is open" "$(of 'select(.verdict == "open") | .technique')" '[]'
expect "with the edge, frames" "$(of 'select(.technique == "af-packet-raw") | [.verdict, .hook]')" '[["closed","edge_in"]]'
expect "with the edge, past tc" "$(of 'select(.technique == "af-xdp") | [.verdict, .hook]')" '[["closed","setsockopt"]]'

# Nothing was in the network, and nothing is left.
expect "packets for the targets" "$(arrived 203.0.113.53) $(arrived $BAD6)" "0 0"
gone() { [[ ! $(ip -n $NEAR -br link show | grep dfleak) ]]; }
((CHECKS++))
wait_until gone || fail "an interface is left: $(ip -n $NEAR -br link show)"

# Lines, and who may.
OUT=$(near "$DNSFENCE" -C "$CONFIG" "${INSTANCE[@]}" leaktest --cgroup "/$APPS" 2>/dev/null | head -n 2)
expect_match "lines" "$OUT" $'^VERDICT +HOOK +ERRNO .*\nclosed +connect4 +EPERM +udp-connect +IPv4 +53 +none'
setpriv --reuid=65534 --clear-groups "$DNSFENCE" -C "$CONFIG" "${INSTANCE[@]}" leaktest >/dev/null 2>"$WORK/words"
expect "a user, exit status" $? 3
expect_match "a user, words" "$(<"$WORK/words")" 'run as root'
# What is wrong with the command is no finding.
wrong() {
	leaktest "${@:2}"
	expect "${*:2}, exit status" "$STATUS" 2
	expect_match "${*:2}, words" "$(<"$WORK/words")" "^dnsfence: error: [^"$'\n'"]*$1[^"$'\n'"]*$"
	expect "${*:2}, nothing is printed" "$OUT" ""
}
wrong "not 'example.org'" --target example.org
wrong 'one address of each family' --target $GOOD4 --target $BAD4
for address in 127.0.0.1 0.0.0.0 224.0.0.1 255.255.255.255 :: ::1 ff02::fb ::ffff:10.0.0.1 203.0.113.1; do
	wrong "no resolver elsewhere has the address $address" --target $address
done
wrong 'no user .nobody-here.' --user nobody-here
wrong 'no cgroup ' --cgroup "/$ID/nowhere"
wrong 'no process 4194999' --pid 4194999
wrong 'give --cgroup or --pid, not both' --cgroup "/$APPS" --pid 1
finish
