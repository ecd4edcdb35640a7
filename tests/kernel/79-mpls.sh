# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# MPLS with a real peer, a host that takes the label off: there a frame under a label is a lookup,
# and is answered. At the edge the packet under the label is judged; what an inet socket sends by a
# route that puts a label on has been judged before that.
. "$(dirname "$0")/lib.sh"
modprobe mpls_router 2>/dev/null
modprobe mpls_iptunnel 2>/dev/null
[[ -d /proc/sys/net/mpls ]] || skip "this kernel has no MPLS"
setup
MAC=02:df:00:00:00:02
far sysctl -qw net.mpls.platform_labels=1000 net.mpls.conf.far.input=1 \
	net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.lo.rp_filter=0
ip -n "$FAR" -f mpls route add 200 dev lo || die "the far end cannot take a label off"
ip -n "$NEAR" route add $OTHER4/32 encap mpls 200 via inet $GOOD4 dev near ||
	skip "this kernel has no routes that put a label on"
far nft -f - <<-RULES || die "no counters of labelled packets"
	table netdev labelled {
		chain ingress {
			type filter hook ingress device far priority 1;
			@ll,96,16 0x8847 counter
		}
	}
	table inet popped {
		chain input {
			type filter hook input priority 0;
			iif lo udp dport 53 counter
		}
	}
RULES
near nft -f - <<-RULES || die "no counter of answers"
	table inet answers {
		chain input {
			type filter hook input priority 0;
			udp sport 53 counter
		}
	}
RULES

count_of() { "$1" nft list table $2 | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'; }
seen() { echo "$(count_of far "netdev labelled") $(count_of far "inet popped") $(count_of near "inet answers")"; }
seen_more() {
	local -a now old
	read -ra now <<<"$(seen)"
	read -ra old <<<"$1"
	((now[0] > old[0] && now[1] > old[1] && now[2] > old[2]))
}

# passes_labelled TECHNIQUE ADDR: it arrives under a label, comes out of it, and is answered.
passes_labelled() {
	local before
	before=$(seen)
	probe "$1" "$2" 53 -i near -m $MAC
	expect "$*, errno" "$ERRNO" 0
	((CHECKS++))
	wait_until seen_more "$before" || fail "$*: under labels, out of them, answered: $(seen) after $before"
}

# stays TECHNIQUE ADDR ERRNO HOOK
stays() {
	local before denied_before
	before=$(seen) denied_before=$(denied)
	probe "$1" "$2" 53 -i near -m $MAC
	expect "$*, errno" "$ERRNO" "$3"
	settle
	expect "$*, at the far end" "$(seen)" "$before"
	expect "$*, denied counter" "$(denied)" $((denied_before + 1))
	expect_event "$*" "$PID" ".dnsfence.hook == \"$4\" and .dnsfence.verdict == \"deny\"
		and .destination.ip == \"$2\" and .destination.port == 53"
}

passes_labelled af-packet-mpls-one $BAD4
passes_labelled udp-sendto $OTHER4
simple_policy
sed -i 's/^edge:.*/edge: {interfaces: [near], uplinks: [near]}/' "$CONFIG"
DAEMON_NETNS=/run/netns/$NEAR
start_fence
stays af-packet-mpls-one $BAD4 ENOBUFS edge_out
stays udp-sendto $OTHER4 EPERM packet
passes_labelled af-packet-mpls-one $GOOD4
sed -i "s/\[$GOOD4, /[$GOOD4, $OTHER4, /" "$CONFIG"
dnsfence reload 2>/dev/null
expect "reload, exit status" $? 0
passes_labelled udp-sendto $OTHER4
expect_log_whole
finish
