# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# This host's own NAT. What turns another port into 53 is seen by the packet layer alone. What
# turns 53 into another port is no lookup to it any more: connect() is denied, sendto() reaches
# what the NAT's owner put there, and that one's own lookups are judged.
. "$(dirname "$0")/lib.sh"
need dnsmasq
setup
simple_policy
near nft -f - <<-RULES || die "no NAT in this kernel"
	table inet nat {
		chain output {
			type nat hook output priority -100;
			meta l4proto { tcp, udp } th dport 7777 ip daddr $CLIENT4 dnat ip to $BAD4:53
			meta l4proto { tcp, udp } th dport 7777 ip6 daddr $CLIENT6 dnat ip6 to [$BAD6]:53
			meta l4proto { tcp, udp } th dport 7778 ip daddr $CLIENT4 dnat ip to $GOOD4:53
			meta l4proto { tcp, udp } th dport 7778 ip6 daddr $CLIENT6 dnat ip6 to [$GOOD6]:53
			meta l4proto { tcp, udp } th dport 53 ip daddr $OTHER4 redirect to :5300
		}
	}
RULES

# Another port into 53. The twin goes the same way to the sanctioned resolver.
into_53() {
	local through=$1 target=$2 technique before failures
	for technique in udp-sendto udp-connect udp-gso; do
		if [[ $PHASE == open ]]; then
			shows_leak "$technique by $through:7777" "$target" $technique "$through" 7777
			continue
		fi
		before=$(arrived "$target") failures=$FAILURES
		probe $technique "$through" 7777
		expect "$technique by $through:7777, errno" "$ERRNO" EPERM
		settle
		expect "$technique by $through:7777, packets" "$(arrived "$target")" "$before"
		expect_event "$technique by $through:7777" "$PID" ".dnsfence.hook == \"packet\" and
			.destination.ip == \"$target\" and .destination.port == 53 and
			.dns.question.name == \"leak.dnsfence.test\""
		((FAILURES > failures)) || covered "$technique, DNAT to 53" 53 packet
		passes "$technique by $through:7778" "$(twin "$target")" $technique "$through" 7778
	done
}

into_53_tcp() {
	local through=$1 target=$2 before denied_before failures=$FAILURES
	[[ $PHASE == open ]] && shows_leak "tcp by $through" "$target" tcp-connect "$through" 7777
	[[ $PHASE == open ]] && return
	before=$(arrived "$target") denied_before=$(denied)
	probe tcp-connect "$through" 7777 -t 500
	expect "tcp by $through:7777, errno: it waits in vain" "$ERRNO" EINPROGRESS
	settle
	expect "tcp by $through:7777, packets" "$(arrived "$target")" "$before"
	expect_more "tcp by $through:7777, denied counter" "$(denied)" "$denied_before"
	((FAILURES > failures)) || covered "tcp-connect, DNAT to 53" 53 packet
	passes "tcp by $through:7778" "$(twin "$target")" tcp-connect "$through" 7778
}

# Conntrack puts hand-made fragments together before the packet layer sees them: it judges the
# whole, and the caller's second call has the errno. Linux 5.10 takes their socket away meanwhile,
# so that no cgroup's program sees them: the edge is left, below.
fragments() {
	[[ $PHASE == open ]] && shows_leak "fragments, conntrack" $BAD4 raw-fragments $BAD4 53
	[[ $PHASE == open ]] && return
	if ! kernel_is_from 6.1; then
		shows_leak "fragments, conntrack, Linux 5.10" $BAD4 raw-fragments $BAD4 53
		lacking raw-fragments 53 "conntrack takes their socket away; the edge sees them"
		return
	fi
	blocks_leak "fragments, conntrack" $BAD4 packet send resolver-not-sanctioned \
		raw-fragments $BAD4 53
	passes "fragments, conntrack" $GOOD4 raw-fragments $GOOD4 53
}

cases() {
	into_53 $CLIENT4 $BAD4
	into_53 $CLIENT6 $BAD6
	into_53_tcp $CLIENT4 $BAD4
	into_53_tcp $CLIENT6 $BAD6
	fragments
}
prove cases

# 53 into another port of this host, where a forwarder of the fenced cgroup listens.
in_cgroup "$APPS" dnsmasq --keep-in-foreground --no-resolv --no-hosts --conf-file=/dev/null \
	--pid-file="" --user=root --port=5300 --listen-address=127.0.0.1 --bind-interfaces \
	--server=$BAD4 --log-facility=- >"$WORK/dnsmasq.log" 2>&1 &
listens() { near ss -uln | grep -q '127.0.0.1:5300 '; }
wait_until listens || die "the forwarder does not listen: $(<"$WORK/dnsmasq.log")"
for technique in tcp-connect udp-connect; do
	failures=$FAILURES
	probe $technique $OTHER4 53
	expect "53 by redirect, $technique, errno" "$ERRNO" EPERM
	((FAILURES > failures)) || covered "$technique, DNAT from 53" 53 connect4
done
before=$(arrived $BAD4) denied_before=$(denied)
probe udp-sendto $OTHER4 53
expect "53 by redirect, sendto(), errno" "$ERRNO" 0
forwarder_denied() { (($(denied) > denied_before)); }
((CHECKS++))
wait_until forwarder_denied || fail "the forwarder's own lookup is not denied"
settle
expect "the forwarder's lookup, packets" "$(arrived $BAD4)" "$before"
((CHECKS++))
wait_until grep -q '"name":"dnsmasq"' "$EVENTS" || fail "no event names the forwarder"

# With the layer at the call, before NAT, sendto() is denied, too.
settings=("hooks: all")
kernel_is_from 5.18 && settings+=("on_deny: refused") # before, there is no other errno
for setting in "${settings[@]}"; do
	simple_policy "$setting"
	dnsfence reload 2>/dev/null
	denied_before=$(denied) failures=$FAILURES
	probe udp-sendto $OTHER4 53
	expect "53 by redirect, $setting, step" "$STEP" send
	expect_match "53 by redirect, $setting, errno" "$ERRNO" '^(EPERM|ECONNREFUSED)$'
	expect "53 by redirect, $setting, denied counter" "$(denied)" $((denied_before + 1))
	expect_event "53 by redirect, $setting" "$PID" \
		".dnsfence.hook == \"sendmsg4\" and .destination.ip == \"$OTHER4\""
	((FAILURES > failures)) || covered "udp-sendto, DNAT from 53" 53 sendmsg4 "$setting"
done
passes "the sanctioned resolver, at the call" $GOOD4 udp-sendto $GOOD4 53
expect_log_whole

# With the edge on nothing of the fragments leaves on any kernel.
dnsfence unload 2>/dev/null
wait "$DAEMON"
DAEMON=''
simple_policy
sed -i 's/^edge:.*/edge: {interfaces: [near], uplinks: [near]}/' "$CONFIG"
DAEMON_NETNS=/run/netns/$NEAR
start_fence
before=$(arrived $BAD4) denied_before=$(denied) failures=$FAILURES
probe raw-fragments $BAD4 53
settle
expect "fragments, conntrack, edge, packets" "$(arrived $BAD4)" "$before"
expect "fragments, conntrack, edge, denied counter" "$(denied)" $((denied_before + 1))
refused_fragments() {
	[[ $(jq -c "select(.destination.ip == \"$BAD4\" and .destination.port == 53 and
		(.dnsfence.hook == \"edge_out\" or .dnsfence.hook == \"packet\"))" "$EVENTS" | tail -n 1) ]]
}
((CHECKS++))
: >"$EVENTS"
probe raw-fragments $BAD4 53
wait_until refused_fragments || fail "fragments, conntrack, edge: no event: $(tail -n 1 "$EVENTS")"
kernel_is_from 6.1 || ((FAILURES > failures)) || covered "raw-fragments, edge" 53 edge_out
before=$(arrived $GOOD4)
probe raw-fragments $GOOD4 53
((CHECKS++))
wait_until arrived_more $GOOD4 "$before" || fail "fragments, sanctioned, edge: nothing arrived"
expect_log_whole
stop_fence TERM
near "$DNSFENCE" "${INSTANCE[@]}" unload # where its filters are
expect "unload, exit status" $? 0
DAEMON_NETNS=''

# What goes from and to port 4500, as this host's IPsec has ESP in UDP go, is judged by its socket's
# peer; that some resolver elsewhere has this port, which is fenced at its address, changes nothing.
near nft -f - <<-RULES || die "no NAT in this kernel"
	table ip sealed {
		chain out { type nat hook output priority -110; ip daddr { $BAD4, $GOOD4 } udp dport 53 dnat to $CLIENT4:4500; }
		chain post { type nat hook postrouting priority 90; ip daddr $CLIENT4 udp dport 4500 snat to 10.77.0.1:4500; }
	}
RULES
near sysctl -qw net.netfilter.nf_conntrack_udp_timeout=1
# One such connection at a time: they have the same ports.
alone() {
	sleep 2.5
	probe "$@"
}
for resolver in "$GOOD4" "$GOOD4, {address: $OTHER4, port: 4500}"; do
	alone udp-connect $BAD4 53
	expect "peer $BAD4 by 4500, without the fence, errno" "$ERRNO" 0
	policy <<-YAML
		apiVersion: dnsfence/v1
		deny_at: packet
		hooks: all
		resolvers: {good: [$resolver]}
		policies: [{name: default, resolvers: [good]}]
		events: {stdout: true}
	YAML
	start_fence
	denied_before=$(denied)
	alone udp-connect $BAD4 53
	expect "peer $BAD4 by 4500, $resolver, errno" "$ERRNO" EPERM
	settle
	expect "peer $BAD4 by 4500, $resolver, denied counter" "$(denied)" $((denied_before + 1))
	expect_event "peer $BAD4 by 4500, $resolver" "$PID" ".dnsfence.hook == \"packet\" and
		.destination.ip == \"$BAD4\" and .destination.port == 53"
	alone udp-connect $GOOD4 53
	expect "peer $GOOD4 by 4500, $resolver, errno" "$ERRNO" 0
	expect_log_whole
	stop_fence TERM
	dnsfence unload
done
finish
