# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# A forwarder as Docker's embedded resolver is: in the container's network namespace it listens on
# a high port of 127.0.0.11, to which that namespace's NAT leads port 53 (moby's setupNAT), and its
# sockets are of the daemon's cgroup. The packet layer meets the container's question at the high
# port; 127.0.0.11 is `translated`, so it is known for a question, and who asked is named.
. "$(dirname "$0")/lib.sh"
setup
need dnsmasq
mkdir -p "$CGROUP/dockerd" "$CGROUP/box" || die "no cgroups"
BOX=${ID}b
cleanup_more() { ip netns del "$BOX" 2>/dev/null; }

# The container: another namespace, behind a veth pair, with the host (near) as its router.
ip netns add "$BOX" || die "no network namespace"
ip -n "$NEAR" link add ve0 type veth peer name eth0 netns "$BOX" || die "no veth pair"
ip -n "$NEAR" addr add 10.80.0.1/24 dev ve0
ip -n "$NEAR" link set ve0 up
ip -n "$BOX" link set lo up
ip -n "$BOX" link set eth0 up
ip -n "$BOX" addr add 10.80.0.2/24 dev eth0
ip -n "$BOX" route add default via 10.80.0.1
near sysctl -qw net.ipv4.ip_forward=1
near nft -f - <<-RULES || skip "no NAT in this kernel"
	table ip nat {
		chain post {
			type nat hook postrouting priority 100;
			oifname "near" masquerade
		}
	}
RULES
nsenter --net="/run/netns/$BOX" nft -f - <<-RULES || skip "no NAT in this kernel"
	table ip nat {
		chain output {
			type nat hook output priority -100;
			ip daddr 127.0.0.11 udp dport 53 dnat to 127.0.0.11:40053
			ip daddr 127.0.0.11 tcp dport 53 dnat to 127.0.0.11:40053
		}
		chain post {
			type nat hook postrouting priority 100;
			ip saddr 127.0.0.11 udp sport 40053 snat to :53
			ip saddr 127.0.0.11 tcp sport 40053 snat to :53
		}
	}
RULES

# at NAMESPACE CGROUP COMMAND...: its process id is left in $WORK/pid.
at() {
	local namespace=$1 cgroup=$2
	shift 2
	(
		echo "$BASHPID" >"$WORK/pid"
		echo "$BASHPID" >"$CGROUP2/$ID/$cgroup/cgroup.procs" || exit 125
		exec nsenter --net="/run/netns/$namespace" "$@"
	)
}
asks() {
	OUT=$(at "$BOX" box dig +short +tries=1 +time=$((2 * SLOW)) @127.0.0.11 "$@" 2>/dev/null)
	CLIENT=$(<"$WORK/pid")
}

# dockerd UPSTREAM: its resolver, made in the container's namespace, of its own cgroup.
dockerd() {
	[[ ! ${DOCKERD:-} ]] || kill "$DOCKERD"
	at "$BOX" dockerd dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts \
		--user=root --pid-file= --cache-size=0 --bind-interfaces --listen-address=127.0.0.11 \
		--port=40053 --server="$1" >>"$WORK/dockerd.log" 2>&1 &
	sleep 0.3
	DOCKERD=$(<"$WORK/pid")
	SERVERS+=" $DOCKERD"
	disown $!
	wait_until answers_box || die "the resolver in the container's namespace does not answer: $(<"$WORK/dockerd.log")"
}
answers_box() { asks up.test && [[ $OUT ]]; }

# config TRANSLATED FORWARDS
config() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		resolvers: {good: [$GOOD4], embedded: [{address: 127.0.0.11$1}]}
		policies:
		- {name: dockerd, match: {cgroup: /$ID/dockerd}, resolvers: [good]$2}
		- {name: containers, match: {cgroup: /$ID/box}, resolvers: [embedded]}
		- {name: default, resolvers: [good]}
		events: {stdout: true}
	YAML
}

dockerd $BAD4
asks leak.test
expect "without the fence" "$OUT" $BAD_ANSWER

config ', translated: true' ', forwards: true'
start_fence

# blocked NAME [ARGUMENT...]
blocked() {
	local before denied_before
	before=$(arrived $BAD4) denied_before=$(denied)
	asks "$@"
	expect "$*, answer" "$OUT" ""
	settle
	expect "$*, packets" "$(arrived $BAD4)" "$before"
	expect_more "$*, denied" "$(denied)" "$denied_before"
	expect_event "$*" "$DOCKERD" ".dns.question.name == \"$1\" and .dnsfence.hook == \"packet\"
		and .dnsfence.cgroup.path == \"/$ID/dockerd\" and .rule.name == \"dockerd\"
		and .dnsfence.via.cgroup.path == \"/$ID/box\" and .dnsfence.via.process.pid == $CLIENT
		and .dnsfence.via.process.name == \"dig\""
}
blocked one.test
blocked two.test AAAA

# The resolver is refused at connect() when it asks over TCP, where there is no question yet.
asks three.test +tcp
expect_match "over TCP, answer" "$OUT" '^(;;|$)'
tcp_event() {
	jq -e 'select(.network.transport == "tcp" and .rule.name == "dockerd" and
		(.dnsfence | has("via") | not))' "$EVENTS" >/dev/null 2>&1
}
((CHECKS++))
wait_until tcp_event || fail "over TCP: no event of the resolver's connect()"

# A container that asks somebody else is blocked itself.
OUT=$(at "$BOX" box "$PROBE" udp-sendto $BAD4 53 2>&1)
expect_match "a hard-coded resolver" "$OUT" 'errno=EPERM'
expect_event "a hard-coded resolver" "$(<"$WORK/pid")" '.rule.name == "containers" and (.dnsfence | has("via") | not)'

# A translated resolver of another policy vouches for nothing of the forwarder's.
for technique in udp-connect udp-sendto udplite-connect tcp-connect; do
	OUT=$(at "$BOX" dockerd "$PROBE" $technique $BAD4 53 2>&1)
	expect_match "the forwarder's own $technique" "$OUT" 'errno=EPERM'
done

# Not marked as translated, or no forwarder: as good a fence, and nobody named.
for keys in '|, forwards: true' ', translated: true|'; do
	config "${keys%|*}" "${keys#*|}"
	dnsfence reload
	asks "name-${#keys}.test"
	expect "with '$keys', answer" "$OUT" ""
done
expect "nobody is named then" "$(jq -c 'select((.dns.question.name // "") | startswith("name-")) |
	select(.dnsfence | has("via"))' "$EVENTS")" ""

# With a sanctioned upstream it works.
config ', translated: true' ', forwards: true'
dnsfence reload
before=$(denied)
kill "$DOCKERD"
DOCKERD=''
dockerd $GOOD4
asks good.test
expect "a sanctioned upstream, answer" "$OUT" $GOOD_ANSWER
asks good.test +tcp
expect "a sanctioned upstream over TCP, answer" "$OUT" $GOOD_ANSWER
expect "a sanctioned upstream, denied" "$(denied)" "$before"
expect_log_whole
finish
