# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
# limit: 120
#
# The interfaces under the edge: those that come later, are renamed, go; what other people have
# hung there; filters that somebody takes away. How long a new interface stays open is measured.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tampering.sh"
need tc python3
setup
DAEMON_NETNS=/run/netns/$NEAR
tc_near() { near tc "$@"; }
unload_near() {
	near "$DNSFENCE" "${INSTANCE[@]}" unload 2>>"$WORK/unload"
}

# ours DEVICE ingress|egress: how many of the fence's filters are there.
ours() { tc_near filter show dev "$1" "$2" 2>/dev/null | grep -c 'handle 0xdf.*dnsfence_'; }
is_fenced() { (($(ours "$1" "$2") == 1)); }

config() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		resolvers: {good: [$GOOD4]}
		policies: [{name: default, resolvers: [good]}]
		edge: {interfaces: [near, "v*"], uplinks: ["ne*"]}
		events: {stdout: true}
	YAML
}

# Before the fence: others have a filter of another kind at its priority, and one further down.
ip -n "$NEAR" link add v0 type veth peer name p0
tc_near qdisc add dev v0 clsact
tc_near filter add dev v0 ingress prio 1 protocol ip u32 match ip dport 99 0xffff flowid 1:1 ||
	skip "no u32 filters"
tc_near qdisc add dev near clsact
tc_near filter add dev near egress prio 5 protocol all u32 match u32 0 0 \
	action mirred egress mirror dev p0 || skip "no mirred action"
config
start_fence
expect "v0, in" "$(ours v0 ingress)" 1
expect "v0, out" "$(ours v0 egress)" 0
expect "near, out" "$(ours near egress)" 1
expect "near, in" "$(ours near ingress)" 0
expect "the others' filter" "$(tc_near filter show dev v0 ingress | grep -c 'flowid 1:1')" 1
expect "priorities" "$(status_of '.edge | map(.interface + " " + (.priority | tostring)) | sort | join(", ")')" \
	"near 1, v0 2"

# The others' filter still sees what ours lets pass, and ours comes first where it can.
fenced dig +short +tries=1 +time=2 @$GOOD4 x.test >/dev/null
expect_more "packets at the others' filter" "$(tc_near -s filter show dev near egress |
	sed -n 's/.*Sent [0-9]* bytes \([0-9]*\) pkt.*/\1/p' | tail -n 1)" 0

# Later ones: by their kind, by name, renamed into and out of what is fenced.
ip -n "$NEAR" link add v1 type veth peer name p1
((CHECKS++))
wait_until is_fenced v1 ingress || fail "a veth that came later is not fenced"
expect "its other end, which the policy does not name" "$(ours p1 ingress)" 0
ip -n "$NEAR" link set p1 name v2
((CHECKS++))
wait_until is_fenced v2 ingress || fail "a renamed veth is not fenced"
ip -n "$NEAR" link set v2 name x2
is_free() { (($(ours x2 ingress) == 0)); }
((CHECKS++))
wait_until is_free || fail "renamed away, it is still fenced"
ip -n "$NEAR" link del v1
interfaces() { status_of '.edge | map(.interface) | sort | join(" ")'; }
forgets_v1() { [[ $(interfaces) == "near v0" ]]; }
((CHECKS++))
wait_until forgets_v1 || fail "an interface that has gone is still listed: $(interfaces)"

# A bridge speaks of its ports, too, and IPv6 of everything: it is the same interface.
ip -n "$NEAR" link add vbr type bridge
ip -n "$NEAR" link set v0 master vbr
ip -n "$NEAR" link set v0 up
ip -n "$NEAR" link set vbr up
ip -n "$NEAR" link add v9 type veth peer name p9
((CHECKS++))
wait_until is_fenced v9 ingress || fail "a veth that came after a bridge is not fenced"
expect "a port of a bridge, in and out" "$(ours v0 ingress) $(ours v0 egress)" "1 0"
ip -n "$NEAR" link set v0 nomaster
ip -n "$NEAR" link del vbr
ip -n "$NEAR" link del v9
((CHECKS++))
wait_until forgets_v1 || fail "after the bridge: $(interfaces)"
expect "a port that was, in and out" "$(ours v0 ingress) $(ours v0 egress)" "1 0"

# Taken away by somebody: back within two ticks, and said.
kill -STOP "$DAEMON"
tc_near filter del dev near egress prio 1
expect "somebody takes a filter away" "$(ours near egress)" 0
kill -CONT "$DAEMON"
((CHECKS++))
wait_until is_fenced near egress || fail "a filter that was taken away does not come back"
expect "said in the log of the daemon" \
	"$(grep -c "tampering: edge: 1 of the tc filters were taken away; restored" "$DAEMON_LOG.now")" 1
expect "and by an event" "$(jq -r 'select(.event.action == "tamper") | .dnsfence.tamper
	| "\(.object) \(.restored)"' "$EVENTS")" "edge true"
tc_near qdisc del dev near clsact
((CHECKS++))
wait_until is_fenced near egress || fail "after the queueing discipline was taken away: not fenced"

# Another program in our filter: ours is back within two ticks, and that is said, too.
frame() { probe af-packet-raw $BAD4 53 -i near -m 02:df:00:00:00:02; }
handle=$(tc_near filter show dev near egress | sed -n 's/.*handle \(0xdf[0-9a-f]*\).*dnsfence_.*/\1/p')
before=$(arrived $BAD4)
frame
settle
expect "a frame, packets at the far end" "$(arrived $BAD4)" "$before"
kill -STOP "$DAEMON"
AS=(nsenter --net="/run/netns/$NEAR")
tamper filter near egress "$handle" 1
AS=()
expect "root puts another program into a filter, errno" "$ERRNO" 0
expect "and ours is gone" "$(ours near egress)" 0
frame
((CHECKS++))
wait_until arrived_more $BAD4 "$before" || fail "another program in the filter: nothing leaks ($OUT)"
kill -CONT "$DAEMON"
((CHECKS++))
wait_until is_fenced near egress || fail "a filter with another program in it is left so"
expect_said "another program in a filter" \
	"tampering: edge: 1 of the tc filters had another program put into them; restored"
before=$(arrived $BAD4)
frame
settle
expect "a frame after that, packets at the far end" "$(arrived $BAD4)" "$before"
expect "the events" "$(jq -r 'select(.event.action == "tamper") | .dnsfence.tamper
	| "\(.object) \(.restored) \(.what)"' "$EVENTS" | cut -d " " -f 1,2,8- | uniq -c | tr -s ' ')" \
	" 2 edge true were taken away
 1 edge true had another program put into them"

# How long an interface is open: from the kernel's word of it to its word of our filter, 50 times.
near python3 "$HERE/window.py" v1 50 >"$WORK/window" &
listener=$!
listens() { [[ -s $WORK/window ]]; }
wait_until listens || fail "nobody listens to the kernel"
for i in {1..50}; do
	ip -n "$NEAR" link add "v1$i" type veth peer name "p1$i"
	sleep 0.02
done
wait $listener
expect "the window was measured, exit status" $? 0
echo "an interface is open for: median $(sed -n 26p "$WORK/window") us, worst $(tail -n 1 "$WORK/window") us" >&2
expect "new interfaces fenced" "$(for i in {1..50}; do ours "v1$i" ingress; done | sort | uniq -c | tr -s ' ')" " 50 1"

# Restart: adopted, replaced in place. What is no longer wanted goes. The others' things stay.
stop_fence KILL
expect "after SIGKILL" "$(ours near egress)" 1
sed -i 's/^edge:.*/edge: {interfaces: [near], uplinks: [near]}/' "$CONFIG"
start_fence
expect "not wanted any more" "$(ours v0 ingress) $(ours v11 ingress)" "0 0"
expect "still wanted" "$(ours near egress)" 1
unload_near
expect "unload, exit status" $? 0
expect "filters left" "$(for d in near v0 v11; do ours $d ingress; ours $d egress; done | sort -u)" 0
expect "the others' filter after unload" "$(tc_near filter show dev v0 ingress | grep -c 'flowid 1:1')" 1
expect "the others' queueing discipline" "$(tc_near qdisc show dev v0 | grep -c clsact)" 1
expect "ours" "$(tc_near qdisc show dev v11 | grep -c clsact)" 0
DAEMON=''

# An interface by name that is not there; one whose frames cannot be read.
sed -i 's/^edge:.*/edge: {interfaces: [near, nothere], uplinks: [near]}/' "$CONFIG"
near "$DNSFENCE" -C "$CONFIG" check 2>"$WORK/check"
expect "check, exit status" $? 1
expect_match "check" "$(<"$WORK/check")" ":[0-9]+:[0-9]+: error: edge.interfaces: there is no interface 'nothere'; create it first"
sed 's/^policies: \[/&{name: nobody, match: {user: dnsfence-nobody}, resolvers: [good]}, /' "$CONFIG" >"$WORK/two.yaml"
near "$DNSFENCE" -C "$WORK/two.yaml" check 2>"$WORK/check"
expect "check tells of what is not there at once, an interface and a user" \
	"$(grep -cE "no interface 'nothere'|no user 'dnsfence-nobody'" "$WORK/check")" 2

# Somebody's ingress queueing discipline, which has no way out: refused by name, not hung on the way
# in, and before anything is done. A policy that asks for it does not come into force.
blocked() {
	ip -n "$NEAR" link add "$1" type veth peer name "$1p"
	tc_near qdisc add dev "$1" ingress
}
busy="somebody's ingress queueing discipline is there"
blocked q0
config
start_fence
generation=$(status_of .generation) filters=$(ours near egress)
policy <<-YAML
	apiVersion: dnsfence/v1
	policies: [{name: nobody, resolvers: []}]
	edge: {interfaces: [q0], uplinks: [q0]}
YAML
near "$DNSFENCE" -C "$CONFIG" "${INSTANCE[@]}" check 2>"$WORK/busy"
expect "check, exit status" $? 1
expect_match "check" "$(<"$WORK/busy")" ":3:20: error: edge.interfaces: q0 cannot be fenced: $busy"
unchanged() {
	expect "$1, the policy in force" "$(status_of '"\(.generation) \(.policies[0]) \(.fence)"')" \
		"$generation default closed"
	expect "$1, filters" "$(ours near egress) $(ours q0 ingress) $(ours q0 egress)" "$filters 0 0"
	expect "$1, their queueing discipline" "$(tc_near qdisc show dev q0 | grep -c ingress)" 1
	fenced dig +short +tries=1 +time=2 @$GOOD4 x.test >"$WORK/answer"
	expect "$1, a sanctioned lookup" "$(<"$WORK/answer")" $GOOD_ANSWER
}
dnsfence reload 2>"$WORK/busy"
expect "reload, exit status" $? 1
expect_match "reload" "$(<"$WORK/busy")" "q0 cannot be fenced: $busy"
unchanged reload
stop_fence KILL
near "$DNSFENCE" -C "$CONFIG" "${INSTANCE[@]}" load 2>"$WORK/busy"
expect "load, exit status" $? 1
expect_match "load" "$(<"$WORK/busy")" "q0 cannot be fenced: $busy"
unchanged load

# One that comes later and cannot be fenced is said, and each is said once.
config
sed -i 's/^edge:.*/edge: {interfaces: [near, "w*"], uplinks: [near, "w*"]}/' "$CONFIG"
start_fence
expect "the fence" "$(status_of .fence)" closed
for name in w1 w2; do
	blocked x$name
	ip -n "$NEAR" link set x$name name $name
	expect_said "$name" "the interface $name is not fenced: $busy"
done
sleep 2.2
expect "how often" "$(grep -c "is not fenced: $busy" "$DAEMON_LOG.now")" 2
expect "the fence with open interfaces" "$(status_of .fence)" open
for name in w1 w2; do
	tc_near qdisc del dev $name ingress
	((CHECKS++))
	wait_until is_fenced $name egress || fail "$name is not fenced when it could be"
done
expect "the fence" "$(status_of .fence)" closed

# Around a part of the host auto means no interface: nothing is attached for its sake, and check
# says so. Uplinks alone are an error.
sed -i 's/^edge:.*/edge: {interfaces: auto}/' "$CONFIG"
near "$DNSFENCE" -C "$CONFIG" --cgroup "/$ID" check 2>"$WORK/auto"
expect "check with auto and a cgroup, exit status" $? 0
expect_match "check with auto and a cgroup" "$(<"$WORK/auto")" ":4:20: warning: edge.interfaces: auto fences none with --cgroup /$ID"
near "$DNSFENCE" -C "$CONFIG" --cgroup / check 2>"$WORK/auto"
expect "check with auto and the root, warnings" "$(grep -c warning "$WORK/auto")" 0
if [[ $FENCED != / ]]; then
	dnsfence reload 2>/dev/null
	expect "reload, exit status" $? 0
	expect "interfaces and setsockopt with auto and a cgroup" \
		"$(status_of '"\(.edge | length) \(.hooks[] | select(.name == "setsockopt")
			| "\(.attached) \(.why)")"')" "0 false the policy does not need it"
	expect "the fence" "$(status_of .fence)" closed
	expect "filters left" "$(ours near egress) $(ours w1 egress)" "0 0"
	probe af-packet-qdisc-bypass $BAD4 53 -i near -m 02:df:00:00:00:02
	expect "past the edge, where there is none, errno" "$ERRNO" 0
fi
unload_near
DAEMON=''

# From another network namespace unload cannot take the filters away, and says so.
sed -i 's/^edge:.*/edge: {interfaces: [near], uplinks: [near]}/' "$CONFIG"
start_fence
stop_fence TERM
dnsfence unload 2>"$WORK/elsewhere"
expect "unload from another namespace, exit status" $? 1
expect_match "unload from another namespace" "$(<"$WORK/elsewhere")" "network namespace net:\[[0-9]+\]"
expect "still fenced" "$(ours near egress)" 1
unload_near
expect "unload where they are, exit status" $? 0

# An ephemeral one that is killed leaves its filters; unload knows them.
start_fence --ephemeral
stop_fence KILL
expect "an ephemeral one, killed" "$(ours near egress)" 1
unload_near
expect "after unload" "$(ours near egress)" 0
finish
