# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
# vm: below the root, its guest stands for a machine, whose sockets the root cgroup would judge
#
# Frames that this host forwards for a machine behind it: judged where they come in, by interface
# or source; judged again on the way out only if NAT has changed where they go.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kernel/edge.sh
. "$(dirname "$0")/edge.sh"
setup
setup_guest
DAEMON_NETNS=/run/netns/$NEAR
vms="{name: vms, match: {interface: vm0}, resolvers: [good]}"
default="{name: default, resolvers: []}"
twins=()

for target in $BAD4 $BAD6; do
	for technique in udp-sendto udp-connect tcp-connect; do
		guest_leaks $technique $target 53
		guest_leaks $technique $target 853
	done
done

edge_policy "$vms" "$default"
start_fence
for target in $BAD4 $BAD6; do
	for technique in udp-sendto udp-connect tcp-connect; do
		guest_stays_in $technique $target 53
		guest_stays_in $technique $target 853
	done
done
expect_frame_event "the question of a frame" '.dns.question.name == "leak.dnsfence.test"'

# Two machines behind one interface that ask the same at once: each is named.
ip -n "$GUEST" addr add 10.78.0.99/24 dev eth0
before=$(arrived $BAD4)
for source in $GUEST4 10.78.0.99; do
	guest dig -b $source +tries=1 +time=1 "@$BAD4" twin.test A >/dev/null &
	twins+=($!)
done
wait "${twins[@]}"
expect "twins, packets" "$(arrived $BAD4)" "$before"
sources() { jq -r 'select(.dns.question.name == "twin.test") | "\(.source.ip) \(.dnsfence.count)"' "$EVENTS" | sort; }
both_are_named() { [[ $(sources) == "$GUEST4 1"$'\n'"10.78.0.99 1" ]]; }
((CHECKS++))
wait_until both_are_named || fail "twins: the log has $(sources)"
for target in $GOOD4 $GOOD6; do
	guest_asks @$target
	guest_asks +tcp @$target
done

# What is no name resolution is not held up, nor are answers on their way to a client's port 53.
denied_before=$(denied)
for target in $BAD4 $BAD6; do
	before=$(arrived $target)
	guest_probe udp-sendto $target 54
	guest_probe tcp-connect $target 54 -t 300
	((CHECKS++))
	wait_until arrived_more $target $((before + 1)) || fail "port 54 at $target is held up"
	expect "ping $target" "$(guest ping -c 1 -W 2 -q $target >/dev/null && echo yes)" yes
done
guest_asks @$GOOD4 -b "$GUEST4#53"
expect "what is no leak, denied counter" "$(denied)" "$denied_before"

# Fragments: without the first one the others are nothing.
reassembled() { far nstat -asz IpReasmOKs Ip6ReasmOKs | awk '/ReasmOKs/ {sum += $2} END {print sum}'; }
for target in $GOOD4 $GOOD6 $BAD4 $BAD6; do
	before=$(reassembled)
	guest_probe udp-big $target 53
	settle_guest
	sleep 0.3
	case $target in
	"$BAD4" | "$BAD6") expect "a large datagram to $target, reassembled" "$(reassembled)" "$before" ;;
	*) expect "a large datagram to $target, reassembled" "$(reassembled)" $((before + 1)) ;;
	esac
done

# This host's own NAT: masquerading keeps what was let in; a changed target is judged again.
near nft -f - <<-RULES || die "no NAT"
	table inet nat {
		chain post {
			type nat hook postrouting priority 100;
			oifname "near" masquerade
		}
		chain pre {
			type nat hook prerouting priority -100;
			iifname "vm0" ip daddr $CLIENT4 udp dport 7777 dnat ip to $BAD4:53
			iifname "vm0" ip daddr $CLIENT4 udp dport 7778 dnat ip to $BAD4:54
		}
	}
RULES
guest_asks @$GOOD4
guest_asks +tcp @$GOOD6
before=$(arrived $BAD4)
guest_probe udp-sendto $CLIENT4 7778
((CHECKS++))
wait_until arrived_more $BAD4 "$before" || fail "DNAT to port 54 does not work"
before=$(arrived $BAD4)
guest_probe udp-sendto $CLIENT4 7777
settle_guest
expect "DNAT to a forbidden resolver, packets" "$(arrived $BAD4)" "$before"
expect_frame_event "DNAT to a forbidden resolver" ".dnsfence.hook == \"edge_out\"
	and .observer.egress.interface.name == \"near\" and .observer.ingress.interface.name == \"vm0\"
	and .destination.ip == \"$BAD4\" and .destination.port == 53"
near nft delete table inet nat

# By source instead, by both, and by nothing.
for match in "source: 10.78.0.0/16" "source: [192.0.2.0/24, $GUEST4]" "interface: 'vm*', source: $GUEST4"; do
	edge_policy "{name: vms, match: {$match}, resolvers: [good]}" "$default"
	dnsfence reload 2>/dev/null
	expect "reload with $match" $? 0
	guest_asks @$GOOD4
	guest_stays_in udp-sendto $GOOD6 53
done
edge_policy "{name: vms, match: {interface: vm0, source: 10.78.0.3}, resolvers: [good]}" "$default"
dnsfence reload 2>/dev/null
guest_stays_in udp-sendto $GOOD4 53

# Audit: everything passes, and is said.
MODE=audit edge_policy "$default"
dnsfence reload 2>/dev/null
guest_asks @$GOOD4
guest_asks +tcp @$GOOD4
expect_frame_event audit '.dnsfence.verdict == "audit" and .event.action == "dns-audited"
	and .network.transport == "tcp"'
expect_log_whole

# Nobody but unload opens it.
edge_policy "$vms" "$default"
dnsfence reload 2>/dev/null
stop_fence KILL
before=$(arrived $BAD4)
guest_probe udp-sendto $BAD4 53
settle_guest
expect "after SIGKILL, packets" "$(arrived $BAD4)" "$before"
guest_asks @$GOOD4
expect "status without a daemon" "$(near "$DNSFENCE" "${INSTANCE[@]}" status -j | jq -c '[.fence, (.edge | map(.interface + " " + .fenced) | sort)]')" \
	'["closed",["near out","vm0 in"]]'
start_fence
guest_stays_in udp-sendto $BAD4 53
stop_fence TERM
near "$DNSFENCE" "${INSTANCE[@]}" unload 2>/dev/null
expect "unload, exit status" $? 0
guest_leaks udp-sendto $BAD4 53
expect "queueing disciplines left" "$(near tc qdisc show | grep -c clsact)" 0
finish
